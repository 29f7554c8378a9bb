#include "services/product/events/flash_price.h"

#include "commerce/pricing/v1/events.pb.h"
#include "libs/base/macros.h"
#include "libs/json/json.h"
#include "libs/rpc/timestamp.h"

namespace bv::product {
namespace {

namespace pb = commerce::pricing::v1;
using projections::Change;
using projections::Event;
using projections::Kind;
using projections::Put;
using projections::Remove;

// A sale begins once and ends once, whatever the product's version is.
constexpr std::int64_t kBegun = 1;
constexpr std::int64_t kEnded = 2;

absl::StatusOr<std::string> OffersOf(const pb::FlashSaleStarted& started) {
  std::string offers = "[";
  for (const pb::FlashSaleStarted::Offer& offer : started.offers()) {
    if (offers.size() > 1) offers += ",";
    RETURN_IF_ERROR(json::Append(offer, offers));
  }
  return offers + "]";
}

absl::StatusOr<std::vector<Change>> ChangesOf(const Event& event) {
  if (event.envelope.Is<pb::FlashSaleStarted>()) {
    pb::FlashSaleStarted started;
    RETURN_IF_ERROR(event.envelope.ParsePayload(started));
    ASSIGN_OR_RETURN(std::string offers, OffersOf(started));
    Put put{.facet = 0,
            .version = kBegun,
            .values = {started.name(), std::move(offers), rpc::FromTimestamp(started.starts_at()),
                       rpc::FromTimestamp(started.ends_at())}};
    return std::vector<Change>{{event.tenant, {started.product_id(), started.sale_id()}, std::move(put)}};
  }
  if (!event.envelope.Is<pb::FlashSaleEnded>()) return std::vector<Change>();
  pb::FlashSaleEnded ended;
  RETURN_IF_ERROR(event.envelope.ParsePayload(ended));
  return std::vector<Change>{{event.tenant, {ended.product_id(), ended.sale_id()}, Remove{kEnded}}};
}

}  // namespace

projections::Projection FlashPrice() {
  return {.name = "flash_price",
          .version = 1,
          .topics = {events::TypeOf<pb::FlashSaleStarted>().topic},
          .shape = {.key = {{"product_id", Kind::kText}, {"sale_id", Kind::kText}},
                    .facets = {{"sale",
                                {{"name", Kind::kText},
                                 {"offers", Kind::kText},
                                 {"starts_at", Kind::kTime},
                                 {"ends_at", Kind::kTime}}}},
                    .ends_at = "ends_at"},
          .changes = ChangesOf};
}

}  // namespace bv::product
