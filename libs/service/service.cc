#include "libs/service/service.h"

#include <absl/synchronization/mutex.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <thread>

#include "libs/base/strings.h"

namespace bv::service {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

struct Flags {
  std::string config;
  bool print_config = false;
};

std::string HomeOfExecutable() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).parent_path().string();
}

absl::StatusOr<Flags> ParseFlags(int argc, char** argv, std::string_view name) {
  Flags flags{.config = Concat(HomeOfExecutable(), "/", name, ".yaml")};
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--print-config") {
      flags.print_config = true;
    } else if (flag == "--config" && i + 1 < argc) {
      flags.config = argv[++i];
    } else {
      return absl::InvalidArgumentError(
          Concat("unknown flag ", flag, "; usage: ", name, " [--config FILE] [--print-config]"));
    }
  }
  return flags;
}

}  // namespace

void HostSettings::Bind(config::Binder& b) {
  telemetry.Bind(b);
  grpc.Bind(b);
  auth.Bind(b);
  access.Bind(b);
  b.Duration("drain.timeout", drain_timeout, {absl::Seconds(0), absl::Minutes(10)});
  b.Duration("drain.delay", drain_delay, {absl::Seconds(0), absl::Minutes(1)});
  b.Integer("worker.threads", threads, {1, 256});
}

Host::Host(const HostSettings& settings)
    : settings_(settings), io_(settings.threads), home_(HomeOfExecutable()) {}

Host::~Host() = default;

void Host::Abort(const absl::Status& reason) {
  boost::asio::post(io_, [this, reason] { abort_(reason); });
}

// Runs one service from its flags to its exit code.
struct Runner {
  const AppHooks& hooks;
  HostSettings settings;

  int Run(int argc, char** argv) {
    const absl::StatusOr<Flags> flags = ParseFlags(argc, argv, hooks.name);
    if (!flags.ok()) return Say(flags.status(), kExitUsage);
    const absl::StatusOr<std::string> yaml = config::ReadFile(flags->config);
    if (!yaml.ok()) return Say(yaml.status(), kExitUsage);
    std::string printed;
    const auto bind = [this](config::Binder& b) {
      settings.Bind(b);
      hooks.bind(b);
    };
    if (absl::Status loaded = config::Load(*yaml, config::ProcessEnvironment(), bind, &printed);
        !loaded.ok()) {
      return Say(loaded, kExitUsage);
    }
    if (flags->print_config) {
      std::cout << printed;
      return kExitOk;
    }
    return Serve();
  }

 private:
  int Say(const absl::Status& status, int code) {
    // One write, so that the log's thread does not come in between.
    std::cerr << Concat(hooks.name, ": ", status.message(), "\n");
    return code;
  }

  int Serve() {
    // A peer that went away is an error of the write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    auto telemetry = telemetry::Telemetry::Start(hooks.name, settings.telemetry);
    if (!telemetry.ok()) return Say(telemetry.status(), kExitFailed);

    Host host(settings);
    auto verifier = auth::Verifier::Create(settings.auth);
    if (!verifier.ok()) return Say(verifier.status(), kExitFailed);
    host.verifier_ = *std::move(verifier);
    host.rpc_ = std::make_unique<rpc::Server>(host.io_, settings.grpc, host.verifier_.get());

    absl::Status outcome;
    boost::asio::signal_set signals(host.io_, SIGTERM, SIGINT);
    // Written by a thread of `io`, read when those have ended.
    absl::Status abort_reason;
    std::once_flag aborted_once;
    host.abort_ = [&](const absl::Status& reason) {
      std::call_once(aborted_once, [&] {
        abort_reason = reason;
        signals.cancel();
      });
    };
    std::stop_source stopping;
    signals.async_wait([&](const boost::system::error_code& aborted, int) {
      if (!aborted && !host.ready()) {
        // Nothing is served yet, so there is nothing to drain, and Start may wait for a server for long.
        std::cerr << hooks.name << ": ended before it was ready" << std::endl;
        std::_Exit(kExitOk);
      }
      stopping.request_stop();
    });

    auto work = boost::asio::make_work_guard(host.io_);
    std::vector<std::thread> threads;
    for (int i = 0; i < settings.threads; ++i) threads.emplace_back([&host] { host.io_.run(); });

    AccessFeed access(host.io_, settings.access, hooks.name, *host.verifier_);
    outcome.Update(access.Start());
    hooks.make(host);
    if (outcome.ok()) outcome.Update(hooks.start());
    if (outcome.ok()) outcome.Update(host.rpc_->Start());
    if (outcome.ok() && access.AwaitKnown(stopping.get_token())) {
      SetReady(host, true);
      telemetry::Log(telemetry::Level::kInfo, "ready", {{"grpcPort", host.rpc_->port()}});
      Wait(stopping.get_token());
    }
    if (outcome.ok()) Drain(host);
    hooks.stop();
    host.rpc_->Shutdown(absl::Now());
    access.Stop();
    work.reset();
    host.io_.stop();
    for (std::thread& thread : threads) thread.join();
    outcome.Update(abort_reason);
    hooks.destroy();
    if (!outcome.ok()) {
      telemetry::Log(telemetry::Level::kError, "ended by an error", {{"error", outcome}});
      return Say(outcome, kExitFailed);
    }
    telemetry::Log(telemetry::Level::kInfo, "ended", {});
    return kExitOk;
  }

  static void Wait(std::stop_token stop) {
    std::atomic<bool> stopped{false};
    const std::stop_callback wake(stop, [&stopped] {
      stopped = true;
      stopped.notify_all();
    });
    stopped.wait(false);
  }

  static void SetReady(Host& host, bool ready) {
    host.ready_ = ready;
    host.rpc_->SetServing(ready);
    telemetry::SetReady(ready);
  }

  void Drain(Host& host) {
    telemetry::Log(telemetry::Level::kInfo, "draining", {{"timeoutMs", settings.drain_timeout}});
    SetReady(host, false);
    // Load balancers look at readiness from outside; only time tells that they have.
    absl::SleepFor(settings.drain_delay);
    const absl::Time deadline = absl::Now() + settings.drain_timeout;
    host.rpc_->Shutdown(deadline);
    for (auto drain = host.drains_.rbegin(); drain != host.drains_.rend(); ++drain) (*drain)(deadline);
  }
};

int RunApp(int argc, char** argv, const AppHooks& hooks) {
  // Debian builds Abseil so that every mutex is recorded to find deadlocks, which costs some percent of a
  // busy service.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return Runner{hooks, {}}.Run(argc, argv);
}

}  // namespace bv::service
