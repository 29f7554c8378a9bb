// The rows of order_process. Everything here throws what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <map>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/order/domain/process.h"
#include "services/order/store/order_key.h"

namespace bv::order {

struct TenantProcess {
  TenantId tenant;
  Process process;
};

// They are left to whoever inserts them for the time of `lease`.
void InsertProcesses(postgres::Session& session, const std::vector<TenantProcess>& processes,
                     absl::Duration lease);
// Those that there are, of the orders with these keys.
std::map<OrderKey, Process> ReadProcesses(postgres::Session& session, const std::vector<OrderKey>& orders);
void DeleteProcesses(postgres::Session& session, const std::vector<OrderKey>& orders);

// At most `limit` processes of any tenant that nobody drives; the caller does for the time of `lease`. In a
// session of postgres::EveryTenant().
std::vector<TenantProcess> TakeDueProcesses(postgres::Session& session, int limit, absl::Duration lease);
// Gives the process back, to be taken after `pause`, if it is still there.
void PostponeProcess(postgres::Session& session, const TenantProcess& owned, absl::Duration pause,
                     const std::string& error);

}  // namespace bv::order
