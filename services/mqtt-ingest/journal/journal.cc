#include "services/mqtt-ingest/journal/journal.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/mqtt-ingest/journal/frame.h"

namespace bv::mqtt_ingest {
namespace {

namespace fs = std::filesystem;
using telemetry::Level;

constexpr char kSegmentSuffix[] = ".segment";
constexpr std::size_t kSegmentDigits = 20;
constexpr std::int64_t kChunkBytes = 1 << 20;
static_assert(kChunkBytes > static_cast<std::int64_t>(Journal::kRecordBytesMax) + 64,
              "a chunk holds any record");

std::optional<std::int64_t> PositionOf(const fs::path& path) {
  const std::string name = path.filename().string();
  std::int64_t position = 0;
  if (path.extension() != kSegmentSuffix || name.size() != kSegmentDigits + std::strlen(kSegmentSuffix) ||
      !absl::SimpleAtoi(name.substr(0, kSegmentDigits), &position)) {
    return std::nullopt;
  }
  return position;
}

// A position and its checksum.
std::string Noted(std::int64_t position) {
  std::string text(reinterpret_cast<const char*>(&position), sizeof position);
  const std::uint32_t crc = Crc32c(text);
  return text.append(reinterpret_cast<const char*>(&crc), sizeof crc);
}

}  // namespace

void JournalSettings::Bind(config::Binder& b) {
  b.Text("journal.directory", directory);
  b.Integer("journal.bytes_max", bytes_max, {1 << 20, std::int64_t{1} << 40});
  b.Integer("journal.segment_bytes", segment_bytes, {4'096, 1 << 30});
  b.Duration("journal.sync_interval", sync_interval, {absl::Milliseconds(1), absl::Seconds(10)});
}

Journal::Journal(const JournalSettings& settings)
    : settings_(settings),
      waiting_bytes_(telemetry::Gauge("mqtt_ingest_journal_bytes", "Of messages that are not in Kafka yet.")),
      damaged_bytes_(telemetry::Counter("mqtt_ingest_journal_damaged_bytes_total",
                                        "Of the journal that could not be read any more.")) {}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const JournalSettings& settings) {
  std::unique_ptr<Journal> journal(new Journal(settings));
  RETURN_IF_ERROR(journal->Recover());
  journal->syncer_ = std::thread([raw = journal.get()] { raw->Sync(); });
  return journal;
}

Journal::~Journal() {
  Close();
  if (syncer_.joinable()) syncer_.join();
}

absl::Status Journal::Recover() {
  std::error_code error;
  fs::create_directories(settings_.directory, error);
  if (error) return Unavailable("JOURNAL_UNAVAILABLE", Concat("journal: ", error.message()));
  ASSIGN_OR_RETURN(lock_file_, File::Open(settings_.directory + "/lock"));
  RETURN_IF_ERROR(lock_file_.Lock());
  ASSIGN_OR_RETURN(stored_file_, File::Open(settings_.directory + "/stored"));
  RETURN_IF_ERROR(FindSegments());
  RETURN_IF_ERROR(CutTornTail());
  RETURN_IF_ERROR(ReadStored());
  synced_ = end_;
  waiting_bytes_.Set(static_cast<double>(end_ - stored_));
  return NoteStored();
}

absl::Status Journal::FindSegments() {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(settings_.directory, error)) {
    if (const auto position = PositionOf(entry.path())) segments_.emplace(*position, entry.path().string());
  }
  if (error) return Unavailable("JOURNAL_UNAVAILABLE", Concat("journal: ", error.message()));
  if (segments_.empty()) return BeginSegment();
  ASSIGN_OR_RETURN(File file, File::Open(segments_.rbegin()->second));
  active_ = std::make_shared<File>(std::move(file));
  return absl::OkStatus();
}

absl::Status Journal::CutTornTail() {
  const std::int64_t begin = segments_.rbegin()->first;
  std::int64_t whole = 0;
  while (true) {
    ASSIGN_OR_RETURN(const std::string chunk, active_->ReadAt(whole, kChunkBytes));
    std::string_view rest = chunk;
    while (const auto frame = ReadFrame(rest, kRecordBytesMax)) rest.remove_prefix(frame->bytes);
    if (rest.size() == chunk.size()) break;
    whole += static_cast<std::int64_t>(chunk.size() - rest.size());
  }
  end_ = begin + whole;
  ASSIGN_OR_RETURN(const std::int64_t size, active_->Size());
  if (size == whole) return absl::OkStatus();
  telemetry::Log(Level::kWarn, "the end of the journal was cut off", {{"bytes", size - whole}});
  return active_->Truncate(whole);
}

absl::Status Journal::ReadStored() {
  const std::int64_t oldest = segments_.begin()->first;
  ASSIGN_OR_RETURN(const std::string noted, stored_file_.ReadAt(0, Noted(0).size()));
  std::int64_t position = oldest;
  if (noted.size() == Noted(0).size()) {
    std::memcpy(&position, noted.data(), sizeof position);
    // It was being written when the machine ended: what may be stored comes again.
    if (Noted(position) != noted) position = oldest;
  }
  // It may be behind the end when the machine ended before the records were on disk.
  stored_ = std::clamp(position, oldest, end_);
  return absl::OkStatus();
}

absl::Status Journal::NoteStored() {
  return stored_file_.WriteAt(0, Noted(stored_));
}

absl::Status Journal::Append(std::string_view record) {
  if (record.size() > kRecordBytesMax) return InvalidValue("record", "is too large for the journal");
  std::string frame;
  AppendFrame(record, frame);
  const std::lock_guard lock(mutex_);
  if (end_ - stored_ + static_cast<std::int64_t>(frame.size()) > settings_.bytes_max)
    return Error(absl::StatusCode::kResourceExhausted, "JOURNAL_FULL", "the journal is full");
  if (end_ - segments_.rbegin()->first >= settings_.segment_bytes) {
    RETURN_IF_ERROR(BeginSegment());
  }
  const std::int64_t offset = end_ - segments_.rbegin()->first;
  if (absl::Status written = active_->WriteAt(offset, frame); !written.ok()) {
    // The next record is written over what is there of this one, and after a restart it counts as torn.
    static_cast<void>(active_->Truncate(offset));
    return written;
  }
  end_ += static_cast<std::int64_t>(frame.size());
  waiting_bytes_.Set(static_cast<double>(end_ - stored_));
  appended_.notify_one();
  return absl::OkStatus();
}

absl::Status Journal::BeginSegment() {
  if (active_ != nullptr) {
    // Only the last segment may end within a record.
    RETURN_IF_ERROR(active_->Sync());
    synced_ = end_;
  }
  const std::string path = PathOf(end_);
  ASSIGN_OR_RETURN(File file, File::Open(path));
  RETURN_IF_ERROR(SyncDirectory(settings_.directory));
  segments_.emplace(end_, path);
  active_ = std::make_shared<File>(std::move(file));
  return absl::OkStatus();
}

std::string Journal::PathOf(std::int64_t begin) const {
  return absl::StrFormat("%s/%020d%s", settings_.directory, begin, kSegmentSuffix);
}

void Journal::AwaitRoom(absl::Duration patience) {
  std::unique_lock lock(mutex_);
  if (!closed_) room_made_.wait_for(lock, absl::ToChronoNanoseconds(patience));
}

absl::StatusOr<JournalBatch> Journal::Read(std::int64_t bytes_max, absl::Duration patience) {
  JournalBatch batch;
  std::int64_t segment = 0, segment_end = 0;
  std::string path;
  {
    std::unique_lock lock(mutex_);
    appended_.wait_for(lock, absl::ToChronoNanoseconds(patience),
                       [this] { return closed_ || end_ > stored_; });
    batch.begin = batch.end = stored_;
    if (closed_ || end_ == stored_) return batch;
    const auto next = segments_.upper_bound(stored_);
    segment_end = next == segments_.end() ? end_ : next->first;
    std::tie(segment, path) = *std::prev(next);
  }
  // Nobody else deletes segments, and what stands before the end never changes.
  ASSIGN_OR_RETURN(const File file, File::Open(path));
  const std::int64_t size = std::min(std::max(bytes_max, kChunkBytes), segment_end - batch.begin);
  ASSIGN_OR_RETURN(const std::string data,
                   file.ReadAt(batch.begin - segment, static_cast<std::size_t>(size)));
  std::string_view rest = data;
  while (const auto frame = ReadFrame(rest, kRecordBytesMax)) {
    batch.records.emplace_back(frame->record);
    rest.remove_prefix(frame->bytes);
  }
  batch.end += static_cast<std::int64_t>(data.size() - rest.size());
  if (batch.records.empty()) {
    batch.end = segment_end;
    damaged_bytes_.Increment(static_cast<double>(batch.end - batch.begin));
    telemetry::Log(Level::kError, "the journal is damaged; the rest of the segment is given up",
                   {{"segment", path}, {"bytes", batch.end - batch.begin}});
  }
  return batch;
}

absl::Status Journal::Store(std::int64_t end) {
  const std::lock_guard lock(mutex_);
  stored_ = end;
  waiting_bytes_.Set(static_cast<double>(end_ - stored_));
  room_made_.notify_all();
  DeleteStored();
  return NoteStored();
}

void Journal::DeleteStored() {
  while (segments_.size() > 1 && std::next(segments_.begin())->first <= stored_) {
    std::error_code error;
    // One that cannot be deleted is passed over at the next start.
    fs::remove(segments_.begin()->second, error);
    segments_.erase(segments_.begin());
  }
}

std::int64_t Journal::bytes() const {
  const std::lock_guard lock(mutex_);
  return end_ - stored_;
}

void Journal::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  appended_.notify_all();
  room_made_.notify_all();
  closing_.notify_all();
}

void Journal::AwaitClose(absl::Duration patience) {
  std::unique_lock lock(mutex_);
  closing_.wait_for(lock, absl::ToChronoNanoseconds(patience), [this] { return closed_; });
}

void Journal::Sync() {
  std::unique_lock lock(mutex_);
  while (true) {
    // What was written before the end of the process is synced once more.
    const bool is_last = closing_.wait_for(lock, absl::ToChronoNanoseconds(settings_.sync_interval),
                                           [this] { return closed_; });
    if (end_ > synced_) {
      const std::shared_ptr<File> file = active_;
      const std::int64_t end = end_;
      lock.unlock();
      const absl::Status synced = file->Sync();
      lock.lock();
      if (synced.ok()) synced_ = std::max(synced_, end);
      if (!synced.ok())
        telemetry::LogLimited(Level::kError, "the journal is not synced", {{"error", synced}});
    }
    if (is_last) return;
  }
}

}  // namespace bv::mqtt_ingest
