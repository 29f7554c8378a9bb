#pragma once

#include <memory>

#include "libs/mqtt/subscriber.h"
#include "libs/service/service.h"
#include "services/mqtt-ingest/ingest/forwarder.h"
#include "services/mqtt-ingest/ingest/intake.h"
#include "services/mqtt-ingest/journal/journal.h"

namespace bv::mqtt_ingest {

class App {
 public:
  static constexpr std::string_view kName = "mqtt-ingest";

  struct Settings {
    mqtt::Settings mqtt;
    config::Secret account_key;
    JournalSettings journal;
    ForwarderSettings forwarder;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host&) : settings_(settings) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Forwarder> forwarder_;
  std::unique_ptr<Intake> intake_;
};

}  // namespace bv::mqtt_ingest
