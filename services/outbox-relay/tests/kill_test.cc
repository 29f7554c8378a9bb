// The real program, killed again and again under load.
#include <absl/synchronization/mutex.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>
#include <thread>

#include "libs/base/strings.h"
#include "services/outbox-relay/tests/relay_fixture.h"

namespace bv::relay {
namespace {

// The outbox-relay beside this test program.
class Program {
 public:
  explicit Program(const std::vector<std::string>& environment) {
    const std::string binary = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "outbox-relay";
    std::vector<char*> variables;
    for (const std::string& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
    variables.push_back(nullptr);
    char* const arguments[] = {const_cast<char*>(binary.c_str()), nullptr};
    pid_ = fork();
    if (pid_ == 0) {
      execve(binary.c_str(), arguments, variables.data());
      _exit(127);
    }
  }
  ~Program() {
    if (pid_ > 0) End(SIGKILL);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Returns what waitpid says.
  int End(int signal) {
    int status = 0;
    kill(pid_, signal);
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

class KillTest : public RelayTest {
 protected:
  KillTest() {
    folder_ = std::filesystem::temp_directory_path() / database_.name();
    std::filesystem::create_directory(folder_);
    std::ofstream(folder_ / "jwks.json")
        << R"({"keys":[{"kty":"oct","kid":"test","alg":"HS256","k":")" << std::string(43, 'A') << R"("}]})";
    std::ofstream(folder_ / "topics.yaml")
        << "topics: [{name: " << topic_.name() << ", why: test, partitions: 3}]";
  }
  ~KillTest() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> EnvironmentOfProgram() const {
    const postgres::ConnectionSettings connection = database_.ConnectionOf("bv_relay");
    return {Concat("BV_POSTGRES_URL=", connection.url),
            Concat("BV_POSTGRES_PASSWORD=", connection.password.Reveal()),
            Concat("BV_KAFKA_BROKERS=", testing::Environment("BV_KAFKA_BROKERS")),
            Concat("BV_KAFKA_TOPICS_FILE=", (folder_ / "topics.yaml").string()),
            Concat("BV_AUTH_JWKS_FILE=", (folder_ / "jwks.json").string()),
            "BV_AUTH_DEVELOPMENT=true",
            Concat("BV_RELAY_SLOT=", slot_),
            "BV_RELAY_STANDBY_INTERVAL=50ms",
            "BV_GRPC_ADDRESS=127.0.0.1:0",
            "BV_METRICS_ADDRESS=127.0.0.1:0",
            "BV_LOG_LEVEL=error"};
  }

  std::filesystem::path folder_;
};

// Commits of a few rows, by one writer a key, as many as were asked for.
class Load {
 public:
  using Write = std::function<void(pqxx::connection&, const std::string& key, int number)>;

  Load(const std::vector<std::string>& keys, const std::string& url, const Write& write)
      : last_(keys.size(), 0) {
    for (std::size_t k = 0; k < keys.size(); ++k) {
      writers_.emplace_back([this, url, write, key = keys[k], &last = last_[k]] {
        pqxx::connection connection(url);
        while (Take()) {
          write(connection, key, last + 1);
          last += kRows;
          const absl::MutexLock lock(&mutex_);
          ++written_;
        }
      });
    }
  }
  ~Load() { Finish(); }

  // Lets the writers make so many commits more.
  void Allow(int commits) {
    const absl::MutexLock lock(&mutex_);
    allowed_ += commits;
  }
  void AwaitWritten(int commits) {
    const auto reached = [this, commits] { return written_ >= commits; };
    const absl::MutexLock lock(&mutex_, absl::Condition(&reached));
  }
  // The last number of each key.
  std::vector<int> Finish() {
    {
      const absl::MutexLock lock(&mutex_);
      finished_ = true;
    }
    for (std::thread& writer : writers_) writer.join();
    writers_.clear();
    return last_;
  }

  static constexpr int kRows = 3;

 private:
  bool Take() {
    const auto ready = [this] { return taken_ < allowed_ || finished_; };
    const absl::MutexLock lock(&mutex_, absl::Condition(&ready));
    if (taken_ >= allowed_) return false;
    ++taken_;
    return true;
  }

  std::vector<int> last_;
  absl::Mutex mutex_;
  int allowed_ = 0;
  int taken_ = 0;
  int written_ = 0;
  bool finished_ = false;
  std::vector<std::thread> writers_;
};

int KillsWanted() {
  const char* const kills = std::getenv("BIVOUAC_KILLS");
  return kills == nullptr ? 10 : std::max(std::atoi(kills), 1);
}

TEST_F(KillTest, LosesNothingKeepsTheOrderAndRepeatsLittle) {
  constexpr int kInFlightMax = 100;
  constexpr int kCommitsPerRound = 200;
  const int kills = KillsWanted();
  const std::vector<std::string> keys = {"a", "b", "c", "d"};
  std::vector<std::string> environment = EnvironmentOfProgram();
  environment.push_back(Concat("BV_RELAY_IN_FLIGHT_RECORDS_MAX=", kInFlightMax));
  const auto write = [this](pqxx::connection& connection, const std::string& key, int number) {
    pqxx::work transaction(connection);
    for (int row = 0; row < Load::kRows; ++row) Insert(transaction, {key, number + row});
    transaction.commit();
  };
  Load load(keys, database_.superuser_url(), write);
  std::mt19937 random(std::random_device{}());
  for (int round = 0; round < kills; ++round) {
    const std::string position = database_.Query("SELECT pg_current_wal_lsn()");
    Program relay(environment);
    // Most of them while it publishes, some while it starts.
    if (round % 4 != 0) {
      WaitFor(Concat("SELECT confirmed_flush_lsn >= '", position,
                     "' FROM pg_replication_slots WHERE slot_name = '", slot_, "'"),
              "t");
    }
    load.Allow(kCommitsPerRound);
    load.AwaitWritten(round * kCommitsPerRound + static_cast<int>(random() % kCommitsPerRound));
    relay.End(SIGKILL);
  }
  std::vector<int> last = load.Finish();
  Program relay(environment);
  const int most = *std::max_element(last.begin(), last.end());
  // Level them, so that one question answers for all keys.
  for (std::size_t k = 0; k < keys.size(); ++k) {
    while (last[k] < most) Commit({{keys[k], ++last[k]}});
  }
  EXPECT_GT(*std::min_element(last.begin(), last.end()), 0);
  const std::vector<Seen> seen = ReadAll(keys, most);
  ExpectInOrder(seen, keys, most);
  EXPECT_EQ(relay.End(SIGTERM), 0);

  const std::size_t repeated = seen.size() - keys.size() * static_cast<std::size_t>(most);
  std::cout << kills << " kills, " << seen.size() << " records, " << repeated
            << " of them again: " << static_cast<double>(repeated) / kills << " a kill\n";
  // In flight, acknowledged since the last report, and the rest of the transactions that both end in.
  constexpr int kBound = 2 * (kInFlightMax + Load::kRows);
  EXPECT_LE(repeated, static_cast<std::size_t>(kills * kBound));
}

TEST_F(KillTest, AStandbyTakesOverByItself) {
  std::vector<std::string> environment = EnvironmentOfProgram();
  // As it is in production.
  std::erase_if(environment, [](const std::string& line) { return line.starts_with("BV_RELAY_STANDBY"); });
  auto leader = std::make_unique<Program>(environment);
  Commit({{"a", 1}});
  ReadAll({"a"}, 1);
  int number = 1;
  std::vector<double> seconds;
  for (int round = 0; round < 5; ++round) {
    auto standby = std::make_unique<Program>(environment);
    // Two connections each, beside the leader's stream.
    WaitFor(Concat("SELECT count(*) >= 4 FROM pg_stat_activity WHERE usename = '", database_.name(),
                   "_outbox' AND backend_type = 'client backend'"),
            "t");
    leader->End(SIGKILL);
    const absl::Time killed = absl::Now();
    Commit({{"a", ++number}});
    ReadAll({"a"}, number);
    seconds.push_back(absl::ToDoubleSeconds(absl::Now() - killed));
    leader = std::move(standby);
  }
  ExpectInOrder(ReadAll({"a"}, number), {"a"}, number);
  const double longest = *std::max_element(seconds.begin(), seconds.end());
  std::cout << "taken over within " << longest << " s\n";
  EXPECT_LT(longest, 5.0);
}

}  // namespace
}  // namespace bv::relay
