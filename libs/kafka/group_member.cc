#include "libs/kafka/group_member.h"

#include <algorithm>
#include <array>

#include "libs/base/clock.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/kafka/client_log.h"
#include "libs/kafka/client_message.h"
#include "libs/kafka/error.h"
#include "libs/kafka/statistics.h"
#include "libs/telemetry/telemetry.h"

namespace bv::kafka {
namespace {

using telemetry::Level;

template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;
using PartitionList = Handle<rd_kafka_topic_partition_list_t>;

constexpr absl::Duration kCommitRetry = absl::Seconds(1);
// Between two commits: each is a record of the broker's own, and spares a successor what is handled by then.
constexpr absl::Duration kCommitInterval = absl::Milliseconds(250);
// For a commit before the partitions go to another member; without an answer that one handles some messages
// again.
constexpr absl::Duration kRevokePatience = absl::Seconds(5);
constexpr absl::Duration kAnswerPoll = absl::Milliseconds(50);
// What waits to be taken, at most; a fetch may go over it by what one answer of a broker holds.
constexpr int kQueueKilobytesMax = 16 << 10;
constexpr int kFetchBytesMax = 8 << 20;
// What a broker that may gather messages need not wait for company with.
constexpr int kGatherBytes = 256 << 10;

std::string Millis(absl::Duration duration) {
  return Concat(absl::ToInt64Milliseconds(duration));
}

PartitionList ListOf(const Offsets& offsets) {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())),
                     rd_kafka_topic_partition_list_destroy);
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), partition.first.c_str(), partition.second)->offset = offset;
  }
  return list;
}

std::vector<std::pair<const char*, std::string>> Properties(const ConsumerSettings& settings,
                                                            const std::string& group, Consumer::Start start) {
  std::vector<std::pair<const char*, std::string>> properties = {
      {"bootstrap.servers", settings.brokers},
      {"client.id", group},
      {"group.id", group},
      {"auto.offset.reset", start == Consumer::Start::kEarliest ? "earliest" : "latest"},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      // The cooperative one loses partitions and messages before librdkafka 2.10.
      {"partition.assignment.strategy", "range"},
      {"session.timeout.ms", Millis(settings.session_timeout)},
      {"heartbeat.interval.ms", Millis(std::min(settings.session_timeout / 4, absl::Seconds(3)))},
      {"max.poll.interval.ms", Millis(std::max(settings.handle_max, settings.session_timeout))},
      // A broker that does not answer is noticed as soon as the group would notice this member's silence.
      {"socket.timeout.ms", Millis(settings.session_timeout)},
      // Says where an empty partition begins, too.
      {"enable.partition.eof", "true"},
      {"queued.min.messages", Concat(2 * settings.batch_max)},
      {"queued.max.messages.kbytes", Concat(kQueueKilobytesMax)},
      {"fetch.max.bytes", Concat(kFetchBytesMax)},
      // A topic that is made later is found soon.
      {"topic.metadata.refresh.interval.ms", "10000"},
      {"socket.nagle.disable", "true"},
      {"reconnect.backoff.ms", "50"},
      {"reconnect.backoff.max.ms", "1000"},
      {"statistics.interval.ms", "1000"},
  };
  if (settings.gather_max > absl::ZeroDuration()) {
    properties.emplace_back("fetch.min.bytes", Concat(kGatherBytes));
    properties.emplace_back("fetch.wait.max.ms", Millis(settings.gather_max));
  }
  if (!settings.instance_id.empty()) properties.emplace_back("group.instance.id", settings.instance_id);
  return properties;
}

}  // namespace

GroupMember::GroupMember(const ConsumerSettings& settings, std::string group, OnRevoked on_revoked,
                         const JournalTopics& journals)
    : settings_(settings), group_(std::move(group)), on_revoked_(std::move(on_revoked)), journals_(journals) {
  for (const auto& [topic, journal] : journals_) journal_names_.insert(journal);
}

absl::StatusOr<std::unique_ptr<GroupMember>> GroupMember::Join(const ConsumerSettings& settings,
                                                               const std::string& group,
                                                               const std::vector<std::string>& topics,
                                                               Consumer::Start start, OnRevoked on_revoked,
                                                               const JournalTopics& journals) {
  std::unique_ptr<GroupMember> member(new GroupMember(settings, group, std::move(on_revoked), journals));
  std::vector<std::string> all = topics;
  all.insert(all.end(), member->journal_names_.begin(), member->journal_names_.end());
  RETURN_IF_ERROR(member->Connect(all, start));
  return member;
}

absl::Status GroupMember::Connect(const std::vector<std::string>& topics, Consumer::Start start) {
  std::array<char, 512> error{};
  Handle<rd_kafka_conf_t> conf(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  for (const auto& [name, value] : Properties(settings_, group_, start)) {
    if (rd_kafka_conf_set(conf.get(), name, value.c_str(), error.data(), error.size()) != RD_KAFKA_CONF_OK) {
      return absl::InvalidArgumentError(Concat("kafka: ", error.data()));
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), &GroupMember::OnRebalance);
  rd_kafka_conf_set_error_cb(conf.get(), &GroupMember::OnError);
  rd_kafka_conf_set_stats_cb(conf.get(), &GroupMember::OnStatistics);
  rd_kafka_conf_set_log_cb(conf.get(), &LogOfClient);
  client_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), error.data(), error.size());
  if (client_ == nullptr) return absl::InvalidArgumentError(Concat("kafka: ", error.data()));
  static_cast<void>(conf.release());  // rd_kafka_new took it
  rd_kafka_poll_set_consumer(client_);
  messages_ = rd_kafka_queue_new(client_);
  journal_records_ = rd_kafka_queue_new(client_);
  commit_answers_ = rd_kafka_queue_new(client_);
  return Subscribe(topics);
}

absl::Status GroupMember::Subscribe(const std::vector<std::string>& topics) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(topics.size())),
                           rd_kafka_topic_partition_list_destroy);
  for (const std::string& topic : topics) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  }
  return StatusOf(rd_kafka_subscribe(client_, list.get()), Concat("group ", group_));
}

GroupMember::~GroupMember() {
  if (messages_ != nullptr) rd_kafka_queue_destroy(messages_);
  if (journal_records_ != nullptr) rd_kafka_queue_destroy(journal_records_);
  if (commit_answers_ != nullptr) rd_kafka_queue_destroy(commit_answers_);
  if (client_ != nullptr) rd_kafka_destroy_flags(client_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void GroupMember::Serve() {
  // Errors only: messages come by their own queue.
  while (rd_kafka_message_t* const event = rd_kafka_consumer_poll(client_, 0)) {
    Note(event->err, rd_kafka_message_errstr(event));
    rd_kafka_message_destroy(event);
  }
  TakeCommitAnswer(absl::ZeroDuration());
  Commit();
}

std::optional<Message> GroupMember::Take(absl::Duration patience) {
  return TakeFrom(messages_, patience);
}

std::optional<Message> GroupMember::TakeJournal(absl::Duration patience) {
  return TakeFrom(journal_records_, patience);
}

std::optional<Message> GroupMember::TakeFrom(rd_kafka_queue_t* queue, absl::Duration patience) {
  while (true) {
    const Handle<rd_kafka_message_t> record(
        rd_kafka_consume_queue(queue, static_cast<int>(absl::ToInt64Milliseconds(patience))),
        rd_kafka_message_destroy);
    if (record == nullptr) {
      NoteSilence();
      return std::nullopt;
    }
    silent_since_.reset();
    if (record->err != RD_KAFKA_RESP_ERR_NO_ERROR && record->err != RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      Note(record->err, rd_kafka_message_errstr(record.get()));
      continue;
    }
    const bool is_message = record->err == RD_KAFKA_RESP_ERR_NO_ERROR;
    const PartitionId partition{rd_kafka_topic_name(record->rkt), record->partition};
    if (is_message && queue == messages_) {
      progress_.Taken(partition, record->offset, WrittenAt(*record));
    } else {
      progress_.Begin(partition, record->offset);
    }
    if (queue == journal_records_) NoteJournal(*record);
    if (is_message) return MessageOf(*record);
    patience = absl::ZeroDuration();
  }
}

void GroupMember::NoteSilence() {
  if (progress_.empty() || progress_.complete() || !journals_complete_) {
    silent_since_.reset();
    return;
  }
  if (!silent_since_) silent_since_ = MonotonicNow();
  if (!fatal_.ok() || MonotonicNow() - *silent_since_ < settings_.session_timeout) return;
  // librdkafka 2.0.2 asks for committed offsets once: after NOT_COORDINATOR, as from a broker that has just
  // come back, it would wait for ever.
  fatal_ = absl::UnavailableError("partitions were assigned, and do not begin");
}

void GroupMember::NoteJournal(const rd_kafka_message_t& record) {
  const PartitionId partition{rd_kafka_topic_name(record.rkt), record.partition};
  const bool at_end = record.err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
  if (at_end) journals_unread_.erase(partition);
  journals_taken_[partition] = at_end ? record.offset : record.offset + 1;
}

void GroupMember::Handled(std::span<const Message> messages) {
  for (const Message& message : messages) {
    progress_.Handled({message.topic, message.partition}, message.offset + 1, message.written_at);
  }
  Commit();
}

void GroupMember::Commit() {
  if (committing_ || MonotonicNow() < commit_not_before_) return;
  Offsets offsets = progress_.Uncommitted();
  if (offsets.empty()) return;
  const PartitionList list = ListOf(offsets);
  const rd_kafka_resp_err_t error =
      rd_kafka_commit_queue(client_, list.get(), commit_answers_, nullptr, nullptr);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Note(error, "commit");
    commit_not_before_ = MonotonicNow() + kCommitRetry;
    return;
  }
  committing_ = std::move(offsets);
  commit_not_before_ = MonotonicNow() + kCommitInterval;
}

void GroupMember::TakeCommitAnswer(absl::Duration patience) {
  if (!committing_) return;
  const Handle<rd_kafka_event_t> answer(
      rd_kafka_queue_poll(commit_answers_, static_cast<int>(absl::ToInt64Milliseconds(patience))),
      rd_kafka_event_destroy);
  if (answer == nullptr) return;
  const Offsets offsets = *std::move(committing_);
  committing_.reset();
  const rd_kafka_resp_err_t error = rd_kafka_event_error(answer.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    progress_.Committed(offsets);
  } else {
    Note(error, "commit");
    commit_not_before_ = MonotonicNow() + kCommitRetry;
  }
}

void GroupMember::CommitAll(absl::Time deadline) {
  commit_not_before_ = absl::InfinitePast();
  while (MonotonicNow() < deadline) {
    Commit();
    // Nothing to commit, or an error: then whoever comes next handles it again.
    if (!committing_) return;
    TakeCommitAnswer(kAnswerPoll);
  }
}

void GroupMember::Leave(absl::Time deadline) {
  CommitAll(deadline);
  const Handle<rd_kafka_queue_t> events(rd_kafka_queue_new(client_), rd_kafka_queue_destroy);
  if (rd_kafka_error_t* const error = rd_kafka_consumer_close_queue(client_, events.get())) {
    Note(rd_kafka_error_code(error), rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return;
  }
  while (rd_kafka_consumer_closed(client_) == 0 && MonotonicNow() < deadline) {
    const Handle<rd_kafka_event_t> event(
        rd_kafka_queue_poll(events.get(), static_cast<int>(absl::ToInt64Milliseconds(kAnswerPoll))),
        rd_kafka_event_destroy);
    if (event != nullptr && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) Revoke();
  }
  // Time is up. The client may still ask for its partitions, and while nobody answers it cannot be destroyed.
  if (rd_kafka_consumer_closed(client_) == 0) Note(rd_kafka_assign(client_, nullptr), "unassign");
}

void GroupMember::Assign(const rd_kafka_topic_partition_list_t& partitions) {
  std::vector<PartitionId> assigned;
  journals_taken_.clear();
  journals_unread_.clear();
  for (int i = 0; i < partitions.cnt; ++i) {
    const PartitionId& partition =
        assigned.emplace_back(partitions.elems[i].topic, partitions.elems[i].partition);
    if (IsJournal(partition.first)) journals_unread_.insert(partition);
    Forward(partition, IsJournal(partition.first) ? journal_records_ : messages_);
  }
  // The assignor deals topics with equal numbers of partitions alike, so that a partition's journal comes
  // with it.
  journals_complete_ = std::ranges::all_of(assigned, [this](const PartitionId& partition) {
    const auto journal = journals_.find(partition.first);
    return journal == journals_.end() || journals_unread_.contains({journal->second, partition.second});
  });
  if (!journals_complete_) {
    telemetry::Log(Level::kError, "a partition without its retry topic: nothing is handled until it is there",
                   {{"group", group_}});
  }
  silent_since_.reset();
  progress_.Assign(assigned, absl::Now());
  Note(rd_kafka_assign(client_, &partitions), "assign");
  telemetry::Log(Level::kInfo, "partitions assigned", {{"group", group_}, {"partitions", partitions.cnt}});
}

void GroupMember::Forward(const PartitionId& partition, rd_kafka_queue_t* queue) {
  const Handle<rd_kafka_queue_t> own(
      rd_kafka_queue_get_partition(client_, partition.first.c_str(), partition.second),
      rd_kafka_queue_destroy);
  rd_kafka_queue_forward(own.get(), queue);
}

void GroupMember::Revoke() {
  on_revoked_();
  // Lost ones belong to another member by now, which would refuse it.
  if (rd_kafka_assignment_lost(client_) == 0) CommitAll(MonotonicNow() + kRevokePatience);
  progress_.Assign({}, absl::Now());
  Note(rd_kafka_assign(client_, nullptr), "unassign");
  telemetry::Log(Level::kInfo, "partitions given back", {{"group", group_}});
}

void GroupMember::OnRebalance(rd_kafka_t*, rd_kafka_resp_err_t error,
                              rd_kafka_topic_partition_list_t* partitions, void* self) {
  auto& member = *static_cast<GroupMember*>(self);
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    member.Assign(*partitions);
  } else {
    member.Revoke();
  }
}

void GroupMember::OnError(rd_kafka_t*, int error, const char* reason, void* self) {
  static_cast<GroupMember*>(self)->Note(static_cast<rd_kafka_resp_err_t>(error), reason);
}

int GroupMember::OnStatistics(rd_kafka_t*, char* json, std::size_t size, void* self) {
  const auto statistics = ParseStatistics({json, size});
  if (!statistics.ok()) return 0;
  static_cast<GroupMember*>(self)->connected_ = std::ranges::none_of(
      statistics->brokers, [](const BrokerStatistics& broker) { return broker.wanted && !broker.up; });
  return 0;  // librdkafka frees the text
}

void GroupMember::Note(rd_kafka_resp_err_t error, const char* detail) {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  if (error == RD_KAFKA_RESP_ERR__TRANSPORT || error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    connected_ = false;
  telemetry::LogLimited(Level::kWarn, "kafka consumer error",
                        {{"group", group_}, {"error", rd_kafka_err2name(error)}, {"detail", detail}});
  if (error != RD_KAFKA_RESP_ERR__FATAL || !fatal_.ok()) return;
  std::array<char, 512> text{};
  fatal_ = StatusOf(rd_kafka_fatal_error(client_, text.data(), text.size()), text.data());
}

GroupMember::Backlog GroupMember::Look() {
  Backlog backlog;
  for (const auto& [partition, position] : progress_.Positions()) {
    if (IsJournal(partition.first)) continue;
    std::int64_t low = 0;
    std::int64_t high = 0;
    rd_kafka_get_watermark_offsets(client_, partition.first.c_str(), partition.second, &low, &high);
    // Negative before the first answer of the broker.
    backlog.lag[partition.first] += std::max<std::int64_t>(high - position, 0);
    if (high >= 0) progress_.Seen(partition, high, absl::Now());
  }
  backlog.oldest = progress_.oldest_waiting();
  return backlog;
}

bool GroupMember::up_to_date() const {
  return connected_ && fatal_.ok() && progress_.complete();
}

}  // namespace bv::kafka
