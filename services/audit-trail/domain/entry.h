// Entries of the audit trail and what makes a chain of them; pure. The bytes that are hashed are written down
// in README.md, and tools/bvtool/audit.py computes them anew.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/values.h"

namespace bv::audit_trail {

struct Entry {
  // In the chain of its tenant, from 1 on.
  std::int64_t number = 0;
  std::string id;
  absl::Time occurred_at;
  std::string actor, role, action, object_type, object_id, outcome, reason, before, after, correlation_id;
  absl::Time recorded_at;
  // 64 hexadecimal digits, as the next one.
  std::string previous_hash;
  std::string hash;
};

// The last entry of a chain; number 0 and kNoHash before the first.
struct Head {
  std::int64_t number = 0;
  std::string hash;
};
inline constexpr std::string_view kNoHash =
    "0000000000000000000000000000000000000000000000000000000000000000";

// Of everything in the entry but `hash`.
std::string HashOf(const TenantId& tenant, const Entry& entry);

// Numbers the entry as the next one behind `head`, sets both hashes, and makes it the head.
void Append(const TenantId& tenant, Entry& entry, Head& head);

enum class DefectKind { kChanged, kMissing, kMoved, kCutOff };
struct Defect {
  std::int64_t number = 0;
  DefectKind kind = DefectKind::kChanged;
};
// CHANGED, MISSING, MOVED or CUT_OFF.
std::string_view Word(DefectKind kind);

// The first of `entries`, sorted by number, that is not what follows `last`; moves `last` up to the entry
// before it, or to the end.
std::optional<Defect> FirstDefect(const TenantId& tenant, std::span<const Entry> entries, Head& last);

}  // namespace bv::audit_trail
