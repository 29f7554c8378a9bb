// The rows of stores. Everything here runs inside a transaction or read of `session`, and throws what libpqxx
// throws.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/identity/domain/store.h"

namespace bv::identity {

std::optional<Store> ReadStore(postgres::Session& session, const TenantId& tenant, const StoreCode& code);
// Behind `after`, by code.
std::vector<Store> ListStores(postgres::Session& session, const TenantId& tenant, const StoreCode& after,
                              int limit);
// Of these codes, those that are open stores.
std::vector<std::string> OpenStores(postgres::Session& session, const TenantId& tenant,
                                    const std::vector<std::string>& codes);
// The closed ones included.
int CountStores(postgres::Session& session, const TenantId& tenant);
// Sets its time.
void InsertStore(postgres::Session& session, const TenantId& tenant, Store& store);
// Sets when.
void MarkClosed(postgres::Session& session, const TenantId& tenant, Store& store);

}  // namespace bv::identity
