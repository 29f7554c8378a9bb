#include "services/audit-trail/domain/entry.h"

#include "libs/base/digest.h"
#include "libs/base/strings.h"

namespace bv::audit_trail {
namespace {

constexpr std::string_view kVersion = "bivouac.audit.1";

// A netstring: its length in bytes in front of it, so that no two lists of fields have the same bytes.
void AppendField(std::string_view field, std::string& bytes) {
  bytes += Concat(field.size(), ":", field, ",");
}

}  // namespace

std::string HashOf(const TenantId& tenant, const Entry& entry) {
  std::string bytes;
  for (const std::string_view field :
       {kVersion, std::string_view(entry.previous_hash), std::string_view(tenant.str())})
    AppendField(field, bytes);
  AppendField(Concat(entry.number), bytes);
  AppendField(entry.id, bytes);
  AppendField(Concat(absl::ToUnixMicros(entry.occurred_at)), bytes);
  for (const std::string* field :
       {&entry.actor, &entry.role, &entry.action, &entry.object_type, &entry.object_id, &entry.outcome,
        &entry.reason, &entry.before, &entry.after, &entry.correlation_id})
    AppendField(*field, bytes);
  AppendField(Concat(absl::ToUnixMicros(entry.recorded_at)), bytes);
  return Sha256Hex(bytes);
}

void Append(const TenantId& tenant, Entry& entry, Head& head) {
  entry.number = head.number + 1;
  entry.previous_hash = head.hash;
  entry.hash = HashOf(tenant, entry);
  head = {.number = entry.number, .hash = entry.hash};
}

std::string_view Word(DefectKind kind) {
  switch (kind) {
    case DefectKind::kChanged:
      return "CHANGED";
    case DefectKind::kMissing:
      return "MISSING";
    case DefectKind::kMoved:
      return "MOVED";
    case DefectKind::kCutOff:
      return "CUT_OFF";
  }
  return {};
}

std::optional<Defect> FirstDefect(const TenantId& tenant, std::span<const Entry> entries, Head& last) {
  for (const Entry& entry : entries) {
    const std::int64_t number = last.number + 1;
    if (entry.number != number) return Defect{number, DefectKind::kMissing};
    if (entry.hash != HashOf(tenant, entry)) return Defect{number, DefectKind::kChanged};
    if (entry.previous_hash != last.hash) return Defect{number, DefectKind::kMoved};
    last = {.number = entry.number, .hash = entry.hash};
  }
  return std::nullopt;
}

}  // namespace bv::audit_trail
