// Exactly one effect of each event in a PostgreSQL sink: which events have had theirs is stored in the
// transaction of the effect.
//
//   Positions positions("projection-orders");
//   ConsumerOptions options{.group = "projection-orders", …};
//   options.set_aside = [&](std::span<const SetAside> set_aside) { return positions.Note(session, set_aside);
//   }; Consumer consumer(settings, options, [&](std::span<const Event> events) -> absl::StatusOr<Answers> {
//     RETURN_IF_ERROR(session.Transact(tenants, [&](postgres::Session& session) {
//       for (const Event* event : positions.Take(session, events)) …
//       return absl::OkStatus();
//     }));
//     return AllDone(events);
//   });
//
// A handler with positions answers Done or Refused, or gives one status for its whole batch: an event that it
// gave back as Failed would count as taken. It refuses what it cannot read before it takes the rest.
//
// The tables are made by a migration of the service, in its own schema, from kPositionTables: the contents of
// its NNNN_consumer.sql.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "libs/events/consumer.h"
#include "libs/postgres/postgres.h"

namespace bv::events {

// consumer_position: everything of a partition before next_offset has had its effect, or is in
// consumer_set_aside. A row of that has had none yet, or has had it while events before it had not.
extern const char kPositionTables[];

class Positions {
 public:
  explicit Positions(std::string group) : group_(std::move(group)) {}

  // Inside the `work` of Transact: those of `events` that have had no effect yet, in their order. They count
  // as having it when the transaction commits. Two members that have the same partition, since one has not
  // heard yet that it lost it, wait for each other here. Throws what libpqxx throws.
  std::vector<const Event*> Take(postgres::Session& session, std::span<const Event> events) const;

  // In a transaction of its own: these have had no effect, and may have it later, when they are tried again.
  // As Session::Transact.
  absl::Status Note(postgres::Session& session, std::span<const SetAside> set_aside) const;

 private:
  const std::string group_;
};

}  // namespace bv::events
