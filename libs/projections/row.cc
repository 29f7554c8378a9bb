#include "libs/projections/row.h"

#include <openssl/sha.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/money.h"
#include "libs/base/strings.h"

namespace bv::projections {
namespace {

absl::Status CheckValues(const std::vector<Column>& columns, const std::vector<Value>& values,
                         std::string_view what) {
  if (values.size() != columns.size()) return InvalidValue(what, "has another number of values than columns");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (values[i].index() != static_cast<std::size_t>(columns[i].kind))
      return InvalidValue(columns[i].name, "is of another kind than its column");
  }
  return absl::OkStatus();
}

void AppendNumber(std::int64_t number, std::string& bytes) {
  const auto bits = static_cast<std::uint64_t>(number);
  for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(bits >> shift));
}

void AppendText(std::string_view text, std::string& bytes) {
  AppendNumber(static_cast<std::int64_t>(text.size()), bytes);
  bytes.append(text);
}

void AppendValue(const Value& value, std::string& bytes) {
  bytes.push_back(static_cast<char>(value.index()));
  if (const auto* text = std::get_if<std::string>(&value)) AppendText(*text, bytes);
  if (const auto* number = std::get_if<std::int64_t>(&value)) AppendNumber(*number, bytes);
  if (const auto* time = std::get_if<absl::Time>(&value)) AppendNumber(absl::ToUnixMicros(*time), bytes);
  if (const auto* day = std::get_if<absl::CivilDay>(&value)) AppendNumber(*day - absl::CivilDay(), bytes);
}

void AppendValues(const std::vector<Value>& values, std::string& bytes) {
  AppendNumber(static_cast<std::int64_t>(values.size()), bytes);
  for (const Value& value : values) AppendValue(value, bytes);
}

void AppendKey(const Row& row, std::string& bytes) {
  AppendText(row.tenant.str(), bytes);
  AppendValues(row.key, bytes);
}

std::uint64_t HashOfBytes(const std::string& bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  std::uint64_t hash = 0;
  for (int i = 0; i < 8; ++i) hash = hash << 8 | digest[i];
  return hash;
}

}  // namespace

absl::Status CheckFits(const Shape& shape, const Change& change) {
  RETURN_IF_ERROR(CheckValues(shape.key, change.key, "key"));
  if (const auto* put = std::get_if<Put>(&change.what)) {
    if (put->facet >= shape.facets.size()) return InvalidValue("facet", "is none of the shape");
    if (put->version < 1) return InvalidValue("version", "must be 1 or more");
    return CheckValues(shape.facets[put->facet].columns, put->values, shape.facets[put->facet].name);
  }
  if (const auto* remove = std::get_if<Remove>(&change.what)) {
    if (shape.facets.empty()) return InvalidValue("facet", "sums are not removed");
    if (remove->version < 1) return InvalidValue("version", "must be 1 or more");
    return absl::OkStatus();
  }
  if (shape.sums.empty() || std::get<Add>(change.what).amounts.size() != shape.sums.size())
    return InvalidValue("sums", "has another number of amounts than the shape has sums");
  return absl::OkStatus();
}

Row EmptyRow(const Shape& shape, const RowKey& key) {
  Row row{.tenant = std::get<TenantId>(key), .key = std::get<std::vector<Value>>(key)};
  row.facets.resize(shape.facets.size());
  row.sums.resize(shape.sums.size());
  return row;
}

absl::Status Merge(const Change& change, Row& row) {
  if (const auto* put = std::get_if<Put>(&change.what)) {
    FacetState& facet = row.facets[put->facet];
    if (put->version > facet.version) facet = {.version = put->version, .values = put->values};
  } else if (const auto* remove = std::get_if<Remove>(&change.what)) {
    for (FacetState& facet : row.facets) {
      if (remove->version > facet.version) facet = {.version = remove->version};
    }
  } else {
    std::vector<std::int64_t> sums;
    const std::vector<std::int64_t>& amounts = std::get<Add>(change.what).amounts;
    for (std::size_t i = 0; i < row.sums.size(); ++i) {
      ASSIGN_OR_RETURN(const std::int64_t sum, AddAmounts(row.sums[i], amounts[i]));
      sums.push_back(sum);
    }
    row.sums = std::move(sums);
  }
  return absl::OkStatus();
}

void AppendCanonical(const Row& row, std::string& bytes) {
  AppendKey(row, bytes);
  AppendNumber(static_cast<std::int64_t>(row.facets.size()), bytes);
  for (const FacetState& facet : row.facets) {
    AppendNumber(facet.version, bytes);
    AppendValues(facet.values, bytes);
  }
  AppendNumber(static_cast<std::int64_t>(row.sums.size()), bytes);
  for (const std::int64_t sum : row.sums) AppendNumber(sum, bytes);
}

std::uint64_t HashOf(const Row& row) {
  std::string bytes;
  AppendCanonical(row, bytes);
  return HashOfBytes(bytes);
}

std::uint64_t HashOfKey(const Row& row) {
  std::string bytes;
  AppendKey(row, bytes);
  return HashOfBytes(bytes);
}

}  // namespace bv::projections
