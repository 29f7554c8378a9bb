// librdkafka's own log lines in the process's log; internal to libs/kafka.
#pragma once

#include <librdkafka/rdkafka.h>

namespace bv::kafka {

// For rd_kafka_conf_set_log_cb.
void LogOfClient(const rd_kafka_t* client, int severity, const char* facility, const char* text);

}  // namespace bv::kafka
