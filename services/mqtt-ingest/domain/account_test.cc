#include "services/mqtt-ingest/domain/account.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::mqtt_ingest {
namespace {

TEST(AccountTest, IsTenantAndDevice) {
  const auto account = Account::Parse("acme/press-1");
  ASSERT_TRUE(account.ok());
  EXPECT_EQ(account->tenant.str(), "acme");
  EXPECT_EQ(account->device, "press-1");
}

TEST(AccountTest, WhatIsNoDeviceIsRefused) {
  EXPECT_EQ(ErrorReason(Account::Parse("").status()), "ACCOUNT_MISSING");
  for (const char* text : {"ingest", "acme/", "/press", "acme/a/b", "Acme/press", "acme/a b", "acme/a+",
                           "*/press", "acme,globex/press"}) {
    EXPECT_EQ(ErrorReason(Account::Parse(text).status()), "ACCOUNT_UNKNOWN") << text;
  }
  EXPECT_TRUE(Account::Parse("acme/" + std::string(64, 'x')).ok());
  EXPECT_FALSE(Account::Parse("acme/" + std::string(65, 'x')).ok());
}

TEST(SkuOfTopicTest, IsTheThirdLevel) {
  const auto sku = SkuOfTopic("iot/inventory/TENT-2.P_x/delta");
  ASSERT_TRUE(sku.ok());
  EXPECT_EQ(sku->str(), "TENT-2.P_x");
  for (const char* topic :
       {"", "iot/inventory/delta", "iot/inventory//delta", "iot/inventory/A/B/delta", "iot/inventory/A/count",
        "x/iot/inventory/A/delta", "iot/inventory/quota:x/delta", "iot/inventory/\xc3\xa4/delta"}) {
    EXPECT_FALSE(SkuOfTopic(topic).ok()) << topic;
  }
}

}  // namespace
}  // namespace bv::mqtt_ingest
