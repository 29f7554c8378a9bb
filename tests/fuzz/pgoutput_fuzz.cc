// The relay's decoder of PostgreSQL's replication stream reads inside its frames only, and makes no event of
// what is none.
//
// Input: frames, each after its length in two bytes, the higher first.
#include <optional>
#include <vector>

#include "services/outbox-relay/domain/pgoutput.h"
#include "services/outbox-relay/relay/outbox_event.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

bool IsInside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

// One connection's worth of frames.
class Stream {
 public:
  void Take(std::string_view frame) {
    const absl::StatusOr<relay::Frame> decoded = relay::DecodeFrame(frame);
    if (!decoded.ok()) return RequireMalformed(decoded.status());
    const auto* data = std::get_if<relay::LogData>(&*decoded);
    if (data == nullptr) return;
    Require(IsInside(data->message, frame), "the message lies in its frame");
    const absl::StatusOr<relay::Message> message = relay::DecodeMessage(data->message);
    if (!message.ok()) return RequireMalformed(message.status());
    if (const auto* relation = std::get_if<relay::Relation>(&*message)) TakeRelation(*relation);
    if (const auto* insert = std::get_if<relay::Insert>(&*message)) TakeInsert(*insert, data->message);
  }

 private:
  static void RequireMalformed(const absl::Status& status) {
    Require(status.code() == absl::StatusCode::kInvalidArgument, "what is malformed is INVALID_ARGUMENT");
  }

  void TakeRelation(const relay::Relation& relation) {
    const absl::StatusOr<relay::OutboxColumns> columns = relay::OutboxColumns::Find(relation.columns);
    if (columns.ok()) columns_ = *columns;
  }

  void TakeInsert(const relay::Insert& insert, std::string_view message) const {
    for (const auto& value : insert.values)
      if (value) Require(IsInside(*value, message), "the value lies in its message");
    if (!columns_) return;
    const absl::StatusOr<relay::OutboxEvent> event = columns_->Read(insert.values);
    if (!event.ok()) return RequireMalformed(event.status());
    Require(!relay::SourceOf(*event).empty(), "every event has a source");
    if (const std::optional<std::string> time = relay::Rfc3339(event->occurred_at))
      Require(time->size() == 27 && time->ends_with('Z'), "times are UTC with microseconds");
  }

  std::optional<relay::OutboxColumns> columns_;
};

}  // namespace

void Run(std::string_view input) {
  Stream stream;
  while (input.size() >= 2) {
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(input[0])) << 8 |
                             static_cast<unsigned char>(input[1]);
    const std::string_view frame = input.substr(2, size);
    input.remove_prefix(2 + frame.size());
    stream.Take(frame);
  }
}

}  // namespace bv::fuzz
