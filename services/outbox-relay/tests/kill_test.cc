// The real program, killed again and again under load.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>

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
            Concat("BV_RELAY_SLOT=", slot_),
            "BV_RELAY_STANDBY_INTERVAL=50ms",
            "BV_GRPC_ADDRESS=127.0.0.1:0",
            "BV_METRICS_ADDRESS=127.0.0.1:0",
            "BV_LOG_LEVEL=error"};
  }

  std::filesystem::path folder_;
};

TEST_F(KillTest, LosesNothingAndKeepsTheOrder) {
  const std::vector<std::string> keys = {"a", "b", "c", "d"};
  std::atomic<bool> writing{true};
  std::vector<int> last(keys.size(), 0);
  std::vector<std::thread> writers;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    writers.emplace_back([&, k] {
      pqxx::connection connection(database_.superuser_url());
      while (writing) {
        pqxx::work transaction(connection);
        for (int row = 0; row < 3; ++row) Insert(transaction, {keys[k], ++last[k]});
        transaction.commit();
      }
    });
  }
  std::size_t seen_before = 0;
  for (int round = 0; round < 5; ++round) {
    Program relay(EnvironmentOfProgram());
    // It has begun to publish, and is in the middle of it.
    seen_before = topic_.Read(seen_before + 200).size();
    relay.End(SIGKILL);
  }
  writing = false;
  for (std::thread& writer : writers) writer.join();
  Program relay(EnvironmentOfProgram());
  const int least = *std::min_element(last.begin(), last.end());
  const int most = *std::max_element(last.begin(), last.end());
  // Level them, so that one question answers for all keys.
  for (std::size_t k = 0; k < keys.size(); ++k) {
    while (last[k] < most) Commit({{keys[k], ++last[k]}});
  }
  EXPECT_GT(least, 0);
  ExpectInOrder(ReadAll(keys, most), keys, most);
  EXPECT_EQ(relay.End(SIGTERM), 0);
}

}  // namespace
}  // namespace bv::relay
