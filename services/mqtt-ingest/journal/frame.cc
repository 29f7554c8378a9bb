#include "services/mqtt-ingest/journal/frame.h"

#include <boost/crc.hpp>
#include <cstring>

namespace bv::mqtt_ingest {
namespace {

constexpr std::size_t kHeadBytes = 2 * sizeof(std::uint32_t);

template <class... Parts>
std::uint32_t CrcOf(const Parts&... parts) {
  // Castagnoli's polynomial, as iSCSI and Kafka have it.
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  (crc.process_bytes(parts.data(), parts.size()), ...);
  return crc.checksum();
}

std::string_view BytesOf(const std::uint32_t& number) {
  return {reinterpret_cast<const char*>(&number), sizeof number};
}

}  // namespace

std::uint32_t Crc32c(std::string_view data) {
  return CrcOf(data);
}

std::size_t FrameBytes(std::string_view record) {
  return kHeadBytes + record.size();
}

void AppendFrame(std::string_view record, std::string& out) {
  const auto size = static_cast<std::uint32_t>(record.size());
  const std::uint32_t crc = CrcOf(BytesOf(size), record);
  out += BytesOf(size);
  out += BytesOf(crc);
  out += record;
}

std::optional<Frame> ReadFrame(std::string_view data, std::size_t record_bytes_max) {
  if (data.size() < kHeadBytes) return std::nullopt;
  std::uint32_t size = 0;
  std::uint32_t crc = 0;
  std::memcpy(&size, data.data(), sizeof size);
  std::memcpy(&crc, data.data() + sizeof size, sizeof crc);
  if (size > record_bytes_max || data.size() - kHeadBytes < size) return std::nullopt;
  const std::string_view record = data.substr(kHeadBytes, size);
  if (CrcOf(BytesOf(size), record) != crc) return std::nullopt;
  return Frame{.record = record, .bytes = kHeadBytes + size};
}

}  // namespace bv::mqtt_ingest
