// PostgreSQL's logical replication protocol over libpq: one slot, streamed on one connection.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/postgres/postgres.h"
#include "services/outbox-relay/domain/pgoutput.h"

namespace bv::relay {

inline constexpr char kSlotInUse[] = "SLOT_IN_USE";

// Where a session ended. PostgreSQL writes what it is told of a slot to disk only now and then, so after its
// own restart it would send again what was confirmed since; the relay still knows better.
struct Resume {
  // The server's identity and timeline. A position means nothing on another server, or on the same one set
  // back to a backup.
  std::string server;
  Lsn confirmed = 0;
};

// Used by one thread. After an error it is of no use any more.
class ReplicationStream {
 public:
  // Connects and begins where the slot was confirmed last, or at `resume` if that is later and of this
  // server. Waits for the connection (its time-out is libs/postgres'). FAILED_PRECONDITION, reason
  // SLOT_IN_USE, while another relay holds the slot; UNAVAILABLE for everything else.
  static absl::StatusOr<std::unique_ptr<ReplicationStream>> Open(
      const postgres::ConnectionSettings& connection, const std::string& slot, const std::string& publication,
      const Resume& resume);

  // Takes what the socket has; never waits.
  absl::Status Receive();
  // The next frame that was received whole; absent when there is none. Valid until the next call.
  absl::StatusOr<std::optional<std::string_view>> Next();
  absl::Status SendStatus(Lsn flushed);
  // Hands over what SendStatus could not write yet. True while something is left, so that the owner waits for
  // POLLOUT.
  absl::StatusOr<bool> Flush();
  // The end in order: returns when the server has heard every status and ended the stream, so that whoever
  // takes the slot next begins behind what was confirmed. UNAVAILABLE when it did not by `deadline`.
  absl::Status Finish(absl::Time deadline);

  // For Resume.
  const std::string& server() const { return server_; }
  int fd() const { return PQsocket(connection_.get()); }

 private:
  struct Close {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Free {
    void operator()(char* buffer) const { PQfreemem(buffer); }
  };
  explicit ReplicationStream(PGconn* connection) : connection_(connection) {}
  absl::Status Identify();
  absl::Status Lost(std::string_view what) const;

  std::unique_ptr<PGconn, Close> connection_;
  std::string server_;
  std::unique_ptr<char, Free> frame_;
};

}  // namespace bv::relay
