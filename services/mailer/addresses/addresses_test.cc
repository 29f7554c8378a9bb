#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "services/mailer/addresses/address_hash.h"
#include "services/mailer/addresses/unsubscribe_token.h"

namespace bv::mailer {
namespace {

const TenantId kAcme = TenantId::Trusted("acme");
const TenantId kGlobex = TenantId::Trusted("globex");
const config::Secret kSecret("a secret of the deployment");

TEST(AddressesTest, AnAddressIsTheSameInAnyCaseAndAnotherInAnotherTenant) {
  const std::string ada = AddressHash(kAcme, Email::Trusted("ada@example.com"));
  EXPECT_EQ(ada.size(), 64u);
  EXPECT_EQ(ada, AddressHash(kAcme, Email::Trusted("Ada@Example.COM")));
  EXPECT_NE(ada, AddressHash(kGlobex, Email::Trusted("ada@example.com")));
  EXPECT_NE(ada, AddressHash(kAcme, Email::Trusted("bob@example.com")));
}

TEST(AddressesTest, ATokenSaysWhichAddress) {
  const std::string ada = AddressHash(kAcme, Email::Trusted("ada@example.com"));
  const std::string token = MakeUnsubscribeToken(kSecret, kAcme, ada);
  const absl::StatusOr<std::string> read = ReadUnsubscribeToken(kSecret, kAcme, token);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, ada);
}

TEST(AddressesTest, NoTokenCanBeMadeOrChanged) {
  const std::string ada = AddressHash(kAcme, Email::Trusted("ada@example.com"));
  const std::string token = MakeUnsubscribeToken(kSecret, kAcme, ada);
  std::string changed = token;
  changed[0] = changed[0] == '0' ? '1' : '0';
  for (const std::string& wrong :
       {changed, token + "A", token.substr(0, 70), ada, std::string(),
        MakeUnsubscribeToken(config::Secret("x"), kAcme, ada), MakeUnsubscribeToken(kSecret, kGlobex, ada)})
    EXPECT_EQ(ErrorReason(ReadUnsubscribeToken(kSecret, kAcme, wrong).status()), "TOKEN_INVALID") << wrong;
}

}  // namespace
}  // namespace bv::mailer
