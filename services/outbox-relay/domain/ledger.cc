#include "services/outbox-relay/domain/ledger.h"

#include <algorithm>

namespace bv::relay {

std::uint64_t Ledger::Add(std::size_t bytes, const Note& note) {
  records_.push_back({.bytes = bytes, .note = note, .acknowledged = false});
  ++records_in_flight_;
  bytes_in_flight_ += bytes;
  return first_tag_ + records_.size() - 1;
}

void Ledger::Commit(Lsn end_lsn) {
  transactions_.push_back({.end_lsn = end_lsn, .end_tag = first_tag_ + records_.size()});
  half_read_ = false;
  Advance();
}

void Ledger::Idle(Lsn end) {
  if (records_.empty() && transactions_.empty() && !half_read_) Confirm(end);
}

std::optional<Ledger::Note> Ledger::Find(std::uint64_t tag) const {
  if (tag < first_tag_ || tag - first_tag_ >= records_.size()) return std::nullopt;
  const Record& record = records_[tag - first_tag_];
  return record.acknowledged ? std::nullopt : std::optional<Note>(record.note);
}

std::optional<Ledger::Note> Ledger::Acknowledge(std::uint64_t tag) {
  const std::optional<Note> note = Find(tag);
  if (!note) return std::nullopt;
  Record& record = records_[tag - first_tag_];
  record.acknowledged = true;
  --records_in_flight_;
  bytes_in_flight_ -= record.bytes;
  Advance();
  return note;
}

void Ledger::Advance() {
  while (!records_.empty() && records_.front().acknowledged) {
    records_.pop_front();
    ++first_tag_;
  }
  while (!transactions_.empty() && transactions_.front().end_tag <= first_tag_) {
    Confirm(transactions_.front().end_lsn);
    transactions_.pop_front();
  }
}

void Ledger::Confirm(Lsn lsn) {
  confirmed_ = std::max(confirmed_, lsn);
}

}  // namespace bv::relay
