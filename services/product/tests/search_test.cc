// What is found, in which order, and how it is counted.
#include <absl/strings/escaping.h>

#include <set>

#include "libs/base/strings.h"
#include "services/product/tests/search_fixture.h"

namespace bv::product {
namespace {

using Request = pb::SearchProductsRequest;

TEST_F(SearchTest, ByWordsOfTitleDescriptionAttributesAndSku) {
  pb::CreateProductRequest tent = NewProduct({"DOME-2P.x"}, "Big tent");
  tent.set_description("Sleeps two, weighs 1.5 kg");
  (*tent.mutable_attributes())["color"] = "Forest green";
  ASSERT_TRUE(Create(tent).ok());
  Put("Stove");
  for (const char* q :
       {"big", "TENT", "tent big", "sleeps", "1.5 kg", "forest", "dome-2p.x", "DOME", "2p", ""})
    EXPECT_EQ(TitlesBy(q).back(), "Big tent") << q;
  for (const char* q : {"big stove", "color", "dome-3", "bigtent", "USD", "=p=USD", "ACTIVE"})
    EXPECT_EQ(TitlesBy(q), Strings()) << q;
}

TEST_F(SearchTest, TheLastWordMayBeBegun) {
  Put("Camping stove");
  for (const char* q : {"c", "camp", "stove camp", "camping s", "CAMP"})
    EXPECT_EQ(TitlesBy(q), Strings{"Camping stove"}) << q;
  for (const char* q : {"camp ", "camp stove", "amping", "\"camp\"", "\"camp"})
    EXPECT_EQ(TitlesBy(q), Strings()) << q;
  pb::CreateProductRequest dashed = NewProduct({"AB-1234-X"}, "Dashed");
  ASSERT_TRUE(Create(dashed).ok());
  for (const char* q : {"AB-1", "ab-1234", "ab-1234-x", "1234"})
    EXPECT_EQ(TitlesBy(q), Strings{"Dashed"}) << q;
}

TEST_F(SearchTest, AccentsAndCaseDoNotMatter) {
  Put("Crème brûlée");
  Put("Жар-птица");
  Put("Größe");
  for (const char* q : {"creme", "crème", "BRULEE", "CRÈME BRÛLÉE", "brûl"})
    EXPECT_EQ(TitlesBy(q), Strings{"Crème brûlée"}) << q;
  for (const char* q : {"жар", "ЖАР-ПТИЦА"}) EXPECT_EQ(TitlesBy(q), Strings{"Жар-птица"}) << q;
  EXPECT_EQ(TitlesBy("grosse"), Strings{"Größe"});
}

TEST_F(SearchTest, QuotesAlternativesAndExclusion) {
  Put("Red two man tent");
  Put("Blue man, two tents");
  EXPECT_EQ(TitlesBy("\"two man\""), Strings{"Red two man tent"});
  EXPECT_EQ(TitlesBy("two -red"), Strings{"Blue man, two tents"});
  EXPECT_EQ(TitlesBy("-red"), Strings{"Blue man, two tents"});
  EXPECT_EQ(TitlesBy("red or blue").size(), 2u);
  EXPECT_EQ(TitlesBy("man -\"two man\" tents"), Strings{"Blue man, two tents"});
}

TEST_F(SearchTest, TextThatLooksLikeAQueryIsText) {
  Put("Tent");
  for (const char* q : {"' & | ! ( <->",
                        "'",
                        "\\",
                        "!!!",
                        "a & b | !(c",
                        ":*",
                        "tent:* & =t=x",
                        "'; DROP TABLE product; --",
                        "\"",
                        "\"\"",
                        "-",
                        "--",
                        "or",
                        "or or",
                        "%",
                        "_",
                        "\xe2\x80\xa6",
                        "$1",
                        "{}",
                        "<->",
                        "x' | '=t=tenant-0"}) {
    const auto found = Find(By(q));
    ASSERT_TRUE(found.ok()) << q << found.status();
    EXPECT_EQ(found->total(), 0) << q;
  }
  for (const char* q : {"tent & |", "tent'", "(tent)", "!tent", "tent:*", "tent\\", "tent \xe2\x80\xa6"})
    EXPECT_EQ(TitlesBy(q), Strings{"Tent"}) << q;
  Request request;
  request.add_attributes("color:' | '=t=tenant-0");
  EXPECT_EQ(Find(request)->total(), 0);
}

TEST_F(SearchTest, TheBestMatchComesFirst) {
  pb::CreateProductRequest mentioned = NewProduct({"A1"}, "Pole");
  mentioned.set_description("For a tent");
  ASSERT_TRUE(Create(mentioned).ok());
  Put("Tent");
  pb::CreateProductRequest last = NewProduct({"A2"}, "Peg");
  last.set_description("Also for a tent");
  ASSERT_TRUE(Create(last).ok());
  EXPECT_EQ(TitlesBy("tent"), (Strings{"Tent", "Peg", "Pole"})) << "equals from the newest on";
  Request request = By("tent");
  request.set_order(pb::SEARCH_ORDER_NEWEST);
  EXPECT_EQ(Titles(request), (Strings{"Peg", "Tent", "Pole"}));
}

TEST_F(SearchTest, OnlyWhatIsSold) {
  pb::CreateProductRequest draft = NewProduct({"D"}, "Tent draft");
  draft.set_status(pb::PRODUCT_STATUS_DRAFT);
  const auto stored = Create(draft);
  EXPECT_EQ(TitlesBy("tent"), Strings());
  pb::UpdateProductRequest change;
  change.set_product_id(stored->product_id());
  change.set_status(pb::PRODUCT_STATUS_ACTIVE);
  ASSERT_TRUE(Update(change).ok());
  EXPECT_EQ(TitlesBy("tent"), Strings{"Tent draft"}) << "found with its commit";
  change.set_title("Hut");
  ASSERT_TRUE(Update(change).ok());
  EXPECT_EQ(TitlesBy("tent"), Strings());
  EXPECT_EQ(TitlesBy("hut"), Strings{"Hut"});
  change.set_status(pb::PRODUCT_STATUS_ARCHIVED);
  ASSERT_TRUE(Update(change).ok());
  EXPECT_EQ(TitlesBy("hut"), Strings());
  EXPECT_EQ(Query("SELECT count(*) FROM product.product_search WHERE tenant_id = $T"), "0");
}

TEST_F(SearchTest, ByPrice) {
  Put("Cheap", 100);
  Put("Middle", 2000);
  Put("Dear", 300'000);
  pb::CreateProductRequest two = NewProduct({"TWO-1", "TWO-2"}, "Two");
  two.mutable_variants(0)->set_price(5000);
  two.mutable_variants(1)->set_price(700);
  const pb::Product stored = *Create(two);
  pb::CreateProductRequest euro = NewProduct({"EURO"}, "Euro");
  euro.mutable_variants(0)->set_currency("EUR");
  ASSERT_TRUE(Create(euro).ok());
  Request request;
  request.set_currency("USD");
  request.set_order(pb::SEARCH_ORDER_PRICE_UP);
  EXPECT_EQ(Titles(request), (Strings{"Cheap", "Two", "Middle", "Dear"}));
  request.set_order(pb::SEARCH_ORDER_PRICE_DOWN);
  EXPECT_EQ(Titles(request), (Strings{"Dear", "Middle", "Two", "Cheap"}));
  request.set_min_price(100);
  request.set_max_price(2000);
  EXPECT_EQ(Titles(request), (Strings{"Middle", "Two", "Cheap"}));
  request.set_min_price(101);
  request.set_max_price(1999);
  EXPECT_EQ(Titles(request), Strings{"Two"});
  ASSERT_TRUE(Update(PriceChange(stored, "TWO-2", 9000)).ok());
  EXPECT_EQ(Titles(request), Strings()) << "by the price that holds now";
  request.set_max_price(5000);
  EXPECT_EQ(Titles(request), (Strings{"Two", "Middle"}));
  request.set_currency("EUR");
  EXPECT_EQ(Titles(request), Strings{"Euro"});
}

TEST_F(SearchTest, ByCategoryAndAllBelowIt) {
  ASSERT_TRUE(CreateCategory("outdoor").ok());
  ASSERT_TRUE(CreateCategory("tents", "outdoor").ok());
  ASSERT_TRUE(CreateCategory("domes", "tents").ok());
  ASSERT_TRUE(CreateCategory("sale").ok());
  Put("Dome", 1000, {}, {"domes", "sale"});
  Put("Boots", 1000, {}, {"outdoor"});
  Put("Other");
  Request request;
  request.set_category("outdoor");
  EXPECT_EQ(Titles(request), (Strings{"Boots", "Dome"}));
  request.set_category("tents");
  EXPECT_EQ(Titles(request), Strings{"Dome"});
  request.set_q("boots");
  EXPECT_EQ(Titles(request), Strings());
  request.set_category("nope");
  EXPECT_EQ(FieldOfError(Find(request).status()), "category");

  pb::UpdateCategoryRequest move;
  move.set_code("domes");
  move.set_parent("sale");
  ASSERT_TRUE(Ask(&CategoryRpc::UpdateCategory, move).ok());
  request = {};
  request.set_category("tents");
  EXPECT_EQ(Titles(request), Strings()) << "a moved category takes its products along";
}

TEST_F(SearchTest, ByAttributes) {
  Put("Red small", 1000, {{"color", "red"}, {"size", "S"}});
  Put("Blue small", 1000, {{"color", "blue"}, {"size", "S"}});
  Put("Red large", 1000, {{"color", "red"}, {"size", "L"}});
  Request request;
  request.add_attributes("color:red");
  EXPECT_EQ(Titles(request), (Strings{"Red large", "Red small"}));
  request.add_attributes("size:S");
  EXPECT_EQ(Titles(request), Strings{"Red small"});
  request.add_attributes("color:blue");
  EXPECT_EQ(Titles(request), (Strings{"Blue small", "Red small"})) << "any value of one name";
  request.add_attributes("weight:1");
  EXPECT_EQ(Titles(request), Strings());
}

TEST_F(SearchTest, CountsWhatIsFound) {
  ASSERT_TRUE(CreateCategory("outdoor").ok());
  ASSERT_TRUE(CreateCategory("tents", "outdoor").ok());
  ASSERT_TRUE(CreateCategory("bags", "outdoor").ok());
  Put("Tent one", 1200, {{"color", "red"}}, {"tents", "bags"});
  Put("Tent two", 1900, {{"color", "red"}, {"size", "L"}}, {"tents"});
  Put("Tent three", 2000, {{"color", "blue"}});
  Put("Stove", 5, {{"color", "black"}}, {"outdoor"});
  Request request = By("tent");
  request.set_currency("USD");
  request.set_facets(true);
  const auto found = Find(request);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->total(), 3);
  EXPECT_FALSE(found->total_is_lower_bound());
  Strings counts;
  for (const auto& each : found->facets().categories())
    counts.push_back(Concat(each.code(), " ", each.name(), " ", each.count()));
  EXPECT_EQ(counts, (Strings{"outdoor Name of outdoor 2", "tents Name of tents 2", "bags Name of bags 1"}));
  counts.clear();
  for (const auto& each : found->facets().attributes()) {
    for (const auto& value : each.values())
      counts.push_back(Concat(each.name(), " ", value.value(), " ", value.count()));
  }
  EXPECT_EQ(counts, (Strings{"color red 2", "color blue 1", "size L 1"}));
  counts.clear();
  for (const auto& each : found->facets().prices())
    counts.push_back(Concat(each.from(), "-", each.below(), " ", each.count()));
  EXPECT_EQ(counts, (Strings{"1000-2000 2", "2000-5000 1"}));
  request.set_facets(false);
  EXPECT_FALSE(Find(request)->has_facets());
}

TEST_F(SearchTest, BeyondALimitCountsAreLowerBounds) {
  for (int i = 0; i < 12; ++i) Put(Concat("Peg ", i), 1000, {{"kind", "peg"}});
  Request request = By("peg");
  request.set_facets(true);
  EXPECT_EQ(Find(request)->total(), 12);
  EXPECT_FALSE(Find(request)->total_is_lower_bound());
  Put("Peg last", 1000, {{"kind", "peg"}});
  const auto found = Find(request);
  EXPECT_EQ(found->total(), 12);
  EXPECT_TRUE(found->total_is_lower_bound());
  EXPECT_EQ(found->facets().attributes(0).values(0).count(), 12);
  EXPECT_EQ(found->products_size(), 13) << "pages know no such limit";
}

TEST_F(SearchTest, PagesHaveEachHitOnce) {
  for (int i = 0; i < 17; ++i) Put(Concat("Tent ", i % 3 == 0 ? "tent " : "", i), 100 * (i % 4));
  for (const pb::SearchOrder order : {pb::SEARCH_ORDER_RELEVANCE, pb::SEARCH_ORDER_NEWEST,
                                      pb::SEARCH_ORDER_PRICE_UP, pb::SEARCH_ORDER_PRICE_DOWN}) {
    Request request = By("tent");
    request.set_order(order);
    request.set_currency("USD");
    request.set_page_size(100);
    const Strings all = Titles(request);
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 17u);
    request.set_page_size(5);
    Strings seen;
    do {
      const auto page = Find(request);
      ASSERT_TRUE(page.ok()) << page.status();
      EXPECT_EQ(page->total(), 12);
      for (const pb::Product& product : page->products()) seen.push_back(product.title());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    EXPECT_EQ(seen, all) << order;
  }
}

TEST_F(SearchTest, NothingOfAnotherTenant) {
  Put("Secret tent", 1000, {{"color", "red"}});
  ASSERT_TRUE(CreateCategory("secret").ok());
  const RequestContext stranger = testing::ContextOf(tenant() + "-other", "mallory", Role::kAdmin);
  Request request = By("secret");
  request.set_facets(true);
  const auto found = loop_.Run(rpc_.SearchProducts(rpc::Call<Request>(request, stranger)));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->total(), 0);
  EXPECT_EQ(found->facets().attributes_size(), 0);
  request.set_category("secret");
  EXPECT_EQ(FieldOfError(loop_.Run(rpc_.SearchProducts(rpc::Call<Request>(request, stranger))).status()),
            "category");
}

TEST_F(SearchTest, BadInputNamesItsField) {
  const auto refused = [this](auto change) {
    Request request;
    change(request);
    const absl::Status status = Find(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return FieldOfError(status);
  };
  EXPECT_EQ(refused([](Request& r) { r.set_q(std::string(201, 'x')); }), "q");
  EXPECT_EQ(refused([](Request& r) { r.set_q(std::string(1, '\0')); }), "q");
  EXPECT_EQ(refused([](Request& r) { r.set_category("No Code"); }), "category");
  EXPECT_EQ(refused([](Request& r) { r.add_attributes("color"); }), "attributes[0]");
  EXPECT_EQ(refused([](Request& r) { r.add_attributes("co lor:red"); }), "attributes[0]");
  EXPECT_EQ(refused([](Request& r) { r.add_attributes("color:"); }), "attributes[0]");
  EXPECT_EQ(refused([](Request& r) {
              for (int i = 0; i < 21; ++i) r.add_attributes("a:b");
            }),
            "attributes");
  EXPECT_EQ(refused([](Request& r) { r.set_currency("XXXX"); }), "currency");
  EXPECT_EQ(refused([](Request& r) { r.set_min_price(1); }), "currency");
  EXPECT_EQ(refused([](Request& r) { r.set_order(pb::SEARCH_ORDER_PRICE_UP); }), "currency");
  EXPECT_EQ(refused([](Request& r) { r.set_order(pb::SEARCH_ORDER_RELEVANCE); }), "order");
  EXPECT_EQ(refused([](Request& r) { r.set_order(static_cast<pb::SearchOrder>(9)); }), "order");
  EXPECT_EQ(refused([](Request& r) {
              r.set_currency("USD");
              r.set_min_price(-1);
            }),
            "minPrice");
  EXPECT_EQ(refused([](Request& r) {
              r.set_currency("USD");
              r.set_min_price(2);
              r.set_max_price(1);
            }),
            "maxPrice");
  EXPECT_EQ(refused([](Request& r) { r.set_page_size(101); }), "pageSize");
  for (const std::string& token :
       {std::string("x"), std::string("===="), absl::WebSafeBase64Escape("1"),
        absl::WebSafeBase64Escape("x prd_1"), absl::WebSafeBase64Escape("1 prd_'; --"),
        absl::WebSafeBase64Escape(ProductId::New().str()), std::string(10'000, 'A')}) {
    EXPECT_EQ(refused([&](Request& r) { r.set_page_token(token); }), "pageToken") << token;
  }
}

}  // namespace
}  // namespace bv::product
