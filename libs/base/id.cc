#include "libs/base/id.h"

#include <absl/random/random.h>
#include <openssl/sha.h>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace bv {
namespace {

constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

// The last timestamp this process used, so that a clock set back does not bring ids out of order.
std::uint64_t MonotonicMillis() {
  static std::atomic<std::uint64_t> last{0};
  const auto now = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                  std::chrono::system_clock::now().time_since_epoch())
                                                  .count());
  std::uint64_t seen = last.load(std::memory_order_relaxed);
  while (seen < now && !last.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
  }
  return seen < now ? now : seen;
}

}  // namespace

Uuid NewUuid() {
  thread_local absl::BitGen random;
  thread_local std::uint64_t last_millis = 0;
  thread_local std::uint16_t counter = 0;
  // RFC 9562, method 1: the 12 bits after the version count within a millisecond, from a random start in the
  // lower half. A thread that uses them up goes on in the next millisecond, ahead of the clock.
  if (const std::uint64_t now = MonotonicMillis(); now > last_millis) {
    last_millis = now;
    counter = absl::Uniform<std::uint16_t>(random, 0, 0x800);
  } else if (counter < 0xfff) {
    ++counter;
  } else {
    ++last_millis;
    counter = absl::Uniform<std::uint16_t>(random, 0, 0x800);
  }
  const std::uint64_t tail = absl::Uniform<std::uint64_t>(random);
  Uuid uuid;
  for (int i = 0; i < 6; ++i) uuid[i] = static_cast<std::uint8_t>(last_millis >> (40 - 8 * i));
  uuid[6] = static_cast<std::uint8_t>(0x70 | (counter >> 8));
  uuid[7] = static_cast<std::uint8_t>(counter);
  for (int i = 0; i < 8; ++i) uuid[8 + i] = static_cast<std::uint8_t>(tail >> (56 - 8 * i));
  uuid[8] = static_cast<std::uint8_t>(0x80 | (uuid[8] & 0x3f));
  return uuid;
}

Uuid UuidFromParts(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += std::to_string(part.size()) + ":" + part;
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  Uuid uuid;
  std::copy_n(digest, uuid.size(), uuid.begin());
  uuid[6] = static_cast<std::uint8_t>(0x80 | (uuid[6] & 0x0f));
  uuid[8] = static_cast<std::uint8_t>(0x80 | (uuid[8] & 0x3f));
  return uuid;
}

std::string UuidToString(const Uuid& uuid) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kHex[uuid[i] >> 4];
    text += kHex[uuid[i] & 15];
  }
  return text;
}

std::string UuidToBase32(const Uuid& uuid) {
  // 130 bits for 128: the first character carries the top three.
  __extension__ unsigned __int128 value = 0;
  for (const std::uint8_t byte : uuid) value = (value << 8) | byte;
  std::string text(26, '0');
  for (int i = 25; i >= 0; --i) {
    text[i] = kAlphabet[static_cast<unsigned>(value & 31)];
    value >>= 5;
  }
  return text;
}

bool IsBase32Uuid(std::string_view text) {
  return text.size() == 26 && text[0] >= '0' && text[0] <= '7' &&
         text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

}  // namespace bv
