// Decoder of PostgreSQL's logical replication stream, plug-in pgoutput, protocol version 1.
// https://www.postgresql.org/docs/15/protocol-replication.html and …/protocol-logicalrep-message-formats.html
//
// Pure. Whatever the bytes are, it reads inside them only and answers INVALID_ARGUMENT for what is not a
// message.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace bv::relay {

// A position in the write-ahead log; 0 is none.
using Lsn = std::uint64_t;
// "16/B374D848", as PostgreSQL writes it.
std::string FormatLsn(Lsn lsn);

// --- Frames: what CopyData carries.

struct LogData {
  Lsn start = 0;
  // One message of pgoutput.
  std::string_view message;
};
struct Keepalive {
  // Everything that was committed before has been sent.
  Lsn end = 0;
  bool reply_requested = false;
};
using Frame = std::variant<LogData, Keepalive>;
absl::StatusOr<Frame> DecodeFrame(std::string_view bytes);

// The answer to the server: "all before `flushed` is safe, you need not keep it for me".
std::string EncodeStatusUpdate(Lsn flushed, absl::Time now);

// --- Messages.

struct Begin {
  // Of the transaction's commit record.
  Lsn commit_lsn = 0;
  absl::Time commit_time;
};
struct Commit {
  // Confirming this position confirms the transaction.
  Lsn end_lsn = 0;
};
struct Relation {
  std::uint32_t id = 0;
  std::string schema;
  std::string name;
  std::vector<std::string> columns;
};
struct Insert {
  std::uint32_t relation_id = 0;
  // In the order of Relation::columns; absent for NULL. They point into the message.
  std::vector<std::optional<std::string_view>> values;
};
// A message that has nothing to do with inserts.
struct Other {};
using Message = std::variant<Begin, Commit, Relation, Insert, Other>;
absl::StatusOr<Message> DecodeMessage(std::string_view bytes);

}  // namespace bv::relay
