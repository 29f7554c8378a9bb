// A small service in a process of its own: this binary again, run with --app.
#include "libs/service/service.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <future>
#include <iostream>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "libs/base/strings.h"
#include "libs/rpc/client.h"
#include "libs/testing/testing.h"

namespace bv::service {
namespace {

namespace pb = commerce::inventory::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What runs in the child.
class TestApp {
 public:
  static constexpr std::string_view kName = "test-app";
  struct Settings {
    std::string start;
    config::Secret password;
    void Bind(config::Binder& b) {
      b.Text("app.start", start);
      b.Secret("app.password", password, config::Presence::kOptional);
    }
  };

  TestApp(const Settings& settings, Host& host) : settings_(settings), host_(host) {}

  absl::Status Start() {
    std::cout << "starting" << std::endl;
    if (settings_.start == "fail") return absl::UnavailableError("the part is away");
    if (settings_.start == "block") std::promise<void>().get_future().wait();
    if (settings_.start == "abort") host_.Abort(absl::InternalError("a part failed early"));
    constexpr std::string_view kService = "commerce.inventory.v1.Inventory";
    host_.rpc().Handle(kService, "ReserveStock", *this, &TestApp::ReserveStock);
    host_.rpc().Handle(kService, "ReleaseStock", *this, &TestApp::ReleaseStock);
    host_.rpc().Handle(kService, "QueryStock", *this, &TestApp::QueryStock);
    host_.rpc().Handle(kService, "AdjustStock", *this, &TestApp::AdjustStock);
    host_.rpc().ServePartly(kService);
    host_.OnDrain([](absl::Time) { std::cout << "drain first part" << std::endl; });
    host_.OnDrain([](absl::Time) { std::cout << "drain second part" << std::endl; });
    return absl::OkStatus();
  }
  void Stop() { std::cout << "stop" << std::endl; }

  // Answers when the drain has begun.
  rpc::Reply<pb::ReserveResponse> ReserveStock(rpc::Call<pb::ReserveRequest> call) {
    std::cout << "working" << std::endl;
    const Condition draining = [](TestApp& app, const RequestContext&) { return !app.host_.ready(); };
    co_await Until(draining, call.context());
    std::cout << "worked" << std::endl;
    co_return pb::ReserveResponse();
  }
  // Answers when it is cancelled.
  rpc::Reply<pb::ReleaseResponse> ReleaseStock(rpc::Call<pb::ReleaseRequest> call) {
    std::cout << "working" << std::endl;
    const Condition cancelled = [](TestApp&, const RequestContext& context) {
      return context.stop.stop_requested();
    };
    co_await Until(cancelled, call.context());
    co_return absl::CancelledError("cancelled");
  }
  rpc::Reply<pb::StockStatus> QueryStock(rpc::Call<pb::StockQuery>) { co_return pb::StockStatus(); }
  // Ends the service.
  rpc::Reply<pb::StockStatus> AdjustStock(rpc::Call<pb::AdjustRequest>) {
    host_.Abort(absl::InternalError("a part cannot go on"));
    co_return pb::StockStatus();
  }

 private:
  using Condition = bool (*)(TestApp&, const RequestContext&);
  async::Task<void> Until(Condition condition, const RequestContext& context) {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    while (!condition(*this, context)) {
      timer.expires_after(std::chrono::milliseconds(5));
      co_await timer.async_wait(boost::asio::use_awaitable);
    }
  }

  const Settings settings_;
  Host& host_;
};

// The child, its standard output and error in one pipe.
class Process {
 public:
  Process(std::vector<std::string> arguments, const std::vector<std::string>& environment) {
    arguments.insert(arguments.begin(), {"test-app", "--app"});
    std::vector<char*> argv, envp;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    for (const std::string& variable : environment) envp.push_back(const_cast<char*>(variable.c_str()));
    argv.push_back(nullptr);
    envp.push_back(nullptr);
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    EXPECT_EQ(::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), envp.data()), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    output_ = ::fdopen(ends[0], "r");
  }
  ~Process() {
    if (pid_ > 0) {
      Signal(SIGKILL);
      ExitCode();
    }
    std::fclose(output_);
  }

  void Signal(int signal) const { ::kill(pid_, signal); }
  // Reads on until a line has `text`; returns that line, or "" when the process ended before.
  std::string AwaitLine(std::string_view text) {
    char line[8192];
    while (std::fgets(line, sizeof(line), output_) != nullptr) {
      seen_ += line;
      if (std::string_view(line).find(text) != std::string_view::npos) return line;
    }
    return "";
  }
  // Waits for the end. All that was written is in output().
  int ExitCode() {
    while (!AwaitLine("\n").empty()) {
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  const std::string& output() const { return seen_; }

 private:
  pid_t pid_ = 0;
  std::FILE* output_ = nullptr;
  std::string seen_;
};

class ServiceTest : public ::testing::Test {
 protected:
  ServiceTest() { WriteConfig(kConfig); }
  ~ServiceTest() override { std::remove(config_.c_str()); }

  static constexpr char kConfig[] = R"(
log: {level: info}
metrics: {address: "127.0.0.1:0"}
otlp: {endpoint: "", sample_ratio: 0}
grpc: {address: "127.0.0.1:0", message_bytes_max: 65536, calls_max: 100, default_deadline: 30s, idempotency_key_required: false}
auth: {jwks_file: nowhere, jwks_url: "", jwks_refresh: 5m, development: false, issuer: "https://issuer.bivouac.dev", audience: bivouac, clock_skew: 30s}
access: {brokers: "", unknown_staff: allow}
drain: {delay: 0s, timeout: 30s}
worker: {threads: 2}
app: {start: ok, password: ""}
)";
  void WriteConfig(const std::string& text) { std::ofstream(config_) << text; }

  std::unique_ptr<Process> Run(std::vector<std::string> variables = {}, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"--config", config_});
    variables.push_back("BV_AUTH_JWKS_FILE=" + jwks_.path());
    variables.push_back("BV_AUTH_DEVELOPMENT=true");
    return std::make_unique<Process>(flags, variables);
  }
  // Runs it until it serves, and connects.
  std::unique_ptr<Process> RunUntilReady(std::vector<std::string> variables = {}) {
    std::unique_ptr<Process> process = Run(std::move(variables));
    const std::string ready = process->AwaitLine("\"grpcPort\":");
    EXPECT_NE(ready, "") << process->output();
    address_ = Concat("127.0.0.1:", std::atoi(ready.c_str() + ready.find("\"grpcPort\":") + 11));
    client_ = std::make_unique<rpc::Client<pb::Inventory>>(address_, rpc::PeerSettings{});
    return process;
  }

  template <class Request, class Response>
  std::future<absl::StatusOr<Response>> StartCall(void (rpc::Async<pb::Inventory>::*method)(
      grpc::ClientContext*, const Request*, Response*, std::function<void(grpc::Status)>)) {
    const auto call = [](rpc::Client<pb::Inventory>& client, decltype(method) m,
                         RequestContext context) -> async::Task<absl::StatusOr<Response>> {
      const Request request;
      co_return co_await client.Call(m, request, context);
    };
    RequestContext context = testing::ContextOf("acme");
    context.bearer_token = jwks_.Token("acme", "user-1", Role::kAdmin);
    return boost::asio::co_spawn(loop_.io(), call(*client_, method, std::move(context)),
                                 boost::asio::use_future);
  }

  const std::string config_ = Concat(::testing::TempDir(), "/service_test_", ::getpid(), ".yaml");
  testing::JwksFile jwks_;
  testing::Loop loop_;
  // Of the process that runs.
  std::string address_;
  std::unique_ptr<rpc::Client<pb::Inventory>> client_;
};

TEST_F(ServiceTest, PrintsItsSettings) {
  const auto process = Run({"BV_APP_PASSWORD=hunter2", "BV_WORKER_THREADS=7"}, {"--print-config"});
  EXPECT_EQ(process->ExitCode(), 0);
  EXPECT_THAT(process->output(), AllOf(HasSubstr("worker.threads: 7\n"), HasSubstr("drain.timeout: 30s\n"),
                                       HasSubstr("app.start: ok\n"), HasSubstr("app.password: ***\n"),
                                       Not(HasSubstr("hunter2")), Not(HasSubstr("starting"))));
}

TEST_F(ServiceTest, WrongFlagsAndSettingsEndWith2) {
  const auto complaint = [](const std::unique_ptr<Process>& process) {
    EXPECT_EQ(process->ExitCode(), 2) << process->output();
    return process->output();
  };
  EXPECT_THAT(complaint(Run({}, {"--verbose"})), HasSubstr("unknown flag --verbose"));
  EXPECT_THAT(complaint(Run({}, {"--config"})), HasSubstr("unknown flag --config"));
  EXPECT_THAT(complaint(Run({"BV_WORKER_THREADS=0", "BV_DRAIN_TIMEOUT=soon"})),
              AllOf(HasSubstr("worker.threads: must be 1 to 256, is 0"),
                    HasSubstr("drain.timeout: must be a duration")));
  WriteConfig(std::string(kConfig) + "typo: 1\n");
  EXPECT_THAT(complaint(Run()), HasSubstr("typo: is not a setting of this service"));
  std::remove(config_.c_str());
  EXPECT_THAT(complaint(Run()), HasSubstr("cannot read the file"));
}

TEST_F(ServiceTest, AFailedStartEndsWith1) {
  const auto failed = Run({"BV_APP_START=fail"});
  EXPECT_EQ(failed->ExitCode(), 1);
  EXPECT_THAT(failed->output(), AllOf(HasSubstr("test-app: the part is away"), HasSubstr("stop\n")));

  const auto running = RunUntilReady();
  const auto second = Run({"BV_GRPC_ADDRESS=" + address_});
  EXPECT_EQ(second->ExitCode(), 1);
  EXPECT_THAT(second->output(), HasSubstr("test-app: cannot listen on " + address_));

  const auto keyless =
      std::make_unique<Process>(std::vector<std::string>{"--config", config_}, std::vector<std::string>{});
  EXPECT_EQ(keyless->ExitCode(), 1);
  EXPECT_THAT(keyless->output(), HasSubstr("nowhere"));
}

TEST_F(ServiceTest, RunsUntilSigterm) {
  const auto process = RunUntilReady();
  EXPECT_TRUE(
      (StartCall<pb::StockQuery, pb::StockStatus>(&rpc::Async<pb::Inventory>::QueryStock).get().ok()));
  process->Signal(SIGTERM);
  EXPECT_EQ(process->ExitCode(), 0);
  EXPECT_THAT(process->output(), HasSubstr("drain second part\ndrain first part\nstop\n"));
}

TEST_F(ServiceTest, RunsUntilSigint) {
  const auto process = RunUntilReady();
  process->Signal(SIGINT);
  EXPECT_EQ(process->ExitCode(), 0);
}

TEST_F(ServiceTest, SigtermLetsRunningCallsEnd) {
  const auto process = RunUntilReady();
  auto call = StartCall<pb::ReserveRequest, pb::ReserveResponse>(&rpc::Async<pb::Inventory>::ReserveStock);
  ASSERT_NE(process->AwaitLine("working"), "");
  process->Signal(SIGTERM);
  EXPECT_TRUE(call.get().ok());
  EXPECT_EQ(process->ExitCode(), 0);
  EXPECT_LT(process->output().find("worked"), process->output().find("drain second part"))
      << "calls end before the parts that they use";
}

TEST_F(ServiceTest, TheDrainHasAnEnd) {
  const auto process = RunUntilReady({"BV_DRAIN_TIMEOUT=100ms"});
  auto call = StartCall<pb::ReleaseRequest, pb::ReleaseResponse>(&rpc::Async<pb::Inventory>::ReleaseStock);
  ASSERT_NE(process->AwaitLine("working"), "");
  process->Signal(SIGTERM);
  EXPECT_EQ(process->ExitCode(), 0);
  EXPECT_FALSE(call.get().ok());
}

TEST_F(ServiceTest, SigtermEndsAStartThatWaits) {
  const auto process = Run({"BV_APP_START=block"});
  ASSERT_NE(process->AwaitLine("starting"), "");
  process->Signal(SIGTERM);
  EXPECT_EQ(process->ExitCode(), 0);
  EXPECT_THAT(process->output(), HasSubstr("ended before it was ready"));
}

TEST_F(ServiceTest, AnAbortEndsInOrderWith1) {
  const auto process = RunUntilReady();
  EXPECT_TRUE(
      (StartCall<pb::AdjustRequest, pb::StockStatus>(&rpc::Async<pb::Inventory>::AdjustStock).get().ok()));
  EXPECT_EQ(process->ExitCode(), 1);
  EXPECT_THAT(process->output(), AllOf(HasSubstr("drain second part\ndrain first part\nstop\n"),
                                       HasSubstr("test-app: a part cannot go on")));

  const auto early = Run({"BV_APP_START=abort"});
  EXPECT_EQ(early->ExitCode(), 1);
  EXPECT_THAT(early->output(), HasSubstr("test-app: a part failed early"));
}

}  // namespace
}  // namespace bv::service

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--app")
    return bv::service::Run<bv::service::TestApp>(argc - 1, argv + 1);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
