#include "services/order/store/change_batch.h"

#include <map>
#include <set>

#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/order/store/change_decision.h"
#include "services/order/store/change_rows.h"
#include "services/order/store/idempotency_rows.h"
#include "services/order/store/order_rows.h"
#include "services/order/store/process_rows.h"
#include "services/order/store/shipment_rows.h"

namespace bv::order {
namespace {

using Submitted = ChangeLanes::Item;
using Subjects = std::map<OrderKey, Subject>;

OrderKey KeyOf(const Submitted& item) {
  return {item.context.tenant.str(), item.request.order.str()};
}

absl::Status NoSuchOrder(const OrderId& order) {
  return NotFound("ORDER_NOT_FOUND", Concat("there is no order ", order.str()));
}

Subjects ReadSubjects(postgres::Session& session, std::span<Submitted* const> items) {
  std::set<OrderKey> wanted;
  for (const Submitted* item : items) wanted.insert(KeyOf(*item));
  const std::vector<OrderKey> keys(wanted.begin(), wanted.end());
  std::map<OrderKey, Order> orders = LockOrders(session, keys);
  std::map<OrderKey, Process> processes = ReadProcesses(session, keys);
  Subjects subjects;
  for (auto& [key, order] : orders) {
    const auto process = processes.find(key);
    subjects.emplace(key, Subject{.stored_order = std::move(order),
                                  .stored_process = process == processes.end()
                                                        ? std::nullopt
                                                        : std::optional(std::move(process->second))});
  }
  return subjects;
}

// The Idempotency-Keys of a batch: each leads to the first change that it was accepted for.
class Keys {
 public:
  Keys(postgres::Session& session, std::span<Submitted* const> items) {
    std::map<RecordKey, IdempotencyRecord> claims;
    for (const Submitted* item : items) {
      const auto* begin = std::get_if<BeginProcess>(&item->request.what);
      if (begin == nullptr || begin->key_hash.empty()) continue;
      claims.try_emplace(KeyOf(*item, *begin), IdempotencyRecord{begin->request_hash, item->request.order});
    }
    records_ = ClaimKeys(session, claims);
  }

  enum class Use { kNone, kFirst, kRepeat, kOther };
  Use UseOf(const Submitted& item, const BeginProcess& begin) const {
    if (begin.key_hash.empty()) return Use::kNone;
    const ClaimedRecord& claimed = records_.at(KeyOf(item, begin));
    if (claimed.record.request_hash != begin.request_hash || claimed.record.order != item.request.order)
      return Use::kOther;
    return claimed.fresh && !accepted_.contains(KeyOf(item, begin)) ? Use::kFirst : Use::kRepeat;
  }
  void Accept(const Submitted& item, const BeginProcess& begin) {
    if (!begin.key_hash.empty()) accepted_.insert(KeyOf(item, begin));
  }
  // Claims whose change was refused are free again.
  void ReleaseRefused(postgres::Session& session) const {
    std::vector<RecordKey> refused;
    for (const auto& [key, claimed] : records_) {
      if (claimed.fresh && !accepted_.contains(key)) refused.push_back(key);
    }
    ReleaseKeys(session, refused);
  }

 private:
  static RecordKey KeyOf(const Submitted& item, const BeginProcess& begin) {
    return {item.context.tenant.str(), item.context.user_id, begin.key_hash};
  }
  std::map<RecordKey, ClaimedRecord> records_;
  std::set<RecordKey> accepted_;
};

absl::StatusOr<Changed::How> Begin(Subject& subject, const Submitted& item, const BeginProcess& begin,
                                   Keys& keys, absl::Time now) {
  // A first run of this batch, whose commit was not heard of, has begun it.
  if (subject.process && subject.process->id == begin.process.id) {
    keys.Accept(item, begin);
    return Changed::How::kDone;
  }
  if (!begin.owner.empty() && subject.order.user_id != begin.owner) return NoSuchOrder(subject.order.id);
  switch (keys.UseOf(item, begin)) {
    case Keys::Use::kOther:
      return IdempotencyKeyReused();
    case Keys::Use::kRepeat:
      return Changed::How::kRepeated;
    case Keys::Use::kNone:
    case Keys::Use::kFirst:
      break;
  }
  absl::StatusOr<Changed::How> how = Decide(subject, item.request, item.context, now);
  if (how.ok() && *how != Changed::How::kBehind) keys.Accept(item, begin);
  return how;
}

absl::StatusOr<Changed> Answer(Subjects& subjects, const Submitted& item, Keys& keys, absl::Time now) {
  const auto found = subjects.find(KeyOf(item));
  if (found == subjects.end()) return NoSuchOrder(item.request.order);
  Subject& subject = found->second;
  const auto* begin = std::get_if<BeginProcess>(&item.request.what);
  const absl::StatusOr<Changed::How> how = begin != nullptr
                                               ? Begin(subject, item, *begin, keys, now)
                                               : Decide(subject, item.request, item.context, now);
  if (!how.ok()) return how.status();
  return Changed{.how = *how, .order = subject.order, .process = subject.process};
}

void WriteShipments(postgres::Session& session, const Subjects& subjects) {
  std::vector<ShipmentRow> inserted, updated;
  std::vector<ShipmentKey> deleted;
  for (const auto& [key, subject] : subjects) {
    std::map<ShipmentId, ShipmentStatus> stored;
    for (const Shipment& shipment : subject.stored_order.shipments) stored[shipment.id] = shipment.status;
    for (const Shipment& shipment : subject.order.shipments) {
      const auto before = stored.extract(shipment.id);
      if (before.empty()) {
        inserted.push_back({key, &shipment});
      } else if (before.mapped() != shipment.status) {
        updated.push_back({key, &shipment});
      }
    }
    for (const auto& [id, status] : stored) deleted.push_back({key, id});
  }
  InsertShipments(session, inserted);
  UpdateShipments(session, updated);
  DeleteShipments(session, deleted);
}

void WriteProcesses(postgres::Session& session, const Subjects& subjects, absl::Duration lease) {
  std::vector<OrderKey> ended;
  std::vector<TenantProcess> begun;
  for (const auto& [key, subject] : subjects) {
    const std::string before = subject.stored_process ? subject.stored_process->id : "";
    const std::string after = subject.process ? subject.process->id : "";
    if (before == after) continue;
    if (subject.stored_process) ended.push_back(key);
    if (subject.process) begun.push_back({TenantId::Trusted(key.first), *subject.process});
  }
  DeleteProcesses(session, ended);
  InsertProcesses(session, begun, lease);
}

void Write(postgres::Session& session, const Subjects& subjects, absl::Duration lease) {
  std::vector<std::pair<OrderKey, const Order*>> orders;
  std::vector<std::pair<OrderKey, HistoryEntry>> history;
  std::vector<events::OutboxRow> events;
  for (const auto& [key, subject] : subjects) {
    if (subject.history.empty()) continue;
    orders.push_back({key, &subject.order});
    for (const HistoryEntry& entry : subject.history) history.push_back({key, entry});
    events.insert(events.end(), subject.events.begin(), subject.events.end());
  }
  UpdateOrders(session, orders);
  InsertHistory(session, history);
  WriteShipments(session, subjects);
  WriteProcesses(session, subjects, lease);
  if (!events.empty()) events::InsertOutbox(session, events);
}

}  // namespace

absl::Status ExecuteChangeBatch(postgres::Session& session, std::span<Submitted* const> items) {
  Subjects subjects = ReadSubjects(session, items);
  Keys keys(session, items);
  absl::Duration lease;
  for (Submitted* item : items) {
    item->answer = Answer(subjects, *item, keys, session.transaction_time());
    if (const auto* begin = std::get_if<BeginProcess>(&item->request.what)) lease = begin->lease;
  }
  Write(session, subjects, lease);
  keys.ReleaseRefused(session);
  CrashPoint("order.change.written");
  session.OnCommit([] { CrashPoint("order.change.committed"); });
  return absl::OkStatus();
}

}  // namespace bv::order
