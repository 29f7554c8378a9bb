#include "services/outbox-relay/relay/replication_stream.h"

#include <absl/strings/ascii.h>
#include <poll.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/outbox-relay/relay/stop_signal.h"

namespace bv::relay {
namespace {

// SQLSTATE object_in_use.
constexpr std::string_view kObjectInUse = "55006";

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, Clear>;

std::string ErrorOf(const PGconn* connection) {
  return std::string(absl::StripAsciiWhitespace(PQerrorMessage(connection)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ReplicationStream>> ReplicationStream::Open(
    const postgres::ConnectionSettings& connection, const std::string& slot, const std::string& publication,
    const Resume& resume) {
  // Values come as text, in the form that OutboxEvent documents.
  const std::string uri = postgres::ConnectionUri(connection, "-c datestyle=ISO -c timezone=UTC");
  const char* const keywords[] = {"dbname", "replication", "fallback_application_name", nullptr};
  const char* const values[] = {uri.c_str(), "database", "outbox-relay", nullptr};
  std::unique_ptr<ReplicationStream> stream(new ReplicationStream(PQconnectdbParams(keywords, values, 1)));
  PGconn* const pg = stream->connection_.get();
  if (PQstatus(pg) != CONNECTION_OK) return stream->Lost("connecting");

  RETURN_IF_ERROR(stream->Identify());
  const Lsn start = resume.server == stream->server_ ? resume.confirmed : 0;
  const std::unique_ptr<char, Free> slot_name(PQescapeIdentifier(pg, slot.c_str(), slot.size()));
  const std::unique_ptr<char, Free> publication_name(
      PQescapeLiteral(pg, publication.c_str(), publication.size()));
  if (!slot_name || !publication_name) return stream->Lost("quoting");
  const std::string command =
      Concat("START_REPLICATION SLOT ", slot_name.get(), " LOGICAL ", FormatLsn(start),
             " (proto_version '1', publication_names ", publication_name.get(), ")");
  const Result result(PQexec(pg, command.c_str()));
  if (PQresultStatus(result.get()) != PGRES_COPY_BOTH) {
    const char* state = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
    if (state != nullptr && state == kObjectInUse) {
      return Error(absl::StatusCode::kFailedPrecondition, kSlotInUse,
                   Concat("slot ", slot, " is held by another relay"));
    }
    return stream->Lost("starting replication");
  }
  if (PQsetnonblocking(pg, 1) != 0) return stream->Lost("starting replication");
  return stream;
}

absl::Status ReplicationStream::Identify() {
  const Result result(PQexec(connection_.get(), "IDENTIFY_SYSTEM"));
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQntuples(result.get()) != 1)
    return Lost("identifying the server");
  server_ = Concat(PQgetvalue(result.get(), 0, 0), "/", PQgetvalue(result.get(), 0, 1));
  return absl::OkStatus();
}

absl::Status ReplicationStream::Receive() {
  if (PQconsumeInput(connection_.get()) != 1) return Lost("reading");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string_view>> ReplicationStream::Next() {
  char* buffer = nullptr;
  const int size = PQgetCopyData(connection_.get(), &buffer, 1);
  frame_.reset(buffer);
  if (size > 0) return std::string_view(buffer, static_cast<std::size_t>(size));
  if (size == 0) return std::nullopt;
  if (size == -1) {
    // The server ended the stream; its reason is the command's result.
    const Result result(PQgetResult(connection_.get()));
    return Lost("the server ended the stream");
  }
  return Lost("reading");
}

absl::Status ReplicationStream::SendStatus(Lsn flushed) {
  const std::string update = EncodeStatusUpdate(flushed, absl::Now());
  // 0: the socket has no room, and neither has it for what was to be sent before; the next status says more
  // anyway.
  if (PQputCopyData(connection_.get(), update.data(), static_cast<int>(update.size())) < 0)
    return Lost("writing");
  return Flush().status();
}

absl::StatusOr<bool> ReplicationStream::Flush() {
  const int left = PQflush(connection_.get());
  if (left < 0) return Lost("writing");
  return left > 0;
}

// A socket that is closed with frames still unread resets the connection, and the server may then end on its
// own write before it reads the status that is waiting for it.
absl::Status ReplicationStream::Finish(absl::Time deadline) {
  if (PQputCopyEnd(connection_.get(), nullptr) < 0) return Lost("ending the stream");
  while (true) {
    char* buffer = nullptr;
    const int size = PQgetCopyData(connection_.get(), &buffer, 1);
    frame_.reset(buffer);
    if (size == -1) break;
    if (size < -1) return Lost("ending the stream");
    if (size > 0) continue;
    ASSIGN_OR_RETURN(const bool writing, Flush());
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return Lost("the server did not end the stream in time");
    pollfd waiting{.fd = fd(), .events = static_cast<short>(POLLIN | (writing ? POLLOUT : 0)), .revents = 0};
    poll(&waiting, 1, PollMillis(left));
    RETURN_IF_ERROR(Receive());
  }
  const Result result(PQgetResult(connection_.get()));
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) return Lost("ending the stream");
  connection_.reset();
  return absl::OkStatus();
}

absl::Status ReplicationStream::Lost(std::string_view what) const {
  return Unavailable("REPLICATION_LOST", Concat(what, ": ", ErrorOf(connection_.get())));
}

}  // namespace bv::relay
