#include "services/replay/driver/parity_report.h"

#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <vector>

#include "libs/base/strings.h"

namespace bv::replay {
namespace {

using projections::FacetState;
using projections::Row;
using projections::Shape;
using projections::Value;

constexpr std::size_t kTextMax = 200;

// Behind the last whole character.
std::string Cut(const std::string& text) {
  if (text.size() <= kTextMax) return text;
  std::size_t end = kTextMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string TextOf(const Value& value) {
  struct Writer {
    std::string operator()(const std::string& text) const { return Cut(text); }
    std::string operator()(std::int64_t number) const { return Concat(number); }
    std::string operator()(absl::Time time) const {
      return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
    }
    std::string operator()(absl::CivilDay day) const { return absl::FormatCivilTime(day); }
  };
  return std::visit(Writer(), value);
}

void AppendFacet(const projections::Facet& facet, const FacetState& state, const FacetState* other,
                 std::vector<std::string>& texts) {
  const bool alone = other == nullptr || other->values.size() != state.values.size();
  if (alone || state.version != other->version)
    texts.push_back(Concat(facet.name, "_version=", state.version));
  for (std::size_t i = 0; i < state.values.size(); ++i) {
    if (alone || state.values[i] != other->values[i])
      texts.push_back(Concat(facet.columns[i].name, "=", TextOf(state.values[i])));
  }
}

}  // namespace

std::string KeyText(const Shape& shape, const projections::RowKey& key) {
  std::vector<std::string> texts;
  const std::vector<Value>& values = std::get<1>(key);
  for (std::size_t i = 0; i < values.size(); ++i)
    texts.push_back(Concat(shape.key[i].name, "=", TextOf(values[i])));
  return absl::StrJoin(texts, " ");
}

std::string RowText(const Shape& shape, const std::optional<Row>& row, const std::optional<Row>& other) {
  if (!row) return "missing";
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < row->facets.size(); ++i) {
    const FacetState* const same = other ? &other->facets[i] : nullptr;
    if (same == nullptr || row->facets[i] != *same) AppendFacet(shape.facets[i], row->facets[i], same, texts);
  }
  for (std::size_t i = 0; i < row->sums.size(); ++i) {
    if (!other || row->sums[i] != other->sums[i]) texts.push_back(Concat(shape.sums[i], "=", row->sums[i]));
  }
  return absl::StrJoin(texts, " ");
}

pb::Parity ReportOf(const projections::Projection& projection, const projections::Parity& parity) {
  const Shape& shape = projection.shape;
  pb::Parity report;
  for (const auto& [partition, offset] : parity.positions) {
    pb::PartitionOffset& position = *report.add_offsets();
    position.set_topic(partition.topic);
    position.set_partition(partition.number);
    position.set_offset(offset);
  }
  report.set_rows_live(parity.live.rows());
  report.set_rows_rebuilt(parity.rebuilt.rows());
  for (std::size_t i = 0; i < shape.sums.size(); ++i) {
    pb::SumParity& sum = *report.add_sums();
    sum.set_column(shape.sums[i]);
    sum.set_live(parity.live.sums()[i]);
    sum.set_rebuilt(parity.rebuilt.sums()[i]);
  }
  report.set_buckets_different(static_cast<int>(parity.buckets_different.size()));
  for (const projections::Difference& difference : parity.differences) {
    pb::RowDifference& row = *report.add_differences();
    row.set_tenant_id(std::get<0>(difference.key).str());
    row.set_key(KeyText(shape, difference.key));
    row.set_live(RowText(shape, difference.live, difference.rebuilt));
    row.set_rebuilt(RowText(shape, difference.rebuilt, difference.live));
  }
  return report;
}

}  // namespace bv::replay
