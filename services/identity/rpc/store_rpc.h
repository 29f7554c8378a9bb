// The service commerce.identity.v1.Stores.
#pragma once

#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"
#include "services/identity/rpc/convert.h"

namespace bv::identity {

class StoreRpc {
 public:
  // The pool outlives it. A tenant may have `stores_max`.
  StoreRpc(postgres::Pool& pool, int stores_max) : pool_(pool), stores_max_(stores_max) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Store> CreateStore(rpc::Call<pb::CreateStoreRequest> call);
  rpc::Reply<pb::ListStoresResponse> ListStores(rpc::Call<pb::ListStoresRequest> call);
  rpc::Reply<pb::Store> CloseStore(rpc::Call<pb::CloseStoreRequest> call);

 private:
  postgres::Pool& pool_;
  const int stores_max_;
};

}  // namespace bv::identity
