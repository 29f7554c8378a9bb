#include "services/outbox-relay/app.h"

#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::relay {
namespace {

constexpr absl::Duration kMigrationPatience = absl::Seconds(30);

}  // namespace

absl::Status App::Start() {
  const std::string topics_file =
      settings_.topics_file.empty() ? Concat(host_.home(), "/topics.yaml") : settings_.topics_file;
  ASSIGN_OR_RETURN(std::vector<kafka::TopicSpec> topics, kafka::ReadTopics(topics_file));
  RETURN_IF_ERROR(postgres::Migrate(settings_.postgres, Concat(host_.home(), "/migrations/", kName),
                                    absl::Now() + kMigrationPatience));
  relay_ = std::make_unique<Relay>(settings_, std::move(topics), metrics_, stop_);
  // Partitions before the first event, and the lag from the first moment on.
  housekeeper_ = std::make_unique<Housekeeper>(settings_, metrics_, stop_);
  RETURN_IF_ERROR(relay_->Prepare());
  host_.OnDrain([this](absl::Time deadline) {
    stop_.Set(deadline);
    relay_->Join();
  });
  relay_->Start();
  return absl::OkStatus();
}

void App::Stop() {
  stop_.Set(absl::Now());
  housekeeper_.reset();
  relay_.reset();
}

}  // namespace bv::relay
