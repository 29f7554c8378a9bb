// Messages as librdkafka has them, as ours; internal to libs/kafka.
#pragma once

#include <librdkafka/rdkafka.h>

#include "libs/kafka/consumer.h"

namespace bv::kafka {

absl::Time WrittenAt(const rd_kafka_message_t& record);
Message MessageOf(const rd_kafka_message_t& record);

}  // namespace bv::kafka
