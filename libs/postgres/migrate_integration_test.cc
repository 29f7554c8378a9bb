#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "libs/base/error.h"
#include "libs/postgres/postgres.h"
#include "libs/testing/testing.h"

namespace bv::postgres {
namespace {

using ::testing::HasSubstr;

class MigrateTest : public ::testing::Test {
 protected:
  MigrateTest() { std::filesystem::create_directories(directory_); }
  ~MigrateTest() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& name, const std::string& sql) {
    std::ofstream(directory_ + "/" + name) << sql;
  }
  absl::Status Run() { return Migrate(database_.Connection(), directory_, absl::Now() + absl::Seconds(10)); }

  testing::Database database_{"inventory"};
  const std::string directory_ = ::testing::TempDir() + "/" + database_.name();
};

// What the inventory's own migrations left behind is unknown to the test's folder, as those of a newer
// version are to an older one.
TEST_F(MigrateTest, LetsTheMigrationsOfANewerVersionBe) {
  Write("9001_first.sql", "CREATE TABLE t (a int)");
  EXPECT_TRUE(Run().ok());
  EXPECT_EQ(database_.Query("SELECT count(*) > 1 FROM inventory.schema_migration"), "t");
}

TEST_F(MigrateTest, AppliesEachOnceInTheOrderOfNames) {
  Write("9002_second.sql", "INSERT INTO t VALUES ('second'); CREATE TABLE u (a int);");
  Write("9001_first.sql",
        "CREATE TABLE t (step text, n int GENERATED ALWAYS AS IDENTITY); INSERT INTO t VALUES ('first');");
  Write("README.md", "not a migration");
  ASSERT_TRUE(Run().ok());
  ASSERT_TRUE(Run().ok());
  Write("9003_third.sql", "INSERT INTO t VALUES ('third')");
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(database_.Query("SELECT string_agg(step, ',' ORDER BY n) FROM inventory.t"),
            "first,second,third");
}

TEST_F(MigrateTest, RefusesAnAppliedFileThatHasChanged) {
  Write("9001_first.sql", "CREATE TABLE t (a int)");
  ASSERT_TRUE(Run().ok());
  Write("9001_first.sql", "CREATE TABLE t (a bigint)");
  Write("9002_second.sql", "CREATE TABLE u (a int)");
  const absl::Status status = Run();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "MIGRATION_CHANGED");
  EXPECT_THAT(std::string(status.message()), HasSubstr("9001_first.sql"));
  EXPECT_EQ(database_.Query("SELECT to_regclass('inventory.u')"), "") << "nothing further was applied";
}

TEST_F(MigrateTest, AFailureLeavesNothingOfItsFile) {
  Write("9001_first.sql", "CREATE TABLE t (a int)");
  Write("9002_broken.sql", "CREATE TABLE u (a int); CREATE TABLE u (a int);");
  EXPECT_THAT(std::string(Run().message()), HasSubstr("already exists"));
  EXPECT_EQ(database_.Query("SELECT to_regclass('inventory.t')"), "inventory.t");
  EXPECT_EQ(database_.Query("SELECT to_regclass('inventory.u')"), "");
  Write("9002_broken.sql", "CREATE TABLE u (a int)");
  EXPECT_TRUE(Run().ok()) << "mended, it is applied: it never was";
}

TEST_F(MigrateTest, SeveralAtOnceTakeTurns) {
  for (int i = 0; i < 20; ++i)
    Write("90" + std::to_string(10 + i) + "_step.sql", "CREATE TABLE t" + std::to_string(i) + " (a int)");
  std::vector<absl::Status> results(8);
  std::vector<std::thread> threads;
  for (absl::Status& result : results) threads.emplace_back([&] { result = Run(); });
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << result;
  EXPECT_EQ(database_.Query("SELECT count(*) FROM inventory.schema_migration WHERE name LIKE '90%'"), "20");
}

TEST_F(MigrateTest, WaitsForTheServerUntilTheDeadline) {
  const absl::Time deadline = absl::Now() + absl::Milliseconds(300);
  EXPECT_EQ(Migrate({.url = "postgresql://bv@127.0.0.1:1/bv"}, directory_, deadline).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_GE(absl::Now(), deadline);
}

TEST_F(MigrateTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_EQ(Migrate(database_.Connection(), directory_ + "/nowhere", absl::Now()).code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace bv::postgres
