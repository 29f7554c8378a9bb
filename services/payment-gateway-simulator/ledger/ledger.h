// What one gateway has charged and given back: an order at most once each. An append-only file, written
// before the answer is given, so that a killed process has forgotten nothing that it may have said.
#pragma once

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/functional/function_ref.h>
#include <absl/status/statusor.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/money.h"

namespace bv::simulator {

enum class Kind { kCharge, kRefund };

struct Entry {
  // 1 for the first one of the ledger.
  std::int64_t number = 0;
  Kind kind = Kind::kCharge;
  std::string order;
  Money amount;
  std::string transaction;
  absl::Time at;
};

enum class PaymentState { kNotFound, kDeclined, kApproved, kRefunded };

// What a gateway says of an order.
struct Reply {
  PaymentState state = PaymentState::kNotFound;
  std::string order;
  Money amount;
  // Of the charge, or of the refund when it is REFUNDED; empty without money.
  std::string transaction;
  // Why it was declined.
  std::string reason;
};

// Thread safe.
class Ledger {
 public:
  // Reads what is in the file, and cuts off an entry that was not written to its end. UNAVAILABLE names the
  // file that cannot be opened, DATA_LOSS the line that is none of its own.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::string& path, std::size_t entries_max);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Charges the order, unless `decline` gives a reason; it is asked only when there is something to decide:
  // an approved order is answered again, a refunded one declined. FAILED_PRECONDITION, reason
  // AMOUNT_CONFLICT, when the order was charged with another amount; RESOURCE_EXHAUSTED, reason LEDGER_FULL.
  absl::StatusOr<Reply> Charge(const std::string& order, const Money& amount,
                               absl::FunctionRef<std::string()> decline);
  // Gives the charge back, once. FAILED_PRECONDITION, reason NOT_CHARGED or AMOUNT_CONFLICT; LEDGER_FULL.
  absl::StatusOr<Reply> Refund(const std::string& order, const Money& amount);
  Reply LookUp(const std::string& order) const;

  // The entries after the one with the number `after`, at most `limit`.
  std::vector<Entry> Read(std::int64_t after, std::size_t limit) const;

 private:
  struct Account {
    // Indices of `entries_`; a refund of -1 is none.
    std::int64_t charge = -1;
    std::int64_t refund = -1;
  };
  Ledger(int fd, std::size_t entries_max) : fd_(fd), entries_max_(entries_max) {}
  absl::Status Load(const std::string& path);
  absl::Status Append(Kind kind, const std::string& order, const Money& amount)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enter(Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Reply Describe(const std::string& order) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  const int fd_;
  const std::size_t entries_max_;
  mutable absl::Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Account> accounts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bv::simulator
