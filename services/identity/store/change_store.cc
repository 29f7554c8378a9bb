#include "services/identity/store/change_store.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/identity/store/record.h"
#include "services/identity/store/store_rows.h"
#include "services/identity/store/tenant_row.h"

namespace bv::identity {

absl::Status StoreNotFound() {
  return NotFound("STORE_NOT_FOUND", "there is no such store");
}

absl::StatusOr<Store> CreateStore(postgres::Session& session, const RequestContext& context, Store store,
                                  int stores_max) {
  LockTenant(session, context.tenant);
  if (std::optional<Store> there = ReadStore(session, context.tenant, store.code)) {
    if (there->IsMadeAs(store)) return *std::move(there);
    return Error(absl::StatusCode::kAlreadyExists, "STORE_EXISTS", "there is another store under this code",
                 "storeCode");
  }
  if (CountStores(session, context.tenant) >= stores_max) {
    return Error(absl::StatusCode::kFailedPrecondition, "STORES_FULL",
                 Concat("a tenant may have ", stores_max, " stores"));
  }
  InsertStore(session, context.tenant, store);
  RETURN_IF_ERROR(RecordStore(session, context, std::nullopt, store));
  return store;
}

absl::StatusOr<Store> CloseStore(postgres::Session& session, const RequestContext& context,
                                 const StoreCode& code) {
  LockTenant(session, context.tenant);
  const std::optional<Store> before = ReadStore(session, context.tenant, code);
  if (!before) return StoreNotFound();
  if (before->closed_at) return *before;
  Store store = *before;
  MarkClosed(session, context.tenant, store);
  RETURN_IF_ERROR(RecordStore(session, context, before, store));
  return store;
}

}  // namespace bv::identity
