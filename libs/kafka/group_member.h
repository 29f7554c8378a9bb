// One member of a consumer group, over librdkafka; internal to libs/kafka. Consumer is built on it.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <librdkafka/rdkafka.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "libs/kafka/consumer.h"
#include "libs/kafka/progress.h"

namespace bv::kafka {

// Used by one thread, Look apart. What the group wants (rebalances, errors, answers) and what it reads come
// by two queues, so that a member that cannot take more messages still answers the group: messages wait in
// their queue, which librdkafka bounds. Nothing is ever paused or sought, because librdkafka 2.0.2 can skip
// messages then.
class GroupMember {
 public:
  // Called in Serve and Leave: the partitions have gone, and with them what is not handled yet.
  using OnRevoked = std::function<void()>;

  // Journals by topic, see Journal.
  using JournalTopics = std::map<std::string, std::string>;

  // Connects in the background. INVALID_ARGUMENT for settings that librdkafka refuses.
  static absl::StatusOr<std::unique_ptr<GroupMember>> Join(const ConsumerSettings& settings,
                                                           const std::string& group,
                                                           const std::vector<std::string>& topics,
                                                           Consumer::Start start, OnRevoked on_revoked,
                                                           const JournalTopics& journals = {});
  // Commits nothing.
  ~GroupMember();
  GroupMember(const GroupMember&) = delete;
  GroupMember& operator=(const GroupMember&) = delete;

  // Answers the group and commits what was handled; never waits long.
  void Serve();
  // The next message, waiting at most `patience` for it.
  std::optional<Message> Take(absl::Duration patience);
  // The next record of a journal.
  std::optional<Message> TakeJournal(absl::Duration patience);
  // Every partition has its journal, and what stood in it at the assignment was taken.
  bool journals_read() const { return journals_complete_ && journals_unread_.empty(); }
  // How far each partition of the journals was taken.
  const Offsets& journals_taken() const { return journals_taken_; }
  // The journal's records before `offset` are not needed any more.
  void JournalDone(const PartitionId& partition, std::int64_t offset) {
    progress_.Handled(partition, offset, absl::InfinitePast());
  }

  // The effect of these messages is durable.
  void Handled(std::span<const Message> messages);
  // Commits what was handled and gives the partitions back, so that others take them at once; at most until
  // `deadline`.
  void Leave(absl::Time deadline);

  // Not OK after an error that this member cannot recover from: another one has to join.
  const absl::Status& fatal() const { return fatal_; }
  bool assigned() const { return !progress_.empty(); }
  struct Backlog {
    // Messages that are not handled, by topic.
    std::map<std::string, std::int64_t> lag;
    // When the oldest of them was written, as Progress::oldest_waiting.
    absl::Time oldest;
  };
  // Without the journals, as far as the brokers' last answers tell. From any thread, while the member lives.
  Backlog Look();
  // Connected, and all that Look counts is known: partitions are assigned, and their positions were told.
  bool up_to_date() const;

 private:
  GroupMember(const ConsumerSettings& settings, std::string group, OnRevoked on_revoked,
              const JournalTopics& journals);
  absl::Status Connect(const std::vector<std::string>& topics, Consumer::Start start);
  absl::Status Subscribe(const std::vector<std::string>& topics);

  std::optional<Message> TakeFrom(rd_kafka_queue_t* queue, absl::Duration patience);
  bool IsJournal(const std::string& topic) const { return journal_names_.contains(topic); }
  // Nothing came. A member whose partitions do not begin is no use any more: see fatal.
  void NoteSilence();
  void NoteJournal(const rd_kafka_message_t& record);
  void Forward(const PartitionId& partition, rd_kafka_queue_t* queue);
  void Assign(const rd_kafka_topic_partition_list_t& partitions);
  void Revoke();
  void Commit();
  void TakeCommitAnswer(absl::Duration patience);
  void CommitAll(absl::Time deadline);
  void Note(rd_kafka_resp_err_t error, const char* detail);

  static void OnRebalance(rd_kafka_t* client, rd_kafka_resp_err_t error,
                          rd_kafka_topic_partition_list_t* partitions, void* self);
  static void OnError(rd_kafka_t* client, int error, const char* reason, void* self);
  static int OnStatistics(rd_kafka_t* client, char* json, std::size_t size, void* self);

  const ConsumerSettings settings_;
  const std::string group_;
  const OnRevoked on_revoked_;
  const JournalTopics journals_;
  std::set<std::string> journal_names_;
  rd_kafka_t* client_ = nullptr;
  rd_kafka_queue_t* messages_ = nullptr;
  rd_kafka_queue_t* journal_records_ = nullptr;
  rd_kafka_queue_t* commit_answers_ = nullptr;
  Progress progress_;
  bool journals_complete_ = true;
  std::set<PartitionId> journals_unread_;
  Offsets journals_taken_;
  // What the commit that is on its way says; at most one is.
  std::optional<Offsets> committing_;
  absl::Time commit_not_before_ = absl::InfinitePast();
  bool connected_ = true;
  absl::Status fatal_;
  // Since when nothing has come while it is not known of every partition where it begins.
  std::optional<absl::Time> silent_since_;
};

}  // namespace bv::kafka
