#include "libs/rpc/status.h"

#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::rpc {
namespace {

TEST(Status, EveryCodeAndItsDetailsSurviveTheHop) {
  for (int code = 0; code <= static_cast<int>(absl::StatusCode::kUnauthenticated); ++code) {
    absl::Status status(static_cast<absl::StatusCode>(code), "what went wrong");
    if (!status.ok())
      SetErrorDetail(
          status,
          {.reason = "SOME_REASON", .field = "items[2].qty", .retry_after = absl::Milliseconds(1250)});
    const absl::Status back = FromGrpc(ToGrpc(status));
    EXPECT_EQ(back.code(), status.code());
    EXPECT_EQ(back.message(), status.message());
    EXPECT_EQ(GetErrorDetail(back).reason, GetErrorDetail(status).reason);
    EXPECT_EQ(GetErrorDetail(back).field, GetErrorDetail(status).field);
    EXPECT_EQ(GetErrorDetail(back).retry_after, GetErrorDetail(status).retry_after);
  }
}

TEST(Status, DetailsAreThoseOfGoogleRpc) {
  absl::Status status = InvalidValue("items[2].qty", "must be 1 to 5");
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(ToGrpc(status).error_details()));
  EXPECT_EQ(rich.code(), 3);
  EXPECT_EQ(rich.message(), "must be 1 to 5");
  ASSERT_EQ(rich.details_size(), 2);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(rich.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "INVALID_VALUE");
  EXPECT_EQ(info.domain(), "bivouac");
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(rich.details(1).UnpackTo(&bad_request));
  EXPECT_EQ(bad_request.field_violations(0).field(), "items[2].qty");
  EXPECT_EQ(bad_request.field_violations(0).description(), "must be 1 to 5");
}

TEST(Status, WithoutDetailHasNone) {
  EXPECT_EQ(ToGrpc(absl::InternalError("broken")).error_details(), "");
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
}

TEST(Status, OfAStrangerIsTakenAsItIs) {
  const absl::Status status =
      FromGrpc(grpc::Status(grpc::StatusCode::ABORTED, "again", "not a google.rpc.Status"));
  EXPECT_EQ(status, absl::AbortedError("again"));
}

}  // namespace
}  // namespace bv::rpc
