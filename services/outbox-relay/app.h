#pragma once

#include <memory>
#include <string_view>

#include "libs/service/service.h"
#include "services/outbox-relay/relay/housekeeper.h"
#include "services/outbox-relay/relay/metrics.h"
#include "services/outbox-relay/relay/relay.h"
#include "services/outbox-relay/relay/stop_signal.h"
#include "services/outbox-relay/settings.h"

namespace bv::relay {

class App {
 public:
  static constexpr std::string_view kName = "outbox-relay";
  using Settings = relay::Settings;

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}

  // Migrates, makes slot, partitions and topics, and waits for Kafka as long as it takes: the log waits, too.
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  Metrics metrics_;
  StopSignal stop_;
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Housekeeper> housekeeper_;
};

}  // namespace bv::relay
