#include "libs/policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_future.hpp>
#include <condition_variable>
#include <future>
#include <thread>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/egress/test_receiver.h"

namespace bv::policy {
namespace {

namespace asio = boost::asio;
using egress::Socket;
using egress::TestReceiver;
using ::testing::HasSubstr;

constexpr absl::Duration kTimeout = absl::Milliseconds(300);

std::string AnswerOf(std::string_view body, std::string_view status = "200 OK") {
  return Concat("HTTP/1.1 ", status, "\r\nContent-Type: application/json\r\nContent-Length: ", body.size(),
                "\r\n\r\n", body);
}
const std::string kAllow = AnswerOf(R"({"result":{"allow":true}})");
const std::string kDeny = AnswerOf(R"({"result":{"allow":false,"reason":"not on Sundays"}})");

class PolicyTest : public testing::Test {
 protected:
  ~PolicyTest() override {
    opa_.reset();
    work_.reset();
    io_.stop();
    thread_.join();
  }

  void Serve(std::function<void(Socket&)> serve, int in_flight_max = 100,
             absl::Duration timeout = absl::Seconds(20)) {
    receiver_.emplace(std::move(serve));
    Connect(Concat("127.0.0.1:", receiver_->port()), in_flight_max, timeout);
  }
  void Connect(const std::string& address, int in_flight_max = 100, absl::Duration timeout = kTimeout) {
    auto opa = Opa::Create(io_, {.address = address, .timeout = timeout, .in_flight_max = in_flight_max});
    ASSERT_TRUE(opa.ok()) << opa.status();
    opa_ = *std::move(opa);
  }
  std::future<absl::Status> Start(absl::Time deadline = absl::InfiniteFuture()) {
    return asio::co_spawn(io_, Asked(deadline), asio::use_future);
  }
  absl::Status Ask() { return Start().get(); }

  async::Task<absl::Status> Asked(absl::Time deadline) {
    RequestContext context;
    context.tenant = TenantId::Trusted("demo");
    context.user_id = "ada";
    context.role = Role::kCustomer;
    context.bearer_token = "the-token";
    context.deadline = deadline;
    Question question{"order.cancel", "order", "ord_1", {{"owner", "ada \"\\\n"}, {"status", "PENDING"}}};
    co_return co_await opa_->Check(std::move(question), context);
  }
  void ExpectUnavailable(const absl::Status& status, const std::string& why = "") {
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status << " " << why;
    EXPECT_EQ(ErrorReason(status), "POLICY_UNAVAILABLE");
  }

  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::thread thread_{[this] { io_.run(); }};
  std::optional<TestReceiver> receiver_;
  std::unique_ptr<Opa> opa_;
};

TEST_F(PolicyTest, AllowsWhatIsAllowed) {
  Serve(egress::AlwaysAnswer(kAllow));
  EXPECT_TRUE(Ask().ok());
}

TEST_F(PolicyTest, DeniesAndSaysWhy) {
  Serve(egress::AlwaysAnswer(kDeny));
  const absl::Status status = Ask();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorReason(status), "POLICY_DENIED");
  EXPECT_EQ(status.message(), "not on Sundays");
}

TEST_F(PolicyTest, AsksForOneDecisionWithoutTheToken) {
  std::promise<std::string> asked;
  Serve([&](Socket& socket) {
    asked.set_value(egress::ReadRequest(socket));
    egress::Write(socket, kAllow);
  });
  ASSERT_TRUE(Ask().ok());
  const std::string request = asked.get_future().get();
  EXPECT_THAT(request, HasSubstr("POST /v1/data/commerce/authz/decision HTTP/1.1"));
  EXPECT_THAT(
      request,
      HasSubstr(
          R"({"input":{"action":"order.cancel","subject":{"id":"ada","role":"CUSTOMER","tenant":"demo"},"resource":{)"
          R"("owner":"ada \"\\\n","status":"PENDING","type":"order","id":"ord_1","tenant":"demo"}}})"));
  EXPECT_THAT(request, testing::Not(HasSubstr("the-token")));
}

TEST_F(PolicyTest, KeepsItsConnection) {
  Serve(egress::AlwaysAnswer(kAllow));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Ask().ok());
  EXPECT_EQ(receiver_->connections(), 1);
}

TEST_F(PolicyTest, AsksAgainWhenTheKeptConnectionWasClosed) {
  Serve([](Socket& socket) {
    egress::ReadRequest(socket);
    egress::Write(socket, kAllow);
  });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Ask().ok()) << i;
  EXPECT_EQ(receiver_->connections(), 5);
}

TEST_F(PolicyTest, WithoutADecisionNothingIsAllowed) {
  for (const std::string& answer :
       {AnswerOf("{}"), AnswerOf(""), AnswerOf("true"), AnswerOf(R"({"result":true})"),
        AnswerOf(R"({"result":{}})"), AnswerOf(R"({"result":{"allow":"true"}})"),
        AnswerOf(R"({"result":{"allow":1}})"), AnswerOf(R"({"allow":true})"),
        AnswerOf(R"({"result":{"allow":true})"), AnswerOf(R"([{"allow":true}])"),
        AnswerOf(R"({"result":{"allow":true}})", "500 Internal Server Error"),
        AnswerOf(R"({"result":{"allow":true}})", "401 Unauthorized"),
        AnswerOf(Concat(R"({"result":{"allow":true},"x":")", std::string(20'000, 'x'), "\"}")),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{\"result\""),
        std::string("garbage\r\n\r\n"),
        Concat("HTTP/1.1 200 OK\r\nX: ", std::string(20'000, 'x'), "\r\n\r\n"), std::string()}) {
    Serve([&](Socket& socket) {
      egress::ReadRequest(socket);
      egress::Write(socket, answer);
    });
    ExpectUnavailable(Ask(), answer.substr(0, 200));
    opa_.reset();
    receiver_.reset();
  }
}

TEST_F(PolicyTest, WithoutOpaNothingIsAllowed) {
  Serve(egress::AlwaysAnswer(kAllow));
  ASSERT_TRUE(Ask().ok());
  receiver_.reset();
  ExpectUnavailable(Ask());
}

TEST_F(PolicyTest, DoesNotWaitForOneThatHangs) {
  std::promise<void> over;
  auto wait = over.get_future().share();
  Serve(
      [wait](Socket& socket) {
        egress::ReadRequest(socket);
        wait.wait();
      },
      100, kTimeout);
  const absl::Time begun = absl::Now();
  ExpectUnavailable(Ask());
  EXPECT_GE(absl::Now() - begun, kTimeout - absl::Milliseconds(20));
  EXPECT_LT(absl::Now() - begun, absl::Seconds(10));
  ExpectUnavailable(Start(absl::Now() + absl::Milliseconds(10)).get(), "the caller's deadline");
  ExpectUnavailable(Start(absl::InfinitePast()).get(), "it was over before");
  over.set_value();
}

TEST_F(PolicyTest, BoundsWhatIsOpen) {
  std::promise<void> go;
  auto wait = go.get_future().share();
  Serve(
      [wait](Socket& socket) {
        egress::ReadRequest(socket);
        wait.wait();
        egress::Write(socket, kAllow);
      },
      2);
  std::future<absl::Status> first = Start(), second = Start();
  while (receiver_->connections() < 2) std::this_thread::yield();
  ExpectUnavailable(Ask());
  go.set_value();
  EXPECT_TRUE(first.get().ok());
  EXPECT_TRUE(second.get().ok());
  EXPECT_TRUE(Ask().ok());
}

TEST_F(PolicyTest, ServesMany) {
  Serve(egress::AlwaysAnswer(kAllow));
  std::vector<std::future<absl::Status>> asked;
  for (int i = 0; i < 100; ++i) asked.push_back(Start());
  for (auto& one : asked) EXPECT_TRUE(one.get().ok());
  const int connections = receiver_->connections();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Ask().ok());
  EXPECT_EQ(receiver_->connections(), connections);
}

TEST(PolicySettings, RefuseAnAddressThatIsNone) {
  asio::io_context io;
  const auto opa =
      Opa::Create(io, {.address = "nowhere:port", .timeout = absl::Seconds(1), .in_flight_max = 1});
  EXPECT_EQ(GetErrorDetail(opa.status()).field, "opa.address");
}

}  // namespace
}  // namespace bv::policy
