#include "libs/kafka/topics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::kafka {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(Topics, AreReadWithTheirSettings) {
  const auto topics = ParseTopics(R"(
topics:
  - name: ecommerce.order.order
    why: replayed from the first event
    partitions: 12
    config: {retention.ms: -1, cleanup.policy: delete}
  - name: small
    why: one key
    partitions: 1
)");
  ASSERT_TRUE(topics.ok()) << topics.status();
  ASSERT_EQ(topics->size(), 2u);
  EXPECT_EQ(topics->front().name, "ecommerce.order.order");
  EXPECT_EQ(topics->front().partitions, 12);
  EXPECT_THAT(topics->front().config,
              UnorderedElementsAre(Pair("retention.ms", "-1"), Pair("cleanup.policy", "delete")));
  EXPECT_TRUE(topics->back().config.empty());
}

struct Bad {
  const char* yaml;
  const char* field;
  const char* message;
};
class BadTopics : public testing::TestWithParam<Bad> {};

TEST_P(BadTopics, AreRefusedByName) {
  const auto topics = ParseTopics(GetParam().yaml);
  ASSERT_EQ(topics.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(GetErrorDetail(topics.status()).field, GetParam().field);
  EXPECT_THAT(std::string(topics.status().message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadTopics,
    testing::Values(Bad{"[", "topics", ""}, Bad{"topic: []", "topics", "list"},
                    Bad{"topics: [a]", "topics[0]", "map"},
                    Bad{"topics: [{name: a b, why: x, partitions: 1}]", "topics[0]", "name"},
                    Bad{"topics: [{name: a, partitions: 1}]", "topics[0]", "why"},
                    Bad{"topics: [{name: a, why: x}]", "topics[0]", "partitions"},
                    Bad{"topics: [{name: a, why: x, partitions: -1}]", "topics[0]", "partitions"},
                    Bad{"topics: [{name: a, why: x, partitions: 1, retention: 1}]", "topics[0]", "retention"},
                    Bad{"topics: [{name: a, why: x, partitions: 1, config: 1}]", "topics", ""},
                    Bad{"topics: [{name: a, why: x, partitions: 1}, {name: a, why: x, partitions: 1}]",
                        "topics[1]", "repeats"}));

}  // namespace
}  // namespace bv::kafka
