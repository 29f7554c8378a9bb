// How a service starts, serves, drains and ends; the same for all.
//
//   class App {
//    public:
//     static constexpr std::string_view kName = "inventory";
//     struct Settings { …; void Bind(config::Binder& b); };
//     App(const Settings& settings, service::Host& host);
//     absl::Status Start();   // parts in order; may block; the service is ready when it returns OK
//     void Stop();            // after the drain, parts in reverse order
//   };
//   int main(int argc, char** argv) { return bv::service::Run<App>(argc, argv); }
//
// Flags: --config FILE (default: <name>.yaml beside the executable), --print-config. Exit codes: 0 after
// SIGTERM or SIGINT (before it is ready, at once), 1 when the start failed, 2 for wrong settings or flags.
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/auth/auth.h"
#include "libs/config/config.h"
#include "libs/rpc/server.h"
#include "libs/service/access_feed.h"
#include "libs/telemetry/telemetry.h"

namespace bv::service {

// The settings that every service has.
struct HostSettings {
  telemetry::Settings telemetry;
  rpc::ServerSettings grpc;
  auth::Settings auth;
  AccessSettings access;
  // How long running requests may take to end after SIGTERM.
  absl::Duration drain_timeout;
  // Between "not ready" and "takes no new requests", so that load balancers notice.
  absl::Duration drain_delay;
  // Threads that run handlers.
  int threads = 2;

  void Bind(config::Binder& b);
};

// The parts that every service has; made before its App and ended after it.
class Host {
 public:
  explicit Host(const HostSettings& settings);
  ~Host();

  boost::asio::io_context& io() { return io_; }
  const HostSettings& settings() const { return settings_; }
  rpc::Server& rpc() { return *rpc_; }
  auth::Verifier& verifier() { return *verifier_; }
  // The folder of the executable, where its migrations are.
  const std::string& home() const { return home_; }

  // `drain` is called once on SIGTERM after the service has become "not ready": stop taking work and return
  // when what runs has ended, or at the deadline. In reverse order of registration, after gRPC has drained.
  void OnDrain(std::function<void(absl::Time deadline)> drain) { drains_.push_back(std::move(drain)); }
  // Ends the process in order, as SIGTERM does, but with exit code 1. For a part that cannot go on.
  void Abort(const absl::Status& reason);
  bool ready() const { return ready_; }

 private:
  friend struct Runner;
  HostSettings settings_;
  boost::asio::io_context io_;
  std::unique_ptr<auth::Verifier> verifier_;
  std::unique_ptr<rpc::Server> rpc_;
  std::vector<std::function<void(absl::Time)>> drains_;
  std::string home_;
  std::atomic<bool> ready_{false};
  std::function<void(const absl::Status&)> abort_;
};

// The App seen by the runner, so that all of the work stands in service.cc.
struct AppHooks {
  std::string_view name;
  std::function<void(config::Binder&)> bind;
  std::function<void(Host&)> make;
  std::function<absl::Status()> start;
  std::function<void()> stop;
  std::function<void()> destroy;
};
int RunApp(int argc, char** argv, const AppHooks& hooks);

template <class App>
int Run(int argc, char** argv) {
  typename App::Settings settings;
  std::unique_ptr<App> app;
  AppHooks hooks{
      .name = App::kName,
      .bind = [&](config::Binder& b) { settings.Bind(b); },
      .make = [&](Host& host) { app = std::make_unique<App>(settings, host); },
      .start = [&] { return app->Start(); },
      .stop = [&] { app->Stop(); },
      .destroy = [&] { app.reset(); },
  };
  return RunApp(argc, argv, hooks);
}

}  // namespace bv::service
