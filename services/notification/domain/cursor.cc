#include "services/notification/domain/cursor.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <optional>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::notification {
namespace {

// The first byte, so that a later encoding can be told from this one.
constexpr char kFormat = 1;
constexpr std::size_t kPartitionsMax = 1'000;
// 63 bits in groups of seven.
constexpr int kShiftMax = 56;
// Messages of a partition.
constexpr std::int64_t kAheadMax = 100'000;

// Seven bits a byte, the lowest first; the highest bit says that more follow.
void AppendVarint(std::uint64_t number, std::string& out) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

std::optional<std::int64_t> TakeVarint(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (int shift = 0; shift <= kShiftMax && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return static_cast<std::int64_t>(number);
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<Cursor> Cursor::Parse(std::string_view text, std::string_view field) {
  const auto invalid = [field] {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_CURSOR", "is not what was sent as seq", field);
  };
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(Absl(text), &bytes) || bytes.empty() || bytes[0] != kFormat)
    return invalid();
  Cursor cursor;
  for (std::string_view rest = std::string_view(bytes).substr(1); !rest.empty();) {
    const std::optional<std::int64_t> next = TakeVarint(rest);
    if (!next || cursor.next_.size() == kPartitionsMax) return invalid();
    cursor.next_.push_back(*next);
  }
  return cursor;
}

std::string Cursor::Text() const {
  std::string bytes(1, kFormat);
  for (const std::int64_t next : next_) AppendVarint(static_cast<std::uint64_t>(next), bytes);
  return absl::WebSafeBase64Escape(bytes);
}

void Cursor::Advance(Position position) {
  const auto index = static_cast<std::size_t>(position.partition);
  if (next_.size() <= index) next_.resize(index + 1);
  next_[index] = std::max(next_[index], position.offset + 1);
}

void Cursor::Merge(const Cursor& other) {
  next_.resize(std::max(next_.size(), other.next_.size()));
  for (std::size_t i = 0; i < other.next_.size(); ++i) next_[i] = std::max(next_[i], other.next_[i]);
}

std::int64_t Cursor::Next(int partition) const {
  const auto index = static_cast<std::size_t>(partition);
  return index < next_.size() ? next_[index] : 0;
}

bool Cursor::IsWithin(const Cursor& other) const {
  for (std::size_t i = 0; i < next_.size(); ++i) {
    if (next_[i] > other.Next(static_cast<int>(i))) return false;
  }
  return true;
}

bool Cursor::IsReachedBy(const Cursor& begin, const Cursor& end) const {
  for (std::size_t i = 0; i < next_.size(); ++i) {
    if (next_[i] > end.Next(static_cast<int>(i)) + kAheadMax) return false;
  }
  return begin.IsWithin(*this);
}

}  // namespace bv::notification
