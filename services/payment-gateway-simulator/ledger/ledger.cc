#include "services/payment-gateway-simulator/ledger/ledger.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::simulator {
namespace {

// "CHARGE ord_1 12950 USD 0190… 1732199000000000\n": kind, order, minor units, currency, transaction,
// microseconds since 1970.
std::string LineOf(const Entry& entry) {
  return Concat(entry.kind == Kind::kCharge ? "CHARGE " : "REFUND ", entry.order, " ",
                entry.amount.minor_units, " ", entry.amount.currency.code(), " ", entry.transaction, " ",
                absl::ToUnixMicros(entry.at), "\n");
}

bool ReadLine(std::string_view line, Entry& entry) {
  const std::vector<std::string> fields = absl::StrSplit(Absl(line), ' ');
  std::int64_t micros = 0;
  if (fields.size() != 6 || (fields[0] != "CHARGE" && fields[0] != "REFUND")) return false;
  if (!absl::SimpleAtoi(fields[2], &entry.amount.minor_units) || CurrencyDigits(fields[3]) < 0) return false;
  if (!absl::SimpleAtoi(fields[5], &micros)) return false;
  entry.kind = fields[0] == "CHARGE" ? Kind::kCharge : Kind::kRefund;
  entry.order = fields[1];
  entry.amount.currency = Currency::Trusted(fields[3]);
  entry.transaction = fields[4];
  entry.at = absl::FromUnixMicros(micros);
  return true;
}

absl::Status Conflict(std::string_view reason, std::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, reason, message);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::string& path, std::size_t entries_max) {
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return Unavailable("LEDGER_UNAVAILABLE", Concat("cannot open ", path, ": ", std::strerror(errno)));
  std::unique_ptr<Ledger> ledger(new Ledger(fd, entries_max));
  RETURN_IF_ERROR(ledger->Load(path));
  return ledger;
}

Ledger::~Ledger() {
  close(fd_);
}

absl::Status Ledger::Load(const std::string& path) {
  std::stringstream stored;
  stored << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string text = stored.str();
  const absl::MutexLock lock(&mutex_);
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    Entry entry;
    if (!ReadLine(std::string_view(text).substr(begin, end - begin), entry))
      return absl::DataLossError(Concat(path, ": line ", entries_.size() + 1, " is none of a ledger"));
    Enter(std::move(entry));
  }
  if (begin < text.size() && ftruncate(fd_, static_cast<off_t>(begin)) != 0)
    return Unavailable("LEDGER_UNAVAILABLE", Concat("cannot cut ", path, ": ", std::strerror(errno)));
  return absl::OkStatus();
}

void Ledger::Enter(Entry entry) {
  const auto index = static_cast<std::int64_t>(entries_.size());
  Account& account = accounts_[entry.order];
  (entry.kind == Kind::kCharge ? account.charge : account.refund) = index;
  entry.number = index + 1;
  entries_.push_back(std::move(entry));
}

absl::Status Ledger::Append(Kind kind, const std::string& order, const Money& amount) {
  if (entries_.size() >= entries_max_)
    return Error(absl::StatusCode::kResourceExhausted, "LEDGER_FULL", "the ledger takes no more entries");
  Entry entry{.kind = kind,
              .order = order,
              .amount = amount,
              .transaction = UuidToBase32(NewUuid()),
              .at = absl::Now()};
  const std::string line = LineOf(entry);
  if (write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return absl::InternalError(Concat("the ledger cannot be written: ", std::strerror(errno)));
  Enter(std::move(entry));
  return absl::OkStatus();
}

Reply Ledger::Describe(const std::string& order) const {
  Reply reply{.order = order};
  const auto account = accounts_.find(order);
  if (account == accounts_.end()) return reply;
  const auto& [charge, refund] = account->second;
  const Entry& entry = entries_[static_cast<std::size_t>(refund >= 0 ? refund : charge)];
  reply.state = refund >= 0 ? PaymentState::kRefunded : PaymentState::kApproved;
  reply.amount = entry.amount;
  reply.transaction = entry.transaction;
  return reply;
}

absl::StatusOr<Reply> Ledger::Charge(const std::string& order, const Money& amount,
                                     absl::FunctionRef<std::string()> decline) {
  const absl::MutexLock lock(&mutex_);
  Reply reply = Describe(order);
  if (reply.state == PaymentState::kApproved) {
    if (reply.amount != amount)
      return Conflict("AMOUNT_CONFLICT", "the order was charged with another amount");
    return reply;
  }
  reply.amount = amount;
  reply.reason = reply.state == PaymentState::kRefunded ? "ALREADY_REFUNDED" : decline();
  if (!reply.reason.empty()) {
    reply.state = PaymentState::kDeclined;
    reply.transaction.clear();
    return reply;
  }
  RETURN_IF_ERROR(Append(Kind::kCharge, order, amount));
  return Describe(order);
}

absl::StatusOr<Reply> Ledger::Refund(const std::string& order, const Money& amount) {
  const absl::MutexLock lock(&mutex_);
  const Reply reply = Describe(order);
  if (reply.state == PaymentState::kNotFound)
    return Conflict("NOT_CHARGED", "the order was not charged here");
  if (reply.amount != amount) return Conflict("AMOUNT_CONFLICT", "the order was charged with another amount");
  if (reply.state == PaymentState::kApproved) RETURN_IF_ERROR(Append(Kind::kRefund, order, amount));
  return Describe(order);
}

Reply Ledger::LookUp(const std::string& order) const {
  const absl::ReaderMutexLock lock(&mutex_);
  return Describe(order);
}

std::vector<Entry> Ledger::Read(std::int64_t after, std::size_t limit) const {
  const absl::ReaderMutexLock lock(&mutex_);
  const std::size_t begin =
      std::min(static_cast<std::size_t>(std::max<std::int64_t>(after, 0)), entries_.size());
  const std::size_t end = std::min(begin + limit, entries_.size());
  return {entries_.begin() + static_cast<std::ptrdiff_t>(begin),
          entries_.begin() + static_cast<std::ptrdiff_t>(end)};
}

}  // namespace bv::simulator
