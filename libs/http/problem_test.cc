#include "libs/http/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ProblemOf, MapsEveryCode) {
  const Request plain;
  const std::pair<absl::StatusCode, int> expected[] = {
      {absl::StatusCode::kInvalidArgument, 400},    {absl::StatusCode::kUnauthenticated, 401},
      {absl::StatusCode::kPermissionDenied, 403},   {absl::StatusCode::kNotFound, 404},
      {absl::StatusCode::kAlreadyExists, 409},      {absl::StatusCode::kAborted, 409},
      {absl::StatusCode::kFailedPrecondition, 409}, {absl::StatusCode::kResourceExhausted, 429},
      {absl::StatusCode::kUnavailable, 503},        {absl::StatusCode::kDeadlineExceeded, 504},
      {absl::StatusCode::kCancelled, 499},          {absl::StatusCode::kUnimplemented, 501},
      {absl::StatusCode::kInternal, 500},           {absl::StatusCode::kUnknown, 500},
      {absl::StatusCode::kDataLoss, 500},           {absl::StatusCode::kOutOfRange, 500}};
  for (const auto& [code, status] : expected) {
    EXPECT_EQ(ProblemOf(absl::Status(code, "x"), RefusedBy::kService, plain).status, status)
        << absl::StatusCodeToString(code);
  }
}

TEST(ProblemOf, TellsAnUnreadableRequestFromARefusedOne) {
  const Request with_body{.body = "{}"};
  const absl::Status status = InvalidValue("delta", "must not be 0");
  EXPECT_EQ(ProblemOf(status, RefusedBy::kHere, with_body).status, 400);
  EXPECT_EQ(ProblemOf(status, RefusedBy::kService, with_body).status, 422);
}

TEST(ProblemOf, SaysNothingOfTheInside) {
  const Problem problem = ProblemOf(Error(absl::StatusCode::kInternal, "SQL", "relation \"orders\"", "f"),
                                    RefusedBy::kService, {});
  EXPECT_EQ(problem.code, "INTERNAL");
  EXPECT_EQ(problem.field, "");
  EXPECT_THAT(problem.detail, Not(HasSubstr("relation")));
}

TEST(WriteProblem, WritesTheMembers) {
  Response response;
  WriteProblem({.status = 422, .code = "OUT_OF_STOCK", .detail = "only \"3\"", .field = "items[0].qty"},
               "/api/\xff", "abc", response);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(
      response.body,
      R"({"type":"urn:bivouac:problem:out-of-stock","title":"Unprocessable Content","status":422,)"
      R"("detail":"items[0].qty: only \"3\"","instance":"/api/%FF","code":"OUT_OF_STOCK","field":"items[0].qty","traceId":"abc"})");
  EXPECT_EQ(response.header_lines(), "Content-Type: application/problem+json\r\n");
}

TEST(WriteProblem, RoundsRetryAfterUp) {
  for (const auto& [after, text] :
       {std::pair{absl::Milliseconds(1200), "2"}, {absl::ZeroDuration(), "1"}, {absl::Seconds(30), "30"}}) {
    Response response;
    WriteProblem(ProblemOf(Unavailable("AWAY", "away", after), RefusedBy::kService, {}), "/", "", response);
    EXPECT_THAT(response.header_lines(), HasSubstr(std::string("Retry-After: ") + text + "\r\n"));
  }
}

}  // namespace
}  // namespace bv::http
