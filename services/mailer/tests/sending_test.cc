#include <grpcpp/grpcpp.h>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/mailer/sending/clean_up.h"
#include "services/mailer/tests/mailer_fixture.h"

namespace bv::mailer {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class SendingTest : public MailerTest {};

TEST_F(SendingTest, AMailIsSentOnce) {
  SetSender();
  EXPECT_EQ(Queue({OccasionOf(Kind::kOrderPaid)}), 1);
  EXPECT_EQ(Queue({OccasionOf(Kind::kOrderPaid)}), 0) << "the event was read twice";
  Dispatch();
  Dispatch();
  ASSERT_THAT(Arrived(), SizeIs(1));
  EXPECT_THAT(Arrived()[0], HasSubstr(Concat("Subject: Your order ", order_.str())));
  EXPECT_THAT(Arrived()[0], HasSubstr("From: \"Acme\" <shop@example.com>"));
  const pb::ListMailsResponse mails = Mails();
  ASSERT_EQ(mails.mails_size(), 1);
  EXPECT_EQ(mails.mails(0).kind(), "ORDER_PAID");
  EXPECT_EQ(mails.mails(0).status(), pb::MAIL_STATUS_SENT);
  EXPECT_EQ(mails.mails(0).attempts(), 1);
  EXPECT_THAT(Arrived()[0], HasSubstr(Concat("Message-ID: <", mails.mails(0).mail_id(), "@example.com>")));
}

TEST_F(SendingTest, WithoutASenderNothingIsQueuedAndNothingOfBefore) {
  EXPECT_EQ(Queue({OccasionOf(Kind::kOrderPaid)}), 0);
  Occasion before = OccasionOf(Kind::kOrderPlaced, 1);
  SetSender();
  EXPECT_EQ(Queue({before}), 0) << "it occurred before there was a sender";
}

TEST_F(SendingTest, ASenderThatWasRemovedSendsNothing) {
  SetSender();
  Queue({OccasionOf(Kind::kOrderPaid)});
  ASSERT_TRUE(Call(&MailRpc::RemoveSender, pb::RemoveSenderRequest()).ok());
  Dispatch();
  EXPECT_THAT(Arrived(), SizeIs(0));
  EXPECT_EQ(Mails().mails(0).status(), pb::MAIL_STATUS_SUPPRESSED);
}

TEST_F(SendingTest, ABouncedAddressGetsNoMore) {
  customer_ = sink_.NewAddress("bounce");
  book_.SetEmail(customer_);
  SetSender();
  Queue({OccasionOf(Kind::kOrderPlaced, 1), OccasionOf(Kind::kOrderPaid, 2)});
  DispatcherSettings one_by_one = SettingsOf();
  one_by_one.parallel_max = 1;
  MakeDispatcher(one_by_one);
  Dispatch();
  const pb::ListMailsResponse mails = Mails();
  ASSERT_EQ(mails.mails_size(), 2);
  std::vector<int> statuses{mails.mails(0).status(), mails.mails(1).status()};
  EXPECT_THAT(statuses, ::testing::UnorderedElementsAre(pb::MAIL_STATUS_FAILED, pb::MAIL_STATUS_SUPPRESSED));
  pb::CheckAddressRequest check;
  check.set_email(customer_);
  const absl::StatusOr<pb::AddressState> state = Call(&MailRpc::CheckAddress, check);
  ASSERT_TRUE(state.ok()) << state.status();
  EXPECT_TRUE(state->suppressed());
  EXPECT_EQ(state->reason(), "BOUNCED");
}

TEST_F(SendingTest, ARefusalThatIsNotAboutTheAddressLeavesItAllowed) {
  customer_ = sink_.NewAddress("denied");
  book_.SetEmail(customer_);
  SetSender();
  Queue({OccasionOf(Kind::kOrderPaid)});
  Dispatch();
  EXPECT_EQ(Mails().mails(0).status(), pb::MAIL_STATUS_FAILED);
  EXPECT_THAT(Mails().mails(0).detail(), HasSubstr("not taken from you"));
  pb::CheckAddressRequest check;
  check.set_email(customer_);
  EXPECT_FALSE(Call(&MailRpc::CheckAddress, check)->suppressed());
}

TEST_F(SendingTest, WhatTheRelayDoesNotTakeNowIsTriedAgainAndGivenUpInTheEnd) {
  customer_ = sink_.NewAddress("busy");
  book_.SetEmail(customer_);
  SetSender();
  Queue({OccasionOf(Kind::kOrderPaid)});
  Dispatch();
  EXPECT_EQ(Mails().mails(0).status(), pb::MAIL_STATUS_QUEUED);
  Dispatch();
  EXPECT_EQ(Mails().mails(0).attempts(), 1) << "not before its pause is over";
  MakeDue();
  Dispatch();
  EXPECT_EQ(Mails().mails(0).attempts(), 2);
  DispatcherSettings impatient = SettingsOf();
  impatient.give_up_after = absl::ZeroDuration();
  MakeDispatcher(impatient);
  MakeDue();
  Dispatch();
  EXPECT_EQ(Mails().mails(0).status(), pb::MAIL_STATUS_FAILED);
  EXPECT_THAT(Mails().mails(0).detail(), HasSubstr("try again later"));
}

TEST_F(SendingTest, WhatFailsOnTheWayIsTriedAgain) {
  SetSender();
  Queue({OccasionOf(Kind::kOrderPaid)});
  server_->Shutdown();
  Dispatch();
  EXPECT_EQ(Mails().mails(0).status(), pb::MAIL_STATUS_QUEUED) << "the order service is away";
  EXPECT_THAT(Arrived(), SizeIs(0));
}

TEST_F(SendingTest, TwoReplicasSendItOnce) {
  SetSender();
  std::vector<Occasion> occasions;
  for (int i = 0; i < 20; ++i) occasions.push_back(OccasionOf(Kind::kOrderPaid, i + 2));
  EXPECT_EQ(Queue(occasions), 20);
  std::vector<std::future<absl::StatusOr<bool>>> rounds;
  for (int i = 0; i < 16; ++i)
    rounds.push_back(boost::asio::co_spawn(loop_.io(), dispatcher_->Round({}), boost::asio::use_future));
  for (auto& round : rounds) EXPECT_TRUE(round.get().ok());
  Dispatch();
  EXPECT_THAT(Arrived(), SizeIs(20));
}

TEST_F(SendingTest, WhoUnsubscribesByTheLinkGetsNoMore) {
  SetSender("https://shop.example/stop?t={token}");
  Queue({OccasionOf(Kind::kOrderPlaced, 1)});
  Dispatch();
  ASSERT_THAT(Arrived(), SizeIs(1));
  const std::string mail = Arrived()[0];
  const std::string beginning = "List-Unsubscribe: <https://shop.example/stop?t=";
  const std::size_t at = mail.find(beginning);
  ASSERT_NE(at, std::string::npos) << mail;
  pb::UnsubscribeRequest request;
  request.set_token(
      mail.substr(at + beginning.size(), mail.find('>', at + beginning.size()) - at - beginning.size()));
  const absl::StatusOr<pb::UnsubscribeResponse> done =
      Call(&MailRpc::Unsubscribe, request, testing::ContextOf(tenant_.str(), "ada"));
  ASSERT_TRUE(done.ok()) << done.status();
  EXPECT_EQ(ErrorReason(Call(&MailRpc::Unsubscribe, request, testing::ContextOf("globex", "ada")).status()),
            "TOKEN_INVALID");
  Queue({OccasionOf(Kind::kOrderPaid, 2)});
  Dispatch();
  EXPECT_THAT(Arrived(), SizeIs(1));
  pb::AllowAddressRequest allow;
  allow.set_email(customer_);
  ASSERT_TRUE(Call(&MailRpc::AllowAddress, allow).ok());
  Queue({OccasionOf(Kind::kOrderShipped, 3)});
  Dispatch();
  EXPECT_THAT(Arrived(), SizeIs(2));
}

TEST_F(SendingTest, OldMailsAreDeletedAndNoOthers) {
  SetSender();
  Queue({OccasionOf(Kind::kOrderPlaced, 1), OccasionOf(Kind::kOrderPaid, 2),
         OccasionOf(Kind::kOrderShipped, 3)});
  database().Query(
      Concat("UPDATE mail.mail SET status = 'SENT', ended_at = now() - interval '2 days' WHERE kind = "
             "'ORDER_PLACED' AND tenant_id = '",
             tenant_.str(), "'"));
  database().Query(Concat(
      "UPDATE mail.mail SET status = 'SENT', ended_at = now() WHERE kind = 'ORDER_PAID' AND tenant_id = '",
      tenant_.str(), "'"));
  const absl::StatusOr<bool> round = loop_.Run(DeleteOldMails(*pool_, absl::Hours(24), {}));
  ASSERT_TRUE(round.ok()) << round.status();
  EXPECT_EQ(Mails().mails_size(), 2);
}

}  // namespace
}  // namespace bv::mailer
