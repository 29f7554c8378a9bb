#include "libs/base/id.h"

#include <absl/hash/hash_testing.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>

namespace bv {
namespace {

TEST(NewUuid, IsVersion7WithTheTimeInFront) {
  const auto millis_of = [](const Uuid& uuid) {
    std::int64_t millis = 0;
    for (int i = 0; i < 6; ++i) millis = millis << 8 | uuid[static_cast<std::size_t>(i)];
    return millis;
  };
  const Uuid uuid = NewUuid();
  EXPECT_EQ(uuid[6] >> 4, 7);
  EXPECT_EQ(uuid[8] >> 6, 2);
  EXPECT_NEAR(static_cast<double>(millis_of(uuid)), static_cast<double>(absl::ToUnixMillis(absl::Now())),
              10'000);
}

// More of them than a millisecond has numbers for.
TEST(NewUuid, LaterOnesOfAThreadSortLater) {
  std::vector<Uuid> uuids(100'000);
  std::ranges::generate(uuids, NewUuid);
  EXPECT_TRUE(std::ranges::is_sorted(uuids));
  EXPECT_EQ(std::ranges::adjacent_find(uuids), uuids.end());
  std::vector<std::string> texts;
  for (const Uuid& uuid : uuids) texts.push_back(UuidToBase32(uuid));
  EXPECT_TRUE(std::ranges::is_sorted(texts)) << "the text sorts as the number does";
}

TEST(NewUuid, NoTwoThreadsMakeTheSame) {
  constexpr std::size_t kEach = 20'000;
  std::mutex mutex;
  std::set<Uuid> all;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      std::vector<Uuid> own(kEach);
      std::ranges::generate(own, NewUuid);
      const std::lock_guard lock(mutex);
      all.insert(own.begin(), own.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(all.size(), 4 * kEach);
}

// The examples of the TypeID specification, spec/valid.yml.
TEST(UuidToBase32, IsTypeIds) {
  EXPECT_EQ(UuidToBase32({}), "00000000000000000000000000");
  Uuid uuid{};
  uuid[15] = 1;
  EXPECT_EQ(UuidToBase32(uuid), "00000000000000000000000001");
  uuid[15] = 32;
  EXPECT_EQ(UuidToBase32(uuid), "00000000000000000000000010");
  uuid.fill(0xff);
  EXPECT_EQ(UuidToBase32(uuid), "7zzzzzzzzzzzzzzzzzzzzzzzzz");
  EXPECT_EQ(UuidToBase32({0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a,
                          0x80, 0x57}),
            "01h455vb4pex5vsknk084sn02q");
}

TEST(UuidToString, IsCanonical) {
  EXPECT_EQ(UuidToString({0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a,
                          0x80, 0x57}),
            "01890a5d-ac96-774b-bcce-b302099a8057");
}

TEST(UuidFromParts, DependsOnEveryPartAndOnWhereItEnds) {
  const Uuid uuid = UuidFromParts({"acme", "user-1", "key"});
  EXPECT_EQ(uuid, UuidFromParts({"acme", "user-1", "key"}));
  EXPECT_EQ(uuid[6] >> 4, 8);
  EXPECT_EQ(uuid[8] >> 6, 2);
  const std::set<Uuid> others{
      UuidFromParts({"acme", "user-1k", "ey"}),   UuidFromParts({"acme", "user-1", "key", ""}),
      UuidFromParts({"acme", "key", "user-1"}),   UuidFromParts({"acmeuser-1key"}),
      UuidFromParts({"acme", "6:user-1", "key"}), UuidFromParts({})};
  EXPECT_EQ(others.size(), 6u);
  EXPECT_FALSE(others.contains(uuid));
}

TEST(Id, ParsesWhatItMakes) {
  const OrderId id = OrderId::New();
  EXPECT_TRUE(id.str().starts_with("ord_"));
  EXPECT_EQ(id.str().size(), 30u);
  const absl::StatusOr<OrderId> parsed = OrderId::Parse(id.str());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, id);
  EXPECT_NE(OrderId::New(), id);
  EXPECT_EQ(OrderId::DerivedFrom({"a"}), OrderId::DerivedFrom({"a"}));
  EXPECT_TRUE(OrderId::Parse(OrderId::DerivedFrom({"a"}).str()).ok());
}

TEST(Id, RefusesWhatIsNotOne) {
  for (const char* text :
       {"", "ord", "ord_", "ord_01h455vb4pex5vsknk084sn02", "ord_01h455vb4pex5vsknk084sn02qq",
        "prd_01h455vb4pex5vsknk084sn02q", "ord-01h455vb4pex5vsknk084sn02q", "ORD_01h455vb4pex5vsknk084sn02q",
        "ord_01H455VB4PEX5VSKNK084SN02Q", "ord_81h455vb4pex5vsknk084sn02q", "ord_01h455vb4pex5vsknk084sn02l",
        "ord_01h455vb4pex5vsknk084sn02u", " ord_01h455vb4pex5vsknk084sn02q",
        "ord_01h455vb4pex5vsknk084sn02\n"}) {
    const absl::Status status = OrderId::Parse(text, "orderId").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(ErrorReason(status), "INVALID_ID") << text;
    EXPECT_EQ(GetErrorDetail(status).field, "orderId") << text;
  }
}

TEST(Id, Hashes) {
  EXPECT_TRUE(
      absl::VerifyTypeImplementsAbslHashCorrectly({OrderId(), OrderId::New(), OrderId::DerivedFrom({"a"})}));
}

}  // namespace
}  // namespace bv
