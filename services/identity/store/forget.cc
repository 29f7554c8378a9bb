#include "services/identity/store/forget.h"

#include "libs/base/macros.h"
#include "services/identity/store/revocation_rows.h"

namespace bv::identity {

async::Task<absl::StatusOr<bool>> ForgetSome(postgres::Pool& pool, std::stop_token stop) {
  // In one transaction, so that none is long.
  constexpr int kBatch = 500;
  RequestContext everyone;
  everyone.tenant = postgres::EveryTenant();
  everyone.deadline = absl::Now() + absl::Seconds(30);
  everyone.stop = std::move(stop);
  std::function<absl::StatusOr<std::int64_t>(postgres::Session&)> forget =
      [](postgres::Session& session) -> absl::StatusOr<std::int64_t> {
    return ForgetRevocations(session, kBatch);
  };
  CO_ASSIGN_OR_RETURN(const std::int64_t forgotten,
                      co_await pool.Transact<std::int64_t>(everyone, std::move(forget)));
  co_return forgotten == kBatch;
}

}  // namespace bv::identity
