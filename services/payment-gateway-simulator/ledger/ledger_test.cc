#include "services/payment-gateway-simulator/ledger/ledger.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::simulator {
namespace {

const Money kPrice{12950, Currency::Trusted("USD")};
const Money kOther{100, Currency::Trusted("USD")};

std::string Approve() {
  return "";
}
std::string Decline() {
  return "DECLINED";
}

class LedgerTest : public ::testing::Test {
 protected:
  LedgerTest() : path_(Concat(::testing::TempDir(), "bv_ledger_", ::getpid(), ".log")) { Reopen(); }
  ~LedgerTest() override { std::filesystem::remove(path_); }
  void Reopen(std::size_t entries_max = 100) {
    ledger_.reset();
    auto opened = Ledger::Open(path_, entries_max);
    ASSERT_TRUE(opened.ok()) << opened.status();
    ledger_ = *std::move(opened);
  }

  std::string path_;
  std::unique_ptr<Ledger> ledger_;
};

TEST_F(LedgerTest, ChargesAnOrderOnce) {
  const absl::StatusOr<Reply> first = ledger_->Charge("a", kPrice, Approve);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->state, PaymentState::kApproved);
  const absl::StatusOr<Reply> again = ledger_->Charge("a", kPrice, Decline);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->state, PaymentState::kApproved);
  EXPECT_EQ(again->transaction, first->transaction);
  EXPECT_EQ(ErrorReason(ledger_->Charge("a", kOther, Approve).status()), "AMOUNT_CONFLICT");
  EXPECT_EQ(ledger_->Read(0, 10).size(), 1u);
}

TEST_F(LedgerTest, ADeclinedOrderMayBeTriedAgain) {
  EXPECT_EQ(ledger_->Charge("a", kPrice, Decline)->state, PaymentState::kDeclined);
  EXPECT_EQ(ledger_->LookUp("a").state, PaymentState::kNotFound);
  EXPECT_EQ(ledger_->Charge("a", kPrice, Approve)->state, PaymentState::kApproved);
}

TEST_F(LedgerTest, RefundsOnceAndChargesNoMore) {
  EXPECT_EQ(ErrorReason(ledger_->Refund("a", kPrice).status()), "NOT_CHARGED");
  ASSERT_TRUE(ledger_->Charge("a", kPrice, Approve).ok());
  EXPECT_EQ(ErrorReason(ledger_->Refund("a", kOther).status()), "AMOUNT_CONFLICT");
  const absl::StatusOr<Reply> first = ledger_->Refund("a", kPrice);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->state, PaymentState::kRefunded);
  EXPECT_EQ(ledger_->Refund("a", kPrice)->transaction, first->transaction);
  EXPECT_EQ(ledger_->Charge("a", kPrice, Approve)->reason, "ALREADY_REFUNDED");
  EXPECT_EQ(ledger_->Read(0, 10).size(), 2u);
}

TEST_F(LedgerTest, RemembersAfterARestart) {
  ASSERT_TRUE(ledger_->Charge("a", kPrice, Approve).ok());
  ASSERT_TRUE(ledger_->Charge("b", kOther, Approve).ok());
  ASSERT_TRUE(ledger_->Refund("b", kOther).ok());
  const std::string transaction = ledger_->LookUp("a").transaction;
  Reopen();
  EXPECT_EQ(ledger_->LookUp("a").transaction, transaction);
  EXPECT_EQ(ledger_->LookUp("a").amount, kPrice);
  EXPECT_EQ(ledger_->LookUp("b").state, PaymentState::kRefunded);
  EXPECT_EQ(ledger_->Read(1, 1).front().order, "b");
}

TEST_F(LedgerTest, AnEntryThatWasCutOffNeverWas) {
  ASSERT_TRUE(ledger_->Charge("a", kPrice, Approve).ok());
  std::ofstream(path_, std::ios::app) << "CHARGE b 100 US";
  Reopen();
  EXPECT_EQ(ledger_->LookUp("b").state, PaymentState::kNotFound);
  ASSERT_TRUE(ledger_->Charge("c", kPrice, Approve).ok());
  Reopen();
  EXPECT_EQ(ledger_->Read(0, 10).size(), 2u);
}

TEST_F(LedgerTest, IsBoundedAndKnowsItsOwn) {
  Reopen(1);
  ASSERT_TRUE(ledger_->Charge("a", kPrice, Approve).ok());
  EXPECT_EQ(ErrorReason(ledger_->Charge("b", kPrice, Approve).status()), "LEDGER_FULL");
  std::ofstream(path_, std::ios::app) << "nonsense\n";
  EXPECT_EQ(Ledger::Open(path_, 10).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace bv::simulator
