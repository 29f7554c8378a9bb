#include "services/audit-trail/rpc/audit_rpc.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/audit-trail/rpc/convert.h"

namespace bv::audit_trail {
namespace {

using Entries = std::vector<Entry>;

// A page ends early rather than exceed what gRPC clients take by default, 4 MiB.
constexpr std::size_t kPageBytesMax = 2 << 20;

// What is known of a chain at one moment, or nearly so: `entries` are read after `end`, which only grows.
struct ChainPart {
  ChainEnd end;
  // Before the first one of the part; none at the beginning of the chain.
  Entries before;
  Entries entries;
};

ChainPart ReadPart(postgres::Session& session, const TenantId& tenant, const Part& part) {
  ChainPart found{.end = ReadEnd(session, tenant)};
  const std::int64_t last = found.end.head.number;
  if (part.first > 1) found.before = ReadChain(session, tenant, part.first - 1, part.first - 1, 1);
  found.entries = ReadChain(session, tenant, part.first, last, part.limit);
  return found;
}

// `last` is where the part has come to without a defect.
std::optional<Defect> Verify(const TenantId& tenant, const Part& part, const ChainPart& found, Head& last) {
  const Head& head = found.end.head;
  if (part.first > 1 && found.before.empty()) return Defect{part.first - 1, DefectKind::kMissing};
  last = found.before.empty() ? Head{.number = 0, .hash = std::string(kNoHash)}
                              : Head{.number = found.before[0].number, .hash = found.before[0].hash};
  if (const auto defect = FirstDefect(tenant, found.entries, last)) return defect;
  const bool at_the_end = static_cast<int>(found.entries.size()) < part.limit;
  if (at_the_end && last.number < head.number) return Defect{last.number + 1, DefectKind::kCutOff};
  if (last.number == head.number && last.hash != head.hash) return Defect{last.number, DefectKind::kCutOff};
  if (last.number >= head.number && found.end.last_number > head.number)
    return Defect{head.number + 1, DefectKind::kCutOff};
  return std::nullopt;
}

}  // namespace

void AuditRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.audit.v1.AuditTrail";
  server.Handle(service, "ListEntries", *this, &AuditRpc::ListEntries);
  server.Handle(service, "VerifyChain", *this, &AuditRpc::VerifyChain);
}

rpc::Reply<pb::ListEntriesResponse> AuditRpc::ListEntries(rpc::Call<pb::ListEntriesRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(EntryFilter filter, FromProto(call.request()));
  const auto page_size = static_cast<std::size_t>(filter.limit);
  // One more tells whether there is a next page.
  ++filter.limit;
  std::function<absl::StatusOr<Entries>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Entries> {
    return audit_trail::ListEntries(session, context.tenant, filter);
  };
  CO_ASSIGN_OR_RETURN(const Entries entries, co_await pool_.Read<Entries>(context, std::move(read)));
  pb::ListEntriesResponse response;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    pb::Entry shown = ToProto(entries[i]);
    bytes += shown.ByteSizeLong();
    if (i == page_size || (i > 0 && bytes > kPageBytesMax)) {
      response.set_next_page_token(ToPageToken(entries[i - 1]));
      break;
    }
    *response.add_entries() = std::move(shown);
  }
  co_return response;
}

rpc::Reply<pb::VerifyChainResponse> AuditRpc::VerifyChain(rpc::Call<pb::VerifyChainRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Part part, FromProto(call.request()));
  std::function<absl::StatusOr<ChainPart>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<ChainPart> {
    return ReadPart(session, context.tenant, part);
  };
  CO_ASSIGN_OR_RETURN(const ChainPart found, co_await pool_.Read<ChainPart>(context, std::move(read)));
  if (part.first - 1 > std::max(found.end.head.number, found.end.last_number))
    co_return InvalidValue("afterNumber", "must be 0, or the number of an entry");
  Head last{.number = part.first - 1, .hash = {}};
  const std::optional<Defect> defect = Verify(context.tenant, part, found, last);
  pb::VerifyChainResponse response;
  response.set_checked(static_cast<int>(found.entries.size()));
  response.set_last_number(last.number);
  response.set_last_hash(last.hash);
  response.set_head_number(found.end.head.number);
  if (defect) {
    response.mutable_first_defect()->set_number(defect->number);
    response.mutable_first_defect()->set_kind(std::string(Word(defect->kind)));
  }
  co_return response;
}

}  // namespace bv::audit_trail
