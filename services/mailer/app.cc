#include "services/mailer/app.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/mailer/sending/clean_up.h"

namespace bv::mailer {
namespace {

constexpr absl::Duration kCleanUpInterval = absl::Minutes(10);
constexpr std::size_t kLinkSecretMin = 16;

}  // namespace

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  kafka.Bind(b);
  tokens.Bind(b);
  b.Text("order.address", order_address);
  peer.Bind(b);
  smtp.Bind(b);
  b.Text("mail.templates_directory", templates_directory, config::Presence::kOptional);
  b.Duration("mail.event_age_max", event_age_max, {absl::Minutes(1), absl::Hours(24 * 30)});
  b.Duration("mail.keep", keep, {absl::Hours(1), absl::Hours(24 * 3'650)});
  dispatcher.Bind(b);
}

absl::Status App::Start() {
  RETURN_IF_ERROR(settings_.smtp.Check());
  if (settings_.dispatcher.link_secret.Reveal().size() < kLinkSecretMin)
    return InvalidValue("mail.link_secret", "must have 16 characters or more");
  const std::string& directory = settings_.templates_directory;
  ASSIGN_OR_RETURN(templates_,
                   Templates::Load(directory.empty() ? host_.home() + "/templates/mailer" : directory));
  ASSIGN_OR_RETURN(tokens_, auth::ServiceTokens::Create("mailer", settings_.tokens, host_.settings().auth));
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/mailer",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool, postgres::Plans::kIndexOnly);
  orders_ =
      std::make_unique<rpc::Client<commerce::order::v1::Orders>>(settings_.order_address, settings_.peer);
  smtp_ = std::make_unique<smtp::Client>(settings_.smtp);
  rpc_ = std::make_unique<MailRpc>(*pool_, settings_.dispatcher.link_secret);
  rpc_->Serve(host_.rpc());
  // Nobody waits for a mail: everybody else comes first.
  kafka::ConsumerSettings kafka = settings_.kafka;
  kafka.gather_max = absl::Milliseconds(200);
  kafka.niceness = 10;
  events_ = std::make_unique<OrderEvents>(kafka, settings_.connection, settings_.event_age_max);
  RETURN_IF_ERROR(events_->Start());
  dispatcher_.reset(new Dispatcher({.io = host_.io(),
                                    .pool = *pool_,
                                    .orders = *orders_,
                                    .tokens = *tokens_,
                                    .smtp = *smtp_,
                                    .templates = *templates_},
                                   settings_.dispatcher));
  dispatcher_->Start();
  clean_up_ = std::make_unique<service::Job>(
      host_.io(), "old mails", kCleanUpInterval,
      [this](std::stop_token stop) { return DeleteOldMails(*pool_, settings_.keep, std::move(stop)); });
  clean_up_->Start();
  return absl::OkStatus();
}

void App::Stop() {
  if (clean_up_) clean_up_->Stop();
  if (dispatcher_) dispatcher_->Stop();
  if (events_) events_->Stop();
  if (smtp_) smtp_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::mailer
