#include "services/webhook-dispatcher/domain/signature.h"

#include <gtest/gtest.h>

#include <map>

namespace bv::webhook {
namespace {

constexpr char kSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr char kOther[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
constexpr char kId[] = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr char kBody[] = R"({"test": 2432232314})";

std::map<std::string, std::string> Sign(const std::vector<std::string>& texts) {
  std::vector<Secret> secrets;
  for (const std::string& text : texts) secrets.push_back(Secret::Trusted(text));
  const auto headers = SignedHeaders(kId, kBody, secrets, absl::FromUnixSeconds(1'614'265'330));
  return {headers.begin(), headers.end()};
}

TEST(Signature, IsTheGoldenVectorOfStandardWebhooks) {
  const auto headers = Sign({kSecret});
  EXPECT_EQ(headers.at("webhook-id"), kId);
  EXPECT_EQ(headers.at("webhook-timestamp"), "1614265330");
  EXPECT_EQ(headers.at("webhook-signature"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Signature, OfStripesFormHasTheSecretsTextAsItsKey) {
  // By Python's hmac; the stock verifiers check live ones in tests/e2e.
  EXPECT_EQ(Sign({kSecret}).at("X-BV-Signature"),
            "t=1614265330,v1=2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f8964");
}

TEST(Signature, ARotationSignsWithBoth) {
  const auto both = Sign({kOther, kSecret});
  const auto one = Sign({kSecret});
  const auto other = Sign({kOther});
  EXPECT_EQ(both.at("webhook-signature"), other.at("webhook-signature") + " " + one.at("webhook-signature"));
  const std::string& ones = one.at("X-BV-Signature");
  EXPECT_EQ(both.at("X-BV-Signature"), other.at("X-BV-Signature") + ones.substr(ones.find(",v1=")));
}

}  // namespace
}  // namespace bv::webhook
