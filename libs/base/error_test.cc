#include "libs/base/error.h"

#include <gtest/gtest.h>

#include <memory>

#include "libs/base/macros.h"

namespace bv {
namespace {

TEST(Error, CarriesReasonAndField) {
  const absl::Status status =
      Error(absl::StatusCode::kAlreadyExists, "SKU_TAKEN", "another product has this SKU", "variants[1].sku");
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(status.message(), "another product has this SKU");
  EXPECT_EQ(ErrorReason(status), "SKU_TAKEN");
  EXPECT_EQ(GetErrorDetail(status).field, "variants[1].sku");
  EXPECT_FALSE(GetErrorDetail(status).retry_after.has_value());
}

TEST(Error, OfAStatusWithoutDetailIsEmpty) {
  for (const absl::Status& status : {absl::OkStatus(), absl::InternalError("broken")}) {
    EXPECT_EQ(ErrorReason(status), "");
    EXPECT_EQ(GetErrorDetail(status).field, "");
    EXPECT_FALSE(GetErrorDetail(status).retry_after.has_value());
  }
}

TEST(Error, SaysWhenToComeBack) {
  EXPECT_EQ(GetErrorDetail(Unavailable("DATABASE_UNAVAILABLE", "away", absl::Milliseconds(1500))).retry_after,
            absl::Milliseconds(1500));
  const absl::Status full = Overloaded("full");
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(full), "OVERLOADED");
  EXPECT_EQ(GetErrorDetail(full).retry_after, absl::Seconds(1));
}

TEST(Error, ShortForms) {
  EXPECT_EQ(ErrorReason(InvalidValue("qty", "must be 1 to 5")), "INVALID_VALUE");
  EXPECT_EQ(NotFound("ORDER_NOT_FOUND", "there is no such order").code(), absl::StatusCode::kNotFound);
}

TEST(SetErrorDetail, Replaces) {
  absl::Status status = Unavailable("A", "away");
  SetErrorDetail(status, {.reason = "B", .field = "f"});
  EXPECT_EQ(ErrorReason(status), "B");
  EXPECT_EQ(GetErrorDetail(status).field, "f");
  EXPECT_FALSE(GetErrorDetail(status).retry_after.has_value());
}

TEST(WithFieldPrefix, PutsTheFieldBelow) {
  const absl::Status status = InvalidValue("qty", "must be 1 to 5");
  EXPECT_EQ(GetErrorDetail(WithFieldPrefix("items[1]", status)).field, "items[1].qty");
  EXPECT_EQ(ErrorReason(WithFieldPrefix("items[1]", status)), "INVALID_VALUE");
  EXPECT_EQ(GetErrorDetail(WithFieldPrefix("items[1]", absl::InternalError(""))).field, "items[1]");
}

absl::Status Twice(const absl::StatusOr<int>& a, const absl::StatusOr<int>& b, int& sum) {
  ASSIGN_OR_RETURN(const int first, a);
  ASSIGN_OR_RETURN(int second, b);
  sum = first + second;
  return absl::OkStatus();
}

absl::Status Follow(absl::Status first, int& steps) {
  RETURN_IF_ERROR(first);
  ++steps;
  if (steps > 0) RETURN_IF_ERROR(absl::AbortedError("again"));
  ++steps;
  return absl::OkStatus();
}

TEST(Macros, ReturnAtTheFirstError) {
  int sum = 0;
  EXPECT_TRUE(Twice(1, 2, sum).ok());
  EXPECT_EQ(sum, 3);
  EXPECT_EQ(Twice(4, InvalidValue("b", "bad"), sum), InvalidValue("b", "bad"));
  EXPECT_EQ(sum, 3);
  int steps = 0;
  EXPECT_EQ(Follow(absl::CancelledError(), steps).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(steps, 0);
  EXPECT_EQ(Follow(absl::OkStatus(), steps).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(steps, 1);
}

absl::StatusOr<std::unique_ptr<int>> Moves(absl::StatusOr<std::unique_ptr<int>> value) {
  ASSIGN_OR_RETURN(std::unique_ptr<int> owned, std::move(value));
  return owned;
}

TEST(Macros, MoveTheValue) {
  absl::StatusOr<std::unique_ptr<int>> moved = Moves(std::make_unique<int>(7));
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(**moved, 7);
}

}  // namespace
}  // namespace bv
