// Against the mail relay of the stack, which puts what it takes into a folder.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/strings.h"
#include "libs/smtp/smtp.h"
#include "libs/testing/mail_sink.h"
#include "libs/testing/testing.h"

namespace bv::smtp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SmtpTest : public ::testing::Test {
 protected:
  static Settings SettingsOf(const std::string& address) {
    return {.address = address, .encryption = "none", .user = "", .timeout = absl::Seconds(5)};
  }
  Mail MailTo(const std::string& address) const {
    return {.from_email = "shop@example.com",
            .from_name = "Zelte für alle",
            .to_email = address,
            .reply_to = "help@example.com",
            .subject = "Your order – it is paid",
            .text = "Hello Ä,\n.\nall is well = good\n",
            .html = "<p>Hello Ä</p>",
            .message_id = "<1@example.com>",
            .unsubscribe_url = "https://shop.example/stop?t=1"};
  }
  absl::Status Send(Mail mail) { return loop_.Run(client_.Send(std::move(mail))); }

  testing::Loop loop_;
  testing::MailSink sink_;
  Client client_{SettingsOf(testing::Environment("BV_SMTP_ADDRESS"))};
};

TEST_F(SmtpTest, AMailArrivesWhole) {
  const std::string address = sink_.NewAddress("ada");
  const absl::Status sent = Send(MailTo(address));
  ASSERT_TRUE(sent.ok()) << sent;
  const std::vector<std::string> mails = sink_.MailsTo(address);
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_THAT(mails[0], HasSubstr("From: =?UTF-8?B?WmVsdGUgZsO8ciBhbGxl?= <shop@example.com>\r\n"));
  EXPECT_THAT(mails[0], HasSubstr(Concat("To: <", address, ">\r\n")));
  EXPECT_THAT(mails[0], HasSubstr("Reply-To: <help@example.com>\r\n"));
  EXPECT_THAT(mails[0], HasSubstr("Subject: =?UTF-8?B?WW91ciBvcmRlciDigJMgaXQgaXMgcGFpZA==?=\r\n"));
  EXPECT_THAT(mails[0], HasSubstr("Message-ID: <1@example.com>\r\n"));
  EXPECT_THAT(mails[0], HasSubstr("List-Unsubscribe: <https://shop.example/stop?t=1>\r\n"));
  EXPECT_THAT(mails[0], HasSubstr("multipart/alternative"));
  // A line with a dot alone ends a mail, unless it is doubled on its way.
  EXPECT_THAT(mails[0], HasSubstr("Hello =C3=84,\r\n.\r\nall is well =3D good\r\n"));
  EXPECT_THAT(mails[0], HasSubstr("<p>Hello =C3=84</p>"));
}

TEST_F(SmtpTest, AConnectionIsKeptForTheNextAndAfterARefusal) {
  const std::string address = sink_.NewAddress("ada");
  EXPECT_TRUE(Send(MailTo(address)).ok());
  EXPECT_TRUE(IsAddressRefused(Send(MailTo(sink_.NewAddress("bounce")))));
  EXPECT_TRUE(Send(MailTo(address)).ok());
  EXPECT_EQ(sink_.MailsTo(address).size(), 2u);
}

TEST_F(SmtpTest, ARefusalSaysWhetherItIsTheAddress) {
  const absl::Status bounced = Send(MailTo(sink_.NewAddress("bounce")));
  EXPECT_TRUE(IsAddressRefused(bounced)) << bounced;
  EXPECT_THAT(std::string(bounced.message()), HasSubstr("no such user"));
  const absl::Status denied = Send(MailTo(sink_.NewAddress("denied")));
  EXPECT_TRUE(IsMailRefused(denied)) << denied;
  EXPECT_FALSE(IsAddressRefused(denied));
  const absl::Status busy = Send(MailTo(sink_.NewAddress("busy")));
  EXPECT_EQ(ErrorReason(busy), "MAIL_RELAY_UNAVAILABLE") << busy;
}

TEST_F(SmtpTest, NobodyListens) {
  Client client(SettingsOf("127.0.0.1:1"));
  EXPECT_EQ(ErrorReason(loop_.Run(client.Send(MailTo("ada@example.com")))), "MAIL_RELAY_UNAVAILABLE");
}

TEST_F(SmtpTest, EncryptionThatIsWantedIsNotGivenUp) {
  Settings settings = SettingsOf(testing::Environment("BV_SMTP_ADDRESS"));
  settings.encryption = "starttls";
  Client client(settings);
  const std::string address = sink_.NewAddress("ada");
  EXPECT_FALSE(loop_.Run(client.Send(MailTo(address))).ok()) << "the sink has no TLS";
  EXPECT_TRUE(sink_.MailsTo(address).empty());
}

TEST_F(SmtpTest, NoHeaderCanBeSmuggledIn) {
  const std::string address = sink_.NewAddress("ada");
  Mail mail = MailTo(address);
  mail.subject = "Hello\r\nBcc: eve@example.com";
  EXPECT_EQ(GetErrorDetail(Send(mail)).field, "subject");
  mail = MailTo(Concat(address, "\r\nRCPT TO:<eve@example.com>"));
  EXPECT_EQ(GetErrorDetail(Send(mail)).field, "toEmail");
  EXPECT_TRUE(sink_.MailsTo(address).empty());
}

TEST_F(SmtpTest, ALogInNeedsEncryption) {
  Settings settings = SettingsOf("127.0.0.1:25");
  EXPECT_TRUE(settings.Check().ok());
  settings.user = "shop";
  EXPECT_EQ(GetErrorDetail(settings.Check()).field, "smtp.user");
  settings.encryption = "ssl";
  EXPECT_EQ(GetErrorDetail(settings.Check()).field, "smtp.encryption");
}

}  // namespace
}  // namespace bv::smtp
