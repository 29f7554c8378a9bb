// One batch of the lanes that change orders after their creation: the orders are locked in the order of their
// keys, each change is decided in the order of arrival, and what came of it is written with one statement a
// table.
#pragma once

#include <absl/status/status.h>

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "libs/postgres/lane.h"
#include "services/order/domain/process.h"
#include "services/order/domain/transitions.h"

namespace bv::order {

// Begins what spans services, when the order's state allows it and nothing else is under way. NOT_FOUND,
// reason ORDER_NOT_FOUND; FAILED_PRECONDITION: ORDER_BUSY names what is under way, others as Check… of
// domain/transitions.h; INVALID_ARGUMENT, reason IDEMPOTENCY_KEY_REUSED.
struct BeginProcess {
  Process process;
  // Orders of this user only; empty: of anybody.
  std::string owner;
  Role role = Role::kNone;
  // CONFIRM: what came in.
  Money received;
  // FULFILL: the batch makes shipments of them.
  std::vector<WantedShipment> shipments;
  // For how long the process is left to the one who begins it.
  absl::Duration lease;
  // SHA-256 of the Idempotency-Key and of the request with its operation; both empty without a key.
  std::string key_hash;
  std::string request_hash;
};

// How a process ended.
enum class End {
  kStockCommitted,
  kPaid,
  kPaymentFailed,
  // The stock was not held any more. With a payment: that was made and has been given back.
  kExpired,
  // Stock and, if there was any, money were given back.
  kCanceled,
  kShipped,
};

// Ends `process`; nothing changes when somebody else has.
struct FinishProcess {
  Process process;
  End end = End::kPaid;
  PaymentId payment;
  // Those of the process's shipments whose stock was taken out; the others are removed.
  std::vector<ShipmentId> shipped;
};

// The hold has expired: a PENDING order with nothing under way is canceled, any other let be.
struct ExpireOrder {};

// FAILED_PRECONDITION, reason ORDER_STATE; NOT_FOUND, reasons ORDER_NOT_FOUND and SHIPMENT_NOT_FOUND.
struct DeliverShipment {
  ShipmentId shipment;
};

struct Change {
  OrderId order;
  std::variant<BeginProcess, FinishProcess, ExpireOrder, DeliverShipment> what;
};

struct Changed {
  enum class How {
    kDone,      // changed as was asked; what was begun is for the caller to drive
    kJoined,    // the same was under way already, driven by another
    kBehind,    // not done: the order's stock is being committed, which is the matter of a moment
    kRepeated,  // the key had been used for the same request before
    kNothing,   // there was nothing to do
  };
  How how = How::kDone;
  // As it is now.
  Order order;
  // What is under way with it now.
  std::optional<Process> process;
};

// The key of a change is its order's id, so that changes of one order meet.
using ChangeLanes = postgres::Lanes<Change, Changed>;

// ChangeLanes::Execute.
absl::Status ExecuteChangeBatch(postgres::Session& session, std::span<ChangeLanes::Item* const> items);

}  // namespace bv::order
