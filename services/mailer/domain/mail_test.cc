#include "services/mailer/domain/mail.h"

#include <gtest/gtest.h>

namespace bv::mailer {
namespace {

TEST(MailTest, WordsAreThereAndBack) {
  for (const Kind kind : kKinds) EXPECT_EQ(KindOf(Word(kind)), kind);
  EXPECT_EQ(KindOf("ORDER_LOST"), std::nullopt);
  EXPECT_EQ(StatusOf("SUPPRESSED"), Status::kSuppressed);
}

TEST(MailTest, AnEventReadTwiceIsOneMail) {
  const Occasion paid{.tenant = TenantId::Trusted("acme"),
                      .order = OrderId::New(),
                      .version = 2,
                      .kind = Kind::kOrderPaid,
                      .occurred_at = absl::Now()};
  Occasion again = paid;
  again.occurred_at += absl::Seconds(1);
  EXPECT_EQ(paid.id(), again.id());
  again.version = 3;
  EXPECT_NE(paid.id(), again.id());
  again = paid;
  again.kind = Kind::kOrderShipped;
  EXPECT_NE(paid.id(), again.id());
}

TEST(MailTest, PausesDoubleUpToAnHour) {
  const absl::Duration first = absl::Seconds(30);
  EXPECT_EQ(PauseAfter(1, first), absl::Seconds(30));
  EXPECT_EQ(PauseAfter(2, first), absl::Minutes(1));
  EXPECT_EQ(PauseAfter(7, first), absl::Minutes(32));
  EXPECT_EQ(PauseAfter(8, first), absl::Hours(1));
  EXPECT_EQ(PauseAfter(1'000'000, first), absl::Hours(1));
}

}  // namespace
}  // namespace bv::mailer
