// Page tokens and cursors: what the API has not made is refused by its name, and what it has made comes back
// as the same place.
//
// Input: a byte that chooses the list, then the token.
#include <cstring>
#include <limits>

#include "services/analytics/rpc/page_token.h"
#include "services/notification/domain/cursor.h"
#include "services/notification/ws/client_message.h"
#include "services/webhook-dispatcher/rpc/page.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

void RequireNamed(const absl::Status& status, std::string_view field) {
  RequireRefusal(status);
  Require(GetErrorDetail(status).field == field, "a refused token is named");
}

void CheckCursor(std::string_view text) {
  using notification::Cursor;
  const absl::StatusOr<Cursor> cursor = Cursor::Parse(text, "after");
  if (!cursor.ok()) return RequireNamed(cursor.status(), "after");
  const absl::StatusOr<Cursor> again = Cursor::Parse(cursor->Text(), "after");
  Require(again.ok() && *again == *cursor, "a cursor is the same after a round");
  Cursor merged = *cursor;
  merged.Merge(*again);
  Require(merged == *cursor && cursor->IsWithin(merged), "merging with itself changes nothing");
}

// A cursor that was made here: of each eight bytes the offset in a partition.
void CheckOwnCursor(std::string_view bytes) {
  notification::Cursor cursor;
  for (int partition = 0; bytes.size() >= sizeof(std::int64_t) && partition < 100; ++partition) {
    std::int64_t offset = 0;
    std::memcpy(&offset, bytes.data(), sizeof offset);
    bytes.remove_prefix(sizeof offset);
    cursor.Advance(
        {.partition = partition, .offset = offset & (std::numeric_limits<std::int64_t>::max() - 1)});
  }
  const absl::StatusOr<notification::Cursor> again = notification::Cursor::Parse(cursor.Text(), "after");
  Require(again.ok() && *again == cursor, "a cursor of our own is the same after a round");
}

template <class Place>
void CheckPage(absl::StatusOr<Place> (*before)(const std::string&), const std::string& token) {
  const absl::StatusOr<Place> place = before(token);
  if (!place.ok()) return RequireNamed(place.status(), "pageToken");
  if (token.empty()) return;
  const absl::StatusOr<Place> again = before(webhook::TokenOf(*place));
  Require(again.ok() && *again == *place, "a place is the same after a round");
}

void CheckLogPage(const std::string& token) {
  const absl::StatusOr<std::optional<webhook::LogPlace>> place = webhook::PlaceBefore(token);
  if (!place.ok()) return RequireNamed(place.status(), "pageToken");
  if (!*place) return;
  Require((*place)->created_at >= absl::UnixEpoch(), "a place has a time that rows can have");
  const auto again = webhook::PlaceBefore(webhook::TokenOf(**place));
  Require(again.ok() && (*again)->id == (*place)->id && (*again)->created_at == (*place)->created_at,
          "a place in the log is the same after a round");
}

void CheckKeys(const std::string& token) {
  const absl::StatusOr<std::vector<std::string>> key = analytics::FromPageToken(token, 2);
  if (!key.ok()) return RequireNamed(key.status(), "pageToken");
  if (token.empty()) return;
  const auto again = analytics::FromPageToken(analytics::ToPageToken(*key), 2);
  Require(again.ok() && *again == *key, "a key is the same after a round");
}

void CheckClientMessage(std::string_view text) {
  const absl::StatusOr<notification::ClientMessage> message = notification::ParseClientMessage(text);
  if (!message.ok()) return RequireRefusal(message.status());
  Require(!message->after_version || *message->after_version >= 0, "no version is negative");
}

}  // namespace

void Run(std::string_view input) {
  switch (Choose(input, 7)) {
    case 0:
      return CheckCursor(input);
    case 1:
      return CheckPage<webhook::SubscriptionId>(webhook::SubscriptionBefore, std::string(input));
    case 2:
      return CheckPage<std::int64_t>(webhook::NumberBefore, std::string(input));
    case 3:
      return CheckLogPage(std::string(input));
    case 4:
      return CheckKeys(std::string(input));
    case 5:
      return CheckOwnCursor(input);
    default:
      return CheckClientMessage(input);
  }
}

}  // namespace bv::fuzz
