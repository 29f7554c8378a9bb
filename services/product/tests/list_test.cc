// Lists: filters and pages.
#include <absl/strings/escaping.h>

#include <set>

#include "libs/base/strings.h"
#include "services/product/tests/product_fixture.h"

namespace bv::product {
namespace {

class ListTest : public ProductTest {
 protected:
  absl::StatusOr<pb::ListProductsResponse> List(const pb::ListProductsRequest& request) {
    return Call(&ProductRpc::ListProducts, request, Staff());
  }
  // The titles of one page.
  std::vector<std::string> Titles(const pb::ListProductsRequest& request) {
    const auto response = List(request);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> titles;
    if (response.ok()) {
      for (const pb::Product& product : response->products()) titles.push_back(product.title());
    }
    return titles;
  }
  std::vector<std::string> TitlesWith(const std::string& part) {
    pb::ListProductsRequest request;
    request.set_title(part);
    return Titles(request);
  }
};

using Strings = std::vector<std::string>;

TEST_F(ListTest, NewestFirst) {
  Stored({"A"}, "first");
  Stored({"B", "C"}, "second");
  Stored({"D"}, "third");
  EXPECT_EQ(Titles({}), (Strings{"third", "second", "first"}));
  const auto response = List({});
  EXPECT_EQ(response->next_page_token(), "");
  EXPECT_EQ(response->products(1).variants_size(), 2);
  EXPECT_EQ(response->products(1).description(), "For two");
}

TEST_F(ListTest, PagesShowEveryProductOnceWhileOthersAreCreated) {
  std::set<std::string> there;
  for (int i = 0; i < 25; ++i) there.insert(Stored({Concat("OLD-", i)}).product_id());
  std::multiset<std::string> seen;
  pb::ListProductsRequest request;
  request.set_page_size(4);
  int pages = 0;
  do {
    const auto page = List(request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const pb::Product& product : page->products()) seen.insert(product.product_id());
    request.set_page_token(page->next_page_token());
    Stored({Concat("NEW-", pages)});
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 7);
  EXPECT_EQ(seen, std::multiset<std::string>(there.begin(), there.end()));
}

TEST_F(ListTest, TheLastPageHasNoToken) {
  for (int i = 0; i < 4; ++i) Stored({Concat("S-", i)});
  pb::ListProductsRequest request;
  request.set_page_size(2);
  const auto first = List(request);
  ASSERT_TRUE(first.ok());
  request.set_page_token(first->next_page_token());
  const auto second = List(request);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->products_size(), 2);
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_F(ListTest, ATitleFilterIsTextAndNoPattern) {
  Stored({"A"}, "100% Wool");
  Stored({"B"}, "100 wool");
  Stored({"C"}, "a_b");
  Stored({"D"}, "aXb");
  Stored({"E"}, "back\\slash");
  EXPECT_EQ(TitlesWith("WOOL"), (Strings{"100 wool", "100% Wool"}));
  EXPECT_EQ(TitlesWith("100% w"), (Strings{"100% Wool"}));
  EXPECT_EQ(TitlesWith("%"), (Strings{"100% Wool"}));
  EXPECT_EQ(TitlesWith("_"), (Strings{"a_b"}));
  EXPECT_EQ(TitlesWith("\\"), (Strings{"back\\slash"}));
  EXPECT_EQ(TitlesWith("' OR 1=1 --"), (Strings{}));
}

TEST_F(ListTest, FiltersByStatusAndSku) {
  pb::CreateProductRequest draft = NewProduct({"DRAFT-1"}, "draft");
  draft.set_status(pb::PRODUCT_STATUS_DRAFT);
  ASSERT_TRUE(Create(draft).ok());
  Stored({"A-1", "A-2"}, "active");
  pb::ListProductsRequest request;
  request.set_status(pb::PRODUCT_STATUS_DRAFT);
  EXPECT_EQ(Titles(request), (Strings{"draft"}));
  request.set_status(pb::PRODUCT_STATUS_ARCHIVED);
  EXPECT_EQ(Titles(request), (Strings{}));
  request.clear_status();
  request.set_sku("A-2");
  EXPECT_EQ(Titles(request), (Strings{"active"}));
  request.set_title("draft");
  EXPECT_EQ(Titles(request), (Strings{}));
  request.clear_title();
  request.set_sku("NONE");
  EXPECT_EQ(Titles(request), (Strings{}));
}

TEST_F(ListTest, ShoppersSeeNoDrafts) {
  pb::CreateProductRequest draft = NewProduct({"DRAFT-1"}, "draft");
  draft.set_status(pb::PRODUCT_STATUS_DRAFT);
  ASSERT_TRUE(Create(draft).ok());
  Stored({"A"}, "active");
  pb::ListProductsRequest request;
  EXPECT_EQ(Call(&ProductRpc::ListProducts, request, Shopper())->products_size(), 1);
  request.set_sku("DRAFT-1");
  EXPECT_EQ(Call(&ProductRpc::ListProducts, request, Shopper())->products_size(), 0);
  request.set_status(pb::PRODUCT_STATUS_DRAFT);
  EXPECT_EQ(Call(&ProductRpc::ListProducts, request, Shopper())->products_size(), 0);
}

TEST_F(ListTest, BadInputNamesItsField) {
  const auto refused = [this](auto change) {
    pb::ListProductsRequest request;
    change(request);
    const absl::Status status = List(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return FieldOfError(status);
  };
  using Request = pb::ListProductsRequest;
  for (const std::string& token :
       {std::string("x"), std::string("===="), std::string("\xff\xfe"), std::string("cHJkXw"),
        absl::WebSafeBase64Escape("prd_'; --"), absl::WebSafeBase64Escape(VariantId::New().str()),
        std::string(10'000, 'A')}) {
    EXPECT_EQ(refused([&](Request& r) { r.set_page_token(token); }), "pageToken") << token;
  }
  EXPECT_EQ(refused([](Request& r) { r.set_page_size(-1); }), "pageSize");
  EXPECT_EQ(refused([](Request& r) { r.set_page_size(101); }), "pageSize");
  EXPECT_EQ(refused([](Request& r) { r.set_status(static_cast<pb::ProductStatus>(9)); }), "status");
  EXPECT_EQ(refused([](Request& r) { r.set_title(std::string(201, 'x')); }), "title");
  EXPECT_EQ(refused([](Request& r) { r.set_title(std::string(1, '\0')); }), "title");
  EXPECT_EQ(refused([](Request& r) { r.set_sku("a b"); }), "sku");
}

TEST_F(ListTest, APageStaysWithinWhatClientsTake) {
  std::string description;
  for (int i = 0; i < 10'000; ++i) description += "\xf0\x9f\x8f\x95";
  constexpr int kProducts = 60;
  for (int i = 0; i < kProducts; ++i) {
    pb::CreateProductRequest request = NewProduct({Concat("BIG-", i)});
    request.set_description(description);
    ASSERT_TRUE(Create(request).ok());
  }
  pb::ListProductsRequest request;
  request.set_page_size(100);
  int seen = 0;
  int pages = 0;
  do {
    const auto page = List(request);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LT(page->ByteSizeLong(), 4u << 20);
    seen += page->products_size();
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(seen, kProducts);
  EXPECT_EQ(pages, 2);
}

}  // namespace
}  // namespace bv::product
