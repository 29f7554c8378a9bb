#include "services/webhook-dispatcher/domain/event_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::webhook {
namespace {

const std::vector<std::string> kOffered = {"ecommerce.order.order.created.v1",
                                           "ecommerce.order.order.paid.v1",
                                           "ecommerce.payment.payment.failed.v1"};

absl::Status Check(const std::vector<std::string>& patterns) {
  return CheckPatterns(patterns, kOffered, "eventTypes");
}

TEST(EventPattern, MatchesATypeOrItsBeginning) {
  const std::string type = "ecommerce.order.order.paid.v1";
  for (const char* pattern : {"ecommerce.order.order.paid.v1", "ecommerce.order.order.paid.*",
                              "ecommerce.order.*", "ecommerce.ord*", "*"}) {
    EXPECT_TRUE(Matches(pattern, type)) << pattern;
  }
  for (const char* pattern : {"ecommerce.order.order.paid", "ecommerce.order.order.paid.v11",
                              "ecommerce.payment.*", "order.*", "*.v1", "ECOMMERCE.*", ""}) {
    EXPECT_FALSE(Matches(pattern, type)) << pattern;
  }
}

TEST(EventPattern, WhatMatchesNothingIsRefusedWithTheListOfTypes) {
  EXPECT_TRUE(Check({"ecommerce.order.*", "ecommerce.payment.payment.failed.v1"}).ok());
  const absl::Status refused = Check({"ecommerce.order.*", "ecommerce.ordre.*"});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ErrorReason(refused), "EVENT_TYPE_UNKNOWN");
  EXPECT_EQ(GetErrorDetail(refused).field, "eventTypes[1]");
  for (const std::string& type : kOffered)
    EXPECT_THAT(std::string(refused.message()), testing::HasSubstr(type));
  for (const char* pattern : {"", "ecommerce.order.order.created", "*.v1", "ecommerce.order.**"})
    EXPECT_EQ(ErrorReason(Check({pattern})), "EVENT_TYPE_UNKNOWN") << pattern;
}

TEST(EventPattern, OneToFiftyAllDifferent) {
  EXPECT_EQ(GetErrorDetail(Check({})).field, "eventTypes");
  EXPECT_EQ(GetErrorDetail(Check({"*", "ecommerce.*", "*"})).field, "eventTypes[2]");
  std::vector<std::string> many;
  // Beginnings of the types, as many as are needed.
  for (const std::string& of : kOffered) {
    for (std::size_t length = of.size(); length > 0; --length) {
      const std::string pattern = of.substr(0, length) + "*";
      if (many.size() < 50 && std::ranges::find(many, pattern) == many.end()) many.push_back(pattern);
    }
  }
  ASSERT_EQ(many.size(), 50u);
  EXPECT_TRUE(Check(many).ok()) << Check(many);
  many.push_back(kOffered[0]);
  EXPECT_EQ(GetErrorDetail(Check(many)).field, "eventTypes");
}

TEST(EventPattern, OfStoresTakesInTypesOfStoresOnly) {
  const std::vector<std::string> of_stores = {kOffered[0], kOffered[1]};
  const auto check = [&](const std::vector<std::string>& patterns) {
    return CheckAreOfStores(patterns, kOffered, of_stores, "eventTypes");
  };
  EXPECT_TRUE(check({"ecommerce.order.*", "ecommerce.order.order.paid.v1"}).ok());
  for (const char* pattern :
       {"*", "ecommerce.*", "ecommerce.payment.*", "ecommerce.payment.payment.failed.v1"}) {
    const absl::Status refused = check({"ecommerce.order.*", pattern});
    EXPECT_EQ(ErrorReason(refused), "EVENT_TYPE_WITHOUT_STORE") << pattern;
    EXPECT_EQ(GetErrorDetail(refused).field, "eventTypes[1]") << pattern;
    EXPECT_THAT(std::string(refused.message()), testing::HasSubstr(kOffered[2])) << pattern;
  }
}

}  // namespace
}  // namespace bv::webhook
