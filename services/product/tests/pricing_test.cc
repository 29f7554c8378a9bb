// What a variant costs under overrides and sales, and which of them may be made.
#include <set>

#include "libs/base/strings.h"
#include "services/product/tests/pricing_fixture.h"

namespace bv::product {
namespace {

constexpr absl::Duration kMicro = absl::Microseconds(1);
constexpr absl::Duration kMinute = absl::Minutes(1);

TEST_F(PricingTest, ASalePriceHoldsExactlyBetweenItsEdges) {
  const pb::Product product = Stored({"TENT", "POLE"});
  const pricing::FlashSale sale = Sale(product, "TENT", kMinute, 2 * kMinute);
  EXPECT_EQ(sale.status(), pricing::FLASH_SALE_STATUS_SCHEDULED);
  const absl::Time start = rpc::FromTimestamp(sale.starts_at());
  const absl::Time end = rpc::FromTimestamp(sale.ends_at());
  EXPECT_EQ(end - start, kMinute);

  const pb::ResolvedVariant before = Price("TENT", start - kMicro);
  EXPECT_EQ(before.price(), 1000);
  EXPECT_EQ(rpc::FromTimestamp(before.valid_until()), start);
  for (const absl::Time at : {start, start + kMicro, end - kMicro}) {
    const pb::ResolvedVariant during = Price("TENT", at);
    EXPECT_EQ(during.price(), 600);
    EXPECT_EQ(rpc::FromTimestamp(during.valid_from()), start);
    EXPECT_EQ(rpc::FromTimestamp(during.valid_until()), end);
  }
  const pb::ResolvedVariant after = Price("TENT", end);
  EXPECT_EQ(after.price(), 1000);
  EXPECT_EQ(rpc::FromTimestamp(after.valid_from()), end);
  EXPECT_FALSE(after.has_valid_until());
  // The caches know of the sale before it begins.
  EXPECT_EQ(rpc::FromTimestamp(Price("TENT").valid_until()), start);
  EXPECT_FALSE(Price("POLE").has_valid_until());
}

TEST_F(PricingTest, PricesAreToldForTimesNearNow) {
  Stored({"TENT"});
  pb::ResolveVariantsRequest request;
  request.add_variants()->set_sku("TENT");
  *request.mutable_at() = rpc::ToTimestamp(DatabaseTime() + 6 * kMinute);
  EXPECT_EQ(FieldOfError(Call(&ProductRpc::ResolveVariants, request, Shopper()).status()), "at");
  request.mutable_at()->set_seconds(-1);
  EXPECT_EQ(FieldOfError(Call(&ProductRpc::ResolveVariants, request, Shopper()).status()), "at");
}

TEST_F(PricingTest, AnOverrideLiesOverTheCatalogueAndASaleOverBoth) {
  const pb::Product product = Stored({"TENT"});
  const auto set = Override("TENT", 800);
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->product_id(), product.product_id());
  EXPECT_EQ(Price("TENT").price(), 800);
  EXPECT_EQ(Price("TENT").valid_from().seconds(), set->valid_from().seconds());
  // Another takes its place.
  ASSERT_TRUE(Override("TENT", 700).ok());
  EXPECT_EQ(Price("TENT").price(), 700);
  const pricing::FlashSale sale = Sale(product, "TENT", kMinute, 2 * kMinute);
  EXPECT_EQ(Price("TENT", rpc::FromTimestamp(sale.starts_at())).price(), 600);
  EXPECT_EQ(Price("TENT", rpc::FromTimestamp(sale.ends_at())).price(), 700);
  // The catalogue changes below, unseen.
  ASSERT_TRUE(Update(PriceChange(product, "TENT", 1100)).ok());
  EXPECT_EQ(Price("TENT").price(), 700);
  const auto removed = RemoveOverride("TENT");
  ASSERT_TRUE(removed.ok()) << removed.status();
  EXPECT_TRUE(removed->has_valid_until());
  EXPECT_EQ(Price("TENT").price(), 1100);
  EXPECT_EQ(ErrorReason(RemoveOverride("TENT").status()), "PRICE_OVERRIDE_NOT_FOUND");
  EXPECT_EQ(Announced(product.product_id()),
            "price TENT 8 OVERRIDE, price TENT 7 OVERRIDE, price TENT 11 CATALOG");
}

TEST_F(PricingTest, AnOverrideTakesThePolicysLeave) {
  Stored({"TENT"});
  ASSERT_TRUE(Override("TENT", 800).ok());
  for (const absl::Status& answer : {absl::PermissionDeniedError("no"), absl::UnavailableError("no OPA")}) {
    policy_.Answer(answer);
    EXPECT_EQ(Override("TENT", 1).status(), answer);
    EXPECT_EQ(RemoveOverride("TENT").status(), answer);
  }
  EXPECT_EQ(policy_.asked().front(), "price.override price TENT");
  EXPECT_EQ(policy_.asked().back(), "price.remove_override price TENT");
  policy_.Answer(absl::OkStatus());
  EXPECT_TRUE(RemoveOverride("TENT").ok()) << "it was still there";
}

TEST_F(PricingTest, AnOverrideEndsByTime) {
  Stored({"TENT"});
  const absl::Time until = DatabaseTime() + kMinute;
  ASSERT_TRUE(Override("TENT", 800, until).ok());
  EXPECT_EQ(Price("TENT", until - kMicro).price(), 800);
  EXPECT_EQ(rpc::FromTimestamp(Price("TENT", until - kMicro).valid_until()), until);
  EXPECT_EQ(Price("TENT", until).price(), 1000);
  EXPECT_EQ(rpc::FromTimestamp(Price("TENT", until).valid_from()), until);
}

TEST_F(PricingTest, SalesOfAVariantDoNotOverlap) {
  const pb::Product product = Stored({"TENT", "POLE"});
  const pricing::FlashSale first = Sale(product, "TENT", kMinute, 2 * kMinute);
  pricing::CreateFlashSaleRequest request = NewSale(product, "POLE", kMinute, 3 * kMinute);
  *request.add_offers() = NewSale(product, "TENT", kMinute, kMinute).offers(0);
  const absl::Status refused = Schedule(request).status();
  EXPECT_EQ(ErrorReason(refused), "SALE_OVERLAPS");
  EXPECT_EQ(FieldOfError(refused), "offers[1].sku");
  // Another variant, and one after the other.
  Sale(product, "POLE", kMinute, 3 * kMinute);
  pricing::CreateFlashSaleRequest next = NewSale(product, "TENT", 2 * kMinute, 3 * kMinute);
  *next.mutable_starts_at() = first.ends_at();
  EXPECT_TRUE(Schedule(next).ok());
}

TEST_F(PricingTest, OfSalesAtOnceOneIsMade) {
  const pb::Product product = Stored({"TENT"});
  const auto statuses =
      AtOnce(6, [&](int) { return Schedule(NewSale(product, "TENT", kMinute, 2 * kMinute)).status(); });
  int made = 0;
  for (const absl::Status& status : statuses) {
    made += status.ok() ? 1 : 0;
    if (!status.ok()) {
      EXPECT_TRUE((std::set<std::string>{"SALE_OVERLAPS", "PRODUCT_BUSY"}).contains(ErrorReason(status)))
          << status;
    }
  }
  EXPECT_EQ(made, 1);
}

TEST_F(PricingTest, TheDatabaseItselfRefusesWhatOverlaps) {
  const pb::Product product = Stored({"TENT"});
  Sale(product, "TENT", kMinute, 2 * kMinute);
  const std::string copy = R"sql(
    WITH s AS (
      INSERT INTO product.flash_sale (tenant_id, sale_id, product_id, name, starts_at, ends_at, actor, created_at)
      SELECT tenant_id, 'fsl_copy', product_id, name, starts_at + interval '59.999999 s', ends_at + interval '1 h', actor, created_at
      FROM product.flash_sale WHERE tenant_id = $T
      RETURNING *)
    SELECT 1 FROM s)sql";
  const std::string offers = R"sql(
    INSERT INTO product.flash_sale_offer (tenant_id, sale_id, variant_id, position, price, currency, starts_at, ends_at)
    SELECT s.tenant_id, s.sale_id, o.variant_id, 0, 1, 'USD', s.starts_at, s.ends_at
    FROM product.flash_sale s, product.flash_sale_offer o
    WHERE s.tenant_id = $T AND o.tenant_id = $T AND s.sale_id = 'fsl_copy')sql";
  Query(copy);
  EXPECT_THROW(Query(offers), pqxx::sql_error);
  Query(
      "UPDATE product.flash_sale SET starts_at = starts_at + interval '1 microsecond' "
      "WHERE tenant_id = $T AND sale_id = 'fsl_copy'");
  EXPECT_NO_THROW(Query(offers));

  ASSERT_TRUE(Override("TENT", 800).ok());
  EXPECT_THROW(Query("INSERT INTO product.price_override (tenant_id, variant_id, product_id, valid_from, "
                     "valid_until, price, "
                     "currency, actor) SELECT tenant_id, variant_id, product_id, now(), now() + interval '1 "
                     "s', 1, currency, actor "
                     "FROM product.price_override WHERE tenant_id = $T"),
               pqxx::sql_error);
}

TEST_F(PricingTest, BadInputNamesItsField) {
  const pb::Product product = Stored({"TENT"});
  const auto field_after = [&](const std::function<void(pricing::CreateFlashSaleRequest&)>& spoil) {
    pricing::CreateFlashSaleRequest request = NewSale(product, "TENT", kMinute, 2 * kMinute);
    spoil(request);
    return FieldOfError(Schedule(request).status());
  };
  EXPECT_EQ(field_after([](auto& r) { r.clear_name(); }), "name");
  EXPECT_EQ(field_after([](auto& r) { r.clear_offers(); }), "offers");
  EXPECT_EQ(field_after([](auto& r) { r.clear_ends_at(); }), "endsAt");
  EXPECT_EQ(field_after([](auto& r) { *r.mutable_ends_at() = r.starts_at(); }), "endsAt");
  EXPECT_EQ(
      field_after([](auto& r) { r.mutable_ends_at()->set_seconds(r.starts_at().seconds() + 32 * 86400); }),
      "endsAt");
  EXPECT_EQ(field_after([](auto& r) { r.mutable_starts_at()->set_seconds(r.starts_at().seconds() - 61); }),
            "startsAt");
  EXPECT_EQ(field_after([](auto& r) { r.mutable_offers(0)->set_sku("OTHER"); }), "offers[0].sku");
  EXPECT_EQ(field_after([](auto& r) { *r.add_offers() = r.offers(0); }), "offers[1].sku");
  EXPECT_EQ(field_after([](auto& r) { r.mutable_offers(0)->set_price(1000); }), "offers[0].price");
  EXPECT_EQ(field_after([](auto& r) { r.mutable_offers(0)->set_price(-1); }), "offers[0].price");
  EXPECT_EQ(field_after([](auto& r) { r.mutable_offers(0)->set_currency("EUR"); }), "offers[0].currency");
  EXPECT_EQ(field_after([](auto& r) { r.set_quantity_limit(0); }), "quantityLimit");
  EXPECT_EQ(FieldOfError(Override("TENT", -1).status()), "price");
  EXPECT_EQ(FieldOfError(Override("TENT", 800, DatabaseTime() - kMinute).status()), "validUntil");
  EXPECT_EQ(ErrorReason(Override("NONE", 800).status()), "SKU_NOT_FOUND");
  EXPECT_EQ(Query("SELECT version FROM product.product WHERE tenant_id = $T"), "1")
      << "a refusal changes nothing";
}

TEST_F(PricingTest, ASaleIsShownAndListed) {
  const pb::Product product = Stored({"TENT"});
  std::vector<std::string> ids;
  for (int i = 1; i <= 3; ++i)
    ids.push_back(Sale(product, "TENT", i * kMinute, i * kMinute + absl::Seconds(30)).sale_id());
  pricing::GetFlashSaleRequest get;
  get.set_sale_id(ids[0]);
  const auto shown = CallPricing(&PricingRpc::GetFlashSale, get, Staff());
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_EQ(shown->offers(0).sku(), "TENT");
  EXPECT_EQ(shown->offers(0).price(), 600);
  const RequestContext stranger = testing::ContextOf("stranger", "eve", Role::kAdmin);
  EXPECT_EQ(ErrorReason(CallPricing(&PricingRpc::GetFlashSale, get, stranger).status()),
            "FLASH_SALE_NOT_FOUND");

  pricing::ListFlashSalesRequest list;
  list.set_page_size(2);
  list.set_product_id(product.product_id());
  const auto first = CallPricing(&PricingRpc::ListFlashSales, list, Staff());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->sales_size(), 2);
  EXPECT_EQ(first->sales(0).sale_id(), ids[2]);
  list.set_page_token(first->next_page_token());
  const auto second = CallPricing(&PricingRpc::ListFlashSales, list, Staff());
  ASSERT_EQ(second->sales_size(), 1);
  EXPECT_EQ(second->sales(0).sale_id(), ids[0]);
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_F(PricingTest, AChangeDoesNotWaitForAnother) {
  const pb::Product product = Stored({"TENT"});
  const pricing::FlashSale sale = Sale(product, "TENT", kMinute, 2 * kMinute);
  postgres::Session other(database().Connection(), postgres::Plans::kDefault);
  static constexpr postgres::Statement kLock{"test_lock_product", "SELECT FROM product FOR UPDATE"};
  const absl::Status held = other.Transact({TenantId::Trusted(tenant())}, [&](postgres::Session& session) {
    session.Exec(kLock);
    // Changes of the catalogue do wait, in the pool of their own.
    std::jthread waits([&] { EXPECT_TRUE(Update(PriceChange(product, "TENT", 1100)).ok()); });
    const absl::Time begun = absl::Now();
    EXPECT_EQ(ErrorReason(Override("TENT", 800).status()), "PRODUCT_BUSY");
    EXPECT_EQ(ErrorReason(RemoveOverride("TENT").status()), "PRODUCT_BUSY");
    EXPECT_EQ(ErrorReason(Schedule(NewSale(product, "TENT", 3 * kMinute, 4 * kMinute)).status()),
              "PRODUCT_BUSY");
    EXPECT_EQ(ErrorReason(Cancel(sale.sale_id()).status()), "PRODUCT_BUSY");
    EXPECT_TRUE(Announce());
    EXPECT_LT(absl::Now() - begun, absl::Seconds(1));
    static constexpr postgres::Statement kEnd{"test_end", "COMMIT"};
    session.Exec(kEnd);
    return absl::OkStatus();
  });
  EXPECT_TRUE(held.ok()) << held;
  EXPECT_EQ(Query("SELECT count(*) FROM product.price_override WHERE tenant_id = $T"), "0");
  EXPECT_TRUE(Override("TENT", 800).ok()) << "and the next one is taken";
}

}  // namespace
}  // namespace bv::product
