#include "services/notification/domain/send_queue.h"

#include <gtest/gtest.h>

namespace bv::notification {
namespace {

Outgoing Of(std::size_t bytes, std::uint32_t feed = 0) {
  return {.text = std::make_shared<const std::string>(bytes, 'x'), .feed = feed};
}

TEST(SendQueue, HoldsSoManyMessages) {
  SendQueue queue(2, 100);
  EXPECT_TRUE(queue.Put(Of(1)));
  EXPECT_TRUE(queue.Put(Of(1)));
  EXPECT_FALSE(queue.Put(Of(1)));
  queue.Take();
  EXPECT_TRUE(queue.Put(Of(1)));
}

TEST(SendQueue, HoldsSoManyBytesButAnySingleMessage) {
  SendQueue queue(10, 100);
  EXPECT_TRUE(queue.Put(Of(1'000)));
  EXPECT_FALSE(queue.Put(Of(1)));
  queue.Take();
  EXPECT_TRUE(queue.Put(Of(60)));
  EXPECT_FALSE(queue.Put(Of(60)));
  EXPECT_TRUE(queue.Put(Of(40)));
}

TEST(SendQueue, DropsOneFeedAlone) {
  SendQueue queue(10, 100);
  for (const std::uint32_t feed : {1u, 2u, 1u, 0u}) EXPECT_TRUE(queue.Put(Of(25, feed)));
  EXPECT_EQ(queue.DropOf(1), 2u);
  EXPECT_TRUE(queue.Put(Of(50)));
  EXPECT_EQ(queue.Take().feed, 2u);
  EXPECT_EQ(queue.Take().feed, 0u);
  queue.Clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_TRUE(queue.Put(Of(100)));
}

}  // namespace
}  // namespace bv::notification
