#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/kafka/consumer.h"
#include "libs/service/service.h"
#include "services/mailer/events/order_events.h"
#include "services/mailer/rpc/mail_rpc.h"
#include "services/mailer/sending/dispatcher.h"

namespace bv::mailer {

class App {
 public:
  static constexpr std::string_view kName = "mailer";

  struct Settings {
    postgres::ConnectionSettings connection;
    postgres::PoolSettings pool;
    absl::Duration migrate_timeout;
    kafka::ConsumerSettings kafka;
    auth::ServiceTokenSettings tokens;
    std::string order_address;
    rpc::PeerSettings peer;
    smtp::Settings smtp;
    std::string templates_directory;
    absl::Duration event_age_max;
    absl::Duration keep;
    DispatcherSettings dispatcher;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::optional<Templates> templates_;
  std::unique_ptr<auth::ServiceTokens> tokens_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<rpc::Client<commerce::order::v1::Orders>> orders_;
  std::unique_ptr<smtp::Client> smtp_;
  std::unique_ptr<MailRpc> rpc_;
  std::unique_ptr<OrderEvents> events_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<service::Job> clean_up_;
};

}  // namespace bv::mailer
