#include "services/order/events/price_changes.h"

#include "commerce/product/v1/events.pb.h"
#include "libs/base/id.h"
#include "libs/events/envelope.h"
#include "libs/telemetry/telemetry.h"

namespace bv::order {
namespace {

absl::Status Hear(const kafka::Message& message, PriceCache& prices) {
  const absl::StatusOr<events::Envelope> envelope = events::ParseEnvelope(message.value);
  if (!envelope.ok()) return envelope.status();
  if (!envelope->Is<commerce::product::v1::ProductUpdated>()) return absl::OkStatus();
  const absl::StatusOr<RequestContext> context = events::ContextOf(message);
  if (!context.ok()) return context.status();
  commerce::product::v1::ProductUpdated updated;
  if (absl::Status parsed = envelope->ParsePayload(updated); !parsed.ok()) return parsed;
  prices.Changed(context->tenant, updated.product_id(), updated.version());
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<kafka::Consumer> MakePriceChanges(const kafka::ConsumerSettings& settings,
                                                  PriceCache& prices) {
  kafka::ConsumerSettings own = settings;
  own.instance_id.clear();
  return std::make_unique<kafka::Consumer>(
      own, "order-prices-" + UuidToString(NewUuid()),
      std::vector<std::string>{events::TypeOf<commerce::product::v1::ProductUpdated>().topic},
      kafka::Consumer::Start::kLatest, [&prices](std::span<const kafka::Message> messages) {
        for (const kafka::Message& message : messages) {
          // What cannot be read changes no price that we know of; entries have a time to live besides.
          if (const absl::Status heard = Hear(message, prices); !heard.ok()) {
            telemetry::LogLimited(telemetry::Level::kWarn, "an event of product could not be read",
                                  {{"offset", message.offset}, {"error", heard}});
          }
        }
        return absl::OkStatus();
      });
}

}  // namespace bv::order
