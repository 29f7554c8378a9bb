#include "services/identity/tests/identity_fixture.h"

namespace bv::identity {
namespace {

class StoresTest : public IdentityTest {
 protected:
  absl::StatusOr<pb::Store> Close(const std::string& code) {
    pb::CloseStoreRequest request;
    request.set_store_code(code);
    return Call(&StoreRpc::CloseStore, request);
  }
};

TEST_F(StoresTest, AStoreIsMadeOnceAndClosedForGood) {
  const absl::StatusOr<pb::Store> made = Create("BERLIN");
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->status(), pb::STORE_STATUS_OPEN);
  EXPECT_EQ(Create("BERLIN")->created_at().seconds(), made->created_at().seconds()) << "a repeat finds it";
  EXPECT_EQ(ErrorReason(Create("BERLIN", "Another").status()), "STORE_EXISTS");
  const absl::StatusOr<pb::Store> closed = Close("BERLIN");
  ASSERT_TRUE(closed.ok()) << closed.status();
  EXPECT_EQ(closed->status(), pb::STORE_STATUS_CLOSED);
  EXPECT_EQ(Close("BERLIN")->closed_at().nanos(), closed->closed_at().nanos()) << "a repeat changes nothing";
  EXPECT_EQ(ErrorReason(Close("ROME").status()), "STORE_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Close("*").status()), "STORE_NOT_FOUND");
}

TEST_F(StoresTest, GrantsNameStoresThatAreOpen) {
  EXPECT_EQ(
      ErrorReason(Invite("bob@example.com", {{"*", {"orders.read"}}, {"ROME", {"orders.read"}}}).status()),
      "STORE_UNKNOWN");
  EXPECT_EQ(
      FieldOf(Invite("bob@example.com", {{"default", {"orders.read"}}, {"ROME", {"orders.read"}}}).status()),
      "grants[1].storeCode");
  ASSERT_TRUE(Create("ROME").ok());
  const pb::StaffMember staff = Hired("bob", {{"ROME", {"orders.read"}}});
  ASSERT_TRUE(Close("ROME").ok());
  EXPECT_EQ(ErrorReason(Invite("eve@example.com", {{"ROME", {"orders.read"}}}).status()), "STORE_UNKNOWN");
  auto change = Of<pb::SetGrantsRequest>(staff.staff_id());
  *change.add_grants() = ToProto(Grant{"ROME", {"stock.write"}});
  EXPECT_TRUE(Call(&StaffRpc::SetGrants, change).ok()) << "it was named before";
  EXPECT_EQ(ErrorReason(Call(&StaffRpc::InviteStaff,
                             InvitationOf("eve@example.com", {{"ROME", {"stock.write"}}}), Stranger())
                            .status()),
            "STORE_UNKNOWN");
}

TEST_F(StoresTest, TheLimitHoldsHoweverManyAskAtOnce) {
  std::atomic<int> made = 0;
  AtOnce(8, [&](int i) {
    const absl::Status status = Create("S" + std::to_string(i)).status();
    if (status.ok()) ++made;
    EXPECT_EQ(ErrorReason(status), status.ok() ? "" : "STORES_FULL") << status;
  });
  EXPECT_EQ(made, kStoresMax);
}

TEST_F(StoresTest, TheListIsByCode) {
  for (const char* code : {"C", "A", "B"}) ASSERT_TRUE(Create(code).ok());
  pb::ListStoresRequest request;
  request.set_page_size(2);
  const auto page = Call(&StoreRpc::ListStores, request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->stores_size(), 2);
  EXPECT_EQ(page->stores(1).store_code(), "B");
  request.set_page_token(page->next_page_token());
  EXPECT_EQ(Call(&StoreRpc::ListStores, request)->stores(0).store_code(), "C");
  request.set_page_token("IA");
  EXPECT_EQ(FieldOf(Call(&StoreRpc::ListStores, request).status()), "pageToken");
}

TEST_F(StoresTest, BadInputIsNamed) {
  pb::CreateStoreRequest request;
  const auto field = [&] { return FieldOf(Call(&StoreRpc::CreateStore, request).status()); };
  request.set_store_code("*");
  EXPECT_EQ(field(), "storeCode");
  request.set_store_code("ROME");
  EXPECT_EQ(field(), "name");
  request.set_name("Rome");
  EXPECT_EQ(field(), "defaultCountry");
  request.set_default_country("IT");
  request.set_currency("euro");
  EXPECT_EQ(field(), "currency");
  request.set_currency("EUR");
  EXPECT_EQ(field(), "");
}

}  // namespace
}  // namespace bv::identity
