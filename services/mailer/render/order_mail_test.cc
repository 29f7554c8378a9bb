#include "services/mailer/render/order_mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "libs/base/error.h"

namespace bv::mailer {
namespace {

namespace pb = commerce::order::v1;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kBuiltIn = std::string(BV_SOURCE_DIR) + "/services/mailer/templates";
const TenantId kAcme = TenantId::Trusted("acme");

pb::Order OrderOf(const std::string& title) {
  pb::Order order;
  order.set_order_id("ord_1");
  order.set_total_amount(12950);
  order.set_currency("EUR");
  order.mutable_shipping_address()->set_name("Ada <Lovelace>");
  pb::OrderItem* item = order.add_items();
  item->set_title(title);
  item->set_qty(2);
  item->set_price(6475);
  return order;
}

class OrderMailTest : public ::testing::Test {
 protected:
  Rendered Render(const pb::Order& order, const Letter& letter) {
    const absl::StatusOr<Templates> templates = Templates::Load(kBuiltIn);
    EXPECT_TRUE(templates.ok()) << templates.status();
    return templates->Render(kAcme, order, letter);
  }
};

TEST_F(OrderMailTest, EveryKindHasATextOfItsOwn) {
  std::set<std::string> subjects;
  std::set<std::string> texts;
  for (const Kind kind : kKinds) {
    const Rendered mail = Render(OrderOf("Mug"), {.kind = kind, .shop = "Acme"});
    EXPECT_THAT(mail.subject, HasSubstr("ord_1")) << Word(kind);
    EXPECT_THAT(mail.subject, Not(HasSubstr("\n")));
    EXPECT_THAT(mail.text,
                HasSubstr(".\n\n2 x Mug: 64.75 EUR each\nTotal: 129.50 EUR\n\nBest regards,\nAcme\n"));
    EXPECT_THAT(mail.text, Not(HasSubstr("{{")));
    EXPECT_THAT(mail.html, Not(HasSubstr("{{")));
    subjects.insert(mail.subject);
    texts.insert(mail.text);
  }
  EXPECT_EQ(subjects.size(), std::size(kKinds));
  EXPECT_EQ(texts.size(), std::size(kKinds));
}

TEST_F(OrderMailTest, WhatOthersWroteIsNoHtml) {
  const Rendered mail =
      Render(OrderOf("<script>alert(1)</script> & \"Mug\""), {.kind = Kind::kOrderPlaced, .shop = "A&B"});
  EXPECT_THAT(mail.html, Not(HasSubstr("<script>")));
  EXPECT_THAT(mail.html, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(mail.html, HasSubstr("A&amp;B"));
  EXPECT_THAT(mail.html, HasSubstr("Ada &lt;Lovelace&gt;"));
  // And the text is as it was written.
  EXPECT_THAT(mail.text, HasSubstr("<script>alert(1)</script> & \"Mug\""));
}

TEST_F(OrderMailTest, ARefundAndALinkAreThereWhenTheyAre) {
  pb::Order order = OrderOf("Mug");
  Letter letter{.kind = Kind::kOrderCanceled, .shop = "Acme"};
  EXPECT_THAT(Render(order, letter).text, Not(HasSubstr("given back")));
  EXPECT_THAT(Render(order, letter).html, Not(HasSubstr("<a ")));
  order.set_payment_status(pb::PAYMENT_STATUS_REFUNDED);
  letter.unsubscribe_url = "https://shop.example/stop?t=a.b";
  EXPECT_THAT(Render(order, letter).text, HasSubstr("given back your payment of 129.50 EUR"));
  EXPECT_THAT(Render(order, letter).text, HasSubstr("https://shop.example/stop?t=a.b"));
  EXPECT_THAT(Render(order, letter).html, HasSubstr("<a href=\"https://shop.example/stop?t=a.b\">"));
}

TEST_F(OrderMailTest, TheTextHasNoGaps) {
  pb::Order order = OrderOf("Mug");
  for (const char* number : {"T-1", "T-2"}) {
    order.add_shipments()->set_carrier("DHL");
    order.mutable_shipments()->rbegin()->set_tracking_number(number);
  }
  const Letter letter{
      .kind = Kind::kOrderShipped, .shop = "Acme", .unsubscribe_url = "https://shop.example/stop"};
  EXPECT_EQ(
      Render(order, letter).text,
      "Hello Ada <Lovelace>,\n\nyour order ord_1 is on its way.\n\n2 x Mug: 64.75 EUR each\nTotal: "
      "129.50 EUR\n"
      "Sent with DHL T-1\nSent with DHL T-2\nBest regards,\nAcme\nIf you want no mails about your orders: "
      "https://shop.example/stop\n");
}

TEST_F(OrderMailTest, ATenantMayHaveItsOwn) {
  const std::filesystem::path directory = std::filesystem::path(::testing::TempDir()) / "mailer_templates";
  std::filesystem::remove_all(directory);
  std::filesystem::copy(kBuiltIn, directory, std::filesystem::copy_options::recursive);
  std::filesystem::create_directory(directory / "acme");
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(directory / "acme" / name) << text;
  };
  write("order.subject.txt", "Bestellung {{orderId}}");
  write("order.txt", "{{#items}}{{title}};{{/items}}");
  EXPECT_EQ(ErrorReason(Templates::Load(directory.string()).status()), "INVALID_VALUE")
      << "order.html is missing";
  write("order.html", "{{#open}}");
  EXPECT_THAT(Templates::Load(directory.string()).status().message(), HasSubstr("order.html"));
  write("order.html", "<p>{{shop}}</p>");
  const absl::StatusOr<Templates> templates = Templates::Load(directory.string());
  ASSERT_TRUE(templates.ok()) << templates.status();
  const Letter letter{.kind = Kind::kOrderPaid, .shop = "Acme"};
  EXPECT_EQ(templates->Render(kAcme, OrderOf("Becher"), letter).text, "Becher;");
  EXPECT_EQ(templates->Render(kAcme, OrderOf("Becher"), letter).subject, "Bestellung ord_1");
  EXPECT_EQ(templates->Render(TenantId::Trusted("globex"), OrderOf("Mug"), letter).subject,
            "Your order ord_1 is paid");
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace bv::mailer
