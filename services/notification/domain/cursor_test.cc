#include "services/notification/domain/cursor.h"

#include <gtest/gtest.h>

#include <limits>

#include "libs/base/error.h"

namespace bv::notification {
namespace {

Cursor Of(const std::vector<std::int64_t>& next) {
  Cursor cursor;
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (next[i] > 0) cursor.Advance({.partition = static_cast<int>(i), .offset = next[i] - 1});
  }
  return cursor;
}

TEST(Cursor, SurvivesItsText) {
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  for (const std::vector<std::int64_t>& next :
       {std::vector<std::int64_t>{}, {1}, {127, 128, 0, 16'384}, {kLast, 3}}) {
    const absl::StatusOr<Cursor> parsed = Cursor::Parse(Of(next).Text(), "after");
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, Of(next));
  }
  EXPECT_LT(Of(std::vector<std::int64_t>(12, 1'000'000)).Text().size(), 64u);
}

TEST(Cursor, RefusesWhatIsNone) {
  // Not base64, another format, a number without its end, one of more than 63 bits.
  for (const char* text : {"", "!", "Ag", "AYA", "Af______________"}) {
    const absl::Status status = Cursor::Parse(text, "after").status();
    EXPECT_EQ(ErrorReason(status), "INVALID_CURSOR") << text;
    EXPECT_EQ(GetErrorDetail(status).field, "after");
  }
  EXPECT_FALSE(Cursor::Parse(Of(std::vector<std::int64_t>(1'001, 1)).Text(), "after").ok());
}

TEST(Cursor, GoesForwardOnly) {
  Cursor cursor = Of({5, 9});
  cursor.Advance({.partition = 1, .offset = 3});
  EXPECT_EQ(cursor, Of({5, 9}));
  cursor.Merge(Of({7, 2, 1}));
  EXPECT_EQ(cursor, Of({7, 9, 1}));
  EXPECT_TRUE(cursor.Has({.partition = 0, .offset = 6}));
  EXPECT_FALSE(cursor.Has({.partition = 0, .offset = 7}));
  EXPECT_FALSE(cursor.Has({.partition = 8, .offset = 0}));
}

TEST(Cursor, IsReachedByWhoeverHasAllBehindIt) {
  const Cursor cursor = Of({5, 9});
  EXPECT_TRUE(cursor.IsReachedBy(Of({5, 9}), Of({7, 9})));
  EXPECT_FALSE(cursor.IsReachedBy(Of({6, 9}), Of({7, 9})));
  EXPECT_FALSE(cursor.IsReachedBy(Of({5, 9, 4}), Of({7, 9, 4}))) << "a partition that it does not know";
  EXPECT_TRUE(cursor.IsReachedBy(Of({}), Of({4, 8}))) << "a replica that is a moment behind";
  EXPECT_FALSE(Of({1'000'000}).IsReachedBy(Of({}), Of({8}))) << "another life of the topic";
}

}  // namespace
}  // namespace bv::notification
