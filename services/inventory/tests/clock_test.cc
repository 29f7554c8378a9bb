// A hold ends by the database's clock: what the local time does meanwhile, and what the host of the service
// believes the time to be, does not matter.
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/civil_time.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "services/inventory/expiry/expirer.h"
#include "services/inventory/tests/stock_fixture.h"

namespace {

// By how many seconds the host's clock is wrong.
std::atomic<std::int64_t> host_clock_error{0};

int TrueTime(clockid_t clock, timespec* time) {
  return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
}

}  // namespace

// Takes the place of the C library's for the whole program.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int failed = TrueTime(clock, time);
  if (failed == 0 && clock == CLOCK_REALTIME) time->tv_sec += host_clock_error.load();
  return failed;
}

namespace bv::inventory {
namespace {

// By what the service believes the time to be.
absl::Duration SeenError() {
  timespec time{};
  EXPECT_EQ(TrueTime(CLOCK_REALTIME, &time), 0);
  return absl::Now() - absl::TimeFromTimespec(time);
}

// Puts the host's clock wrong until the end of its life. Abseil looks at that clock every two seconds only
// and extrapolates in between.
class WrongHostClock {
 public:
  explicit WrongHostClock(absl::Duration error) { Set(error); }
  ~WrongHostClock() { Set(absl::ZeroDuration()); }
  WrongHostClock(const WrongHostClock&) = delete;
  WrongHostClock& operator=(const WrongHostClock&) = delete;

 private:
  static void Set(absl::Duration error) {
    host_clock_error = absl::ToInt64Seconds(error);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const auto seen = [error] { return absl::AbsDuration(SeenError() - error) < absl::Minutes(1); };
    while (!seen() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_TRUE(seen()) << "the service's time is wrong by " << SeenError() << " instead of " << error;
  }
};

// "-05:30" for five and a half hours east of Greenwich: POSIX counts westwards.
std::string PosixOffset(absl::Duration east) {
  const std::int64_t minutes = absl::ToInt64Minutes(absl::AbsDuration(east));
  return absl::StrFormat("%s%02d:%02d", east > absl::ZeroDuration() ? "-" : "+", minutes / 60, minutes % 60);
}

// A POSIX time zone in which the clocks are put on by `jump` (back, when it is negative) at `moment`, at
// half past eleven in the evening by the earlier of the two times, so that midnight is left out or comes
// twice. PostgreSQL wants offsets of whole minutes.
std::string ZoneThatJumpsAt(absl::Time moment, absl::Duration jump) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Duration time_of_day = moment - absl::FromCivil(absl::ToCivilDay(moment, utc), utc);
  absl::Duration standard = absl::Hours(23) + absl::Minutes(30) - absl::Floor(time_of_day, absl::Minutes(1));
  if (standard > absl::Hours(12)) standard -= absl::Hours(24);
  const absl::Duration summer = standard + absl::AbsDuration(jump);
  const bool begins = jump > absl::ZeroDuration();
  // The rule says when, by the time that is valid before it.
  const absl::CivilSecond at = absl::ToCivilSecond(moment + (begins ? standard : summer), utc);
  const int day = absl::GetYearDay(absl::CivilDay(at)) - 1;
  const std::string rule = absl::StrFormat("%d/%02d:%02d:%02d", day, at.hour(), at.minute(), at.second());
  const std::string half_a_year_off = absl::StrCat((day + 180) % 365);
  return absl::StrCat("<Standard>", PosixOffset(standard), "<Summer>", PosixOffset(summer), ",",
                      begins ? rule : half_a_year_off, ",", begins ? half_a_year_off : rule);
}

class ClockTest : public StockFixture, public ::testing::WithParamInterface<absl::Duration> {
 protected:
  // The job that puts expired holds back, as the service runs it.
  struct Job {
    Job(const testing::Database& database, testing::Loop& loop)
        : pool(database.Connection(), postgres::PoolSettings{}),
          room(database.Connection(), postgres::LaneSettings{}, StockRoomSettings{}),
          expirer(loop.io(), pool, room, absl::Milliseconds(20)) {
      expirer.Start();
    }
    ~Job() {
      expirer.Stop();
      room.Stop();
      pool.Stop();
    }
    postgres::Pool pool;
    StockRoom room;
    Expirer expirer;
  };

  ClockTest() { EXPECT_TRUE(Adjust("TENT", 100).ok()); }

  // From now on the service's sessions are in this time zone.
  void MoveTo(const std::string& zone) {
    database_.Query(absl::StrCat("ALTER DATABASE ", database_.name(), " SET timezone = '", zone, "'"));
    lanes_.emplace("stock", database_.Connection(), postgres::LaneSettings{.count = 2},
                   std::bind_front(ExecuteStockBatch, std::ref(memory_)));
  }
  absl::Time DatabaseNow() const {
    return absl::FromUnixMicros(
        std::stoll(database_.Query("SELECT (extract(epoch FROM now()) * 1e6)::bigint")));
  }
  absl::StatusOr<Outcome> Do(Command command) {
    return Start(*lanes_, "key", std::move(command), testing::ContextOf("acme")).get();
  }
  void Hold(const std::string& id, absl::Duration hold) {
    ReserveCommand command{.reservation_id = id, .user_id = "user-1", .lines = {Of("TENT", 1)}, .hold = hold};
    const absl::StatusOr<Outcome> held = Do(std::move(command));
    EXPECT_TRUE(held.ok()) << held.status();
  }
  void EndAt(const std::string& id, absl::Time end) {
    database_.Query(absl::StrCat("UPDATE inventory.reservation SET expires_at = to_timestamp(",
                                 absl::ToUnixMicros(end), " / 1e6) WHERE reservation_id = '", id, "'"));
  }
  void HoldUntil(const std::string& id, absl::Time end) {
    Hold(id, absl::Minutes(15));
    EndAt(id, end);
  }
  std::string Read(const std::string& id, const std::string& what) const {
    return database_.Query(
        absl::StrCat("SELECT ", what, " FROM inventory.reservation WHERE reservation_id = '", id, "'"));
  }
  std::string States() const {
    return database_.Query(
        "SELECT string_agg(reservation_id || ' ' || status, ', ' ORDER BY reservation_id) "
        "FROM inventory.reservation");
  }
  // By a clock that no test puts wrong.
  void WaitForStates(const std::string& states) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (States() != states && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(States(), states);
  }
  // Holds whose stock did not come back at their end: before it, or long after.
  std::string Untimely() const {
    return database_.Query(R"sql(
      SELECT coalesce(string_agg(format('%s %s s', reservation_id, late), ', '), '')
      FROM (SELECT reservation_id, extract(epoch FROM a.created_at - r.expires_at) AS late
            FROM inventory.reservation r JOIN inventory.inventory_adjustment a USING (tenant_id, reservation_id)
            WHERE a.reason = 'EXPIRED') ended
      WHERE late < 0 OR late > 5)sql");
  }
};

TEST_P(ClockTest, AHoldEndsInTimeWhileTheClocksAreChanged) {
  const absl::Time jump = absl::FromUnixSeconds(absl::ToUnixSeconds(DatabaseNow())) + absl::Seconds(3);
  MoveTo(ZoneThatJumpsAt(jump, GetParam()));
  const std::int64_t at = absl::ToUnixSeconds(jump);
  ASSERT_EQ(database_.Query(absl::StrCat("SELECT extract(epoch FROM to_timestamp(", at,
                                         ")::timestamp - to_timestamp(", at - 1, ")::timestamp)::bigint")),
            absl::StrCat(1 + absl::ToInt64Seconds(GetParam())))
      << "the clocks are changed then";
  ASSERT_NE(database_.Query(absl::StrCat("SELECT to_timestamp(", at - 1, ")::date")),
            database_.Query(absl::StrCat("SELECT to_timestamp(", at, ")::date")));
  HoldUntil("1-before", jump - absl::Milliseconds(500));
  HoldUntil("2-at", jump);
  HoldUntil("3-after", jump + absl::Milliseconds(500));
  Hold("4-half-an-hour", absl::Minutes(30));
  Hold("5-a-day", absl::Hours(24));
  const Job job(database_, loop_);
  WaitForStates("1-before EXPIRED, 2-at EXPIRED, 3-after EXPIRED, 4-half-an-hour HELD, 5-a-day HELD");
  EXPECT_EQ(Untimely(), "");
  EXPECT_EQ(Read("4-half-an-hour",
                 "extract(epoch FROM expires_at)::bigint - extract(epoch FROM created_at)::bigint"),
            "1800");
  EXPECT_EQ(
      Read("5-a-day", "extract(epoch FROM expires_at)::bigint - extract(epoch FROM created_at)::bigint"),
      "86400")
      << "24 hours, though the day is longer or shorter";
  EXPECT_EQ(LedgerGaps(), "0");
}

INSTANTIATE_TEST_SUITE_P(ForwardAndBack, ClockTest, ::testing::Values(absl::Hours(1), -absl::Hours(1)),
                         [](const auto& jump) {
                           return jump.param > absl::ZeroDuration() ? "Forward" : "Back";
                         });

// Moments that have no local time, or share it with another one, or are of a day that is not in every year.
TEST_F(ClockTest, AnEndIsTheSameMomentInEveryTimeZone) {
  const char* const moments[] = {
      "2028-02-29T00:00:00+00:00",         // the leap day, from midnight
      "2028-02-29T23:59:59.999999+00:00",  // to midnight
      "2028-02-29T23:59:59.999999+14:00",  // in Kiritimati
      "2028-02-29T23:59:59.999999-03:30",  // in St. John's
      "2017-01-01T00:00:00+00:00",         // after a leap second
      "2026-03-08T02:30:00-03:30",         // left out in St. John's, when summer time begins
      "2026-11-01T01:30:00-02:30",         // comes twice when it ends, first
      "2026-11-01T01:30:00-03:30",         // and second
      "2026-04-05T01:45:00+11:00",         // on Lord Howe Island, where it is half an hour
      "2026-04-05T01:45:00+10:30",
      "2011-12-30T12:00:00-10:00",  // in Samoa, which left that day out
  };
  HoldUntil("r-1", DatabaseNow());
  for (const char* zone :
       {"UTC", "Pacific/Kiritimati", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"}) {
    MoveTo(zone);
    for (const char* text : moments) {
      SCOPED_TRACE(absl::StrCat(zone, " ", text));
      absl::Time moment;
      std::string error;
      ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &moment, &error)) << error;
      database_.Query(absl::StrCat("UPDATE inventory.reservation SET expires_at = '", text, "'"));
      // Each reads it, and writes it back with the rest of the row.
      EXPECT_EQ(Do(CommitCommand{"r-1"})->reservation.expires_at, moment);
      EXPECT_EQ(Do(UncommitCommand{"r-1"})->reservation.expires_at, moment);
      EXPECT_EQ(Read("r-1", "(extract(epoch FROM expires_at) * 1e6)::bigint"),
                absl::StrCat(absl::ToUnixMicros(moment)));
    }
  }
}

TEST_F(ClockTest, AWrongClockOfTheHostDoesNotMatter) {
  const Job job(database_, loop_);
  std::string expected;
  for (const absl::Duration error : {absl::Hours(36), -absl::Hours(36)}) {
    const std::string id = error > absl::ZeroDuration() ? "1-ahead" : "2-behind";
    Hold(id + "-a", absl::Minutes(15));
    Hold(id + "-b", absl::Minutes(15));
    const WrongHostClock wrong(error);
    Hold(id + "-c", absl::Seconds(1));
    EndAt(id + "-b", DatabaseNow() + absl::Milliseconds(500));
    absl::StrAppend(&expected, expected.empty() ? "" : ", ", id, "-a HELD, ", id, "-b EXPIRED, ", id,
                    "-c EXPIRED");
    WaitForStates(expected);
    EXPECT_EQ(Read(id + "-c", "extract(epoch FROM expires_at - created_at)::bigint"), "1");
  }
  EXPECT_EQ(Untimely(), "");
  EXPECT_EQ(database_.Query("SELECT count(*) FROM inventory.reservation WHERE created_at NOT BETWEEN now() - "
                            "interval '1 minute' AND now()"),
            "0");
  EXPECT_EQ(LedgerGaps(), "0");
}

}  // namespace
}  // namespace bv::inventory
