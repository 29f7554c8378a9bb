// What the tests of libs/rpc share: server and client in one process, with the contract of the inventory.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/testing/testing.h"

namespace bv::rpc {

namespace pb = commerce::inventory::v1;

inline constexpr char kService[] = "commerce.inventory.v1.Inventory";

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
    verifier_ = *auth::Verifier::Create({.jwks_file = jwks_.path(),
                                         .development = true,
                                         .issuer = "https://issuer.bivouac.dev",
                                         .audience = "bivouac"});
  }
  ~RpcTest() override {
    // Calls still at the gate would keep the server from ending.
    stock_.gate.Open();
  }

  void Start() {
    StartServer();
    address_ = "127.0.0.1:" + std::to_string(server_->port());
    client_.emplace(address_, PeerSettings{.connections = 2, .timeout = absl::Seconds(5)});
  }
  void StartServer() {
    server_.emplace(server_loop_.io(), settings_, verifier_.get());
    stock_.Serve(*server_);
    ASSERT_TRUE(server_->Start().ok());
    server_->SetServing(true);
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

}  // namespace bv::rpc
