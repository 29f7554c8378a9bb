// Something begun with an order that spans services, pure: what is needed to go on with it after a crash.
#pragma once

#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/request_context.h"
#include "services/order/domain/order.h"

namespace bv::order {

enum class ProcessKind {
  kCommit,   // makes the hold of an order for cash on delivery final
  kPay,      // commits the stock and charges the card
  kConfirm,  // commits the stock and books money that came in otherwise
  kCancel,   // gives money and stock back
  kFulfill,  // takes the stock of shipments out
};

// At most one is under way with an order.
struct Process {
  OrderId order;
  ProcessKind kind = ProcessKind::kCommit;
  // Tells it from all others of the order.
  std::string id;
  // PAY and CONFIRM: the payment that it makes. CANCEL: the one that it gives back; empty when none.
  PaymentId payment;
  // CONFIRM: of the bank's statement or the driver's receipt.
  std::string reference;
  // CANCEL.
  std::string reason;
  // FULFILL.
  std::vector<ShipmentId> shipments;
  // The user or service that began it.
  std::string actor;
  // Of the request that began it.
  std::string correlation_id;
  TraceContext trace;
  // How often it was taken up again.
  int attempts = 0;
};

// A process that `context` begins.
Process NewProcess(ProcessKind kind, const OrderId& order, const RequestContext& context);

// How long to wait before it is tried again: from a quarter of a second on twice as long with every attempt,
// at most half a minute, of which `chance`, 0 to 1, takes up to half away.
absl::Duration PauseAfter(int attempts, double chance);

std::string_view Word(ProcessKind kind);
// For rows of the own database.
ProcessKind ProcessKindOf(std::string_view word);

}  // namespace bv::order
