// The server as a whole: what it starts with, what it serves beside the contract, what it keeps to itself,
// how it ends.
#include "libs/rpc/server.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>

#include <thread>

#include "libs/rpc/rpc_fixture_test.h"

namespace bv::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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

// One exchange of serialised messages, for services whose contract we do not have.
std::string Exchange(const std::string& address, const std::string& path, const std::string& request) {
  grpc::GenericStub stub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
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

TEST_F(RpcTest, ServesHealthAndReflection) {
  Start();
  // Field 1 of HealthCheckResponse, `status`: 1 is SERVING, 2 NOT_SERVING.
  const std::string serving("\x08\x01", 2), not_serving("\x08\x02", 2);
  const auto health = [this](const std::string& service) {
    std::string request;
    if (!service.empty()) request = std::string("\x0a") + static_cast<char>(service.size()) + service;
    return Exchange(address_, "/grpc.health.v1.Health/Check", request);
  };
  EXPECT_EQ(health(""), serving);
  EXPECT_EQ(health(kService), serving);
  server_->SetServing(false);
  EXPECT_EQ(health(""), not_serving);
  EXPECT_EQ(health(kService), not_serving);
  // Field 7 of ServerReflectionRequest, `list_services`.
  EXPECT_THAT(Exchange(address_, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                       std::string("\x3a\x01*", 3)),
              HasSubstr(kService));
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

}  // namespace
}  // namespace bv::rpc
