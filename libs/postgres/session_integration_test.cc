#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "libs/base/error.h"
#include "libs/postgres/postgres.h"
#include "libs/testing/testing.h"

namespace bv::postgres {
namespace {

using ::testing::HasSubstr;

constexpr Statement kInsert{"test_insert", "INSERT INTO note (tenant_id, body) VALUES ($1, $2)"};
constexpr Statement kCount{"test_count", "SELECT count(*) FROM note"};
constexpr Statement kBodies{"test_bodies",
                            "SELECT coalesce(string_agg(body, ',' ORDER BY body), '') FROM note"};
constexpr Statement kEndless{"test_endless",
                             "SELECT count(*) FROM (SELECT generate_series(1, 1000000000000)) AS numbers"};
constexpr Statement kNonsense{"test_nonsense", "SELECT nothing FROM nowhere"};

std::vector<TenantId> Tenants(const std::vector<std::string>& names) {
  std::vector<TenantId> tenants;
  for (const std::string& name : names) tenants.push_back(TenantId::Trusted(name));
  return tenants;
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    database_.Query(
        "CREATE TABLE inventory.note (tenant_id text NOT NULL, body text NOT NULL);"
        "ALTER TABLE inventory.note OWNER TO bv_inventory;"
        "ALTER TABLE inventory.note ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE inventory.note FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY tenant ON inventory.note USING (tenant_id = ANY "
        "(string_to_array(current_setting('bv.tenants', true), ',')))");
  }

  absl::Status Insert(const std::string& tenant, const std::string& body,
                      const std::vector<std::string>& visible) {
    return session_.Transact(Tenants(visible), [&](Session& session) {
      session.Exec(kInsert, tenant, body);
      return absl::OkStatus();
    });
  }
  std::string Bodies(const std::vector<std::string>& visible) {
    std::string bodies;
    const absl::Status status = session_.Read(Tenants(visible), [&](Session& session) {
      bodies = session.Exec(kBodies)[0][0].as<std::string>();
      return absl::OkStatus();
    });
    return status.ok() ? bodies : status.ToString();
  }
  std::string Stored() const {
    return database_.Query("SELECT string_agg(body, ',' ORDER BY body) FROM inventory.note");
  }

  testing::Database database_{"inventory"};
  ConnectionSettings connection_ = database_.Connection();
  Session session_{connection_, Plans::kDefault};
};

TEST_F(SessionTest, CommitsWhatEndsWell) {
  EXPECT_TRUE(Insert("acme", "a", {"acme"}).ok());
  EXPECT_EQ(Stored(), "a");
}

TEST_F(SessionTest, RollsBackWhatDoesNot) {
  const absl::Status refused = session_.Transact(Tenants({"acme"}), [](Session& session) {
    session.Exec(kInsert, "acme", "a");
    return InvalidValue("body", "not this one");
  });
  EXPECT_EQ(refused, InvalidValue("body", "not this one"));
  const absl::Status broken = session_.Transact(Tenants({"acme"}), [](Session& session) {
    session.Exec(kInsert, "acme", "b");
    session.Exec(kNonsense);
    return absl::OkStatus();
  });
  EXPECT_EQ(broken.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(broken.message()), HasSubstr("42P01"));
  EXPECT_TRUE(Insert("acme", "c", {"acme"}).ok()) << "the session goes on";
  EXPECT_EQ(Stored(), "c");
}

TEST_F(SessionTest, TellsOfACommitAndOfNothingElse) {
  int told = 0;
  const auto transact = [&](const absl::Status& outcome) {
    return session_.Transact(Tenants({"acme"}), [&](Session& session) {
      session.OnCommit([&told] { ++told; });
      return outcome;
    });
  };
  EXPECT_TRUE(transact(absl::OkStatus()).ok());
  EXPECT_EQ(told, 1);
  EXPECT_FALSE(transact(InvalidValue("body", "not this one")).ok());
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(transact(absl::OkStatus()).ok());
  EXPECT_EQ(told, 2) << "not once more for the one that failed";
}

TEST_F(SessionTest, KnowsTheTimeOfItsTransaction) {
  std::vector<absl::Time> times;
  for (int i = 0; i < 2; ++i) {
    const absl::Status status = session_.Transact(Tenants({"acme"}), [&](Session& session) {
      times.push_back(session.transaction_time());
      EXPECT_EQ(session.transaction_time(), times.back()) << "it is asked for once";
      return absl::OkStatus();
    });
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_LT(times[0], times[1]);
}

TEST_F(SessionTest, SeesOneTenantAfterTheOther) {
  ASSERT_TRUE(Insert("acme", "a", {"acme"}).ok());
  ASSERT_TRUE(Insert("globex", "g", {"globex"}).ok());
  ASSERT_TRUE(Insert("acme", "b", {"acme"}).ok());
  EXPECT_EQ(Bodies({"acme"}), "a,b");
  EXPECT_EQ(Bodies({"globex"}), "g");
  EXPECT_EQ(Bodies({"acme"}), "a,b");
  EXPECT_EQ(Bodies({"acme", "globex"}), "a,b,g");
  EXPECT_EQ(Bodies({"initech"}), "");
  EXPECT_EQ(Bodies({}), "");
}

TEST_F(SessionTest, WritesForItsTenantsOnly) {
  const absl::Status status = Insert("globex", "g", {"acme"});
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), HasSubstr("row-level security"));
  EXPECT_EQ(Stored(), "");
}

// A transaction that fails right after the tenant was switched must not leave the session with another idea
// of it than the server.
TEST_F(SessionTest, KnowsItsTenantAfterAFailure) {
  ASSERT_TRUE(Insert("acme", "a", {"acme"}).ok());
  ASSERT_FALSE(Insert("acme", "b", {"globex"}).ok());
  EXPECT_EQ(Bodies({"globex"}), "");
  EXPECT_EQ(Bodies({"acme"}), "a");
}

TEST_F(SessionTest, AStatementThatRunsTooLongIsCancelled) {
  connection_.statement_timeout = absl::Milliseconds(100);
  Session session(connection_, Plans::kDefault);
  const auto endless = [](Session& s) {
    s.Exec(kEndless);
    return absl::OkStatus();
  };
  EXPECT_EQ(session.Transact(Tenants({"acme"}), endless).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(session.Read(Tenants({"acme"}), endless).code(), absl::StatusCode::kDeadlineExceeded);
  const auto count = [](Session& s) {
    s.Exec(kCount);
    return absl::OkStatus();
  };
  EXPECT_TRUE(session.Transact(Tenants({"acme"}), count).ok()) << "the session goes on";
}

TEST_F(SessionTest, HealsAfterTheServerDroppedIt) {
  ASSERT_TRUE(Insert("acme", "a", {"acme"}).ok());
  const absl::Status status = session_.Transact(Tenants({"acme"}), [this](Session& session) {
    session.Exec(kInsert, "acme", "b");
    database_.Disconnect(session);
    session.Exec(kCount);
    return absl::OkStatus();
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(status), "DATABASE_UNAVAILABLE");
  EXPECT_FALSE(CommitUnknown(status)) << "it did not come to the commit";
  EXPECT_EQ(Bodies({"acme"}), "a") << "connected again, with the tenant set again";
}

TEST_F(SessionTest, ReplacesAConnectionThatWasLostWhileItLayIdle) {
  const auto restart = [this] {
    EXPECT_EQ(database_.Query("SELECT bool_and(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
                              "WHERE datname = current_database() AND pid <> pg_backend_pid()"),
              "t");
  };
  ASSERT_TRUE(Insert("acme", "a", {"acme"}).ok());
  restart();
  EXPECT_TRUE(Insert("acme", "b", {"acme"}).ok());
  restart();
  EXPECT_EQ(Bodies({"acme"}), "a,b");
}

TEST_F(SessionTest, SaysWhenTheCommitWasNotAnswered) {
  const auto cut = [this](Session& session) {
    session.Exec(kInsert, "acme", "a");
    database_.CommitUnheard(session);
    return absl::OkStatus();
  };
  const absl::Status status = session_.Transact(Tenants({"acme"}), cut);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(CommitUnknown(status));
  EXPECT_EQ(Bodies({"acme"}), "a");
}

TEST_F(SessionTest, AServerThatIsAwayIsUnavailable) {
  // Port 1 is reserved; nothing listens there.
  Session session({.url = "postgresql://bv@127.0.0.1:1/bv"}, Plans::kDefault);
  const absl::Status status = session.Read({}, [](Session&) { return absl::OkStatus(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(status), "DATABASE_UNAVAILABLE");
  EXPECT_TRUE(GetErrorDetail(status).retry_after.has_value());
}

TEST_F(SessionTest, ADeadlockIsAborted) {
  database_.Query("INSERT INTO inventory.note VALUES ('acme', 'a'), ('acme', 'b')");
  static constexpr Statement kLock{"test_lock", "SELECT FROM note WHERE body = $1 FOR UPDATE"};
  // Each locks one row, then wants the other's; the second waits for the first to hold its row.
  std::promise<void> first_holds, second_holds;
  Session other(connection_, Plans::kDefault);
  absl::Status second;
  std::thread thread([&] {
    second = other.Transact(Tenants({"acme"}), [&](Session& session) {
      session.Exec(kLock, "b");
      second_holds.set_value();
      first_holds.get_future().wait();
      session.Exec(kLock, "a");
      return absl::OkStatus();
    });
  });
  const absl::Status first = session_.Transact(Tenants({"acme"}), [&](Session& session) {
    session.Exec(kLock, "a");
    first_holds.set_value();
    second_holds.get_future().wait();
    session.Exec(kLock, "b");
    return absl::OkStatus();
  });
  thread.join();
  EXPECT_NE(first.ok(), second.ok());
  EXPECT_EQ((first.ok() ? second : first).code(), absl::StatusCode::kAborted);
}

TEST_F(SessionTest, ArraysArriveAsTheyWere) {
  static constexpr Statement kEcho{"test_echo",
                                   "SELECT t FROM unnest($1::text[]) WITH ORDINALITY AS k (t, n) ORDER BY n"};
  const std::vector<std::string> texts{"a",     "",          "NULL", R"(say "hi")", R"(back\slash)",
                                       "{1,2}", "new\nline", "ü 🎒"};
  std::vector<std::string> echoed;
  ASSERT_TRUE(session_
                  .Read({},
                        [&](Session& session) {
                          for (const pqxx::row& row : session.Exec(kEcho, ArrayLiteral(texts)))
                            echoed.push_back(row[0].as<std::string>());
                          return absl::OkStatus();
                        })
                  .ok());
  EXPECT_EQ(echoed, texts);
}

}  // namespace
}  // namespace bv::postgres
