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
#include "libs/telemetry/telemetry.h"

namespace bv::policy {
namespace {

// More are closed when their answer has come.
constexpr std::size_t kIdleConnectionsMax = 16;
// Of a package and a rule: `decision` in `package commerce.authz` (deploy/opa/authz.rego).
constexpr char kDecision[] = "/v1/data/commerce/authz/decision";
constexpr std::size_t kAnswerBytesMax = 16 * 1024;

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
    : client_(io.get_executor(), std::move(url), kAnswerBytesMax, kIdleConnectionsMax), settings_(settings) {}

Opa::~Opa() = default;

async::Task<absl::Status> Opa::Check(Question question, const RequestContext& context) {
  const absl::Time begun = absl::Now();
  const absl::Time deadline = std::min(begun + settings_.timeout, context.deadline);
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

async::Task<absl::StatusOr<Opa::Decision>> Opa::Decide(std::string question, absl::Time deadline) {
  const int before = in_flight_.fetch_add(1, std::memory_order_relaxed);
  const Place place{in_flight_};
  if (before >= settings_.in_flight_max) co_return Overloaded("too many questions are open");
  const http::ClientRequest request{.method = "POST",
                                    .target = kDecision,
                                    .headers = {{"Content-Type", "application/json"}},
                                    .body = std::move(question)};
  CO_ASSIGN_OR_RETURN(const http::Answer answer, co_await client_.Send(request, deadline));
  if (answer.status != 200) co_return absl::InternalError(Concat("OPA answered with status ", answer.status));
  co_return Parse(answer.body);
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

}  // namespace bv::policy
