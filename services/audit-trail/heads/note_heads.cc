#include "services/audit-trail/heads/note_heads.h"

#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"
#include "services/audit-trail/store/entry_rows.h"

namespace bv::audit_trail {

async::Task<absl::StatusOr<bool>> NoteHeads(postgres::Pool& pool, absl::Time& since, std::stop_token stop) {
  using Heads = std::vector<NotedHead>;
  constexpr int kBatch = 500;
  RequestContext everyone;
  everyone.tenant = postgres::EveryTenant();
  everyone.deadline = absl::Now() + absl::Seconds(30);
  everyone.stop = std::move(stop);
  std::function<absl::StatusOr<Heads>(postgres::Session&)> read =
      [since](postgres::Session& session) -> absl::StatusOr<Heads> {
    return ReadHeadsSince(session, since, kBatch);
  };
  CO_ASSIGN_OR_RETURN(const Heads heads, co_await pool.Read<Heads>(everyone, std::move(read)));
  for (const NotedHead& noted : heads) {
    telemetry::Log(telemetry::Level::kInfo, "head of an audit chain",
                   {{"chain", noted.tenant.str()}, {"number", noted.head.number}, {"hash", noted.head.hash}});
    since = noted.updated_at;
  }
  co_return heads.size() == kBatch;
}

}  // namespace bv::audit_trail
