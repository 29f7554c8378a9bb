// Errors of librdkafka as absl::Status. The reason (libs/base/error.h) is Kafka's own name of the error:
// "MSG_SIZE_TOO_LARGE".
#pragma once

#include <absl/status/status.h>
#include <librdkafka/rdkafka.h>

#include <string_view>

namespace bv::kafka {

// UNAVAILABLE          brokers are away, or the error may pass by itself
// RESOURCE_EXHAUSTED   the producer's queue is full: poll, then try again
// ABORTED              the producer can do nothing more and has to be made again
// CANCELLED            the record was purged
// NOT_FOUND            no such topic or partition
// PERMISSION_DENIED    not allowed by the broker
// INVALID_ARGUMENT     the broker will never take this record (too large, malformed)
// INTERNAL             anything else
absl::Status StatusOf(rd_kafka_resp_err_t error, std::string_view what);

// True for an error that trying again cannot cure until somebody changes something: a topic, a limit, a
// right.
bool IsPermanent(const absl::Status& status);

}  // namespace bv::kafka
