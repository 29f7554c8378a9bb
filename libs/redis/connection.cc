#include "libs/redis/connection.h"

#include <absl/strings/match.h>

#include <cerrno>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::redis {
namespace {

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using OwnedReply = std::unique_ptr<redisReply, FreeReply>;

Reply ReplyOf(const redisReply& from) {
  Reply reply;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      reply.kind = Reply::Kind::kInteger;
      reply.integer = from.integer;
      break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
      reply.kind = Reply::Kind::kText;
      reply.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ARRAY:
      reply.kind = Reply::Kind::kList;
      for (std::size_t i = 0; i < from.elements; ++i) reply.list.push_back(ReplyOf(*from.element[i]));
      break;
    default:
      break;
  }
  return reply;
}

// Redis' errors begin with a word: those of a server that starts or follows another pass by
// themselves.
absl::Status Refusal(std::string_view text) {
  if (text.starts_with("OOM"))
    return Error(absl::StatusCode::kResourceExhausted, "REDIS_FULL", Concat("Redis refused: ", text));
  for (const std::string_view passing : {"LOADING", "READONLY", "BUSY", "MASTERDOWN", "MISCONF"}) {
    if (text.starts_with(passing)) return Unavailable("REDIS_UNAVAILABLE", Concat("Redis refused: ", text));
  }
  return absl::InternalError(Concat("Redis refused: ", text));
}

bool IsUnknownScript(const Answer& answer) {
  return !answer.ok() && absl::StrContains(answer.status().message(), "NOSCRIPT");
}

timeval TimevalOf(absl::Duration duration) {
  return absl::ToTimeval(duration);
}

}  // namespace

absl::StatusOr<std::vector<Answer>> Client::Connection::Run(
    const std::vector<const Batch::Command*>& commands) {
  const bool was_connected = context_ != nullptr;
  absl::StatusOr<std::vector<Answer>> answers = absl::UnknownError("not run");
  for (int attempt = 0; attempt < 2; ++attempt) {
    RETURN_IF_ERROR(Connect());
    std::vector<Words> words;
    words.reserve(commands.size());
    for (const Batch::Command* command : commands) words.push_back(WordsOf(*command));
    answers = Exchange(words);
    if (answers.ok() || timed_out_ || !was_connected) break;
  }
  RETURN_IF_ERROR(answers.status());
  // Somebody has made Redis forget its scripts.
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (!IsUnknownScript((*answers)[i])) continue;
    known_scripts_.erase(commands[i]->script->hash());
    ASSIGN_OR_RETURN(std::vector<Answer> again, Exchange({WordsOf(*commands[i])}));
    (*answers)[i] = std::move(again.front());
  }
  return answers;
}

absl::Status Client::Connection::Connect() {
  if (context_) return absl::OkStatus();
  known_scripts_.clear();
  context_.reset(
      redisConnectWithTimeout(address_.host.c_str(), address_.port, TimevalOf(settings_.connect_timeout)));
  if (!context_ || context_->err != REDIS_OK) return Lost("connecting");
  if (redisSetTimeout(context_.get(), TimevalOf(settings_.timeout)) != REDIS_OK) return Lost("connecting");
  std::vector<Words> greeting;
  if (!settings_.password.empty()) greeting.push_back({"AUTH", settings_.password.Reveal()});
  if (address_.database != 0) greeting.push_back({"SELECT", std::to_string(address_.database)});
  if (greeting.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<Answer> greeted, Exchange(greeting));
  for (const Answer& answer : greeted) {
    if (answer.ok()) continue;
    context_.reset();
    telemetry::LogLimited(telemetry::Level::kError, "Redis does not let this service in",
                          {{"error", answer.status()}});
    return Unavailable("REDIS_UNAVAILABLE", "Redis does not let this service in");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Answer>> Client::Connection::Exchange(const std::vector<Words>& commands) {
  timed_out_ = false;
  for (const Words& words : commands) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(), sizes.data()) !=
        REDIS_OK) {
      return Lost("writing");
    }
  }
  const absl::Time end = MonotonicNow() + settings_.timeout;
  std::vector<Answer> answers;
  answers.reserve(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    void* raw = nullptr;
    errno = 0;
    if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
      timed_out_ = errno == EAGAIN || errno == EWOULDBLOCK;
      return Lost(timed_out_ ? "waiting too long" : "reading");
    }
    const OwnedReply reply(static_cast<redisReply*>(raw));
    if (reply->type == REDIS_REPLY_ERROR) {
      answers.emplace_back(Refusal({reply->str, reply->len}));
    } else {
      answers.emplace_back(ReplyOf(*reply));
    }
    // The socket's time-out is for one read; this one is for all.
    if (i + 1 < commands.size() && MonotonicNow() >= end) {
      timed_out_ = true;
      return Lost("waiting too long");
    }
  }
  return answers;
}

Client::Connection::Words Client::Connection::WordsOf(const Batch::Command& command) {
  if (!command.script) return command.words;
  const bool is_known = !known_scripts_.insert(command.script->hash()).second;
  Words words = is_known ? Words{"EVALSHA", command.script->hash()} : Words{"EVAL", command.script->text()};
  words.insert(words.end(), command.words.begin(), command.words.end());
  return words;
}

absl::Status Client::Connection::Lost(const char* doing) {
  const std::string why =
      context_ && context_->err != REDIS_OK ? std::string(context_->errstr) : std::string("no answer");
  context_.reset();
  telemetry::LogLimited(telemetry::Level::kWarn, "Redis is away", {{"while", doing}, {"error", why}});
  return Unavailable("REDIS_UNAVAILABLE", "Redis is not available at the moment", settings_.retry_after);
}

}  // namespace bv::redis
