#include "services/product/rpc/category_rpc.h"

#include "libs/base/macros.h"
#include "libs/rpc/timestamp.h"
#include "services/product/store/category_rows.h"
#include "services/product/store/change_category.h"

namespace bv::product {
namespace {

namespace pb = commerce::product::v1;

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

pb::Category ToProto(const Category& category) {
  pb::Category result;
  result.set_code(category.code);
  result.set_name(category.name);
  result.set_parent(category.parent);
  result.set_position(category.position);
  result.set_version(category.version);
  *result.mutable_updated_at() = rpc::ToTimestamp(category.updated_at);
  return result;
}

Category FromProto(const pb::CreateCategoryRequest& request) {
  return {.code = request.code(),
          .name = request.name(),
          .parent = request.parent(),
          .position = request.position()};
}

CategoryChange FromProto(const pb::UpdateCategoryRequest& request) {
  CategoryChange change;
  if (request.has_name()) change.name = request.name();
  if (request.has_parent()) change.parent = request.parent();
  if (request.has_position()) change.position = request.position();
  if (request.has_expected_version()) change.expected_version = request.expected_version();
  return change;
}

// No text of the outside goes to the database that no category could have.
bool MayBeCode(const std::string& text) {
  return CheckCategoryCode(text, "code").ok();
}

}  // namespace

void CategoryRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.product.v1.Categories";
  server.Handle(service, "CreateCategory", *this, &CategoryRpc::CreateCategory);
  server.Handle(service, "GetCategory", *this, &CategoryRpc::GetCategory);
  server.Handle(service, "ListCategories", *this, &CategoryRpc::ListCategories);
  server.Handle(service, "UpdateCategory", *this, &CategoryRpc::UpdateCategory);
  server.Handle(service, "DeleteCategory", *this, &CategoryRpc::DeleteCategory);
}

rpc::Reply<pb::Category> CategoryRpc::CreateCategory(rpc::Call<pb::CreateCategoryRequest> call) {
  const RequestContext& context = call.context();
  const product::Category wanted = FromProto(call.request());
  Work<product::Category> create = [&](postgres::Session& session) {
    return product::CreateCategory(session, context.tenant, wanted);
  };
  CO_ASSIGN_OR_RETURN(const product::Category created,
                      co_await pool_.Transact<product::Category>(context, std::move(create)));
  co_return ToProto(created);
}

rpc::Reply<pb::Category> CategoryRpc::GetCategory(rpc::Call<pb::GetCategoryRequest> call) {
  const RequestContext& context = call.context();
  const std::string code = call.request().code();
  if (!MayBeCode(code)) co_return CategoryNotFound();
  using Found = std::optional<product::Category>;
  Work<Found> read = [&](postgres::Session& session) { return ReadCategory(session, context.tenant, code); };
  CO_ASSIGN_OR_RETURN(const Found found, co_await pool_.Read<Found>(context, std::move(read)));
  if (!found) co_return CategoryNotFound();
  co_return ToProto(*found);
}

rpc::Reply<pb::ListCategoriesResponse> CategoryRpc::ListCategories(
    rpc::Call<pb::ListCategoriesRequest> call) {
  const RequestContext& context = call.context();
  using Tree = std::vector<product::Category>;
  Work<Tree> read = [&](postgres::Session& session) { return ReadCategories(session, context.tenant); };
  CO_ASSIGN_OR_RETURN(const Tree tree, co_await pool_.Read<Tree>(context, std::move(read)));
  pb::ListCategoriesResponse response;
  for (const product::Category& category : InTreeOrder(tree)) *response.add_categories() = ToProto(category);
  co_return response;
}

rpc::Reply<pb::Category> CategoryRpc::UpdateCategory(rpc::Call<pb::UpdateCategoryRequest> call) {
  const RequestContext& context = call.context();
  const std::string code = call.request().code();
  if (!MayBeCode(code)) co_return CategoryNotFound();
  const CategoryChange change = FromProto(call.request());
  Work<product::Category> update = [&](postgres::Session& session) {
    return ChangeCategory(session, context.tenant, code, change);
  };
  CO_ASSIGN_OR_RETURN(const product::Category updated,
                      co_await pool_.Transact<product::Category>(context, std::move(update)));
  co_return ToProto(updated);
}

rpc::Reply<pb::DeleteCategoryResponse> CategoryRpc::DeleteCategory(
    rpc::Call<pb::DeleteCategoryRequest> call) {
  const RequestContext& context = call.context();
  const std::string code = call.request().code();
  if (!MayBeCode(code)) co_return CategoryNotFound();
  Work<product::Category> remove = [&](postgres::Session& session) {
    return RemoveCategory(session, context.tenant, code);
  };
  CO_ASSIGN_OR_RETURN(const product::Category removed,
                      co_await pool_.Transact<product::Category>(context, std::move(remove)));
  static_cast<void>(removed);
  co_return pb::DeleteCategoryResponse();
}

}  // namespace bv::product
