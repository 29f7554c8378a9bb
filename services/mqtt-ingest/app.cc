#include "services/mqtt-ingest/app.h"

#include "libs/base/macros.h"

namespace bv::mqtt_ingest {

void App::Settings::Bind(config::Binder& b) {
  mqtt.Bind(b);
  b.Secret("mqtt.account_key", account_key);
  journal.Bind(b);
  forwarder.Bind(b);
}

absl::Status App::Start() {
  ASSIGN_OR_RETURN(journal_, Journal::Open(settings_.journal));
  forwarder_ = std::make_unique<Forwarder>(settings_.forwarder, *journal_);
  intake_ = std::make_unique<Intake>(settings_.mqtt, settings_.account_key, *journal_);
  forwarder_->Start();
  return intake_->Start();
}

void App::Stop() {
  if (intake_) intake_->Stop();
  if (forwarder_) forwarder_->Stop();
}

}  // namespace bv::mqtt_ingest
