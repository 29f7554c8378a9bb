#include "services/replay/driver/parity_report.h"

#include <gtest/gtest.h>

namespace bv::replay {
namespace {

using projections::Kind;
using projections::Projection;
using projections::Row;
using projections::RowKey;

const projections::Shape kFacets{
    .key = {{"user_id", Kind::kText}, {"number", Kind::kInteger}},
    .facets = {{"placed", {{"total", Kind::kInteger}, {"on_day", Kind::kDay}}},
               {"state", {{"status", Kind::kText}, {"changed_at", Kind::kTime}}}}};

Row FacetRow(std::string status = "PAID", std::string user = "ada") {
  Row row{.tenant = TenantId::Trusted("acme")};
  row.key.emplace_back(std::move(user));
  row.key.emplace_back(std::int64_t{7});
  projections::FacetState& placed = row.facets.emplace_back();
  placed.version = 1;
  placed.values.emplace_back(std::int64_t{250});
  placed.values.emplace_back(absl::CivilDay(2026, 11, 22));
  projections::FacetState& state = row.facets.emplace_back();
  state.version = 3;
  state.values.emplace_back(std::move(status));
  state.values.emplace_back(absl::FromUnixMicros(1'700'000'000'500'000));
  return row;
}

TEST(ParityReport, NamesAKeyByItsColumns) {
  EXPECT_EQ(KeyText(kFacets, RowKey(TenantId::Trusted("acme"), FacetRow().key)), "user_id=ada number=7");
}

TEST(ParityReport, ShowsTheColumnsThatDiffer) {
  Row other = FacetRow("PENDING");
  EXPECT_EQ(RowText(kFacets, FacetRow(), other), "status=PAID");
  EXPECT_EQ(RowText(kFacets, other, FacetRow()), "status=PENDING");
  other.facets[1].version = 2;
  EXPECT_EQ(RowText(kFacets, FacetRow(), other), "state_version=3 status=PAID");
  other.facets[1] = {};
  EXPECT_EQ(RowText(kFacets, FacetRow(), other),
            "state_version=3 status=PAID changed_at=2023-11-14T22:13:20.5Z");
  EXPECT_EQ(RowText(kFacets, other, FacetRow()), "state_version=0");
}

TEST(ParityReport, SaysThatARowIsMissing) {
  EXPECT_EQ(RowText(kFacets, std::nullopt, FacetRow()), "missing");
  EXPECT_EQ(RowText(kFacets, FacetRow(), std::nullopt),
            "placed_version=1 total=250 on_day=2026-11-22 state_version=3 status=PAID "
            "changed_at=2023-11-14T22:13:20.5Z");
}

TEST(ParityReport, CutsLongTextsBetweenCharacters) {
  std::string text = "x";
  while (text.size() < 300) text += "ü";
  const Row row = FacetRow("PAID", text);
  const std::string shown = KeyText(kFacets, RowKey(row.tenant, row.key));
  EXPECT_EQ(shown, "user_id=" + text.substr(0, 199) + "… number=7");
}

TEST(ParityReport, TellsSumsOfBoth) {
  const Projection projection{.name = "revenue",
                              .shape = {.key = {{"day", Kind::kDay}}, .sums = {"paid", "orders"}}};
  const auto row = [](std::int64_t paid) {
    return Row{.tenant = TenantId::Trusted("acme"), .key = {absl::CivilDay(2026, 11, 22)}, .sums = {paid, 1}};
  };
  projections::Parity parity{.positions = {{{"orders", 3}, 42}},
                             .live = projections::Digest(projection.shape),
                             .rebuilt = projections::Digest(projection.shape),
                             .buckets_different = {17}};
  parity.live.Add(row(100));
  parity.rebuilt.Add(row(90));
  parity.differences.push_back(
      {.key = RowKey(row(0).tenant, row(0).key), .live = row(100), .rebuilt = row(90)});
  const pb::Parity report = ReportOf(projection, parity);
  EXPECT_EQ(report.offsets(0).topic(), "orders");
  EXPECT_EQ(report.offsets(0).partition(), 3);
  EXPECT_EQ(report.offsets(0).offset(), 42);
  EXPECT_EQ(report.rows_live(), 1);
  EXPECT_EQ(report.sums(0).column(), "paid");
  EXPECT_EQ(report.sums(0).live(), 100);
  EXPECT_EQ(report.sums(0).rebuilt(), 90);
  EXPECT_EQ(report.buckets_different(), 1);
  EXPECT_EQ(report.differences(0).key(), "day=2026-11-22");
  EXPECT_EQ(report.differences(0).live(), "paid=100");
  EXPECT_EQ(report.differences(0).rebuilt(), "paid=90");
}

}  // namespace
}  // namespace bv::replay
