#include "services/notification/domain/sales.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bv::notification {
namespace {

using Kind = SaleEvent::Kind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

SaleEventPtr Make(std::string sale, Kind kind, std::int64_t offset, std::string text = "{}") {
  auto event = std::make_shared<SaleEvent>();
  event->tenant = "acme";
  event->sale_id = std::move(sale);
  event->kind = kind;
  event->position = {.partition = 0, .offset = offset};
  event->text = std::move(text);
  return event;
}

std::vector<std::string> NamesOf(const std::vector<SaleEventPtr>& events) {
  std::vector<std::string> names;
  for (const SaleEventPtr& event : events)
    names.push_back((event->kind == Kind::kStarted ? "+" : "-") + event->sale_id);
  return names;
}

TEST(Sales, KnowsWhichRun) {
  Sales sales(1 << 20);
  EXPECT_TRUE(sales.Add(Make("a", Kind::kStarted, 0)));
  EXPECT_TRUE(sales.Add(Make("b", Kind::kStarted, 1)));
  EXPECT_THAT(NamesOf(sales.Running("acme")), ElementsAre("+a", "+b"));
  EXPECT_TRUE(sales.Add(Make("a", Kind::kEnded, 2)));
  EXPECT_THAT(NamesOf(sales.Running("acme")), ElementsAre("+b"));
  EXPECT_THAT(sales.Running("other"), IsEmpty());
}

TEST(Sales, TakesNothingTwice) {
  Sales sales(1 << 20);
  sales.Add(Make("a", Kind::kStarted, 0));
  EXPECT_FALSE(sales.Add(Make("a", Kind::kStarted, 1)));
  sales.Add(Make("a", Kind::kEnded, 2));
  EXPECT_FALSE(sales.Add(Make("a", Kind::kStarted, 3))) << "it does not begin again";
  EXPECT_FALSE(sales.Add(Make("a", Kind::kEnded, 4)));
  EXPECT_THAT(sales.Running("acme"), IsEmpty());
  EXPECT_EQ(sales.end().Next(0), 5);
}

TEST(Sales, RemembersWhatHappenedBehindACursor) {
  Sales sales(1 << 20);
  sales.Add(Make("a", Kind::kStarted, 0));
  const Cursor cursor = sales.end();
  sales.Add(Make("b", Kind::kStarted, 1));
  sales.Add(Make("a", Kind::kEnded, 2));
  EXPECT_THAT(NamesOf(*sales.Behind("acme", cursor)), ElementsAre("+b", "-a"));
  EXPECT_THAT(*sales.Behind("other", cursor), IsEmpty());
  EXPECT_THAT(*sales.Behind("acme", sales.end()), IsEmpty());
}

TEST(Sales, ForgetsTheOldestButNotWhatRuns) {
  Sales sales(10'000);
  sales.Add(Make("a", Kind::kStarted, 0));
  const Cursor cursor = sales.end();
  for (int i = 1; i <= 20; ++i)
    sales.Add(Make("s" + std::to_string(i), Kind::kStarted, i, std::string(1'000, 'x')));
  EXPECT_FALSE(sales.Behind("acme", cursor).has_value());
  EXPECT_TRUE(sales.Behind("acme", sales.end()).has_value());
  EXPECT_EQ(sales.Running("acme").size(), 21u);
  EXPECT_EQ(sales.Running("acme").front()->sale_id, "a");
}

}  // namespace
}  // namespace bv::notification
