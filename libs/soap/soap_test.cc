#include "libs/soap/soap.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::soap {
namespace {

constexpr char kNs[] = "urn:test";

std::string Around(std::string_view body) {
  return Concat(R"(<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>)", body,
                "</e:Body></e:Envelope>");
}

std::string ReasonOf(std::string_view text, const Limits& limits = {}) {
  const absl::StatusOr<Element> read = ReadEnvelope(text, limits);
  return read.ok() ? Concat("taken as ", read->name) : ErrorReason(read.status());
}

Element Payment() {
  Element element{.ns = kNs, .name = "Payment"};
  element.Add("orderId", "ord_1");
  element.Add("amount", "129.50");
  return element;
}

TEST(Soap, WhatIsWrittenIsRead) {
  Element payment = Payment();
  payment.Add("note", "a < b & \"c\" > d");
  const absl::StatusOr<Element> read = ReadEnvelope(WriteEnvelope(payment), {});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->ns, kNs);
  EXPECT_EQ(read->name, "Payment");
  EXPECT_EQ(read->TextOf("amount"), "129.50");
  EXPECT_EQ(read->TextOf("note"), "a < b & \"c\" > d");
  EXPECT_EQ(read->TextOf("other"), "");
}

TEST(Soap, PrefixesAreTheSendersChoice) {
  for (const char* body :
       {R"(<Payment xmlns="urn:test"><amount>1</amount></Payment>)",
        R"(<p:Payment xmlns:p="urn:test"><p:amount>1</p:amount></p:Payment>)",
        R"(<a:Payment xmlns:a="urn:test"><b:amount xmlns:b="urn:test"> 1 </b:amount></a:Payment>)",
        R"(<e:Payment xmlns:e="urn:test"><e:amount><![CDATA[1]]></e:amount></e:Payment>)"}) {
    const absl::StatusOr<Element> read = ReadEnvelope(Around(body), {});
    ASSERT_TRUE(read.ok()) << body << read.status();
    EXPECT_EQ(read->ns, kNs);
    EXPECT_EQ(read->TextOf("amount"), "1") << body;
  }
}

TEST(Soap, AnotherNamespaceIsAnotherName) {
  const absl::StatusOr<Element> read =
      ReadEnvelope(Around(R"(<Payment xmlns="urn:test"><amount xmlns="urn:other">1</amount></Payment>)"), {});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->Find("amount"), nullptr);
  EXPECT_EQ(ReasonOf(R"(<Envelope xmlns="urn:other"><Body><a/></Body></Envelope>)"), "NOT_AN_ENVELOPE");
}

TEST(Soap, NoDocumentType) {
  const std::string envelope = Around("<a>&lol9;</a>");
  EXPECT_EQ(ReasonOf(R"(<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>)" + Around("<a>&x;</a>")),
            "DOCTYPE_REFUSED");
  std::string bomb = R"(<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol0 "lol">)";
  for (int i = 1; i < 10; ++i) {
    bomb += Concat("<!ENTITY lol", i, " \"");
    for (int j = 0; j < 10; ++j) bomb += Concat("&lol", i - 1, ";");
    bomb += "\">";
  }
  EXPECT_EQ(ReasonOf(bomb + "]>" + envelope), "DOCTYPE_REFUSED");
  EXPECT_EQ(ReasonOf("<!DOCTYPE a SYSTEM \"http://127.0.0.1/evil.dtd\">" + envelope), "DOCTYPE_REFUSED");
  EXPECT_NE(ReasonOf("<!DOCTYPE a [" + envelope), "taken as a");
  EXPECT_NE(ReasonOf(Around("<!DOCTYPE a []><a/>")), "taken as a");
}

TEST(Soap, UnknownEntitiesStayText) {
  const absl::StatusOr<Element> read = ReadEnvelope(Around("<a>&xxe;</a>"), {});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->text, "&xxe;");
}

TEST(Soap, SizeAndDepthHaveLimits) {
  EXPECT_EQ(ReasonOf(Around("<a/>"), {.bytes_max = 20}), "XML_TOO_LARGE");
  std::string deep;
  for (int i = 0; i < 6000; ++i) deep += "<a>";
  std::string shut;
  for (int i = 0; i < 6000; ++i) shut += "</a>";
  EXPECT_EQ(ReasonOf(Around(deep + shut)), "XML_TOO_DEEP");
  EXPECT_EQ(ReasonOf(Around("<a><b><c/></b></a>"), {.depth_max = 5}), "taken as a");
  EXPECT_EQ(ReasonOf(Around("<a><b><c/></b></a>"), {.depth_max = 4}), "XML_TOO_DEEP");
}

TEST(Soap, MalformedIsRefused) {
  const std::string whole = WriteEnvelope(Payment());
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const std::string reason = ReasonOf(std::string_view(whole).substr(0, cut));
    EXPECT_TRUE(reason == "MALFORMED_XML" || reason == "NOT_AN_ENVELOPE") << cut << reason;
  }
  EXPECT_EQ(ReasonOf(Around("<p:a/>")), "MALFORMED_XML");
  EXPECT_EQ(ReasonOf(Around("")), "NOT_AN_ENVELOPE");
  EXPECT_EQ(ReasonOf(Around("<a/><b/>")), "NOT_AN_ENVELOPE");
  EXPECT_EQ(ReasonOf("<html><body>502</body></html>"), "NOT_AN_ENVELOPE");
  EXPECT_EQ(ReasonOf(""), "MALFORMED_XML");
  EXPECT_EQ(ReasonOf(std::string("\0\xff<", 3)), "MALFORMED_XML");
}

TEST(Soap, AHeaderThatMustBeUnderstoodIsNot) {
  const auto with_header = [](std::string_view attribute) {
    return Concat(
        R"(<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><t:x xmlns:t="t" )",
        attribute, "/></e:Header><e:Body><a/></e:Body></e:Envelope>");
  };
  EXPECT_EQ(ReasonOf(with_header(R"(e:mustUnderstand="1")")), "MUST_UNDERSTAND");
  EXPECT_EQ(ReasonOf(with_header(R"(e:mustUnderstand="0")")), "taken as a");
  EXPECT_EQ(ReasonOf(with_header("")), "taken as a");
}

TEST(Soap, Faults) {
  const absl::StatusOr<Element> read =
      ReadEnvelope(WriteFault({.code = "Server.Busy", .text = "later <please>"}), {});
  ASSERT_TRUE(read.ok()) << read.status();
  const std::optional<Fault> fault = FaultOf(*read);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->code, "Server.Busy");
  EXPECT_EQ(fault->text, "later <please>");
  EXPECT_FALSE(FaultOf(Payment()));
}

}  // namespace
}  // namespace bv::soap
