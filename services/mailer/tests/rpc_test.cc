#include "libs/base/error.h"
#include "services/mailer/tests/mailer_fixture.h"

namespace bv::mailer {
namespace {

class RpcTest : public MailerTest {
 protected:
  std::string FieldRefused(const std::function<void(pb::SetSenderRequest&)>& change) {
    pb::SetSenderRequest request;
    request.set_email("shop@example.com");
    request.set_name("Acme");
    change(request);
    return GetErrorDetail(Call(&MailRpc::SetSender, request).status()).field;
  }
};

TEST_F(RpcTest, ASenderIsSetChangedAndRemoved) {
  EXPECT_EQ(ErrorReason(Call(&MailRpc::GetSender, pb::GetSenderRequest()).status()), "SENDER_NOT_SET");
  SetSender("https://shop.example/stop/{token}");
  SetSender();
  const absl::StatusOr<pb::Sender> sender = Call(&MailRpc::GetSender, pb::GetSenderRequest());
  ASSERT_TRUE(sender.ok()) << sender.status();
  EXPECT_EQ(sender->email(), "shop@example.com");
  EXPECT_EQ(sender->unsubscribe_url(), "") << "all of it is replaced";
  EXPECT_EQ(
      ErrorReason(Call(&MailRpc::GetSender, pb::GetSenderRequest(), testing::ContextOf("globex")).status()),
      "SENDER_NOT_SET");
  ASSERT_TRUE(Call(&MailRpc::RemoveSender, pb::RemoveSenderRequest()).ok());
  ASSERT_TRUE(Call(&MailRpc::RemoveSender, pb::RemoveSenderRequest()).ok());
  EXPECT_EQ(ErrorReason(Call(&MailRpc::GetSender, pb::GetSenderRequest()).status()), "SENDER_NOT_SET");
}

TEST_F(RpcTest, ABadSenderIsNamed) {
  EXPECT_EQ(FieldRefused([](auto& r) { r.set_email("shop"); }), "email");
  EXPECT_EQ(FieldRefused([](auto& r) { r.set_name(""); }), "name");
  EXPECT_EQ(FieldRefused([](auto& r) { r.set_name("Acme\r\nBcc: eve@example.com"); }), "name");
  EXPECT_EQ(FieldRefused([](auto& r) { r.set_reply_to("x"); }), "replyTo");
  EXPECT_EQ(FieldRefused([](auto& r) { r.set_unsubscribe_url("http://shop.example/{token}"); }),
            "unsubscribeUrl");
  EXPECT_EQ(FieldRefused([](auto& r) { r.set_unsubscribe_url("https://shop.example/"); }), "unsubscribeUrl");
  EXPECT_EQ(FieldRefused([](auto& r) { r.set_unsubscribe_url("https://shop.example/{token}>"); }),
            "unsubscribeUrl");
  EXPECT_EQ(FieldRefused([](auto&) {}), "");
}

TEST_F(RpcTest, AnAddressIsSuppressedInItsTenantOnlyAndForItsFirstReason) {
  pb::SuppressAddressRequest request;
  request.set_email("Ada@example.com");
  request.set_reason("COMPLAINED");
  const absl::StatusOr<pb::AddressState> kept = Call(&MailRpc::SuppressAddress, request);
  ASSERT_TRUE(kept.ok()) << kept.status();
  request.set_email("ada@EXAMPLE.com");
  request.set_reason("UNSUBSCRIBED");
  EXPECT_EQ(Call(&MailRpc::SuppressAddress, request)->reason(), "COMPLAINED");
  request.set_reason("TIRED");
  EXPECT_EQ(GetErrorDetail(Call(&MailRpc::SuppressAddress, request).status()).field, "reason");
  pb::CheckAddressRequest check;
  check.set_email("ada@example.com");
  EXPECT_TRUE(Call(&MailRpc::CheckAddress, check)->suppressed());
  EXPECT_FALSE(Call(&MailRpc::CheckAddress, check, testing::ContextOf("globex"))->suppressed());
  EXPECT_EQ(database().Query("SELECT count(*) FROM mail.mail_suppression WHERE address_hash LIKE '%ada%'"),
            "0");
  check.set_email("ada");
  EXPECT_EQ(GetErrorDetail(Call(&MailRpc::CheckAddress, check).status()).field, "email");
}

TEST_F(RpcTest, MailsAreOfTheTenant) {
  SetSender();
  Queue({OccasionOf(Kind::kOrderPlaced, 1), OccasionOf(Kind::kOrderPaid, 2)});
  EXPECT_EQ(Mails().mails_size(), 2);
  pb::ListMailsRequest request;
  request.set_order_id(order_.str());
  EXPECT_EQ(Call(&MailRpc::ListMails, request, testing::ContextOf("globex"))->mails_size(), 0);
  request.set_order_id("42");
  EXPECT_EQ(GetErrorDetail(Call(&MailRpc::ListMails, request).status()).field, "orderId");
}

}  // namespace
}  // namespace bv::mailer
