#include "libs/kafka/client_message.h"

#include <algorithm>

namespace bv::kafka {

absl::Time WrittenAt(const rd_kafka_message_t& record) {
  return absl::FromUnixMillis(std::max<std::int64_t>(rd_kafka_message_timestamp(&record, nullptr), 0));
}

Message MessageOf(const rd_kafka_message_t& record) {
  Message message{.topic = rd_kafka_topic_name(record.rkt),
                  .partition = record.partition,
                  .offset = record.offset,
                  .key = std::string(static_cast<const char*>(record.key), record.key_len),
                  .value = std::string(static_cast<const char*>(record.payload), record.len)};
  message.written_at = WrittenAt(record);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&record, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return message;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    message.headers[name] = std::string(static_cast<const char*>(value), size);
  }
  return message;
}

}  // namespace bv::kafka
