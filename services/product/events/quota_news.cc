#include "services/product/events/quota_news.h"

#include <map>
#include <utility>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/crash_point.h"
#include "libs/base/macros.h"

namespace bv::product {
namespace {

namespace pb = commerce::inventory::v1;

absl::StatusOr<QuotaTurn> TurnOf(const events::Event& event) {
  pb::QuotaAdjusted adjusted;
  RETURN_IF_ERROR(event.envelope.ParsePayload(adjusted));
  QuotaTurn turn{.sold_out = adjusted.available() <= 0, .quota_version = adjusted.version()};
  ASSIGN_OR_RETURN(turn.sale, SaleOfQuota(adjusted.quota(), "payload.quota"));
  return turn;
}

prometheus::Counter& CounterOf(const char* turn) {
  return telemetry::Counter("product_sale_turns_total",
                            "Limited sales that were sold out, or were not any more.", {{"turn", turn}});
}

}  // namespace

const std::string& QuotaNews::Topic() {
  return events::TypeOf<pb::QuotaAdjusted>().topic;
}

QuotaNews::QuotaNews(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
                     const std::string& group, const std::string& topic)
    : session_(connection, postgres::Plans::kIndexOnly),
      sold_out_(CounterOf("sold_out")),
      back_(CounterOf("back")),
      consumer_(kafka, {.group = group, .topics = {topic}, .types = events::TypeNames<pb::QuotaAdjusted>()},
                [this](std::span<const events::Event> events) { return Handle(events); }) {}

absl::StatusOr<events::Answers> QuotaNews::Handle(std::span<const events::Event> events) {
  events::Answers answers;
  // What was so in between and is not any more is nobody's price: only the newest of each sale counts.
  std::map<std::pair<TenantId, FlashSaleId>, std::pair<QuotaTurn, const RequestContext*>> newest;
  for (const events::Event& event : events) {
    const absl::StatusOr<QuotaTurn> turn = TurnOf(event);
    answers.push_back(turn.ok() ? events::Answer::Done() : events::Answer::Refused(turn.status()));
    if (turn.ok()) newest[{event.context.tenant, turn->sale}] = {*turn, &event.context};
  }
  for (const auto& [sale, news] : newest) RETURN_IF_ERROR(Take(news.first, *news.second));
  return answers;
}

absl::Status QuotaNews::Take(const QuotaTurn& turn, const RequestContext& context) {
  bool turned = false;
  RETURN_IF_ERROR(session_.Transact({context.tenant}, [&](postgres::Session& session) -> absl::Status {
    ASSIGN_OR_RETURN(turned, TurnSale(session, context, turn));
    return absl::OkStatus();
  }));
  CrashPoint("product.quota.committed");
  if (turned) (turn.sold_out ? sold_out_ : back_).Increment();
  return absl::OkStatus();
}

}  // namespace bv::product
