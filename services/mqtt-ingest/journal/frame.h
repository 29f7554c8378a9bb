// A record on disk: its length and the CRC-32C of length and bytes before it; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bv::mqtt_ingest {

std::uint32_t Crc32c(std::string_view data);

std::size_t FrameBytes(std::string_view record);
void AppendFrame(std::string_view record, std::string& out);

struct Frame {
  std::string_view record;
  // Of the whole frame.
  std::size_t bytes = 0;
};
// The frame that `data` begins with; absent when it is not all there, or is none.
std::optional<Frame> ReadFrame(std::string_view data, std::size_t record_bytes_max);

}  // namespace bv::mqtt_ingest
