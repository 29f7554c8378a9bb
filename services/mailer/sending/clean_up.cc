#include "services/mailer/sending/clean_up.h"

#include "libs/base/macros.h"
#include "services/mailer/store/mail_rows.h"

namespace bv::mailer {

async::Task<absl::StatusOr<bool>> DeleteOldMails(postgres::Pool& pool, absl::Duration keep,
                                                 std::stop_token stop) {
  // In one transaction, so that none is long.
  constexpr int kBatch = 500;
  RequestContext everyone;
  everyone.tenant = postgres::EveryTenant();
  everyone.deadline = absl::Now() + absl::Seconds(30);
  everyone.stop = std::move(stop);
  std::function<absl::StatusOr<std::int64_t>(postgres::Session&)> remove =
      [keep](postgres::Session& session) -> absl::StatusOr<std::int64_t> {
    return DeleteEnded(session, keep, kBatch);
  };
  CO_ASSIGN_OR_RETURN(const std::int64_t deleted,
                      co_await pool.Transact<std::int64_t>(everyone, std::move(remove)));
  co_return deleted == kBatch;
}

}  // namespace bv::mailer
