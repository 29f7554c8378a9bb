#include "services/product/domain/product.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::product {
namespace {

Currency Usd() {
  return Currency::Trusted("USD");
}

Variant VariantOf(const std::string& sku, std::int64_t price = 1000) {
  return {.id = VariantId::Trusted("var_" + sku), .sku = SkuCode::Trusted(sku), .price = {price, Usd()}};
}

VariantChange ChangeOf(const std::string& sku) {
  return {.sku = SkuCode::Trusted(sku), .new_id = VariantId::Trusted("var_new")};
}

Product Tent() {
  return {.id = ProductId::Trusted("prd_1"),
          .title = "Tent",
          .description = "For two",
          .variants = {VariantOf("TENT-1"), VariantOf("TENT-2", 2000)},
          .version = 3};
}

std::string FieldOfError(const absl::Status& status) {
  return GetErrorDetail(status).field;
}

void ExpectInvalid(const absl::Status& status, const std::string& field) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(FieldOfError(status), field);
}

Revision Revised(const ProductChange& change) {
  absl::StatusOr<Revision> revision = Revise(Tent(), change);
  EXPECT_TRUE(revision.ok()) << revision.status();
  return revision.ok() ? *revision : Revision{};
}

using Indexes = std::vector<std::size_t>;

TEST(CheckNew, TakesWhatIsWithinTheLimits) {
  Product product = Tent();
  EXPECT_TRUE(CheckNew(product).ok());
  product.title = std::string(kTitleMax, 'x');
  product.description = std::string(kDescriptionMax, 'x');
  product.vendor_id = "-_AZaz09";
  product.vendor_id.resize(kVendorIdMax, 'x');
  product.variants[0].price.minor_units = 0;
  product.variants[0].compare_at_price = 1;
  product.variants[1].price.minor_units = kAmountMax;
  for (std::size_t i = 2; i < kVariantsMax; ++i)
    product.variants.push_back(VariantOf("S" + std::to_string(i)));
  EXPECT_TRUE(CheckNew(product).ok());
}

TEST(CheckNew, NamesTheFieldThatIsWrong) {
  const auto with = [](auto change) {
    Product product = Tent();
    change(product);
    return CheckNew(product);
  };
  ExpectInvalid(with([](Product& p) { p.title = ""; }), "title");
  ExpectInvalid(with([](Product& p) { p.title = std::string(kTitleMax + 1, 'x'); }), "title");
  ExpectInvalid(with([](Product& p) { p.title = std::string("a\0b", 3); }), "title");
  ExpectInvalid(with([](Product& p) { p.title = "\xff\xfe"; }), "title");
  ExpectInvalid(with([](Product& p) { p.description = std::string(kDescriptionMax + 1, 'x'); }),
                "description");
  ExpectInvalid(with([](Product& p) { p.description = "\xed\xa0\x80"; }), "description");
  ExpectInvalid(with([](Product& p) { p.vendor_id = std::string(kVendorIdMax + 1, 'x'); }), "vendorId");
  ExpectInvalid(with([](Product& p) { p.vendor_id = "tent maker"; }), "vendorId");
  ExpectInvalid(with([](Product& p) { p.vendor_id = std::string("a\0b", 3); }), "vendorId");
  ExpectInvalid(with([](Product& p) { p.vendor_id = "z\xc3\xa9lt"; }), "vendorId");
  ExpectInvalid(with([](Product& p) { p.variants.clear(); }), "variants");
  ExpectInvalid(with([](Product& p) { p.variants.assign(kVariantsMax + 1, VariantOf("A")); }), "variants");
  ExpectInvalid(with([](Product& p) { p.variants[1].price.minor_units = -1; }), "variants[1].price");
  ExpectInvalid(with([](Product& p) { p.variants[0].price.minor_units = kAmountMax + 1; }),
                "variants[0].price");
  ExpectInvalid(with([](Product& p) { p.variants[0].compare_at_price = 1000; }),
                "variants[0].compareAtPrice");
  ExpectInvalid(with([](Product& p) { p.variants[0].compare_at_price = -5; }), "variants[0].compareAtPrice");
  ExpectInvalid(with([](Product& p) { p.variants[1].compare_at_price = kAmountMax + 1; }),
                "variants[1].compareAtPrice");
}

TEST(CheckNew, ASkuComesOnce) {
  Product product = Tent();
  product.variants.push_back(VariantOf("TENT-1"));
  const absl::Status refused = CheckNew(product);
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorReason(refused), "SKU_TAKEN");
  EXPECT_EQ(FieldOfError(refused), "variants[2].sku");
}

TEST(Revise, WithoutAnyFieldNothingChanges) {
  const Revision revision = Revised({});
  EXPECT_FALSE(revision.changed);
  EXPECT_EQ(revision.product.title, "Tent");
}

TEST(Revise, WhatIsAlreadySoIsNoChange) {
  VariantChange same = ChangeOf("TENT-1");
  same.price = 1000;
  same.currency = Usd();
  same.compare_at_price = 0;
  same.fulfillment = FulfillmentType::kPhysical;
  same.status = VariantStatus::kActive;
  EXPECT_FALSE(Revised({.title = "Tent",
                        .description = "For two",
                        .vendor_id = "",
                        .status = ProductStatus::kActive,
                        .variants = {same}})
                   .changed);
}

TEST(Revise, ChangesWhatIsGiven) {
  const Revision title = Revised({.title = "Big tent"});
  EXPECT_TRUE(title.changed);
  EXPECT_EQ(title.product.title, "Big tent");
  EXPECT_EQ(title.product.description, "For two");
  EXPECT_TRUE(title.repriced.empty() && title.altered.empty() && title.added.empty());
  EXPECT_EQ(Revised({.description = ""}).product.description, "");
  const Revision vendor = Revised({.vendor_id = "tentmaker"});
  EXPECT_TRUE(vendor.changed);
  EXPECT_EQ(vendor.product.vendor_id, "tentmaker");
  EXPECT_EQ(Revised({.status = ProductStatus::kArchived}).product.status, ProductStatus::kArchived);
}

TEST(Revise, TellsAPriceFromTheRest) {
  VariantChange price = ChangeOf("TENT-2");
  price.price = 1900;
  price.currency = Usd();
  const Revision repriced = Revised({.variants = {price}});
  EXPECT_EQ(repriced.repriced, Indexes{1});
  EXPECT_TRUE(repriced.altered.empty());
  EXPECT_EQ(repriced.product.variants[1].price.minor_units, 1900);

  VariantChange rest = ChangeOf("TENT-1");
  rest.compare_at_price = 1500;
  rest.status = VariantStatus::kArchived;
  rest.fulfillment = FulfillmentType::kDigital;
  const Revision altered = Revised({.variants = {rest}});
  EXPECT_EQ(altered.altered, Indexes{0});
  EXPECT_TRUE(altered.repriced.empty());

  VariantChange currency = price;
  currency.price = 2000;
  currency.currency = Currency::Trusted("EUR");
  EXPECT_EQ(Revised({.variants = {currency}}).repriced, Indexes{1});
}

TEST(Revise, AddsAVariantWithANewSku) {
  VariantChange added = ChangeOf("TENT-3");
  added.price = 3000;
  added.currency = Usd();
  added.compare_at_price = 3500;
  const Revision revision = Revised({.variants = {added}});
  EXPECT_EQ(revision.added, Indexes{2});
  EXPECT_EQ(revision.product.variants[2].id.str(), "var_new");
  EXPECT_EQ(revision.product.variants[2].compare_at_price, 3500);
  EXPECT_EQ(revision.product.variants[2].status, VariantStatus::kActive);
}

TEST(Revise, RemovesTheComparePriceByZero) {
  Product product = Tent();
  product.variants[0].compare_at_price = 1500;
  VariantChange removed = ChangeOf("TENT-1");
  removed.compare_at_price = 0;
  const auto revision = Revise(product, {.variants = {removed}});
  ASSERT_TRUE(revision.ok());
  EXPECT_EQ(revision->product.variants[0].compare_at_price, std::nullopt);
  EXPECT_EQ(revision->altered, Indexes{0});
}

TEST(Revise, NamesTheFieldThatIsWrong) {
  const auto refused = [](auto change, const char* sku = "TENT-1") {
    VariantChange ok = ChangeOf("TENT-2");
    VariantChange bad = ChangeOf(sku);
    change(bad);
    Product product = Tent();
    product.variants[0].compare_at_price = 1500;
    return Revise(product, {.variants = {ok, bad}}).status();
  };
  ExpectInvalid(refused([](VariantChange& c) { c.price = 5; }), "variants[1].currency");
  ExpectInvalid(refused([](VariantChange& c) { c.currency = Currency::Trusted("EUR"); }),
                "variants[1].currency");
  ExpectInvalid(refused([](VariantChange& c) { c.price = -1, c.currency = Usd(); }), "variants[1].price");
  ExpectInvalid(refused([](VariantChange& c) { c.price = kAmountMax + 1, c.currency = Usd(); }),
                "variants[1].price");
  ExpectInvalid(refused([](VariantChange& c) { c.compare_at_price = 900; }), "variants[1].compareAtPrice");
  ExpectInvalid(refused([](VariantChange& c) { c.compare_at_price = -900; }), "variants[1].compareAtPrice");
  // The old compare-at price is not above the new price, or of another currency.
  ExpectInvalid(refused([](VariantChange& c) { c.price = 1500, c.currency = Usd(); }),
                "variants[1].compareAtPrice");
  ExpectInvalid(refused([](VariantChange& c) { c.price = 5, c.currency = Currency::Trusted("EUR"); }),
                "variants[1].compareAtPrice");
  ExpectInvalid(refused([](VariantChange&) {}, "NEW"), "variants[1].price");
  ExpectInvalid(refused([](VariantChange& c) { c.price = 5; }, "NEW"), "variants[1].currency");
  ExpectInvalid(Revise(Tent(), {.title = ""}).status(), "title");
  ExpectInvalid(Revise(Tent(), {.description = std::string(1, '\0')}).status(), "description");
  ExpectInvalid(Revise(Tent(), {.vendor_id = "tent/maker"}).status(), "vendorId");
  ExpectInvalid(
      Revise(Tent(), {.variants = std::vector<VariantChange>(kVariantsMax + 1, ChangeOf("A"))}).status(),
      "variants");
}

TEST(Revise, ASkuComesOnceInAChange) {
  const absl::Status refused =
      Revise(Tent(), {.variants = {ChangeOf("TENT-1"), ChangeOf("TENT-1")}}).status();
  EXPECT_EQ(ErrorReason(refused), "SKU_TAKEN");
  EXPECT_EQ(FieldOfError(refused), "variants[1].sku");
}

TEST(Revise, AProductHasAtMostSoManyVariants) {
  Product product = Tent();
  while (product.variants.size() < kVariantsMax) {
    product.variants.push_back(VariantOf("S" + std::to_string(product.variants.size())));
  }
  VariantChange added = ChangeOf("ONE-MORE");
  added.price = 1;
  added.currency = Usd();
  ExpectInvalid(Revise(product, {.variants = {added}}).status(), "variants[0].sku");
}

TEST(Revise, TheExpectedVersionDecides) {
  EXPECT_TRUE(Revise(Tent(), {.title = "Big", .expected_version = 3}).ok());
  const absl::Status refused = Revise(Tent(), {.title = "Big", .expected_version = 2}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ErrorReason(refused), "VERSION_CONFLICT");
}

}  // namespace
}  // namespace bv::product
