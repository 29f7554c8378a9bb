// What is on its way to Kafka, and how far the log may therefore be confirmed: up to the end of the last
// transaction of which every row, and every row of all transactions before it, is acknowledged. Pure, one
// thread.
#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "services/outbox-relay/domain/pgoutput.h"

namespace bv::relay {

class Ledger {
 public:
  // What its owner wants to know of a record when it is acknowledged.
  struct Note {
    // Of its transaction; InfinitePast when it is not known.
    absl::Time commit_time = absl::InfinitePast();
    // Outlives the ledger.
    const std::string* event_type = nullptr;
  };

  // A transaction's rows follow.
  void Begin() { half_read_ = true; }
  // Takes note of a record of `bytes`; returns its tag. Tags rise.
  std::uint64_t Add(std::size_t bytes, const Note& note);
  // All rows of the transaction have been added.
  void Commit(Lsn end_lsn);
  // The log up to `end` holds nothing to publish. Counts only while nothing is in flight and no transaction
  // is half read: before that the position may lie behind rows that are not acknowledged.
  void Idle(Lsn end);

  // Both are absent for a tag that is not in flight. Acknowledge is for what Kafka has stored, and for
  // nothing else.
  std::optional<Note> Find(std::uint64_t tag) const;
  std::optional<Note> Acknowledge(std::uint64_t tag);

  // Of the oldest record that is not acknowledged; InfinitePast when there is none, or it is not known.
  absl::Time oldest_commit() const {
    return records_.empty() ? absl::InfinitePast() : records_.front().note.commit_time;
  }
  Lsn confirmed() const { return confirmed_; }
  // Rows of a transaction have been added, its end has not come.
  bool half_read() const { return half_read_; }
  std::size_t records_in_flight() const { return records_in_flight_; }
  std::size_t bytes_in_flight() const { return bytes_in_flight_; }

 private:
  struct Record {
    std::size_t bytes;
    Note note;
    bool acknowledged;
  };
  struct Transaction {
    Lsn end_lsn;
    // The tag that follows its last row's.
    std::uint64_t end_tag;
  };
  void Advance();
  void Confirm(Lsn lsn);

  // From the oldest record that is not acknowledged on; its tag is first_tag_.
  std::deque<Record> records_;
  std::uint64_t first_tag_ = 1;
  std::deque<Transaction> transactions_;
  // Between Begin and Commit.
  bool half_read_ = false;
  Lsn confirmed_ = 0;
  std::size_t records_in_flight_ = 0;
  std::size_t bytes_in_flight_ = 0;
};

}  // namespace bv::relay
