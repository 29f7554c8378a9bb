#include "services/outbox-relay/domain/pgoutput.h"

#include <absl/strings/str_format.h>

#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::relay {
namespace {

// PostgreSQL counts microseconds from here.
const absl::Time kEpoch = absl::FromUnixSeconds(946'684'800);  // 2000-01-01T00:00:00Z

// Reads big-endian fields from the front; once a field does not fit, every further one is zero and ok() is
// false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T Integer() {
    const std::string_view field = Bytes(sizeof(T));
    T value = 0;
    for (const char byte : field) value = static_cast<T>((value << 8) | static_cast<unsigned char>(byte));
    return value;
  }
  std::string_view Bytes(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const std::string_view field = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return field;
  }
  // Up to a zero byte, which is skipped.
  std::string_view Text() {
    const std::size_t end = rest_.find('\0');
    const std::string_view field = Bytes(end == std::string_view::npos ? rest_.size() + 1 : end);
    Bytes(ok_ ? 1 : 0);
    return field;
  }
  absl::Time Time() {
    return kEpoch + absl::Microseconds(static_cast<std::int64_t>(Integer<std::uint64_t>()));
  }
  std::string_view Rest() { return Bytes(rest_.size()); }

  bool ok() const { return ok_; }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(Concat("malformed replication message: ", what));
}

Relation ReadRelation(Reader& in) {
  Relation relation;
  relation.id = in.Integer<std::uint32_t>();
  relation.schema = in.Text();
  relation.name = in.Text();
  in.Integer<std::uint8_t>();  // replica identity
  const auto count = in.Integer<std::uint16_t>();
  for (int i = 0; i < count && in.ok(); ++i) {
    in.Integer<std::uint8_t>();  // part of the key?
    relation.columns.emplace_back(in.Text());
    in.Integer<std::uint32_t>();  // type
    in.Integer<std::uint32_t>();  // type modifier
  }
  return relation;
}

absl::StatusOr<Insert> ReadInsert(Reader& in) {
  Insert insert;
  insert.relation_id = in.Integer<std::uint32_t>();
  if (in.Integer<std::uint8_t>() != 'N') return Malformed("an insert without a new row");
  const auto count = in.Integer<std::uint16_t>();
  // A value takes a byte at least, so a count that lies cannot make us reserve more than the message has.
  if (count > in.left()) return Malformed("fewer values than it says");
  insert.values.reserve(count);
  for (int i = 0; i < count && in.ok(); ++i) {
    switch (in.Integer<std::uint8_t>()) {
      case 'n':
        insert.values.emplace_back(std::nullopt);
        break;
      case 't':
        insert.values.emplace_back(in.Bytes(in.Integer<std::uint32_t>()));
        break;
      default:  // 'b' and 'u' are for options and commands that are not used here
        return Malformed("a value of an unexpected kind");
    }
  }
  return insert;
}

}  // namespace

std::string FormatLsn(Lsn lsn) {
  return absl::StrFormat("%X/%X", lsn >> 32, lsn & 0xFFFFFFFF);
}

absl::StatusOr<Frame> DecodeFrame(std::string_view bytes) {
  Reader in(bytes);
  switch (in.Integer<std::uint8_t>()) {
    case 'w': {
      LogData data{.start = in.Integer<std::uint64_t>()};
      in.Integer<std::uint64_t>();  // the server's end of log
      in.Integer<std::uint64_t>();  // the server's clock
      data.message = in.Rest();
      if (!in.ok() || data.message.empty()) return Malformed("log data");
      return data;
    }
    case 'k': {
      Keepalive keepalive{.end = in.Integer<std::uint64_t>()};
      in.Integer<std::uint64_t>();
      keepalive.reply_requested = in.Integer<std::uint8_t>() != 0;
      if (!in.ok()) return Malformed("keepalive");
      return keepalive;
    }
    default:
      return Malformed("frame of an unknown kind");
  }
}

std::string EncodeStatusUpdate(Lsn flushed, absl::Time now) {
  std::string out = "r";
  const auto append = [&out](std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
  };
  append(flushed);  // written
  append(flushed);  // flushed
  append(flushed);  // applied
  append(static_cast<std::uint64_t>(absl::ToInt64Microseconds(now - kEpoch)));
  out.push_back('\0');  // no answer wanted
  return out;
}

absl::StatusOr<Message> DecodeMessage(std::string_view bytes) {
  Reader in(bytes);
  Message message = Other{};
  const auto kind = in.Integer<std::uint8_t>();
  switch (kind) {
    case 'B':
      message = Begin{.commit_lsn = in.Integer<std::uint64_t>(), .commit_time = in.Time()};
      in.Integer<std::uint32_t>();  // transaction id
      break;
    case 'C':
      in.Integer<std::uint8_t>();   // flags
      in.Integer<std::uint64_t>();  // commit record
      message = Commit{.end_lsn = in.Integer<std::uint64_t>()};
      in.Time();
      break;
    case 'R':
      message = ReadRelation(in);
      break;
    case 'I': {
      ASSIGN_OR_RETURN(message, ReadInsert(in));
      break;
    }
    case 'O':  // origin
    case 'Y':  // type
    case 'U':
    case 'D':
    case 'T':
    case 'M':
      return message;
    default:
      return Malformed("message of an unknown kind");
  }
  if (!in.ok() || in.left() > 0) return Malformed(Concat("'", std::string_view(bytes.data(), 1), "'"));
  return message;
}

}  // namespace bv::relay
