// Changes of stores. Each runs in the caller's transaction and throws what libpqxx throws.
#pragma once

#include <absl/status/statusor.h>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/identity/domain/store.h"

namespace bv::identity {

// The one that is there, when it was made with the same values. ALREADY_EXISTS, reason STORE_EXISTS;
// FAILED_PRECONDITION, reason STORES_FULL, when there are `stores_max`.
absl::StatusOr<Store> CreateStore(postgres::Session& session, const RequestContext& context, Store store,
                                  int stores_max);

// NOT_FOUND, reason STORE_NOT_FOUND.
absl::StatusOr<Store> CloseStore(postgres::Session& session, const RequestContext& context,
                                 const StoreCode& code);

absl::Status StoreNotFound();

}  // namespace bv::identity
