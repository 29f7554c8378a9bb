// The tree of categories, and products in it.
#include "libs/base/strings.h"
#include "services/product/tests/search_fixture.h"

namespace bv::product {
namespace {

class CategoryTest : public SearchTest {
 protected:
  absl::StatusOr<pb::Category> UpdateCategory(const pb::UpdateCategoryRequest& request) {
    return Ask(&CategoryRpc::UpdateCategory, request);
  }
  absl::Status Delete(const std::string& code) {
    pb::DeleteCategoryRequest request;
    request.set_code(code);
    return Ask(&CategoryRpc::DeleteCategory, request).status();
  }
  Strings Codes() {
    Strings codes;
    const auto tree = Ask(&CategoryRpc::ListCategories, pb::ListCategoriesRequest());
    EXPECT_TRUE(tree.ok()) << tree.status();
    if (!tree.ok()) return codes;
    for (const pb::Category& each : tree->categories()) codes.push_back(each.code());
    return codes;
  }
};

TEST_F(CategoryTest, TheTreeIsListedInItsOrder) {
  EXPECT_EQ(Codes(), Strings());
  ASSERT_TRUE(CreateCategory("outdoor", "", 1).ok());
  ASSERT_TRUE(CreateCategory("cooking", "", 0).ok());
  ASSERT_TRUE(CreateCategory("tents", "outdoor", 5).ok());
  ASSERT_TRUE(CreateCategory("axes", "outdoor", 5).ok());
  EXPECT_EQ(Codes(), (Strings{"cooking", "outdoor", "axes", "tents"}));
  pb::GetCategoryRequest get;
  get.set_code("tents");
  const auto tents = Ask(&CategoryRpc::GetCategory, get);
  EXPECT_EQ(tents->name(), "Name of tents");
  EXPECT_EQ(tents->parent(), "outdoor");
  EXPECT_EQ(tents->version(), 1);
  for (const char* code : {"nope", "", "No Code", "'"}) {
    get.set_code(code);
    EXPECT_EQ(ErrorReason(Ask(&CategoryRpc::GetCategory, get).status()), "CATEGORY_NOT_FOUND") << code;
  }
}

TEST_F(CategoryTest, AnUpdateChangesWhatIsGiven) {
  ASSERT_TRUE(CreateCategory("outdoor").ok());
  ASSERT_TRUE(CreateCategory("tents", "outdoor").ok());
  pb::UpdateCategoryRequest request;
  request.set_code("tents");
  EXPECT_EQ(UpdateCategory(request)->version(), 1) << "nothing to change";
  request.set_name("Shelter");
  request.set_expected_version(1);
  const auto updated = UpdateCategory(request);
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->version(), 2);
  EXPECT_EQ(updated->parent(), "outdoor");
  EXPECT_EQ(ErrorReason(UpdateCategory(request).status()), "VERSION_CONFLICT");
  request.clear_expected_version();
  request.set_parent("");
  EXPECT_EQ(UpdateCategory(request)->parent(), "");
  request.set_code("outdoor");
  request.set_parent("outdoor");
  EXPECT_EQ(FieldOfError(UpdateCategory(request).status()), "parent");
  request.set_code("nope");
  EXPECT_EQ(ErrorReason(UpdateCategory(request).status()), "CATEGORY_NOT_FOUND");
}

TEST_F(CategoryTest, ManyAtOnceMakeNoCircle) {
  ASSERT_TRUE(CreateCategory("a").ok());
  ASSERT_TRUE(CreateCategory("b").ok());
  postgres::Pool pool(database().Connection(), postgres::PoolSettings{.size = 2, .queue_max = 16});
  CategoryRpc rpc(pool);
  for (int round = 0; round < 10; ++round) {
    const std::vector<bool> done = AtOnce(2, [&](int i) {
      testing::Loop loop;
      pb::UpdateCategoryRequest request;
      request.set_code(i == 0 ? "a" : "b");
      request.set_parent(i == 0 ? "b" : "a");
      const RequestContext context = Staff();
      return loop.Run(rpc.UpdateCategory(rpc::Call<pb::UpdateCategoryRequest>(request, context))).ok();
    });
    EXPECT_NE(done[0], done[1]) << "the one that comes second would close a circle";
    pb::UpdateCategoryRequest back;
    back.set_code(done[0] ? "a" : "b");
    back.set_parent("");
    ASSERT_TRUE(UpdateCategory(back).ok());
  }
}

TEST_F(CategoryTest, IsDeletedOnlyWhenNothingIsInIt) {
  ASSERT_TRUE(CreateCategory("outdoor").ok());
  ASSERT_TRUE(CreateCategory("tents", "outdoor").ok());
  EXPECT_EQ(ErrorReason(Delete("outdoor")), "CATEGORY_IN_USE");
  const pb::Product tent = Put("Tent", 1000, {}, {"tents"});
  absl::Status status = Delete("tents");
  EXPECT_EQ(ErrorReason(status), "CATEGORY_IN_USE");
  EXPECT_NE(status.message().find("products"), absl::string_view::npos) << status;
  pb::UpdateProductRequest leave;
  leave.set_product_id(tent.product_id());
  leave.add_remove_categories("tents");
  ASSERT_TRUE(Update(leave).ok());
  EXPECT_TRUE(Delete("tents").ok());
  EXPECT_EQ(ErrorReason(Delete("tents")), "CATEGORY_NOT_FOUND");
  EXPECT_TRUE(Delete("outdoor").ok());
}

TEST_F(CategoryTest, ProductsAreInCategoriesThatThereAre) {
  ASSERT_TRUE(CreateCategory("tents").ok());
  ASSERT_TRUE(CreateCategory("sale").ok());
  pb::CreateProductRequest request = NewProduct({"T1"});
  request.add_categories("tents");
  request.add_categories("nope");
  absl::Status status = Create(request).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(FieldOfError(status), "categories[1]");
  EXPECT_NE(status.message().find("nope"), absl::string_view::npos) << status;
  request.set_categories(1, "tents");
  (*request.mutable_attributes())["color"] = "red: dark";
  const auto stored = Create(request);
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->categories_size(), 1) << "each once";

  pb::UpdateProductRequest change;
  change.set_product_id(stored->product_id());
  change.add_add_categories("nope");
  EXPECT_EQ(FieldOfError(Update(change).status()), "addCategories[0]");
  change.set_add_categories(0, "sale");
  change.add_remove_categories("tents");
  (*change.mutable_attributes())["size"] = "L";
  EXPECT_EQ(Update(change)->version(), 2);
  pb::Product after = *Get(stored->product_id());
  EXPECT_EQ(Strings(after.categories().begin(), after.categories().end()), Strings{"sale"});
  EXPECT_EQ(after.attributes().at("color"), "red: dark");
  EXPECT_EQ(after.attributes().at("size"), "L");
  EXPECT_EQ(Update(change)->version(), 2) << "a change that changes nothing";
  EXPECT_EQ(EventCount(stored->product_id()), "2");
  EXPECT_EQ(Query("SELECT payload::jsonb #>> '{payload,facets,categories}' FROM outbox.event WHERE tenant_id "
                  "= $T AND aggregatetype = 'ecommerce.product.product' "
                  "ORDER BY aggregate_version DESC LIMIT 1"),
            R"(["sale"])");
  (*change.mutable_attributes())["color"] = "";
  after = *Update(change);
  EXPECT_EQ(after.attributes().size(), 1u) << "an empty value removes it";
}

}  // namespace
}  // namespace bv::product
