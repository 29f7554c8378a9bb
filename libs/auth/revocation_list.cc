#include "libs/auth/revocation_list.h"

#include <algorithm>
#include <mutex>

#include "libs/auth/auth.h"
#include "libs/telemetry/telemetry.h"

namespace bv::auth {
namespace {

constexpr absl::Duration kForgetInterval = absl::Minutes(1);

}  // namespace

void RevocationList::Add(const Revocation& revocation, absl::Time now) {
  if (now >= revocation.forget_after) return;
  const std::unique_lock lock(mutex_);
  if (now >= forgot_at_ + kForgetInterval) Forget(now);
  Tenant& tenant = tenants_[revocation.tenant.str()];
  const std::size_t before = tenant.size();
  if (!revocation.token_id.empty()) {
    absl::Time& end = tenant.tokens.try_emplace(revocation.token_id, absl::InfinitePast()).first->second;
    end = std::max(end, revocation.forget_after);
  } else {
    IssuedUntil& until =
        tenant.subjects
            .try_emplace(revocation.subject, IssuedUntil{absl::InfinitePast(), absl::InfinitePast()})
            .first->second;
    until.time = std::max(until.time, revocation.issued_until);
    until.forget_after = std::max(until.forget_after, revocation.forget_after);
  }
  size_.fetch_add(tenant.size() - before, std::memory_order_relaxed);
  if (size() > entries_max_) MakeRoom(now);
}

bool RevocationList::Revokes(const Claims& claims) const {
  if (size() == 0) return false;
  const std::shared_lock lock(mutex_);
  const auto found = tenants_.find(claims.tenant.str());
  if (found == tenants_.end()) return false;
  const Tenant& tenant = found->second;
  if (!claims.token_id.empty() && tenant.tokens.contains(claims.token_id)) return true;
  if (const auto subject = tenant.subjects.find(claims.user_id);
      subject != tenant.subjects.end() && claims.issued_at <= subject->second.time) {
    return true;
  }
  return tenant.all && claims.role != Role::kService && claims.issued_at <= tenant.all->time;
}

void RevocationList::Forget(absl::Time now) {
  forgot_at_ = now;
  absl::erase_if(tenants_, [now](auto& entry) {
    Tenant& tenant = entry.second;
    absl::erase_if(tenant.tokens, [now](const auto& token) { return now >= token.second; });
    absl::erase_if(tenant.subjects,
                   [now](const auto& subject) { return now >= subject.second.forget_after; });
    if (tenant.all && now >= tenant.all->forget_after) tenant.all.reset();
    return tenant.size() == 0;
  });
  Count();
}

void RevocationList::MakeRoom(absl::Time now) {
  const auto largest =
      std::ranges::max_element(tenants_, {}, [](const auto& entry) { return entry.second.size(); });
  Tenant& tenant = largest->second;
  IssuedUntil all = tenant.all.value_or(IssuedUntil{absl::InfinitePast(), absl::InfinitePast()});
  all.time = std::max(all.time, now);
  for (const auto& [token, end] : tenant.tokens) all.forget_after = std::max(all.forget_after, end);
  for (const auto& [subject, until] : tenant.subjects) {
    all.time = std::max(all.time, until.time);
    all.forget_after = std::max(all.forget_after, until.forget_after);
  }
  telemetry::Log(telemetry::Level::kError,
                 "too many revoked tokens: all tokens of the tenant that has the most are refused",
                 {{"tenantId", largest->first}, {"entries", static_cast<std::int64_t>(tenant.size())}});
  tenant.tokens = {};
  tenant.subjects = {};
  tenant.all = all;
  Count();
}

void RevocationList::Count() {
  std::size_t count = 0;
  for (const auto& [name, tenant] : tenants_) count += tenant.size();
  size_.store(count, std::memory_order_relaxed);
}

}  // namespace bv::auth
