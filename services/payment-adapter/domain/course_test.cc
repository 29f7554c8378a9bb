// The rules together, against two gateways that do whatever they like within their promises: thousands of
// payments, each with calls that end at any moment, requests that are carried out late, and answers that get
// lost.
#include "services/payment-adapter/domain/course.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "libs/base/strings.h"

namespace bv::payment {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(3);
constexpr absl::Duration kProcessingMax = absl::Seconds(20);

class Random {
 public:
  explicit Random(std::uint64_t seed) : random_(seed) {}
  bool Chance(double share) { return std::uniform_real_distribution<double>(0, 1)(random_) < share; }
  absl::Duration UpTo(absl::Duration most) {
    return std::uniform_real_distribution<double>(0, 1)(random_) * most;
  }

 private:
  std::mt19937_64 random_;
};

// Charges an order once, however often it is asked; a decline leaves nothing.
class ModelGateway {
 public:
  explicit ModelGateway(Random& random) : random_(random), broken_(random.Chance(0.3)) {}

  // A request that is sent at `now`; what the sender sees of it.
  Result Send(Operation operation, absl::Time now) {
    Advance(now);
    if (broken_ && random_.Chance(0.8)) return Fail(operation, now);
    return random_.Chance(0.35) ? Fail(operation, now) : Answer(operation);
  }
  // Carries out what is due by then.
  void Advance(absl::Time now) {
    while (!due_.empty() && due_.begin()->first <= now) {
      Execute(due_.begin()->second);
      due_.erase(due_.begin());
    }
  }
  int charges() const { return charged_ ? 1 : 0; }
  bool refunded() const { return refunded_; }

 private:
  Result Fail(Operation operation, absl::Time now) {
    switch (static_cast<int>(random_.UpTo(absl::Seconds(4)) / absl::Seconds(1))) {
      case 0:
        return {.outcome = Outcome::kRefused};
      case 1:
        if (random_.Chance(0.5)) Execute(operation);
        return {.outcome = Outcome::kFault};
      case 2:
        // Lost, or carried out at once and not answered.
        if (random_.Chance(0.5)) Execute(operation);
        return {.outcome = Outcome::kUnknown};
      default:
        due_.emplace(now + kTimeout + random_.UpTo(kProcessingMax), operation);
        return {.outcome = Outcome::kUnknown};
    }
  }
  Result Answer(Operation operation) {
    if (operation == Operation::kLookUp) {
      if (!charged_) return {.outcome = Outcome::kNotFound};
      return {.outcome = Outcome::kSucceeded, .refunded = refunded_, .reference = "t"};
    }
    if (operation == Operation::kCharge && !charged_ && random_.Chance(0.3))
      return {.outcome = Outcome::kDeclined, .detail = "DECLINED"};
    Execute(operation);
    return {.outcome = Outcome::kSucceeded, .reference = "t"};
  }
  void Execute(Operation operation) {
    if (operation == Operation::kCharge) charged_ = true;
    if (operation == Operation::kRefund && charged_) refunded_ = true;
  }

  Random& random_;
  const bool broken_;
  bool charged_ = false;
  bool refunded_ = false;
  std::multimap<absl::Time, Operation> due_;
};

class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed), soap_(random_), rest_(random_) {
    payment_.money = {100, Currency::Trusted("USD")};
  }

  // Calls until there is an outcome, or too often.
  void Run() {
    for (int call = 0; call < 60 && IsUnderWay(payment_.status); ++call) {
      Call();
      now_ += random_.UpTo(absl::Seconds(20));
    }
  }
  // Long after the last request.
  void Settle() {
    now_ += kTimeout + kProcessingMax + absl::Seconds(1);
    soap_.Advance(now_);
    rest_.Advance(now_);
  }
  void Refund() {
    payment_.status = Status::kRefunding;
    Run();
  }
  const Payment& payment() const { return payment_; }
  int charges() const { return soap_.charges() + rest_.charges(); }
  int refunds() const { return (soap_.refunded() ? 1 : 0) + (rest_.refunded() ? 1 : 0); }

 private:
  void Call() {
    Course course(3);
    while (IsUnderWay(payment_.status)) {
      const std::optional<Step> step = course.Next(payment_);
      if (!step) return;
      now_ = std::max(now_, step->not_before) + random_.UpTo(absl::Milliseconds(100));
      // The first one takes no calls now and then.
      const GatewayName name = step->gateways[random_.Chance(0.2) ? step->gateways.size() - 1 : 0];
      Attempt attempt{.gateway = name, .operation = step->operation, .started_at = now_};
      const absl::Time over_at = now_ + kTimeout + kProcessingMax;
      const Payment before = payment_;
      payment_ = Begun(before, step->operation, name, over_at);
      if (random_.Chance(0.05)) return;  // killed before it was sent
      const Result result = (name == GatewayName::kSoap ? soap_ : rest_).Send(step->operation, now_);
      now_ += random_.UpTo(kTimeout);
      if (random_.Chance(0.1)) return;  // killed before the answer was stored
      attempt.outcome = result.outcome;
      payment_ = After(before, attempt, over_at, result);
      course.Note(attempt);
      if (random_.Chance(0.1)) return;  // the caller's time is over
    }
  }

  Random random_;
  ModelGateway soap_;
  ModelGateway rest_;
  Payment payment_;
  absl::Time now_ = absl::UnixEpoch();
};

TEST(Course, ChargesOnceWhateverHappens) {
  constexpr std::uint64_t kSeeds = 20'000;
  int succeeded = 0, failed = 0, unknown = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(Concat("seed ", seed));
    Model model(seed);
    model.Run();
    model.Settle();
    ASSERT_LE(model.charges(), 1);
    switch (model.payment().status) {
      case Status::kSucceeded:
        ASSERT_EQ(model.charges(), 1);
        ++succeeded;
        break;
      case Status::kFailed:
        ASSERT_EQ(model.charges(), 0);
        ++failed;
        break;
      default:
        ++unknown;
    }
  }
  // All of it was met.
  EXPECT_GT(succeeded, 1000);
  EXPECT_GT(failed, 1000);
  EXPECT_LT(unknown, 1000);
}

TEST(Course, RefundsOnceWhateverHappens) {
  int refunded = 0;
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    SCOPED_TRACE(Concat("seed ", seed));
    Model model(seed);
    model.Run();
    if (model.payment().status != Status::kSucceeded) continue;
    model.Refund();
    model.Settle();
    ASSERT_EQ(model.charges(), 1);
    if (model.payment().status != Status::kRefunded) continue;
    ASSERT_EQ(model.refunds(), 1);
    ++refunded;
  }
  EXPECT_GT(refunded, 500);
}

Payment InDoubtAt(GatewayName gateway) {
  return Begun(Payment(), Operation::kCharge, gateway, absl::UnixEpoch() + absl::Seconds(23));
}

TEST(Course, LooksFirstAndStaysWithTheGatewayInDoubt) {
  Course course(2);
  const Payment payment = InDoubtAt(GatewayName::kRest);
  std::optional<Step> step = course.Next(payment);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->operation, Operation::kLookUp);
  course.Note(
      {.gateway = GatewayName::kRest, .operation = Operation::kLookUp, .outcome = Outcome::kNotFound});
  for (int i = 0; i < 2; ++i) {
    step = course.Next(payment);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->gateways, std::vector<GatewayName>{GatewayName::kRest});
    if (step->operation == Operation::kLookUp) {
      course.Note(
          {.gateway = GatewayName::kRest, .operation = Operation::kLookUp, .outcome = Outcome::kNotFound});
      step = course.Next(payment);
    }
    EXPECT_EQ(step->operation, Operation::kCharge);
    course.Note(
        {.gateway = GatewayName::kRest, .operation = Operation::kCharge, .outcome = Outcome::kUnknown});
  }
  course.Note(
      {.gateway = GatewayName::kRest, .operation = Operation::kLookUp, .outcome = Outcome::kNotFound});
  // Nothing to ask any more: it waits until a look-up is final.
  step = course.Next(payment);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->operation, Operation::kLookUp);
  EXPECT_EQ(step->not_before, *payment.in_doubt_until);
}

TEST(Course, EndsWhenNothingIsLeftToTry) {
  Course course(2);
  const Payment clean;
  for (const GatewayName gateway :
       {GatewayName::kSoap, GatewayName::kSoap, GatewayName::kRest, GatewayName::kRest}) {
    const std::optional<Step> step = course.Next(clean);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->gateways.front(), gateway);
    course.Note({.gateway = gateway, .operation = Operation::kCharge, .outcome = Outcome::kRefused});
  }
  EXPECT_FALSE(course.Next(clean));
  Course looking(2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(looking.Next(InDoubtAt(GatewayName::kSoap)));
    looking.Note(
        {.gateway = GatewayName::kSoap, .operation = Operation::kLookUp, .outcome = Outcome::kUnknown});
  }
  EXPECT_FALSE(looking.Next(InDoubtAt(GatewayName::kSoap)));
}

}  // namespace
}  // namespace bv::payment
