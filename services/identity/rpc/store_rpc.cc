#include "services/identity/rpc/store_rpc.h"

#include "libs/base/macros.h"
#include "services/identity/rpc/page.h"
#include "services/identity/store/change_store.h"
#include "services/identity/store/store_rows.h"

namespace bv::identity {
namespace {

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

}  // namespace

void StoreRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.identity.v1.Stores";
  server.Handle(service, "CreateStore", *this, &StoreRpc::CreateStore);
  server.Handle(service, "ListStores", *this, &StoreRpc::ListStores);
  server.Handle(service, "CloseStore", *this, &StoreRpc::CloseStore);
}

rpc::Reply<pb::Store> StoreRpc::CreateStore(rpc::Call<pb::CreateStoreRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Store wanted, FromProto(call.request()));
  Work<Store> create = [&](postgres::Session& session) {
    return identity::CreateStore(session, context, wanted, stores_max_);
  };
  CO_ASSIGN_OR_RETURN(const Store store, co_await pool_.Transact<Store>(context, std::move(create)));
  co_return ToProto(store);
}

rpc::Reply<pb::ListStoresResponse> StoreRpc::ListStores(rpc::Call<pb::ListStoresRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const int page_size, PageSize(call.request().page_size()));
  CO_ASSIGN_OR_RETURN(const StoreCode after, StoreBefore(call.request().page_token()));
  using Stores = std::vector<Store>;
  // One more tells whether there is a next page.
  Work<Stores> list = [&](postgres::Session& session) -> absl::StatusOr<Stores> {
    return identity::ListStores(session, context.tenant, after, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Stores found, co_await pool_.Read<Stores>(context, std::move(list)));
  pb::ListStoresResponse response;
  if (found.size() > static_cast<std::size_t>(page_size)) {
    found.pop_back();
    response.set_next_page_token(TokenOf(found.back().code));
  }
  for (const Store& store : found) *response.add_stores() = ToProto(store);
  co_return response;
}

rpc::Reply<pb::Store> StoreRpc::CloseStore(rpc::Call<pb::CloseStoreRequest> call) {
  const RequestContext& context = call.context();
  // What is no code is the code of no store.
  const absl::StatusOr<StoreCode> code = StoreCode::Parse(call.request().store_code());
  if (!code.ok()) co_return StoreNotFound();
  Work<Store> close = [&](postgres::Session& session) {
    return identity::CloseStore(session, context, *code);
  };
  CO_ASSIGN_OR_RETURN(const Store store, co_await pool_.Transact<Store>(context, std::move(close)));
  co_return ToProto(store);
}

}  // namespace bv::identity
