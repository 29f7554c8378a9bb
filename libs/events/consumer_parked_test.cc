#include "libs/events/consumer_parked.h"

#include <gtest/gtest.h>

namespace bv::events {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'800'000'000);

ParkedEvent EventOf(const std::string& key, std::int64_t offset, absl::Time due = absl::UnixEpoch()) {
  return {
      .message =
          {.topic = "t", .partition = 1, .offset = offset, .key = key, .value = "{}", .written_at = kNoon},
      .due = due};
}

std::vector<std::int64_t> OffsetsOf(const std::vector<const ParkedEvent*>& events) {
  std::vector<std::int64_t> offsets;
  for (const ParkedEvent* event : events) offsets.push_back(event->message.offset);
  return offsets;
}

using Offsets = std::vector<std::int64_t>;

TEST(Parked, OnlyTheFirstOfAKeyIsDue) {
  Parked parked;
  parked.Put(EventOf("b", 7));
  parked.Put(EventOf("a", 5));
  parked.Put(EventOf("a", 3, kNoon));
  EXPECT_EQ(OffsetsOf(parked.Due(kNoon - absl::Seconds(1), 10)), Offsets({7}));
  EXPECT_EQ(OffsetsOf(parked.Due(kNoon, 10)), Offsets({7, 3}));
  EXPECT_EQ(OffsetsOf(parked.Due(kNoon, 1)), Offsets({7}));
  parked.Remove("t", 1, 3);
  EXPECT_EQ(OffsetsOf(parked.Due(kNoon, 10)), Offsets({5, 7}));
}

TEST(Parked, ADeadEventHoldsItsKey) {
  Parked parked;
  ParkedEvent dead = EventOf("a", 3);
  dead.dead = true;
  parked.Put(dead);
  parked.Put(EventOf("a", 5));
  EXPECT_TRUE(parked.Due(kNoon, 10).empty());
  EXPECT_EQ(parked.SumOf("t").dead_keys, 1);
  parked.Put(EventOf("a", 3));
  EXPECT_EQ(OffsetsOf(parked.Due(kNoon, 10)), Offsets({3}));
  EXPECT_EQ(parked.SumOf("t").events, 2);
}

TEST(Parked, KeepsTheRecordsOfWhatIsParked) {
  Parked parked;
  EXPECT_EQ(parked.KeepFrom("t", 1, 40), 40);
  parked.Put(EventOf("a", 3));
  EXPECT_EQ(parked.KeepFrom("t", 1, 40), 40) << "its record is not read yet, so it stands behind";
  parked.NoteRecord("t", 1, 3, 40);
  EXPECT_EQ(parked.KeepFrom("t", 1, 41), 40);
  parked.Put(EventOf("a", 3));
  EXPECT_EQ(parked.KeepFrom("t", 1, 50), 40) << "until the newer one is read";
  parked.NoteRecord("t", 1, 3, 50);
  EXPECT_EQ(parked.KeepFrom("t", 1, 51), 50);
  parked.Remove("t", 1, 3);
  EXPECT_EQ(parked.KeepFrom("t", 1, 60), 60);
  EXPECT_EQ(parked.bytes(), 0);
}

TEST(RetryRecord, IsReadAsItWasWritten) {
  ParkedEvent event = EventOf("a=b c", 3, kNoon);
  event.message.headers = {{"tenantId", "acme"}};
  event.attempts = 4;
  event.pauses = 2;
  event.why = "INTERNAL: sick";
  kafka::Message message =
      ToMessage({.event = event, .topic = "t", .partition = 1, .offset = 3, .writer = "me"});
  message.offset = 99;
  const absl::StatusOr<RetryRecord> record = ToRetryRecord(message);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->writer, "me");
  ASSERT_TRUE(record->event.has_value());
  EXPECT_EQ(record->event->message.key, "a=b c");
  EXPECT_EQ(record->event->message.offset, 3);
  EXPECT_EQ(record->event->message.headers, event.message.headers);
  EXPECT_EQ(record->event->message.written_at, kNoon);
  EXPECT_EQ(record->event->attempts, 4);
  EXPECT_EQ(record->event->pauses, 2);
  EXPECT_EQ(record->event->due, kNoon);
  EXPECT_FALSE(record->event->dead);
  EXPECT_EQ(record->event->record_offset, 99);
}

TEST(RetryRecord, RefusesWhatIsNone) {
  kafka::Message message = ToMessage({.topic = "t", .partition = 1, .offset = 3, .writer = "me"});
  EXPECT_TRUE(ToRetryRecord(message).ok());
  EXPECT_FALSE(ToRetryRecord(message)->event.has_value());
  message.partition = 2;
  EXPECT_TRUE(absl::IsInvalidArgument(ToRetryRecord(message).status())) << "of another partition";
  message.partition = 1;
  message.headers["retry.offset"] = "three";
  EXPECT_TRUE(absl::IsInvalidArgument(ToRetryRecord(message).status()));
}

}  // namespace
}  // namespace bv::events
