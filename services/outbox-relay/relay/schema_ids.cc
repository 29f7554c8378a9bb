#include "services/outbox-relay/relay/schema_ids.h"

#include <rapidjson/document.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::relay {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(1);
constexpr char kMagic = 0;

std::string HeaderFor(std::uint32_t id) {
  std::string bytes(1, kMagic);
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(id >> shift & 0xff);
  return bytes;
}

}  // namespace

absl::StatusOr<SchemaIdHeaders> ParseSchemaIds(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject())
    return absl::InvalidArgumentError("schema ids: not a JSON object");
  SchemaIdHeaders headers;
  for (const auto& [name, id] : document.GetObject()) {
    const std::string_view type(name.GetString(), name.GetStringLength());
    if (!id.IsUint() || id.GetUint() == 0) return InvalidValue(type, "must be the id of a schema, from 1 on");
    headers.emplace(type, HeaderFor(id.GetUint()));
  }
  return headers;
}

void SchemaIds::Refresh() {
  const absl::Time now = MonotonicNow();
  if (file_.empty() || now - looked_at_ < kLookEvery) return;
  looked_at_ = now;
  const Version version = Look();
  if (version == version_) return;
  version_ = version;
  if (version == Version()) {
    headers_.clear();
    return;
  }
  std::ifstream file(file_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  absl::StatusOr<SchemaIdHeaders> read = ParseSchemaIds(text);
  if (!read.ok()) {
    telemetry::Log(telemetry::Level::kError, "the file of schema ids is not what it should be",
                   {{"file", file_}, {"error", read.status()}});
    return;
  }
  headers_ = *std::move(read);
}

std::string_view SchemaIds::HeaderOf(std::string_view event_type) const {
  const auto found = headers_.find(event_type);
  return found == headers_.end() ? std::string_view() : found->second;
}

SchemaIds::Version SchemaIds::Look() const {
  struct stat found {};
  if (stat(file_.c_str(), &found) != 0) return {};
  const absl::Time written_at = absl::TimeFromTimespec(found.st_mtim);
  return {found.st_ino, found.st_size, absl::ToUnixNanos(written_at)};
}

}  // namespace bv::relay
