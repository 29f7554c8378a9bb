#include "services/order/domain/process.h"

#include <gtest/gtest.h>

namespace bv::order {
namespace {

TEST(Process, WordsAndBack) {
  for (const ProcessKind kind : {ProcessKind::kCommit, ProcessKind::kPay, ProcessKind::kConfirm,
                                 ProcessKind::kCancel, ProcessKind::kFulfill}) {
    EXPECT_EQ(ProcessKindOf(Word(kind)), kind);
  }
}

TEST(Process, OnesOfTheSameOrderAreToldApart) {
  RequestContext context;
  context.user_id = "user-1";
  const OrderId order = OrderId::New();
  const Process first = NewProcess(ProcessKind::kPay, order, context);
  EXPECT_NE(first.id, NewProcess(ProcessKind::kPay, order, context).id);
  EXPECT_EQ(first.actor, "user-1");
}

TEST(Process, PausesGrowToHalfAMinute) {
  EXPECT_EQ(PauseAfter(0, 0), absl::Milliseconds(250));
  EXPECT_EQ(PauseAfter(0, 1), absl::Milliseconds(125));
  EXPECT_EQ(PauseAfter(3, 0), absl::Seconds(2));
  for (const int attempts : {7, 8, 100, 2'000'000'000}) EXPECT_EQ(PauseAfter(attempts, 0), absl::Seconds(30));
  EXPECT_EQ(PauseAfter(100, 1), absl::Seconds(15)) << "spread, but never none";
}

}  // namespace
}  // namespace bv::order
