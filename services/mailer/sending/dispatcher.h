// Sends the mails that are due, one attempt each, and stores what came of it.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <boost/asio/io_context.hpp>
#include <stop_token>

#include "commerce/order/v1/service.grpc.pb.h"
#include "libs/async/task.h"
#include "libs/auth/service_tokens.h"
#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/client.h"
#include "libs/service/job.h"
#include "libs/smtp/smtp.h"
#include "libs/telemetry/telemetry.h"
#include "services/mailer/render/order_mail.h"
#include "services/mailer/store/mail_rows.h"

namespace bv::mailer {

struct DispatcherSettings {
  // Between two looks for mails that are due.
  absl::Duration poll_interval;
  // How long nobody else takes a mail that is being sent; behind it the attempt counts as lost.
  absl::Duration lease;
  // Before the second attempt; doubled with each, up to an hour.
  absl::Duration retry_pause;
  // From the event on; then a mail that no relay takes has failed.
  absl::Duration give_up_after;
  // At the same time.
  int parallel_max = 0;
  // Of the links to unsubscribe.
  config::Secret link_secret;

  void Bind(config::Binder& b);  // mail.…
};

class Dispatcher {
 public:
  struct Parts {
    boost::asio::io_context& io;
    postgres::Pool& pool;
    rpc::Client<commerce::order::v1::Orders>& orders;
    auth::ServiceTokens& tokens;
    smtp::Client& smtp;
    const Templates& templates;
  };
  Dispatcher(const Parts& parts, const DispatcherSettings& settings);

  void Start() { job_.Start(); }
  // Returns when what is being sent has ended. Not from a thread of `io`, which has to run.
  void Stop() { job_.Stop(); }

  // One round; whether there may be more that is due.
  async::Task<absl::StatusOr<bool>> Round(std::stop_token stop);

 private:
  // What it takes to write one mail.
  struct Draft {
    ClaimedMail claimed;
    std::optional<Sender> sender;
  };
  async::Task<absl::Status> Send(DueMail due);
  async::Task<absl::StatusOr<std::optional<Draft>>> Claim(const DueMail& due, const RequestContext& context);
  // One attempt; the mail's state afterwards is stored by the caller.
  async::Task<absl::Status> Attempt(const DueMail& due, const Draft& draft, const RequestContext& context);
  async::Task<absl::Status> Conclude(const DueMail& due, const Draft& draft, absl::Status outcome,
                                     const RequestContext& context);
  async::Task<absl::Status> Write(const RequestContext& context,
                                  std::function<void(postgres::Session&)> write);
  async::Task<absl::StatusOr<bool>> IsSuppressed(const std::string& hash, const RequestContext& context);
  smtp::Mail Compose(const DueMail& due, const Draft& draft, const commerce::order::v1::Order& order,
                     const std::string& hash) const;

  const Parts parts_;
  const DispatcherSettings settings_;
  prometheus::Counter& sent_;
  prometheus::Counter& repeated_;
  prometheus::Counter& failed_;
  prometheus::Counter& suppressed_;
  service::Job job_;
};

}  // namespace bv::mailer
