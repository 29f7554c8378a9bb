#include "services/mqtt-ingest/journal/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::mqtt_ingest {
namespace {

constexpr mode_t kMode = 0600;

absl::Status Failed(const char* what) {
  return Unavailable("JOURNAL_UNAVAILABLE", Concat("journal: ", what, ": ", std::strerror(errno)));
}

}  // namespace

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

absl::StatusOr<File> File::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
  if (descriptor < 0) return Failed("open");
  return File(descriptor);
}

absl::Status File::Lock() const {
  if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "JOURNAL_IN_USE", "another process has the journal");
}

absl::StatusOr<std::int64_t> File::Size() const {
  struct stat found {};
  if (fstat(descriptor_, &found) != 0) return Failed("fstat");
  return found.st_size;
}

absl::StatusOr<std::string> File::ReadAt(std::int64_t offset, std::size_t size) const {
  std::string data(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got =
        pread(descriptor_, data.data() + have, size - have, offset + static_cast<off_t>(have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  data.resize(have);
  return data;
}

absl::Status File::WriteAt(std::int64_t offset, std::string_view data) const {
  while (!data.empty()) {
    const ssize_t put = pwrite(descriptor_, data.data(), data.size(), offset);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Failed("write");
    data.remove_prefix(static_cast<std::size_t>(put));
    offset += put;
  }
  return absl::OkStatus();
}

absl::Status File::Truncate(std::int64_t size) const {
  return ftruncate(descriptor_, size) == 0 ? absl::OkStatus() : Failed("truncate");
}

absl::Status File::Sync() const {
  return fdatasync(descriptor_) == 0 ? absl::OkStatus() : Failed("sync");
}

absl::Status SyncDirectory(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Failed("open");
  const bool synced = fsync(descriptor) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Failed("sync of the folder");
  close(descriptor);
  return status;
}

}  // namespace bv::mqtt_ingest
