// Server and client in one process, with the contract of the inventory.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "libs/base/error.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/testing/testing.h"

namespace bv::rpc {
namespace {

namespace pb = commerce::inventory::v1;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kService[] = "commerce.inventory.v1.Inventory";

// Where calls wait until the test lets them go or their caller has gone.
class Gate {
 public:
  // True when the gate was opened.
  async::Task<bool> Pass(std::stop_token stop) {
    const std::stop_callback leave(stop, [this] { End(false); });
    auto enter = [this](async::Done<bool> done) {
      const std::lock_guard lock(mutex_);
      if (ended_) return std::move(done)(*ended_);
      waiting_.push_back(std::move(done));
      changed_.notify_all();
    };
    co_return co_await async::Await<bool>(enter);
  }
  void Open() { End(true); }
  // Returns when so many calls wait.
  void Await(std::size_t calls) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() >= calls; });
  }

 private:
  void End(bool opened) {
    std::vector<async::Done<bool>> ended;
    {
      const std::lock_guard lock(mutex_);
      ended_ = opened;
      ended.swap(waiting_);
    }
    for (async::Done<bool>& done : ended) std::move(done)(opened);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<async::Done<bool>> waiting_;
  std::optional<bool> ended_;
};

// Handlers that answer with what they were asked, and note it.
class Stock {
 public:
  void Serve(Server& server) {
    server.Handle(kService, "ReserveStock", *this, &Stock::ReserveStock);
    server.Handle(kService, "ReleaseStock", *this, &Stock::ReleaseStock);
    server.Handle(kService, "QueryStock", *this, &Stock::QueryStock);
    server.Handle(kService, "AdjustStock", *this, &Stock::AdjustStock);
    server.ServePartly(kService);
  }
  Reply<pb::ReserveResponse> ReserveStock(Call<pb::ReserveRequest> call) {
    if (absl::Status status = Note(call.context()); !status.ok()) co_return status;
    pb::ReserveResponse response;
    response.set_reservation_id(call.request().reservation_id());
    if (call.request().reservation_id() == "r-again") call.MarkReplayed();
    for (const pb::ReserveLine& line : call.request().lines())
      response.add_allocations()->set_sku(line.sku());
    co_return response;
  }
  // Waits at the gate.
  Reply<pb::ReleaseResponse> ReleaseStock(Call<pb::ReleaseRequest> call) {
    if (absl::Status status = Note(call.context()); !status.ok()) co_return status;
    if (!co_await gate.Pass(call.context().stop)) {
      cancelled.set_value();
      co_return absl::CancelledError("the caller has gone");
    }
    co_return pb::ReleaseResponse();
  }
  Reply<pb::StockStatus> QueryStock(Call<pb::StockQuery> call) {
    if (absl::Status status = Note(call.context()); !status.ok()) co_return status;
    if (call.request().sku() == "THROW") throw std::runtime_error("thrown with a secret");
    co_return pb::StockStatus();
  }
  Reply<pb::StockStatus> AdjustStock(Call<pb::AdjustRequest> call) {
    if (absl::Status status = Note(call.context()); !status.ok()) co_return status;
    co_return pb::StockStatus();
  }

  int calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  // Of the last call.
  RequestContext context() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }
  // The next `times` calls fail.
  void Fail(absl::Status status, int times) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(status);
    failures_ = times;
  }

  Gate gate;
  std::promise<void> cancelled;

 private:
  absl::Status Note(const RequestContext& context) {
    const std::lock_guard lock(mutex_);
    ++calls_;
    context_ = context;
    return failures_-- > 0 ? failure_ : absl::OkStatus();
  }

  mutable std::mutex mutex_;
  int calls_ = 0;
  RequestContext context_;
  absl::Status failure_;
  int failures_ = 0;
};

class RpcTest : public ::testing::Test {
 protected:
  RpcTest() {
    settings_ = {.address = "127.0.0.1:0",
                 .message_bytes_max = 4096,
                 .calls_max = 100,
                 .default_deadline = absl::Seconds(10),
                 .idempotency_key_required = false};
    verifier_ = *auth::Verifier::Create(
        {.jwks_file = jwks_.path(), .issuer = "https://issuer.bivouac.dev", .audience = "bivouac"});
  }
  ~RpcTest() override {
    // Calls still at the gate would keep the server from ending.
    stock_.gate.Open();
  }

  void Start() {
    server_.emplace(server_loop_.io(), settings_, verifier_.get());
    stock_.Serve(*server_);
    ASSERT_TRUE(server_->Start().ok());
    server_->SetServing(true);
    Connect("127.0.0.1:" + std::to_string(server_->port()));
  }
  void Connect(const std::string& address) {
    address_ = address;
    client_.emplace(address, PeerSettings{.connections = 2, .timeout = absl::Seconds(5)});
  }

  RequestContext As(Role role, std::string_view tenant = "acme") const {
    RequestContext context = testing::ContextOf(tenant, "user-1", role);
    context.bearer_token = jwks_.Token(tenant, "user-1", role);
    return context;
  }

  template <class Request, class Response>
  using Method = void (Async<pb::Inventory>::*)(grpc::ClientContext*, const Request*, Response*,
                                                std::function<void(grpc::Status)>);

  template <class Request, class Response>
  std::future<absl::StatusOr<Response>> StartCall(Method<Request, Response> method, Request request,
                                                  RequestContext context) {
    return boost::asio::co_spawn(client_loop_.io(),
                                 CallOf(*client_, method, std::move(request), std::move(context)),
                                 boost::asio::use_future);
  }
  template <class Request, class Response>
  static async::Task<absl::StatusOr<Response>> CallOf(Client<pb::Inventory>& client,
                                                      Method<Request, Response> method, Request request,
                                                      RequestContext context) {
    co_return co_await client.Call(method, request, context);
  }

  absl::StatusOr<pb::ReserveResponse> Reserve(const RequestContext& context,
                                              const pb::ReserveRequest& request = {}) {
    return StartCall<pb::ReserveRequest, pb::ReserveResponse>(&Async<pb::Inventory>::ReserveStock, request,
                                                              context)
        .get();
  }
  std::future<absl::StatusOr<pb::ReleaseResponse>> StartRelease(const RequestContext& context) {
    return StartCall<pb::ReleaseRequest, pb::ReleaseResponse>(&Async<pb::Inventory>::ReleaseStock, {},
                                                              context);
  }
  absl::Status Query(const RequestContext& context, const std::string& sku = "TENT") {
    pb::StockQuery request;
    request.set_sku(sku);
    return StartCall<pb::StockQuery, pb::StockStatus>(&Async<pb::Inventory>::QueryStock, request, context)
        .get()
        .status();
  }
  absl::Status Adjust(const RequestContext& context) {
    return StartCall<pb::AdjustRequest, pb::StockStatus>(&Async<pb::Inventory>::AdjustStock, {}, context)
        .get()
        .status();
  }

  // One exchange of serialised messages, for services whose contract we do not have.
  std::string Exchange(const std::string& path, const std::string& request) {
    grpc::GenericStub stub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
    grpc::CompletionQueue queue;
    const auto stream = stub.PrepareCall(&context, path, &queue);
    const auto next = [&queue] {
      void* tag = nullptr;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    stream->StartCall(nullptr);
    EXPECT_TRUE(next());
    const grpc::Slice slice(request);
    stream->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
    EXPECT_TRUE(next());
    grpc::ByteBuffer response;
    stream->Read(&response, nullptr);
    if (!next()) return "no answer";
    grpc::Slice whole;
    EXPECT_TRUE(response.DumpToSingleSlice(&whole).ok());
    return std::string(reinterpret_cast<const char*>(whole.begin()), whole.size());
  }

  testing::JwksFile jwks_;
  std::unique_ptr<auth::Verifier> verifier_;
  ServerSettings settings_;
  Stock stock_;
  testing::Loop server_loop_;
  std::optional<Server> server_;
  testing::Loop client_loop_;
  std::string address_;
  std::optional<Client<pb::Inventory>> client_;
};

TEST_F(RpcTest, AnswersWhatItWasAsked) {
  Start();
  pb::ReserveRequest request;
  request.set_reservation_id("r-1");
  request.add_lines()->set_sku("TENT");
  const absl::StatusOr<pb::ReserveResponse> response = Reserve(As(Role::kCustomer), request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->reservation_id(), "r-1");
  EXPECT_EQ(response->allocations(0).sku(), "TENT");
}

TEST_F(RpcTest, ErrorsArriveWithTheirDetails) {
  Start();
  absl::Status refused =
      Error(absl::StatusCode::kFailedPrecondition, "OUT_OF_STOCK", "nothing left", "lines[0].qty");
  stock_.Fail(refused, 1);
  EXPECT_EQ(Reserve(As(Role::kCustomer)).status(), refused);
}

TEST_F(RpcTest, TheHandlerKnowsWhoCalls) {
  Start();
  RequestContext context = As(Role::kStaff);
  context.idempotency_key = "key-1";
  context.trace.sampled = true;
  ASSERT_TRUE(Adjust(context).ok());
  const RequestContext seen = stock_.context();
  EXPECT_EQ(seen.tenant.str(), "acme");
  EXPECT_EQ(seen.user_id, "user-1");
  EXPECT_EQ(seen.role, Role::kStaff);
  EXPECT_EQ(seen.correlation_id, "correlation-1");
  EXPECT_EQ(seen.idempotency_key, "key-1");
  EXPECT_EQ(seen.bearer_token, context.bearer_token) << "to be passed on";
  EXPECT_EQ(seen.trace.trace_id, context.trace.trace_id);
  EXPECT_TRUE(seen.trace.sampled);
}

TEST_F(RpcTest, ACallWithoutACorrelationIdGetsItsTrace) {
  Start();
  RequestContext context = As(Role::kCustomer);
  context.correlation_id = "";
  ASSERT_TRUE(Reserve(context).ok());
  EXPECT_EQ(stock_.context().correlation_id, context.trace.trace_id);
}

TEST_F(RpcTest, RefusesACallWithoutAGoodToken) {
  Start();
  const auto reason = [this](const std::string& token) {
    RequestContext context = As(Role::kCustomer);
    context.bearer_token = token;
    const absl::Status status = Reserve(context).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << token;
    return ErrorReason(status);
  };
  EXPECT_EQ(reason(""), "TOKEN_MISSING");
  EXPECT_EQ(reason("not.a.token"), "TOKEN_MALFORMED");
  EXPECT_EQ(reason(jwks_.Token("acme", "user-1", Role::kCustomer, -absl::Hours(1))), "TOKEN_EXPIRED");
  const testing::JwksFile forger('f');
  EXPECT_EQ(reason(forger.Token("acme", "user-1", Role::kCustomer)), "TOKEN_INVALID");
  EXPECT_EQ(stock_.calls(), 0);
}

TEST_F(RpcTest, RefusesARoleThatTheContractDoesNotName) {
  Start();
  const absl::Status status = Adjust(As(Role::kCustomer));
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorReason(status), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(stock_.calls(), 0);
  EXPECT_TRUE(Adjust(As(Role::kAdmin)).ok());
}

TEST_F(RpcTest, AnOperatorMayCallNothingOfATenant) {
  Start();
  EXPECT_EQ(ErrorReason(Adjust(As(Role::kOperator, ""))), "ROLE_NOT_ALLOWED");
  EXPECT_EQ(ErrorReason(Query(As(Role::kOperator, ""))), "ROLE_NOT_ALLOWED") << "what is public has a tenant";
  RequestContext context = As(Role::kOperator, "");
  context.tenant = TenantId::Trusted("acme");
  EXPECT_EQ(ErrorReason(Query(context)), "TENANT_MISMATCH");
  EXPECT_EQ(stock_.calls(), 0);
}

TEST_F(RpcTest, WantsAKeyWhereTheContractDoes) {
  settings_.idempotency_key_required = true;
  Start();
  EXPECT_EQ(ErrorReason(Adjust(As(Role::kCustomer))), "ROLE_NOT_ALLOWED")
      << "who may not call is told so first";
  const absl::Status status = Adjust(As(Role::kAdmin));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(status), "IDEMPOTENCY_KEY_MISSING");
  RequestContext context = As(Role::kAdmin);
  context.idempotency_key = "key-1";
  EXPECT_TRUE(Adjust(context).ok());
}

TEST_F(RpcTest, TheTenantMustBeTheTokens) {
  Start();
  RequestContext context = As(Role::kStaff);
  context.tenant = TenantId::Trusted("globex");
  const absl::Status status = Adjust(context);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorReason(status), "TENANT_MISMATCH");
  EXPECT_EQ(ErrorReason(Query(context)), "TENANT_MISMATCH") << "for a public call too";
  context.tenant = {};
  EXPECT_TRUE(Adjust(context).ok()) << "it need not be said twice";
  EXPECT_EQ(stock_.context().tenant.str(), "acme");
}

TEST_F(RpcTest, APublicCallNamesItsTenant) {
  Start();
  RequestContext context = testing::ContextOf("acme");
  ASSERT_TRUE(Query(context).ok());
  EXPECT_EQ(stock_.context().tenant.str(), "acme");
  EXPECT_EQ(stock_.context().role, Role::kNone);
  EXPECT_EQ(stock_.context().user_id, "");
  context.tenant = {};
  EXPECT_EQ(GetErrorDetail(Query(context)).field, "x-tenant-id");
  context.tenant = TenantId::Trusted("Not A Tenant");
  EXPECT_EQ(ErrorReason(Query(context)), "INVALID_VALUE");
  context = testing::ContextOf("acme");
  context.bearer_token = "not.a.token";
  EXPECT_EQ(ErrorReason(Query(context)), "TOKEN_MALFORMED") << "a bad token is not the same as none";
}

TEST_F(RpcTest, RefusesHeadersThatAreTooLong) {
  Start();
  RequestContext context = As(Role::kCustomer);
  context.correlation_id = std::string(256, 'x');
  const absl::Status status = Reserve(context).status();
  EXPECT_EQ(ErrorReason(status), "INVALID_HEADER");
  EXPECT_EQ(GetErrorDetail(status).field, "correlation-id");
}

TEST_F(RpcTest, RefusesRequestsThatAreTooLarge) {
  Start();
  pb::ReserveRequest request;
  request.set_reservation_id(std::string(5000, 'x'));
  EXPECT_EQ(Reserve(As(Role::kCustomer), request).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(stock_.calls(), 0);
}

TEST_F(RpcTest, WhatWentWrongInsideStaysInside) {
  Start();
  stock_.Fail(absl::InternalError("the password is hunter2"), 1);
  absl::Status status = Query(testing::ContextOf("acme"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "internal error, trace 4bf92f3577b34da6a3ce929d0e0e4736");
  status = Query(testing::ContextOf("acme"), "THROW");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
}

TEST_F(RpcTest, TheDeadlineTravels) {
  Start();
  RequestContext context = As(Role::kCustomer);
  context.deadline = absl::Now() + absl::Seconds(3);
  ASSERT_TRUE(Reserve(context).ok());
  EXPECT_LT(absl::AbsDuration(stock_.context().deadline - context.deadline), absl::Seconds(1));
  context.deadline = absl::InfiniteFuture();
  ASSERT_TRUE(Reserve(context).ok());
  EXPECT_LT(absl::AbsDuration(stock_.context().deadline - (absl::Now() + absl::Seconds(5))), absl::Seconds(1))
      << "peer.timeout";
}

TEST_F(RpcTest, AStrangersDeadlineIsTheirsOrTheDefault) {
  Start();
  const auto stub = pb::Inventory::NewStub(grpc::CreateChannel(address_, grpc::InsecureChannelCredentials()));
  const auto query = [&](std::optional<absl::Duration> timeout) {
    grpc::ClientContext context;
    context.AddMetadata("x-tenant-id", "acme");
    if (timeout) context.set_deadline(absl::ToChronoTime(absl::Now() + *timeout));
    pb::StockStatus response;
    EXPECT_TRUE(stub->QueryStock(&context, {}, &response).ok());
    return stock_.context().deadline - absl::Now();
  };
  EXPECT_LT(absl::AbsDuration(query(std::nullopt) - absl::Seconds(10)), absl::Seconds(1));
  EXPECT_LT(absl::AbsDuration(query(absl::Seconds(60)) - absl::Seconds(60)), absl::Seconds(1));
}

TEST_F(RpcTest, ACallPastItsDeadlineEnds) {
  Start();
  RequestContext context = As(Role::kCustomer);
  context.deadline = absl::Now() + absl::Milliseconds(200);
  EXPECT_EQ(StartRelease(context).get().status().code(), absl::StatusCode::kDeadlineExceeded);
  stock_.cancelled.get_future().wait();  // and its work too
}

TEST_F(RpcTest, ACallerThatGoesStopsTheWork) {
  Start();
  std::stop_source gone;
  RequestContext context = As(Role::kCustomer);
  context.stop = gone.get_token();
  auto call = StartRelease(context);
  stock_.gate.Await(1);
  gone.request_stop();
  EXPECT_EQ(call.get().status().code(), absl::StatusCode::kCancelled);
  stock_.cancelled.get_future().wait();
}

TEST_F(RpcTest, RepeatsOnlyWhatMayBeRepeated) {
  Start();
  const absl::Status away = Unavailable("DATABASE_UNAVAILABLE", "away");
  stock_.Fail(away, 2);
  EXPECT_TRUE(Reserve(As(Role::kCustomer)).ok());
  EXPECT_EQ(stock_.calls(), 3);
  // The same without an end.
  stock_.Fail(away, 100);
  EXPECT_EQ(ErrorReason(Reserve(As(Role::kCustomer)).status()), "DATABASE_UNAVAILABLE");
  EXPECT_EQ(stock_.calls(), 6);
  // Not marked as retriable: only with an Idempotency-Key.
  EXPECT_EQ(ErrorReason(Adjust(As(Role::kStaff))), "DATABASE_UNAVAILABLE");
  EXPECT_EQ(stock_.calls(), 7);
  stock_.Fail(away, 2);
  RequestContext with_key = As(Role::kStaff);
  with_key.idempotency_key = "key-1";
  EXPECT_TRUE(Adjust(with_key).ok());
  EXPECT_EQ(stock_.calls(), 10);
  // Another error stays an error.
  stock_.Fail(absl::AbortedError("again"), 1);
  EXPECT_EQ(Reserve(As(Role::kCustomer)).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(stock_.calls(), 11);
}

TEST_F(RpcTest, RefusesMoreCallsThanItHandles) {
  settings_.calls_max = 2;
  Start();
  auto first = StartRelease(As(Role::kCustomer));
  auto second = StartRelease(As(Role::kCustomer));
  stock_.gate.Await(2);
  const absl::Status refused = Query(testing::ContextOf("acme"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(refused), "OVERLOADED");
  EXPECT_TRUE(GetErrorDetail(refused).retry_after.has_value());
  stock_.gate.Open();
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  EXPECT_TRUE(Query(testing::ContextOf("acme")).ok());
}

TEST_F(RpcTest, AServerThatIsAwayIsUnavailableUntilItIsBack) {
  Start();
  server_->Shutdown(absl::Now());
  const absl::Status away = Query(testing::ContextOf("acme"));
  EXPECT_EQ(away.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(away), "PEER_UNAVAILABLE");
  EXPECT_THAT(std::string(away.message()), HasSubstr("Inventory"));
  settings_.address = address_;
  server_.emplace(server_loop_.io(), settings_, verifier_.get());
  stock_.Serve(*server_);
  ASSERT_TRUE(server_->Start().ok());
  while (!Query(testing::ContextOf("acme")).ok()) {
  }
}

TEST_F(RpcTest, LetsRunningCallsEnd) {
  Start();
  auto running = StartRelease(As(Role::kCustomer));
  stock_.gate.Await(1);
  std::thread shutdown([this] { server_->Shutdown(absl::Now() + absl::Seconds(60)); });
  // New calls are refused from some moment on.
  while (Query(testing::ContextOf("acme")).ok()) {
  }
  stock_.gate.Open();
  EXPECT_TRUE(running.get().ok());
  shutdown.join();
}

TEST_F(RpcTest, CancelsWhatDoesNotEndInTime) {
  Start();
  auto stuck = StartRelease(As(Role::kCustomer));
  stock_.gate.Await(1);
  server_->Shutdown(absl::Now() + absl::Milliseconds(100));
  EXPECT_FALSE(stuck.get().ok());
  stock_.cancelled.get_future().wait();
}

TEST_F(RpcTest, ServesHealthAndReflection) {
  Start();
  // Field 1 of HealthCheckResponse, `status`: 1 is SERVING, 2 NOT_SERVING.
  const std::string serving("\x08\x01", 2), not_serving("\x08\x02", 2);
  const auto health = [this](const std::string& service) {
    std::string request;
    if (!service.empty()) request = std::string("\x0a") + static_cast<char>(service.size()) + service;
    return Exchange("/grpc.health.v1.Health/Check", request);
  };
  EXPECT_EQ(health(""), serving);
  EXPECT_EQ(health(kService), serving);
  server_->SetServing(false);
  EXPECT_EQ(health(""), not_serving);
  EXPECT_EQ(health(kService), not_serving);
  // Field 7 of ServerReflectionRequest, `list_services`.
  EXPECT_THAT(
      Exchange("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", std::string("\x3a\x01*", 3)),
      HasSubstr(kService));
}

TEST_F(RpcTest, CallRawCarriesBytes) {
  Start();
  const auto call = [](const std::string& address, const std::string& id,
                       RequestContext context) -> async::Task<absl::StatusOr<Peer::RawResponse>> {
    Peer peer(address, {});
    pb::ReserveRequest request;
    request.set_reservation_id(id);
    const grpc::Slice slice(request.SerializeAsString());
    grpc::ByteBuffer bytes(&slice, 1);
    co_return co_await peer.CallRaw(FindMethod(kService, *pb::ReserveRequest::descriptor()), bytes, context);
  };
  const absl::StatusOr<Peer::RawResponse> answer =
      client_loop_.Run(call(address_, "r-1", As(Role::kCustomer)));
  ASSERT_TRUE(answer.ok()) << answer.status();
  grpc::Slice whole;
  ASSERT_TRUE(answer->message.DumpToSingleSlice(&whole).ok());
  pb::ReserveResponse response;
  ASSERT_TRUE(response.ParseFromArray(whole.begin(), static_cast<int>(whole.size())));
  EXPECT_EQ(response.reservation_id(), "r-1");
  EXPECT_FALSE(answer->replayed);
  const absl::StatusOr<Peer::RawResponse> again =
      client_loop_.Run(call(address_, "r-again", As(Role::kCustomer)));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->replayed) << "the handler's mark arrives";
}

TEST_F(RpcTest, DoesNotStartWithoutAllHandlers) {
  Server server(server_loop_.io(), settings_, verifier_.get());
  server.Handle(kService, "QueryStock", stock_, &Stock::QueryStock);
  const absl::Status status = server.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("commerce.inventory.v1.Inventory."));
}

TEST_F(RpcTest, DoesNotStartOnAPortThatIsTaken) {
  Start();
  settings_.address = address_;
  Server second(server_loop_.io(), settings_, verifier_.get());
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(address_));
}

TEST(RpcDeathTest, AHandlerMustFitTheContract) {
  boost::asio::io_context io;
  Stock stock;
  Server server(io, {}, nullptr);
  EXPECT_DEATH(server.Handle(kService, "Nothing", stock, &Stock::QueryStock), "no contract has the method");
  EXPECT_DEATH(server.Handle(kService, "AdjustStock", stock, &Stock::QueryStock),
               "has other types than the contract");
}

}  // namespace
}  // namespace bv::rpc
