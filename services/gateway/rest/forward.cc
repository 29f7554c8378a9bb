#include "services/gateway/rest/forward.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::gateway {
namespace {

using http::Problem;

// Of an answer; the service limits what a query may cost to far less.
constexpr std::size_t kAnswerBytesMax = 16 << 20;
// Of the service; how many there are at once is limited by what the gateway lets in.
constexpr std::size_t kIdleConnectionsMax = 64;
// What of a request goes on as it came.
constexpr std::string_view kPassedOn[] = {"Accept", "Content-Type", "Authorization"};

http::ClientRequest MessageOf(const http::Request& request, const std::string& request_id,
                              const RequestContext& context) {
  http::ClientRequest message{.method = std::string(request.method),
                              .target = std::string(request.path),
                              .body = std::string(request.body)};
  if (!request.query.empty()) message.target += Concat("?", request.query);
  for (const std::string_view name : kPassedOn) {
    if (const std::string_view value = request.Find(name); !value.empty())
      message.headers.emplace_back(name, value);
  }
  message.headers.emplace_back("X-Tenant-Id", context.tenant.str());
  message.headers.emplace_back("X-Request-Id", request_id);
  message.headers.emplace_back("Correlation-Id", context.correlation_id);
  message.headers.emplace_back("traceparent", context.trace.ToTraceparent());
  return message;
}

absl::Status IsAway() {
  return Unavailable("PEER_UNAVAILABLE", "GraphQL is not available at the moment");
}

}  // namespace

void ForwardSettings::Bind(config::Binder& b) {
  b.Text("graphql.http_address", address);
}

absl::StatusOr<std::unique_ptr<Forward>> Forward::Create(const ForwardSettings& settings,
                                                         const RouteTable& routes,
                                                         const boost::asio::any_io_executor& executor) {
  ASSIGN_OR_RETURN(http::Url url,
                   http::Url::Parse(Concat("http://", settings.address), "graphql.http_address"));
  const Route* read = routes.Find("GET", "/api/v1/products/any").route;
  if (read == nullptr) return absl::InvalidArgumentError("no route reads a product");
  Route get = *read;
  get.name = Concat("GET ", kPath);
  // Errors of GraphQL come with 200, too: by this, no cache on the way keeps an answer.
  get.http_method = "POST";
  Route post = get;
  post.name = Concat("POST ", kPath);
  post.body = Body::kWholeRequest;
  return std::unique_ptr<Forward>(new Forward(executor, std::move(url), std::move(get), std::move(post)));
}

Forward::Forward(const boost::asio::any_io_executor& executor, http::Url url, Route get, Route post)
    : client_(executor, std::move(url), kAnswerBytesMax, kIdleConnectionsMax),
      get_(std::move(get)),
      post_(std::move(post)) {}

bool Forward::Find(const http::Request& request, Match& match) const {
  if (request.path != kPath) return false;
  match.route = request.method == "GET" ? &get_ : request.method == "POST" ? &post_ : nullptr;
  match.allow = "GET, POST, OPTIONS";
  return true;
}

async::Task<absl::Status> Forward::Send(const http::Request& request, const std::string& request_id,
                                        const RequestContext& context, http::Response& response,
                                        std::optional<Problem>& problem) {
  if (request.body.size() > kBodyBytesMax) {
    problem = Problem{.status = 413,
                      .code = "BODY_TOO_LARGE",
                      .detail = Concat("a query has at most ", kBodyBytesMax, " bytes")};
    co_return absl::OkStatus();
  }
  const http::ClientRequest message = MessageOf(request, request_id, context);
  absl::StatusOr<http::Answer> answer = co_await client_.Send(message, context.deadline);
  // Where the service is, is nobody's business.
  if (absl::IsUnavailable(answer.status())) co_return IsAway();
  if (absl::IsDeadlineExceeded(answer.status()))
    co_return Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER", "no answer came in time");
  if (!answer.ok()) co_return answer.status();
  if (answer->status == 503) co_return IsAway();
  if (answer->status >= 500) co_return absl::InternalError(Concat("GraphQL answered ", answer->status));
  response.status = answer->status;
  if (!answer->content_type.empty()) response.AddHeader("Content-Type", answer->content_type);
  response.body = std::move(answer->body);
  co_return absl::OkStatus();
}

}  // namespace bv::gateway
