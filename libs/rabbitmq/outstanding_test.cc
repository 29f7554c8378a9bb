#include "libs/rabbitmq/outstanding.h"

#include <gmock/gmock.h>

namespace bv::rabbitmq {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Ack = Outstanding::Ack;

Outstanding WithTags(std::uint64_t last) {
  Outstanding outstanding;
  for (std::uint64_t tag = 1; tag <= last; ++tag) outstanding.Add(tag);
  return outstanding;
}

TEST(Outstanding, TheFirstOnesGoAsOne) {
  Outstanding outstanding = WithTags(5);
  EXPECT_THAT(outstanding.Take(std::vector<std::uint64_t>{3, 1, 2}), ElementsAre(Ack{3, true}));
  EXPECT_THAT(outstanding.Take(std::vector<std::uint64_t>{4}), ElementsAre(Ack{4, false}));
}

TEST(Outstanding, WhatStandsBehindOneThatIsLeftGoesAlone) {
  Outstanding outstanding = WithTags(6);
  EXPECT_THAT(outstanding.Take(std::vector<std::uint64_t>{1, 2, 4, 6}),
              ElementsAre(Ack{2, true}, Ack{4, false}, Ack{6, false}));
  EXPECT_THAT(outstanding.Take(std::vector<std::uint64_t>{3}), ElementsAre(Ack{3, false}));
  EXPECT_THAT(outstanding.Take(std::vector<std::uint64_t>{5}), ElementsAre(Ack{5, false}));
}

TEST(Outstanding, WhatIsUnknownOrTakenAlreadyIsPassedOver) {
  Outstanding outstanding = WithTags(2);
  EXPECT_THAT(outstanding.Take(std::vector<std::uint64_t>{1, 1, 9}), ElementsAre(Ack{1, false}));
  EXPECT_THAT(outstanding.Take(std::vector<std::uint64_t>{1}), IsEmpty());
}

}  // namespace
}  // namespace bv::rabbitmq
