#include "services/mailer/sending/dispatcher.h"

#include <absl/strings/str_replace.h>

#include "libs/async/all.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/mailer/addresses/address_hash.h"
#include "services/mailer/addresses/unsubscribe_token.h"

namespace bv::mailer {
namespace {

namespace pb = commerce::order::v1;

constexpr absl::Duration kStoreTimeout = absl::Seconds(10);

// Why a mail is not sent, which is no failure.
constexpr char kNotWanted[] = "NOT_WANTED";
bool IsNotWanted(const absl::Status& status) {
  return ErrorReason(status) == kNotWanted;
}
absl::Status NotWanted(std::string_view why) {
  return Error(absl::StatusCode::kFailedPrecondition, kNotWanted, why);
}

// No later attempt can have another outcome.
bool IsForGood(const absl::Status& status) {
  return smtp::IsAddressRefused(status) || smtp::IsMailRefused(status) || absl::IsNotFound(status);
}

prometheus::Counter& CounterOf(const char* outcome) {
  return telemetry::Counter("mailer_attempts_total", "Attempts to send a mail, by their outcome.",
                            {{"outcome", outcome}});
}

}  // namespace

void DispatcherSettings::Bind(config::Binder& b) {
  b.Duration("mail.poll_interval", poll_interval, {absl::Milliseconds(10), absl::Minutes(1)});
  b.Duration("mail.lease", lease, {absl::Seconds(1), absl::Hours(1)});
  b.Duration("mail.retry_pause", retry_pause, {absl::Milliseconds(10), absl::Hours(1)});
  b.Duration("mail.give_up_after", give_up_after, {absl::Seconds(1), absl::Hours(24 * 14)});
  b.Integer("mail.parallel_max", parallel_max, {1, 1'000});
  b.Secret("mail.link_secret", link_secret);
}

Dispatcher::Dispatcher(const Parts& parts, const DispatcherSettings& settings)
    : parts_(parts),
      settings_(settings),
      sent_(CounterOf("sent")),
      repeated_(CounterOf("repeated")),
      failed_(CounterOf("failed")),
      suppressed_(CounterOf("suppressed")),
      job_(parts.io, "mails", settings.poll_interval,
           [this](std::stop_token stop) { return Round(std::move(stop)); }) {}

async::Task<absl::StatusOr<bool>> Dispatcher::Round(std::stop_token stop) {
  using Due = std::vector<DueMail>;
  RequestContext everyone;
  everyone.tenant = postgres::EveryTenant();
  everyone.deadline = absl::Now() + kStoreTimeout;
  everyone.stop = stop;
  std::function<absl::StatusOr<Due>(postgres::Session&)> look =
      [this](postgres::Session& session) -> absl::StatusOr<Due> {
    return ReadDue(session, settings_.parallel_max);
  };
  CO_ASSIGN_OR_RETURN(Due due, co_await parts_.pool.Read<Due>(everyone, std::move(look)));
  std::vector<async::Task<absl::Status>> sending;
  for (DueMail& mail : due) sending.push_back(Send(std::move(mail)));
  const std::vector<absl::Status> ended = co_await async::All(std::move(sending));
  for (const absl::Status& status : ended) CO_RETURN_IF_ERROR(status);
  co_return static_cast<int>(due.size()) == settings_.parallel_max && !stop.stop_requested();
}

async::Task<absl::Status> Dispatcher::Send(DueMail due) {
  const RequestContext context = parts_.tokens.ContextFor(due.tenant, absl::Now() + settings_.lease);
  CO_ASSIGN_OR_RETURN(const std::optional<Draft> draft, co_await Claim(due, context));
  if (!draft) co_return absl::OkStatus();
  CrashPoint("mailer.mail.claimed");
  absl::Status outcome = co_await Attempt(due, *draft, context);
  CrashPoint("mailer.mail.sent");
  co_return co_await Conclude(due, *draft, std::move(outcome), context);
}

async::Task<absl::StatusOr<std::optional<Dispatcher::Draft>>> Dispatcher::Claim(
    const DueMail& due, const RequestContext& context) {
  using Result = std::optional<Draft>;
  std::function<absl::StatusOr<Result>(postgres::Session&)> claim =
      [&](postgres::Session& session) -> absl::StatusOr<Result> {
    std::optional<ClaimedMail> claimed = ClaimMail(session, due, settings_.lease);
    if (!claimed) return Result();
    return Draft{.claimed = *std::move(claimed), .sender = ReadSender(session, due.tenant)};
  };
  co_return co_await parts_.pool.Transact<Result>(context, std::move(claim));
}

async::Task<absl::Status> Dispatcher::Attempt(const DueMail& due, const Draft& draft,
                                              const RequestContext& context) {
  if (!draft.sender) co_return NotWanted("the tenant has no sender any more");
  pb::GetOrderRequest request;
  request.set_order_id(draft.claimed.order.str());
  CO_ASSIGN_OR_RETURN(const pb::Order order,
                      co_await parts_.orders.Call(&rpc::Async<pb::Orders>::GetOrder, request, context));
  const absl::StatusOr<Email> email = Email::Parse(order.email());
  if (!email.ok()) co_return NotWanted("the order has no e-mail address");
  const std::string hash = AddressHash(due.tenant, *email);
  CO_ASSIGN_OR_RETURN(const bool suppressed, co_await IsSuppressed(hash, context));
  if (suppressed) co_return NotWanted("the address gets no mails");
  absl::Status sent = co_await parts_.smtp.Send(Compose(due, draft, order, hash));
  if (!smtp::IsAddressRefused(sent)) co_return sent;
  const auto keep = [&](postgres::Session& session) {
    WriteSuppression(session, due.tenant, hash, "BOUNCED");
  };
  std::function<void(postgres::Session&)> write = keep;
  CO_RETURN_IF_ERROR(co_await Write(context, std::move(write)));
  co_return sent;
}

smtp::Mail Dispatcher::Compose(const DueMail& due, const Draft& draft, const pb::Order& order,
                               const std::string& hash) const {
  const Sender& sender = *draft.sender;
  Letter letter{.kind = draft.claimed.kind, .shop = sender.name};
  if (!sender.unsubscribe_url.empty()) {
    const std::string token = MakeUnsubscribeToken(settings_.link_secret, due.tenant, hash);
    letter.unsubscribe_url = absl::StrReplaceAll(sender.unsubscribe_url, {{"{token}", token}});
  }
  Rendered rendered = parts_.templates.Render(due.tenant, order, letter);
  return {.from_email = sender.email,
          .from_name = sender.name,
          .to_email = order.email(),
          .reply_to = sender.reply_to,
          .subject = std::move(rendered.subject),
          .text = std::move(rendered.text),
          .html = std::move(rendered.html),
          .message_id = Concat("<", due.id.str(), sender.email.substr(sender.email.find('@')), ">"),
          .unsubscribe_url = letter.unsubscribe_url};
}

async::Task<absl::Status> Dispatcher::Conclude(const DueMail& due, const Draft& draft, absl::Status outcome,
                                               const RequestContext& context) {
  const int attempts = draft.claimed.attempts;
  const bool too_late = absl::Now() - draft.claimed.created_at > settings_.give_up_after;
  std::function<void(postgres::Session&)> write;
  if (outcome.ok()) {
    sent_.Increment();
    write = [&](postgres::Session& session) { EndMail(session, due, Status::kSent, ""); };
  } else if (IsNotWanted(outcome)) {
    suppressed_.Increment();
    write = [&](postgres::Session& session) {
      EndMail(session, due, Status::kSuppressed, std::string(outcome.message()));
    };
  } else if (IsForGood(outcome) || too_late) {
    failed_.Increment();
    telemetry::Log(
        telemetry::Level::kWarn, context, "a mail was not sent",
        {{"mailId", due.id.str()}, {"orderId", draft.claimed.order.str()}, {"reason", ErrorReason(outcome)}});
    write = [&](postgres::Session& session) {
      EndMail(session, due, Status::kFailed, std::string(outcome.message()));
    };
  } else {
    repeated_.Increment();
    write = [&](postgres::Session& session) {
      RepeatMail(session, due, PauseAfter(attempts, settings_.retry_pause), std::string(outcome.message()));
    };
  }
  co_return co_await Write(context, std::move(write));
}

async::Task<absl::StatusOr<bool>> Dispatcher::IsSuppressed(const std::string& hash,
                                                           const RequestContext& context) {
  std::function<absl::StatusOr<bool>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<bool> {
    return ReadSuppression(session, context.tenant, hash).has_value();
  };
  co_return co_await parts_.pool.Read<bool>(context, std::move(read));
}

async::Task<absl::Status> Dispatcher::Write(const RequestContext& context,
                                            std::function<void(postgres::Session&)> write) {
  // What has happened is stored, also when the lease is nearly over.
  RequestContext storing = context;
  storing.deadline = absl::Now() + kStoreTimeout;
  std::function<absl::StatusOr<bool>(postgres::Session&)> work =
      [&write](postgres::Session& session) -> absl::StatusOr<bool> {
    write(session);
    return true;
  };
  const absl::StatusOr<bool> stored = co_await parts_.pool.Transact<bool>(storing, std::move(work));
  co_return stored.status();
}

}  // namespace bv::mailer
