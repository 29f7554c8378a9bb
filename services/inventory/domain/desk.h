// Where a batch of commands is decided, one after the other in the order of their arrival, on the rows that
// were locked for it; pure. What has to be written afterwards is collected.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/request_context.h"
#include "services/inventory/domain/commands.h"

namespace bv::inventory {

using ReservationKey = std::pair<TenantId, std::string>;
using StockKey = std::pair<TenantId, SkuCode>;
using AdjustmentKey = std::pair<TenantId, AdjustmentId>;

// One line of the ledger.
struct LedgerRow {
  TenantId tenant;
  AdjustmentId adjustment_id;
  SkuCode sku;
  LocationCode location;
  std::int64_t on_hand_delta = 0;
  std::int64_t reserved_delta = 0;
  std::int64_t buffer_delta = 0;
  std::string reason;
  std::string reservation_id;
  std::string user_id;
  bool forced = false;
  std::string shipment_id;
};

// What a batch did to one SKU.
struct StockChange {
  // Of `available`.
  std::int64_t delta = 0;
  // "MIXED" where several requests had different ones.
  std::string reason;
  // The first request that changed the SKU.
  const RequestContext* context = nullptr;
};

// Something that happened to a reservation and that others are to hear of.
struct ReservationNews {
  enum class Kind { kHeld, kRejected, kReleased, kExpired };
  Kind kind = Kind::kHeld;
  Reservation reservation;
  // Of kHeld, kRejected and kReleased.
  Line line;
  // Of kRejected.
  std::string reason;
  const RequestContext* context = nullptr;
};

class Desk {
 public:
  // The rows of a batch; filled in before the first decision.
  std::map<ReservationKey, Reservation> reservations;
  std::map<TenantId, Shelves> stock;
  std::map<AdjustmentKey, LedgerRow> adjustments;
  // The database's time of the batch.
  absl::Time now;

  // A refusal is an answer. `context` outlives the desk.
  absl::StatusOr<Outcome> Decide(const RequestContext& context, const Command& command);

  // What has to be written, beside the dirty places of `stock`. Keys of `reservations`.
  std::set<ReservationKey> added;
  // State, expiry or item version.
  std::set<ReservationKey> changed;
  // The lines are others than before.
  std::set<ReservationKey> relined;
  // Lines have been shipped.
  std::set<ReservationKey> shipped;
  std::vector<LedgerRow> ledger;
  std::map<StockKey, StockChange> changes;
  std::vector<ReservationNews> news;
  // Nothing has to be written.
  bool is_unchanged() const;

 private:
  absl::StatusOr<Outcome> Do(const RequestContext& context, const ReserveCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const HoldCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const CommitCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const UncommitCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const ShipCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const ReleaseCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const ExpireCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const AdjustCommand& command);
  absl::StatusOr<Outcome> Do(const RequestContext& context, const PolicyCommand& command);

  absl::StatusOr<Reservation*> Find(const RequestContext& context, const std::string& reservation_id,
                                    const std::string& user_id = {});
  void GiveBack(const RequestContext& context, Reservation& reservation, ReservationState state);
  // Null when the reservation holds nothing, or not for a cart.
  Reservation* FindCartHold(const RequestContext& context, const std::string& id);
  // Its stock has been given back, for what takes its place.
  void NoteReplaced(const RequestContext& context, Reservation& hold);
  void NoteAllocations(const RequestContext& context, const Reservation& reservation, int sign,
                       const std::string& reason);
  // A line of the ledger, and its part in the SKU's event.
  void Note(const RequestContext& context, LedgerRow row);
  static ReservationKey KeyOf(const RequestContext& context, const Reservation& reservation) {
    return {context.tenant, reservation.reservation_id};
  }
};

// The ledger's id of what a shipment took: the same for a repeated request.
AdjustmentId ShipmentLedgerId(const TenantId& tenant, const ShipCommand& command, const SkuCode& sku);

}  // namespace bv::inventory
