#include "libs/rpc/client.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <stop_token>

#include "commerce/common/v1/options.pb.h"
#include "libs/base/error.h"
#include "libs/resilience/backoff.h"

namespace bv::rpc {
namespace {

namespace common = commerce::common::v1;
namespace asio = boost::asio;

constexpr int kRetriesMax = 2;

bool MayRepeat(const google::protobuf::MethodDescriptor& method, const RequestContext& context) {
  const common::Access& access = method.options().GetExtension(common::access);
  return access.retriable() || (access.idempotency_key() != common::IDEMPOTENCY_KEY_UNSPECIFIED &&
                                !context.idempotency_key.empty());
}

void FillIn(grpc::ClientContext& client_context, const RequestContext& context, const TraceContext& trace,
            absl::Time deadline) {
  client_context.set_deadline(absl::ToChronoTime(deadline));
  const auto add = [&client_context](const char* name, const std::string& value) {
    if (!value.empty()) client_context.AddMetadata(name, value);
  };
  if (!context.bearer_token.empty())
    client_context.AddMetadata("authorization", "Bearer " + context.bearer_token);
  add("x-tenant-id", context.tenant.str());
  add("correlation-id", context.correlation_id);
  add("idempotency-key", context.idempotency_key);
  add("traceparent", trace.ToTraceparent());
}

}  // namespace

void PeerSettings::Bind(config::Binder& b) {
  b.Integer("peer.connections", connections, {1, 64});
  b.Duration("peer.timeout", timeout, {absl::Milliseconds(10), absl::Minutes(5)});
}

Peer::Peer(std::string address, const PeerSettings& settings) : timeout_(settings.timeout) {
  for (int i = 0; i < settings.connections; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetLoadBalancingPolicyName("round_robin");
    // Channels with equal arguments share their connections; a number of its own makes each a real one.
    arguments.SetInt("bv.connection", i);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
    arguments.SetUserAgentPrefix("bivouac");
    channels_.push_back(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    stubs_.push_back(std::make_unique<grpc::GenericStub>(channels_.back()));
  }
}

async::Task<absl::Status> Peer::Run(const google::protobuf::MethodDescriptor& method,
                                    const RequestContext& context, const Attempt& attempt, bool* replayed) {
  telemetry::Span span(method.full_name(), telemetry::SpanKind::kClient, context.trace);
  const absl::Time deadline = std::min(context.deadline, absl::Now() + timeout_);
  resilience::Backoff backoff(
      {.min = absl::Milliseconds(20), .max = absl::Milliseconds(500), .retries_max = kRetriesMax});
  absl::Status status;
  while (true) {
    const std::size_t connection = next_.fetch_add(1, std::memory_order_relaxed) % channels_.size();
    grpc::ClientContext client_context;
    FillIn(client_context, context, span.context(), deadline);
    auto start = [&](async::Done<grpc::Status> done) {
      // std::function wants a copy of what it holds, and Done is called once: share it.
      auto shared = std::make_shared<async::Done<grpc::Status>>(std::move(done));
      attempt(connection, client_context,
              [shared](grpc::Status ended) { std::move (*shared)(std::move(ended)); });
    };
    grpc::Status ended;
    {
      const std::stop_callback cancel(context.stop, [&client_context] { client_context.TryCancel(); });
      ended = co_await async::AwaitHere<grpc::Status>(start);
    }
    status = FromGrpc(ended);
    if (replayed != nullptr)
      *replayed = client_context.GetServerTrailingMetadata().contains(kReplayedMetadata);
    // A server that is shutting down cancels what comes in at the last moment. Nobody here has cancelled, so
    // it is the peer that is away.
    if (absl::IsCancelled(status) && !context.stop.stop_requested())
      status = absl::UnavailableError(status.message());
    if (!absl::IsUnavailable(status)) break;
    if (ErrorReason(status).empty()) {
      status = Unavailable("PEER_UNAVAILABLE",
                           absl::StrCat(method.service()->name(), " is not available at the moment"));
    }
    const std::optional<absl::Duration> wait = MayRepeat(method, context) ? backoff.Next() : std::nullopt;
    if (!wait || absl::Now() + *wait >= deadline || context.stop.stop_requested()) break;
    asio::steady_timer timer(co_await asio::this_coro::executor, absl::ToChronoNanoseconds(*wait));
    co_await timer.async_wait(asio::use_awaitable);
  }
  if (!status.ok()) span.Fail(status);
  co_return status;
}

async::Task<absl::StatusOr<Peer::RawResponse>> Peer::CallRaw(const google::protobuf::MethodDescriptor& method,
                                                             const grpc::ByteBuffer& request,
                                                             const RequestContext& context) {
  const std::string path = absl::StrCat("/", method.service()->full_name(), "/", method.name());
  RawResponse response;
  const Attempt attempt = [&](std::size_t connection, grpc::ClientContext& client_context,
                              std::function<void(grpc::Status)> done) {
    stubs_[connection]->UnaryCall(&client_context, path, grpc::StubOptions(), &request, &response.message,
                                  std::move(done));
  };
  absl::Status status = co_await Run(method, context, attempt, &response.replayed);
  if (!status.ok()) co_return status;
  co_return std::move(response);
}

const google::protobuf::MethodDescriptor& FindMethod(std::string_view service_full_name,
                                                     const google::protobuf::Descriptor& request) {
  const auto* service =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(std::string(service_full_name));
  for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
    if (service->method(i)->input_type() == &request) return *service->method(i);
  }
  std::cerr << "no method of " << service_full_name << " takes " << request.full_name() << std::endl;
  std::abort();
}

}  // namespace bv::rpc
