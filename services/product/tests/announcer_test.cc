// What is made known of prices: everything once, in order, whoever was away and when.
#include "libs/base/strings.h"
#include "services/product/store/change_pricing.h"
#include "services/product/tests/pricing_fixture.h"

namespace bv::product {
namespace {

constexpr absl::Duration kMinute = absl::Minutes(1);

class AnnouncerTest : public PricingTest {
 protected:
  std::string Version() const {
    return Query("SELECT max(version) FROM product.product WHERE tenant_id = $T");
  }
  std::string Column(const std::string& product_id, const std::string& type, const std::string& field) const {
    return Query(
        Concat("SELECT string_agg(payload::json->'payload'->>'", field,
               "', ' ' ORDER BY seq) FROM outbox.event WHERE tenant_id = $T AND type = 'ecommerce.pricing.",
               type, "' AND aggregateid = '", product_id, "'"));
  }
};

TEST_F(AnnouncerTest, ASaleIsAnnouncedWhenItBeginsAndWhenItEnds) {
  const pb::Product product = Stored({"TENT", "POLE"});
  const std::string& id = product.product_id();
  const pricing::FlashSale sale = Sale(product, "TENT", kMinute, 3 * kMinute);
  ASSERT_TRUE(Announce());
  EXPECT_EQ(Announced(id), "") << "nothing is due";
  EXPECT_EQ(Version(), "2");
  LetPass(2 * kMinute);
  ASSERT_TRUE(Announce());
  EXPECT_EQ(Announced(id), "price TENT 6 FLASH_SALE, started");
  EXPECT_EQ(Version(), "3") << "so that caches drop what they hold";
  EXPECT_EQ(EventCount(id), "3");
  EXPECT_EQ(Column(id, "flash_sale.started.v1", "saleId"), sale.sale_id());
  EXPECT_EQ(Column(id, "price.updated.v1", "version"), "3");
  LetPass(2 * kMinute);
  ASSERT_TRUE(Announce());
  ASSERT_TRUE(Announce());
  EXPECT_EQ(Announced(id), "price TENT 6 FLASH_SALE, started, price TENT 10 CATALOG, ended TIME");
  EXPECT_EQ(Version(), "4");
  EXPECT_EQ(EventCount(id), "4");
}

TEST_F(AnnouncerTest, WhoeverWasAwayOverTheWholeSaleTellsBothInOrder) {
  const pb::Product product = Stored({"TENT"});
  Sale(product, "TENT", kMinute, 2 * kMinute);
  Sale(product, "TENT", 2 * kMinute + absl::Seconds(10), 3 * kMinute, 500);
  LetPass(absl::Hours(1));
  ASSERT_TRUE(Announce());
  EXPECT_EQ(Announced(product.product_id()),
            "price TENT 6 FLASH_SALE, started, price TENT 10 CATALOG, ended TIME, "
            "price TENT 5 FLASH_SALE, started, price TENT 10 CATALOG, ended TIME");
  EXPECT_EQ(Version(), "4");
}

TEST_F(AnnouncerTest, ReplicasAnnounceOnce) {
  std::vector<pb::Product> products;
  for (int i = 0; i < 8; ++i) products.push_back(Stored({Concat("TENT-", i)}));
  for (int i = 0; i < 8; ++i)
    Sale(products[static_cast<std::size_t>(i)], Concat("TENT-", i), kMinute, 2 * kMinute);
  LetPass(kMinute + absl::Seconds(30));
  for (const bool announced : AtOnce(4, [&](int) { return Announce(); })) EXPECT_TRUE(announced);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(Announced(products[static_cast<std::size_t>(i)].product_id()),
              Concat("price TENT-", i, " 6 FLASH_SALE, started"));
  }
  EXPECT_EQ(Version(), "3");
}

TEST_F(AnnouncerTest, WhoeverDiesBeforeOrAfterTheCommitLeavesOneAnnouncement) {
  const pb::Product product = Stored({"TENT"});
  Sale(product, "TENT", kMinute, 2 * kMinute);
  LetPass(kMinute + absl::Seconds(30));
  const RequestContext context = testing::ContextOf(tenant());
  const auto announce_and = [&](const std::function<void(postgres::Session&)>& end) {
    postgres::Session session(database().Connection(), postgres::Plans::kDefault);
    return session.Transact({context.tenant}, [&](postgres::Session& s) {
      const auto done = AnnounceDue(s, context, ProductId::Trusted(product.product_id()));
      EXPECT_TRUE(done.ok() && *done);
      end(s);
      return absl::OkStatus();
    });
  };
  EXPECT_FALSE(announce_and([](postgres::Session& s) { database().Disconnect(s); }).ok());
  EXPECT_EQ(Announced(product.product_id()), "");
  const absl::Status unheard = announce_and([](postgres::Session& s) { database().CommitUnheard(s); });
  EXPECT_TRUE(postgres::CommitUnknown(unheard)) << unheard;
  ASSERT_TRUE(Announce());
  EXPECT_EQ(Announced(product.product_id()), "price TENT 6 FLASH_SALE, started");
}

TEST_F(AnnouncerTest, AnOverrideThatEndsIsAnnounced) {
  const pb::Product product = Stored({"TENT"});
  ASSERT_TRUE(Override("TENT", 800, DatabaseTime() + kMinute).ok());
  LetPass(2 * kMinute);
  ASSERT_TRUE(Announce());
  ASSERT_TRUE(Announce());
  EXPECT_EQ(Announced(product.product_id()), "price TENT 8 OVERRIDE, price TENT 10 CATALOG");
}

TEST_F(AnnouncerTest, AChangeTellsFirstWhatCameToPassBefore) {
  const pb::Product product = Stored({"TENT"});
  Sale(product, "TENT", kMinute, 2 * kMinute);
  LetPass(absl::Hours(1));
  // The announcer is away.
  ASSERT_TRUE(Update(PriceChange(product, "TENT", 1200)).ok());
  EXPECT_EQ(Announced(product.product_id()),
            "price TENT 6 FLASH_SALE, started, price TENT 10 CATALOG, ended TIME, price TENT 12 CATALOG");
  ASSERT_TRUE(Announce());
  EXPECT_EQ(EventCount(product.product_id()), "3");
}

TEST_F(AnnouncerTest, WhatDoesNotChangeThePriceIsNoPriceEvent) {
  const pb::Product product = Stored({"TENT"});
  ASSERT_TRUE(Override("TENT", 800).ok());
  ASSERT_TRUE(Update(PriceChange(product, "TENT", 1200)).ok());
  EXPECT_EQ(Announced(product.product_id()), "price TENT 8 OVERRIDE");
  pb::UpdateProductRequest rename;
  rename.set_product_id(product.product_id());
  rename.set_title("Better tent");
  ASSERT_TRUE(Update(rename).ok());
  EXPECT_EQ(Announced(product.product_id()), "price TENT 8 OVERRIDE");
}

TEST_F(AnnouncerTest, ASaleThatBeginsNowIsAnnouncedByItsCreation) {
  const pb::Product product = Stored({"TENT"});
  pricing::CreateFlashSaleRequest request = NewSale(product, "TENT", kMinute, 2 * kMinute);
  request.clear_starts_at();
  const auto sale = Schedule(request);
  ASSERT_TRUE(sale.ok()) << sale.status();
  EXPECT_EQ(sale->status(), pricing::FLASH_SALE_STATUS_RUNNING);
  EXPECT_EQ(Price("TENT").price(), 600);
  EXPECT_EQ(Announced(product.product_id()), "price TENT 6 FLASH_SALE, started");
  EXPECT_EQ(Column(product.product_id(), "flash_sale.started.v1", "offers"),
            Query("SELECT payload::json->'payload'->>'offers' FROM outbox.event WHERE tenant_id = $T "
                  "AND type LIKE '%started.v1' AND payload LIKE '%\"regularPrice\":10.00%'"));

  const auto canceled = Cancel(sale->sale_id());
  ASSERT_TRUE(canceled.ok()) << canceled.status();
  EXPECT_EQ(canceled->status(), pricing::FLASH_SALE_STATUS_CANCELED);
  EXPECT_EQ(Price("TENT").price(), 1000);
  EXPECT_EQ(Announced(product.product_id()),
            "price TENT 6 FLASH_SALE, started, price TENT 10 CATALOG, ended CANCELED");
  EXPECT_EQ(ErrorReason(Cancel(sale->sale_id()).status()), "SALE_OVER");
  ASSERT_TRUE(Announce());
  EXPECT_EQ(EventCount(product.product_id()), "3");
}

TEST_F(AnnouncerTest, ASaleThatIsCanceledBeforeItBeginsNeverWas) {
  const pb::Product product = Stored({"TENT"});
  const pricing::FlashSale sale = Sale(product, "TENT", kMinute, 2 * kMinute);
  const auto canceled = Cancel(sale.sale_id());
  ASSERT_TRUE(canceled.ok()) << canceled.status();
  EXPECT_EQ(canceled->ends_at().seconds(), sale.starts_at().seconds());
  EXPECT_FALSE(Price("TENT").has_valid_until());
  EXPECT_EQ(Price("TENT", rpc::FromTimestamp(sale.starts_at())).price(), 1000);
  // Its time is free again.
  Sale(product, "TENT", kMinute, 2 * kMinute, 700);
  EXPECT_EQ(Price("TENT", rpc::FromTimestamp(sale.ends_at()) - absl::Seconds(1)).price(), 700);
  EXPECT_EQ(Announced(product.product_id()), "");
}

TEST_F(AnnouncerTest, WhatIsDueIsFoundForAllTenantsAndNothingElseIsSeen) {
  const pb::Product product = Stored({"TENT"});
  Sale(product, "TENT", kMinute, 2 * kMinute);
  LetPass(kMinute + absl::Seconds(1));
  Sale(Stored({"POLE"}), "POLE", kMinute, 2 * kMinute);
  postgres::Session session(database().Connection(), postgres::Plans::kDefault);
  const absl::Status looked = session.Read({postgres::EveryTenant()}, [&](postgres::Session& s) {
    bool found = false;
    for (const DueProduct& due : FindDueProducts(s, 100))
      found = found || due.product.str() == product.product_id();
    EXPECT_TRUE(found);
    static constexpr postgres::Statement kOffers{"test_offers", "SELECT count(*) FROM flash_sale_offer"};
    EXPECT_EQ(s.Exec(kOffers)[0][0].as<int>(), 0);
    return absl::OkStatus();
  });
  EXPECT_TRUE(looked.ok()) << looked;
}

}  // namespace
}  // namespace bv::product
