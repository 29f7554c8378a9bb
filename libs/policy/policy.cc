#include "libs/policy/policy.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "libs/auth/auth.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/policy/connection.h"
#include "libs/telemetry/telemetry.h"

namespace bv::policy {
namespace {

// More are closed when their answer has come.
constexpr std::size_t kIdleConnectionsMax = 16;

prometheus::Counter& Decisions(const char* result) {
  return telemetry::Counter("bv_policy_decisions_total", "Questions to the policy, by result.",
                            {{"result", result}});
}
prometheus::Histogram& Latency() {
  static prometheus::Histogram& latency = telemetry::Histogram(
      "bv_policy_decision_seconds", "From a question to its decision, or to its failure.",
      telemetry::LatencySeconds());
  return latency;
}

std::string Write(const Question& question, const RequestContext& context) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  const auto text = [&writer](std::string_view name, std::string_view value) {
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  const auto object = [&writer](const char* name) {
    writer.Key(name);
    writer.StartObject();
  };
  writer.StartObject();
  object("input");
  text("action", question.action);
  object("subject");
  text("id", context.user_id);
  text("role", auth::RoleName(context.role));
  text("tenant", context.tenant.str());
  writer.EndObject();
  object("resource");
  for (const auto& [name, value] : question.properties) text(name, value);
  text("type", question.resource_type);
  text("id", question.resource_id);
  // It was read by the caller's tenant, and row-level security shows no other's.
  text("tenant", context.tenant.str());
  writer.EndObject();
  writer.EndObject();
  writer.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

absl::Status Unknown() {
  return Unavailable("POLICY_UNAVAILABLE", "whether this is allowed cannot be found out for the moment");
}

// Gives back the place of a question.
struct Place {
  std::atomic<int>& taken;
  ~Place() { taken.fetch_sub(1, std::memory_order_relaxed); }
};

}  // namespace

void Settings::Bind(config::Binder& b) {
  b.Text("opa.address", address);
  b.Duration("opa.timeout", timeout, {absl::Milliseconds(1), absl::Seconds(10)});
  b.Integer("opa.in_flight_max", in_flight_max, {1, 10'000});
}

absl::StatusOr<std::unique_ptr<Opa>> Opa::Create(boost::asio::io_context& io, const Settings& settings) {
  ASSIGN_OR_RETURN(http::Url url, http::Url::Parse(Concat("http://", settings.address), "opa.address"));
  return std::unique_ptr<Opa>(new Opa(io, std::move(url), settings));
}

Opa::Opa(boost::asio::io_context& io, http::Url url, const Settings& settings)
    : io_(io), url_(std::move(url)), settings_(settings) {}

Opa::~Opa() = default;

async::Task<absl::Status> Opa::Check(Question question, const RequestContext& context) {
  const absl::Time begun = absl::Now();
  const absl::Duration left = std::min(settings_.timeout, context.deadline - begun);
  const Deadline deadline = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(left);
  const absl::StatusOr<Decision> decision = co_await Decide(Write(question, context), deadline);
  const absl::Duration took = absl::Now() - begun;
  Latency().Observe(absl::ToDoubleSeconds(took));
  if (!decision.ok()) {
    Decisions("unavailable").Increment();
    telemetry::Log(telemetry::Level::kWarn, context, "no policy decision",
                   {{"action", question.action},
                    {"role", auth::RoleName(context.role)},
                    {"resource", question.resource_type},
                    {"resourceId", question.resource_id},
                    {"error", decision.status()},
                    {"durationMs", took}});
    co_return Unknown();
  }
  Decisions(decision->allow ? "allow" : "deny").Increment();
  telemetry::Log(telemetry::Level::kInfo, context, "policy decision",
                 {{"action", question.action},
                  {"role", auth::RoleName(context.role)},
                  {"resource", question.resource_type},
                  {"resourceId", question.resource_id},
                  {"result", decision->allow ? "allow" : "deny"},
                  {"reason", decision->reason},
                  {"durationMs", took}});
  if (decision->allow) co_return absl::OkStatus();
  co_return Error(absl::StatusCode::kPermissionDenied, "POLICY_DENIED",
                  decision->reason.empty() ? "this is not allowed" : decision->reason);
}

async::Task<absl::StatusOr<Opa::Decision>> Opa::Decide(std::string question, Deadline deadline) {
  const int before = in_flight_.fetch_add(1, std::memory_order_relaxed);
  const Place place{in_flight_};
  if (before >= settings_.in_flight_max) co_return Overloaded("too many questions are open");
  CO_ASSIGN_OR_RETURN(const std::string answer, co_await Ask(std::move(question), deadline));
  co_return Parse(answer);
}

async::Task<absl::StatusOr<std::string>> Opa::Ask(std::string question, Deadline deadline) {
  std::unique_ptr<Connection> connection = TakeIdle();
  if (connection) {
    absl::StatusOr<Exchanged> exchanged = co_await connection->Exchange(question, deadline);
    // It was closed while nobody used it: a decision changes nothing, so it may be asked for once more.
    if (exchanged.ok()) {
      if (exchanged->stays_open) Keep(std::move(connection));
      co_return std::move(exchanged->body);
    }
    if (!absl::IsUnavailable(exchanged.status())) co_return exchanged.status();
  }
  connection = std::make_unique<Connection>(io_, url_);
  CO_RETURN_IF_ERROR(co_await connection->Connect(deadline));
  CO_ASSIGN_OR_RETURN(Exchanged exchanged, co_await connection->Exchange(std::move(question), deadline));
  if (exchanged.stays_open) Keep(std::move(connection));
  co_return std::move(exchanged.body);
}

absl::StatusOr<Opa::Decision> Opa::Parse(std::string_view answer) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(answer.data(),
                                                                                         answer.size());
  if (document.HasParseError() || !document.IsObject()) return absl::DataLossError("the answer is no object");
  const auto result = document.FindMember("result");
  // OPA answers a question about a rule that it does not have with no result.
  if (result == document.MemberEnd() || !result->value.IsObject())
    return absl::DataLossError("the answer has no result: are the rules of deploy/opa loaded?");
  const auto allow = result->value.FindMember("allow");
  if (allow == result->value.MemberEnd() || !allow->value.IsBool())
    return absl::DataLossError("the answer does not say whether it is allowed");
  Decision decision{.allow = allow->value.GetBool()};
  const auto reason = result->value.FindMember("reason");
  if (reason != result->value.MemberEnd() && reason->value.IsString())
    decision.reason.assign(reason->value.GetString(), reason->value.GetStringLength());
  return decision;
}

std::unique_ptr<Connection> Opa::TakeIdle() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Connection> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

void Opa::Keep(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleConnectionsMax) idle_.push_back(std::move(connection));
}

}  // namespace bv::policy
