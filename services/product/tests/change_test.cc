// Creating, reading and changing products.
#include <absl/strings/str_join.h>
#include <google/protobuf/util/message_differencer.h>

#include <set>

#include "libs/base/strings.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

using google::protobuf::util::MessageDifferencer;

class ChangeTest : public ProductTest {};

TEST_F(ChangeTest, WhatIsCreatedIsRead) {
  pb::CreateProductRequest request = NewProduct({"TENT-1", "TENT-2"});
  request.set_vendor_id("tentmaker");
  request.mutable_variants(1)->set_compare_at_price(1500);
  request.mutable_variants(1)->set_fulfillment_type(commerce::common::v1::FULFILLMENT_TYPE_DIGITAL);
  const auto created = Create(request);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->version(), 1);
  EXPECT_EQ(created->status(), pb::PRODUCT_STATUS_ACTIVE);
  EXPECT_EQ(created->vendor_id(), "tentmaker");
  ASSERT_EQ(created->variants_size(), 2);
  EXPECT_EQ(created->variants(0).sku(), "TENT-1");
  EXPECT_EQ(created->variants(0).fulfillment_type(), commerce::common::v1::FULFILLMENT_TYPE_PHYSICAL);
  EXPECT_FALSE(created->variants(0).has_compare_at_price());
  EXPECT_EQ(created->variants(1).compare_at_price(), 1500);
  const auto read = Get(created->product_id());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(MessageDifferencer::Equals(*read, *created)) << read->DebugString() << created->DebugString();
}

TEST_F(ChangeTest, WhatDoesNotExistIsNotFound) {
  pb::UpdateProductRequest update;
  update.set_title("Tent");
  for (const std::string& id :
       {std::string(), std::string("prd_"), ProductId::New().str(), VariantId::New().str(),
        std::string("prd_01hf7yat00fytbh9k0vn3k5d6c'; DROP TABLE product; --"), std::string(100'000, 'x')}) {
    EXPECT_EQ(ErrorReason(Get(id).status()), "PRODUCT_NOT_FOUND") << id;
    update.set_product_id(id);
    EXPECT_EQ(ErrorReason(Update(update).status()), "PRODUCT_NOT_FOUND") << id;
  }
}

TEST_F(ChangeTest, AnUpdateChangesWhatIsGiven) {
  const pb::Product before = Stored({"TENT-1", "TENT-2"});
  pb::UpdateProductRequest request = PriceChange(before, "TENT-2", 900);
  request.set_title("Big tent");
  request.mutable_variants(0)->set_compare_at_price(1000);
  pb::VariantChange* added = request.add_variants();
  added->set_sku("TENT-3");
  added->set_price(1);
  added->set_currency("JPY");
  pb::VariantChange* archived = request.add_variants();
  archived->set_sku("TENT-1");
  archived->set_status(pb::VARIANT_STATUS_ARCHIVED);
  const auto after = Update(request);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->version(), 2);
  EXPECT_EQ(after->title(), "Big tent");
  EXPECT_EQ(after->description(), "For two");
  ASSERT_EQ(after->variants_size(), 3);
  EXPECT_EQ(after->variants(0).status(), pb::VARIANT_STATUS_ARCHIVED);
  EXPECT_EQ(after->variants(0).price(), 1000);
  EXPECT_EQ(after->variants(1).price(), 900);
  EXPECT_EQ(after->variants(1).compare_at_price(), 1000);
  EXPECT_EQ(after->variants(2).currency(), "JPY");
  const auto read = Get(before.product_id());
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(MessageDifferencer::Equals(*read, *after)) << read->DebugString() << after->DebugString();
}

TEST_F(ChangeTest, AProductChangesItsVendor) {
  const pb::Product product = Stored({"TENT-1"});
  EXPECT_EQ(product.vendor_id(), "");
  pb::UpdateProductRequest request;
  request.set_product_id(product.product_id());
  for (const std::string& vendor : {std::string("tentmaker"), std::string()}) {
    request.set_vendor_id(vendor);
    ASSERT_TRUE(Update(request).ok());
    EXPECT_EQ(Get(product.product_id())->vendor_id(), vendor);
  }
  // What does not name the vendor leaves it.
  request.set_vendor_id("tentmaker");
  ASSERT_TRUE(Update(request).ok());
  ASSERT_TRUE(Update(PriceChange(product, "TENT-1", 1150)).ok());
  EXPECT_EQ(Get(product.product_id())->vendor_id(), "tentmaker");
}

TEST_F(ChangeTest, EveryChangeIsOneEvent) {
  const pb::Product product = Stored({"TENT-1"});
  pb::UpdateProductRequest change = PriceChange(product, "TENT-1", 1150);
  change.set_vendor_id("tentmaker");
  ASSERT_TRUE(Update(change).ok());
  const std::string newest = Concat(
      "FROM outbox.event WHERE tenant_id = $T AND aggregatetype = 'ecommerce.product.product' "
      "AND aggregateid = '",
      product.product_id(), "' ORDER BY seq DESC LIMIT 1");
  EXPECT_EQ(EventCount(product.product_id()), "2");
  EXPECT_EQ(Query("SELECT concat_ws(' ', type, aggregatetype, aggregate_version, correlation_id) " + newest),
            "ecommerce.product.product.updated.v1 ecommerce.product.product 2 correlation-1");
  EXPECT_EQ(Query("SELECT concat_ws(' ', e->>'eventId' = id::text, e->>'producer', e->>'schemaVersion', "
                  "e->>'traceId') "
                  "FROM (SELECT id, payload::jsonb AS e " +
                  newest + ") AS o"),
            "t product-service 1.1 " + Staff().trace.trace_id);
  EXPECT_EQ(Query("SELECT concat_ws(' ', p->>'title', p->>'vendorId', p->>'status', p->>'version', "
                  "v->>'sku', v->>'price', v->>'currency', v->>'fulfillmentType', v->>'status') "
                  "FROM (SELECT payload::jsonb->'payload' AS p " +
                  newest + ") AS o, jsonb_array_elements(p->'variants') AS v"),
            "Tent tentmaker ACTIVE 2 TENT-1 11.50 USD PHYSICAL ACTIVE");
}

TEST_F(ChangeTest, WhatChangesNothingWritesNothing) {
  const pb::Product product = Stored({"TENT-1"});
  pb::UpdateProductRequest same = PriceChange(product, "TENT-1", 1000);
  same.set_title("Tent");
  same.set_status(pb::PRODUCT_STATUS_ACTIVE);
  const auto after = Update(same);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_TRUE(MessageDifferencer::Equals(*after, product));
  EXPECT_EQ(EventCount(product.product_id()), "1");
  EXPECT_EQ(Query("SELECT count(*) FROM product.product_price_history WHERE tenant_id = $T"), "1");
}

TEST_F(ChangeTest, ARefusedChangeLeavesNothing) {
  Stored({"TAKEN"});
  const auto refused = Create(NewProduct({"FREE", "TAKEN", "FREE-2"}));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(ErrorReason(refused.status()), "SKU_TAKEN");
  EXPECT_EQ(FieldOfError(refused.status()), "variants[1].sku");
  EXPECT_EQ(Query("SELECT count(*) FROM product.product WHERE tenant_id = $T"), "1");
  EXPECT_EQ(Query("SELECT count(*) FROM product.variant WHERE tenant_id = $T"), "1");
  EXPECT_EQ(Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND aggregatetype = "
                  "'ecommerce.product.product'"),
            "1");
}

TEST_F(ChangeTest, ASkuOfAnotherProductIsTaken) {
  Stored({"TAKEN"});
  const pb::Product product = Stored({"TENT-1"});
  pb::UpdateProductRequest request = PriceChange(product, "TENT-1", 5);
  *request.add_variants() = PriceChange(product, "TAKEN", 5).variants(0);
  const absl::Status refused = Update(request).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(FieldOfError(refused), "variants[1].sku");
  EXPECT_EQ(Get(product.product_id())->variants(0).price(), 1000);
  EXPECT_EQ(FieldOfError(Create(NewProduct({"A", "B", "A"})).status()), "variants[2].sku");
}

TEST_F(ChangeTest, BadInputNamesItsField) {
  const auto create = [this](auto change) {
    pb::CreateProductRequest request = NewProduct({"BAD-1", "BAD-2"});
    change(request);
    const absl::Status status = Create(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return FieldOfError(status);
  };
  using Request = pb::CreateProductRequest;
  EXPECT_EQ(create([](Request& r) { r.set_title(std::string("Te\0nt", 5)); }), "title");
  EXPECT_EQ(create([](Request& r) { r.set_title("Te\xc3nt"); }), "title");
  EXPECT_EQ(create([](Request& r) { r.set_description("\xf5"); }), "description");
  EXPECT_EQ(create([](Request& r) { r.set_vendor_id("tent maker"); }), "vendorId");
  EXPECT_EQ(create([](Request& r) { r.set_status(static_cast<pb::ProductStatus>(99)); }), "status");
  EXPECT_EQ(create([](Request& r) { r.set_status(static_cast<pb::ProductStatus>(-1)); }), "status");
  EXPECT_EQ(create([](Request& r) { r.clear_variants(); }), "variants");
  EXPECT_EQ(create([](Request& r) { r.mutable_variants(1)->set_sku("a b"); }), "variants[1].sku");
  EXPECT_EQ(create([](Request& r) { r.mutable_variants(1)->set_sku(std::string("A\0B", 3)); }),
            "variants[1].sku");
  EXPECT_EQ(create([](Request& r) { r.mutable_variants(0)->set_currency("usd"); }), "variants[0].currency");
  EXPECT_EQ(create([](Request& r) { r.mutable_variants(0)->set_price(-1); }), "variants[0].price");
  EXPECT_EQ(create([](Request& r) { r.mutable_variants(0)->set_price(INT64_MAX); }), "variants[0].price");
  EXPECT_EQ(create([](Request& r) { r.mutable_variants(0)->set_compare_at_price(0); }),
            "variants[0].compareAtPrice");
  EXPECT_EQ(
      create([](Request& r) {
        r.mutable_variants(0)->set_fulfillment_type(static_cast<commerce::common::v1::FulfillmentType>(7));
      }),
      "variants[0].fulfillmentType");
  EXPECT_EQ(Query("SELECT count(*) FROM product.product WHERE tenant_id = $T"), "0");
}

TEST_F(ChangeTest, TextComesBackAsItWas) {
  for (const std::string& title :
       {std::string("'; DROP TABLE product; --"), std::string("{\"a\",NULL,\\}"),
        std::string("$1 %s \\x00 \\"), std::string("\xf0\x9f\x8f\x95 Zelt f\xc3\xbcr zwei \xe2\x80\xae"),
        std::string("<script>\n\t\"</script>")}) {
    pb::CreateProductRequest request = NewProduct({Concat("S", std::hash<std::string>()(title))}, title);
    request.set_description(title);
    const auto created = Create(request);
    ASSERT_TRUE(created.ok()) << created.status();
    const auto read = Get(created->product_id());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->title(), title);
    EXPECT_EQ(read->description(), title);
    EXPECT_EQ(Query(Concat("SELECT payload::jsonb->'payload'->>'title' FROM outbox.event WHERE tenant_id = "
                           "$T AND aggregateid = '",
                           created->product_id(), "'")),
              title);
  }
}

TEST_F(ChangeTest, TheLargestProductIsStored) {
  std::vector<std::string> skus;
  for (int i = 0; i < 100; ++i) skus.push_back(std::string(60, 'X') + std::to_string(1000 + i));
  pb::CreateProductRequest request = NewProduct(skus, std::string(200, 'x'));
  std::string description;
  for (int i = 0; i < 10'000; ++i) description += "\xf0\x9f\x8f\x95";
  request.set_description(description);
  const auto created = Create(request);
  ASSERT_TRUE(created.ok()) << created.status();
  const auto read = Get(created->product_id());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->description(), description);
  ASSERT_EQ(read->variants_size(), 100);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read->variants(i).sku(), skus[static_cast<std::size_t>(i)]);
}

TEST_F(ChangeTest, DraftsAreForTheBackOffice) {
  pb::CreateProductRequest request = NewProduct({"DRAFT-1"});
  request.set_status(pb::PRODUCT_STATUS_DRAFT);
  const auto draft = Create(request);
  ASSERT_TRUE(draft.ok());
  EXPECT_TRUE(Get(draft->product_id()).ok());
  pb::GetProductRequest get;
  get.set_product_id(draft->product_id());
  EXPECT_EQ(ErrorReason(Call(&ProductRpc::GetProduct, get, Shopper()).status()), "PRODUCT_NOT_FOUND");
  const RequestContext anyone = testing::ContextOf(tenant(), "", Role::kNone);
  EXPECT_EQ(ErrorReason(Call(&ProductRpc::GetProduct, get, anyone).status()), "PRODUCT_NOT_FOUND");
}

TEST_F(ChangeTest, OfUpdatesFromOneVersionOneWins) {
  const pb::Product product = Stored({"TENT-1"});
  const auto results = AtOnce(8, [&](int i) {
    pb::UpdateProductRequest request = PriceChange(product, "TENT-1", 2000 + i);
    request.set_expected_version(1);
    return Update(request).status();
  });
  int won = 0;
  for (const absl::Status& status : results) {
    won += status.ok() ? 1 : 0;
    if (!status.ok()) {
      EXPECT_EQ(ErrorReason(status), "VERSION_CONFLICT") << status;
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(Get(product.product_id())->version(), 2);
  EXPECT_EQ(EventCount(product.product_id()), "2");
}

TEST_F(ChangeTest, OfProductsWithOneSkuOneIsCreated) {
  const auto results = AtOnce(8, [&](int i) {
    return Create(NewProduct({"OWN-" + std::to_string(i), "SHARED"})).status();
  });
  int won = 0;
  for (const absl::Status& status : results) {
    won += status.ok() ? 1 : 0;
    if (!status.ok()) {
      EXPECT_EQ(FieldOfError(status), "variants[1].sku") << status;
    }
  }
  EXPECT_EQ(won, 1);
  EXPECT_EQ(Query("SELECT count(*) FROM product.product WHERE tenant_id = $T"), "1");
}

TEST_F(ChangeTest, ProductsWithTheSameSkusInAnotherOrderDoNotDeadlock) {
  for (int round = 0; round < 10; ++round) {
    const std::string a = Concat("A-", round);
    const std::string b = Concat("B-", round);
    const auto results = AtOnce(4, [&](int i) {
      return Create(NewProduct(i % 2 == 0 ? std::vector{a, b} : std::vector{b, a})).status();
    });
    std::multiset<absl::StatusCode> codes;
    for (const absl::Status& status : results) codes.insert(status.code());
    EXPECT_EQ(codes.count(absl::StatusCode::kOk), 1u);
    EXPECT_EQ(codes.count(absl::StatusCode::kAlreadyExists), 3u);
  }
}

}  // namespace
}  // namespace bv::product
