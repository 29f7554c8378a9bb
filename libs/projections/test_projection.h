// Inside the tests of libs/projections: a projection with facets and one with sums over plain messages of a
// made-up topic, and what becomes of changes when each is taken exactly once.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "libs/base/strings.h"
#include "libs/projections/sink.h"

namespace bv::projections {

inline constexpr char kTestTopic[] = "test.order";

// Key: a name. Facets: "what" (text, day) and "state" (text, number, time).
inline Projection FacetProjection() {
  return {
      .name = "test_facets",
      .topics = {kTestTopic},
      .shape = {
          .key = {{"name", Kind::kText}, {"number", Kind::kInteger}},
          .facets = {{"what", {{"title", Kind::kText}, {"since", Kind::kDay}}},
                     {"state",
                      {{"status", Kind::kText}, {"amount", Kind::kInteger}, {"changed_at", Kind::kTime}}}}}};
}

// Key: a day and a time. Sums: two.
inline Projection SumProjection() {
  return {.name = "test_sums",
          .topics = {kTestTopic},
          .shape = {.key = {{"day", Kind::kDay}, {"minute", Kind::kTime}}, .sums = {"amount", "orders"}}};
}

// Changes as a log has them: by partition and offset, each partition with keys of its own, versions growing
// by key.
inline std::vector<SourcedChange> RandomLog(const Projection& projection, std::mt19937& random,
                                            int messages) {
  constexpr int kPartitions = 3, kKeys = 4;
  const bool sums = !projection.shape.sums.empty();
  const auto pick = [&random](int limit) { return static_cast<int>(random() % limit); };
  std::map<int, std::int64_t> offsets, versions;
  std::vector<SourcedChange> log;
  for (int i = 0; i < messages; ++i) {
    const int partition = pick(kPartitions);
    // Of sums the partitions share their rows.
    const int key = pick(kKeys) + (sums ? 0 : partition * kKeys);
    Change change{.tenant = TenantId::Trusted(key % 2 == 0 ? "acme" : "bolt")};
    const std::int64_t version = ++versions[key];
    const absl::Time at = absl::FromUnixMicros(1'700'000'000'123'456 + version);
    const absl::CivilDay day(2026, 11, 1 + key);
    if (sums) {
      change.key = {day, absl::FromUnixSeconds(60 * key)};
      change.what = Add{{pick(100'000) - 1'000, 1}};
    } else {
      change.key = {std::string("name \"\\,{}") + std::to_string(key), std::int64_t{key}};
      const std::string text = "v" + std::to_string(version);
      const int what = pick(10);
      if (what == 0) {
        change.what = Remove{version};
      } else if (what < 4) {
        change.what = Put{0, version, {text, day}};
      } else {
        change.what = Put{1, version, {text, version * 100, at}};
      }
    }
    const std::int64_t offset = offsets[partition]++;
    log.push_back(
        {{kTestTopic, partition}, offset, std::move(change), Concat("event-", partition, "-", offset)});
  }
  return log;
}

using RowMap = std::map<RowKey, Row>;

// Each change once, in the order of the log.
inline RowMap RowsOf(const Projection& projection, const std::vector<SourcedChange>& log) {
  RowMap rows;
  for (const SourcedChange& sourced : log) {
    const RowKey key(sourced.change.tenant, sourced.change.key);
    Row& row = rows.try_emplace(key, EmptyRow(projection.shape, key)).first->second;
    if (!Merge(sourced.change, row).ok()) std::abort();
  }
  return rows;
}

}  // namespace bv::projections
