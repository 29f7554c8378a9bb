// What a call brings to the handler and back, how it ends early, when it is repeated.
#include "libs/rpc/client.h"

#include <gmock/gmock.h>

#include "libs/base/error.h"
#include "libs/rpc/rpc_fixture_test.h"

namespace bv::rpc {
namespace {

using ::testing::HasSubstr;

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

TEST_F(RpcTest, AServerThatIsAwayIsUnavailableUntilItIsBack) {
  Start();
  server_->Shutdown(absl::Now());
  const absl::Status away = Query(testing::ContextOf("acme"));
  EXPECT_EQ(away.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(away), "PEER_UNAVAILABLE");
  EXPECT_THAT(std::string(away.message()), HasSubstr("Inventory"));
  settings_.address = address_;
  StartServer();
  while (!Query(testing::ContextOf("acme")).ok()) {
  }
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

}  // namespace
}  // namespace bv::rpc
