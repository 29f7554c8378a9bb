// A file of the journal: POSIX calls whose errors are statuses.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bv::mqtt_ingest {

// UNAVAILABLE, reason JOURNAL_UNAVAILABLE, from every call that fails.
class File {
 public:
  File() = default;
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  // For reading and writing; made when it is not there.
  static absl::StatusOr<File> Open(const std::string& path);
  // Nobody else may have it, as long as it is open. FAILED_PRECONDITION, reason JOURNAL_IN_USE.
  absl::Status Lock() const;

  absl::StatusOr<std::int64_t> Size() const;
  // At most `size` bytes; fewer at the end of the file.
  absl::StatusOr<std::string> ReadAt(std::int64_t offset, std::size_t size) const;
  // All of it, or an error and perhaps a part of it.
  absl::Status WriteAt(std::int64_t offset, std::string_view data) const;
  absl::Status Truncate(std::int64_t size) const;
  // Returns when the data is on disk.
  absl::Status Sync() const;

 private:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

// Makes names that were added to or removed from the folder survive the end of the machine.
absl::Status SyncDirectory(const std::string& path);

}  // namespace bv::mqtt_ingest
