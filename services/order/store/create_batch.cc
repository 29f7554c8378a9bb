#include "services/order/store/create_batch.h"

#include <map>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/order/events/order_created.h"
#include "services/order/store/create_rows.h"
#include "services/order/store/idempotency_rows.h"
#include "services/order/store/process_rows.h"

namespace bv::order {
namespace {

using Command = OrderLanes::Item;
using Claims = std::map<RecordKey, IdempotencyRecord>;

RecordKey KeyOf(const Command& item) {
  return {item.context.tenant.str(), item.context.user_id, item.request.key_hash};
}

// One claim for each key, that of the first command that has it.
Claims ClaimsOf(std::span<Command* const> items, std::size_t& with_key) {
  Claims claims;
  for (const Command* item : items) {
    if (item->request.key_hash.empty()) continue;
    ++with_key;
    claims.try_emplace(KeyOf(*item), IdempotencyRecord{item->request.request_hash, item->request.order.id});
  }
  return claims;
}

// Cash on delivery is sold when it is ordered: its stock is committed as soon as the order is stored, by
// whoever comes to it.
std::vector<TenantProcess> ProcessesOf(const std::vector<Command*>& items) {
  std::vector<TenantProcess> processes;
  for (const Command* item : items) {
    if (item->request.order.payment_method != PaymentMethod::kCashOnDelivery) continue;
    processes.push_back(
        {item->context.tenant, NewProcess(ProcessKind::kCommit, item->request.order.id, item->context)});
  }
  return processes;
}

// Stores `fresh`. False when something of it was there already: nothing of this transaction may be committed
// then.
absl::StatusOr<bool> Insert(postgres::Session& session, const Claims& claims,
                            const std::vector<Command*>& fresh) {
  std::vector<events::OutboxRow> events;
  for (Command* item : fresh) {
    Order& order = item->request.order;
    if (order.created_at == absl::Time()) order.created_at = session.transaction_time();
    order.updated_at = order.created_at;
    ASSIGN_OR_RETURN(events::OutboxRow event, OrderCreatedRow(order, item->context));
    events.push_back(std::move(event));
    item->answer = Created{.id = order.id, .created_at = order.created_at};
  }
  if (!InsertNewOrders(session, claims, fresh, events)) return false;
  if (const std::vector<TenantProcess> processes = ProcessesOf(fresh); !processes.empty())
    InsertProcesses(session, processes, absl::ZeroDuration());
  CrashPoint("order.create.written");
  session.OnCommit([] { CrashPoint("order.create.committed"); });
  return true;
}

// For batches that are not all new: keys that were used before, or a first run of this batch whose commit was
// not heard of.
absl::Status LookAndInsert(postgres::Session& session, std::span<Command* const> items,
                           const Claims& claims) {
  const std::map<RecordKey, ClaimedRecord> records = ClaimKeys(session, claims);
  std::vector<Command*> ours;
  for (Command* item : items) {
    const auto record = records.find(KeyOf(*item));
    if (item->request.key_hash.empty() || record->second.record.order == item->request.order.id) {
      ours.push_back(item);
    } else if (record->second.record.request_hash == item->request.request_hash) {
      item->answer = Created{.id = record->second.record.order, .repeated = true};
    } else {
      item->answer = IdempotencyKeyReused();
    }
  }
  const std::map<OrderId, StoredTimes> stored = FindOrders(session, ours);
  std::vector<Command*> fresh;
  for (Command* item : ours) {
    const auto found = stored.find(item->request.order.id);
    if (found == stored.end()) {
      fresh.push_back(item);
    } else {
      item->answer = Created{.id = found->first, .created_at = found->second.created_at};
    }
  }
  if (fresh.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const bool inserted, Insert(session, {}, fresh));
  if (inserted) return absl::OkStatus();
  return absl::InternalError("another order has the reservation");
}

}  // namespace

absl::Status ExecuteCreateBatch(postgres::Session& session, std::span<Command* const> items) {
  std::size_t with_key = 0;
  const Claims claims = ClaimsOf(items, with_key);
  if (items.front()->request.look_first || claims.size() < with_key)
    return LookAndInsert(session, items, claims);
  ASSIGN_OR_RETURN(const bool all_new, Insert(session, claims, {items.begin(), items.end()}));
  if (all_new) return absl::OkStatus();
  for (Command* item : items) item->request.look_first = true;
  return absl::AbortedError("something of the batch was stored before");
}

}  // namespace bv::order
