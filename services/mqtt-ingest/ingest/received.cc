#include "services/mqtt-ingest/ingest/received.h"

#include <cstring>

namespace bv::mqtt_ingest {
namespace {

// Of records as they are written below; another one would be written by another version.
constexpr char kVersion = 1;

void AppendNumber(std::uint64_t number, std::string& out) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void AppendText(std::string_view text, std::string& out) {
  AppendNumber(text.size(), out);
  out += text;
}

bool TakeNumber(std::string_view& from, std::uint64_t& number) {
  if (from.size() < sizeof number) return false;
  std::memcpy(&number, from.data(), sizeof number);
  from.remove_prefix(sizeof number);
  return true;
}

bool TakeText(std::string_view& from, std::string& text) {
  std::uint64_t size = 0;
  if (!TakeNumber(from, size) || from.size() < size) return false;
  text = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

}  // namespace

std::string Encode(const Received& received) {
  std::string record(1, kVersion);
  AppendNumber(static_cast<std::uint64_t>(absl::ToUnixMicros(received.at)), record);
  AppendText(received.topic, record);
  AppendText(received.account, record);
  AppendText(received.id, record);
  AppendText(received.payload, record);
  AppendNumber(received.payload_bytes, record);
  return record;
}

absl::StatusOr<Received> Decode(std::string_view record) {
  Received received;
  std::uint64_t micros = 0;
  if (record.empty() || record.front() != kVersion) return absl::DataLossError("a record of another version");
  record.remove_prefix(1);
  if (!TakeNumber(record, micros) || !TakeText(record, received.topic) ||
      !TakeText(record, received.account) || !TakeText(record, received.id) ||
      !TakeText(record, received.payload) || !TakeNumber(record, received.payload_bytes) || !record.empty()) {
    return absl::DataLossError("not a message");
  }
  received.at = absl::FromUnixMicros(static_cast<std::int64_t>(micros));
  return received;
}

}  // namespace bv::mqtt_ingest
