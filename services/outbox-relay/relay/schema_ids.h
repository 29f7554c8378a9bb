// The ids that the events' schemas have in a registry, from a file that a deployment writes. Publishing asks
// no registry.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

namespace bv::relay {

// Values of the header `__value_schema_id` by event type, as Confluent's header mode has them: a zero byte
// and the id in four bytes, the highest first.
using SchemaIdHeaders = std::map<std::string, std::string, std::less<>>;

// Of a JSON object with the id by event type. INVALID_ARGUMENT names a member that is no id.
absl::StatusOr<SchemaIdHeaders> ParseSchemaIds(std::string_view json);

// Used by the publishing thread.
class SchemaIds {
 public:
  // An empty `file`: no type has an id.
  explicit SchemaIds(std::string file) : file_(std::move(file)) {}

  // Reads the file again when it has changed, and looks for that once a second at most. While it is not there
  // no type has an id; one that cannot be read is logged, and what was known before stays.
  void Refresh();

  // Empty without an id; valid until the next Refresh.
  std::string_view HeaderOf(std::string_view event_type) const;

 private:
  // Which file it is, its size and when it was written; all zero: not there.
  using Version = std::tuple<ino_t, off_t, std::int64_t>;
  Version Look() const;

  const std::string file_;
  absl::Time looked_at_ = absl::InfinitePast();
  Version version_;
  SchemaIdHeaders headers_;
};

}  // namespace bv::relay
