#include "services/webhook-dispatcher/domain/verdict.h"

#include <gtest/gtest.h>

namespace bv::webhook {
namespace {

TEST(Verdict, OnlyTwoHundredsAreASuccess) {
  for (const int status : {200, 201, 202, 204, 299})
    EXPECT_EQ(VerdictOf(status), Verdict::kDelivered) << status;
  for (const int status : {0, 100, 199, 301, 302, 307, 308, 400, 401, 404, 409, 411, 500, 501, 505, 600})
    EXPECT_EQ(VerdictOf(status), Verdict::kFailed) << status;
}

TEST(Verdict, SomeSayWhenToComeBackAndOneNever) {
  for (const int status : {429, 502, 503, 504}) EXPECT_EQ(VerdictOf(status), Verdict::kThrottled) << status;
  EXPECT_EQ(VerdictOf(410), Verdict::kGone);
}

}  // namespace
}  // namespace bv::webhook
