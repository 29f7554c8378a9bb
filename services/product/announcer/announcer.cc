#include "services/product/announcer/announcer.h"

#include "libs/base/crash_point.h"
#include "libs/base/macros.h"
#include "services/product/store/change_pricing.h"

namespace bv::product {
namespace {

constexpr int kPage = 100;
// Of one transaction, with its wait for a connection.
constexpr absl::Duration kTimeout = absl::Seconds(10);

}  // namespace

Announcer::Announcer(boost::asio::io_context& io, postgres::Pool& pool, absl::Duration interval)
    : pool_(pool),
      announced_(telemetry::Counter("product_prices_announced_total",
                                    "Products whose prices changed by time, made known.")),
      job_(io, "price announcer", interval, [this](std::stop_token) { return Round(); }) {}

async::Task<absl::StatusOr<bool>> Announcer::Round() {
  using Found = std::vector<DueProduct>;
  std::function<absl::StatusOr<Found>(postgres::Session&)> find =
      [](postgres::Session& session) -> absl::StatusOr<Found> { return FindDueProducts(session, kPage); };
  const RequestContext everywhere = ContextOf(postgres::EveryTenant());
  CO_ASSIGN_OR_RETURN(const Found found, co_await pool_.Read<Found>(everywhere, std::move(find)));
  bool all_done = true;
  absl::Status first_error;
  for (const DueProduct& due : found) {
    const RequestContext context = ContextOf(due.tenant);
    std::function<absl::StatusOr<bool>(postgres::Session&)> announce = [&](postgres::Session& session) {
      return AnnounceDue(session, context, due.product);
    };
    const absl::StatusOr<bool> done = co_await pool_.Transact<bool>(context, std::move(announce));
    CrashPoint("product.announce.committed");
    if (!done.ok()) first_error.Update(done.status());
    if (done.ok() && *done) announced_.Increment();
    all_done = all_done && done.ok() && *done;
  }
  CO_RETURN_IF_ERROR(first_error);
  co_return all_done&& found.size() == kPage;
}

RequestContext Announcer::ContextOf(const TenantId& tenant) const {
  RequestContext context;
  context.tenant = tenant;
  context.deadline = absl::Now() + kTimeout;
  context.stop = job_.stop_token();
  return context;
}

}  // namespace bv::product
