#include <absl/strings/cord.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"

namespace bv::postgres {
namespace {

constexpr absl::string_view kCommitUnknown = "bv/commit-unknown";

absl::Status Away(const char* what) {
  telemetry::LogLimited(telemetry::Level::kWarn, "PostgreSQL is away", {{"error", what}});
  return Unavailable("DATABASE_UNAVAILABLE", "the database is not available at the moment");
}

}  // namespace

void ConnectionSettings::Bind(config::Binder& b) {
  b.Text("postgres.url", url);
  b.Secret("postgres.password", password, config::Presence::kOptional);
  b.Duration("postgres.statement_timeout", statement_timeout, {absl::Milliseconds(100), absl::Hours(1)});
}

void PoolSettings::Bind(config::Binder& b) {
  b.Integer("postgres.pool_size", size, {1, 200});
  b.Integer("postgres.pool_queue_max", queue_max, {1, 100'000});
}

std::string ConnectionUri(const ConnectionSettings& settings, std::string_view options) {
  std::string uri = absl::StrCat(settings.url, settings.url.find('?') == std::string::npos ? "?" : "&",
                                 "connect_timeout=3");
  const auto append = [&uri](std::string_view name, std::string_view value) {
    uri += Concat("&", name, "=");
    for (const char c : value)
      absl::StrAppend(&uri, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
  };
  if (!options.empty()) append("options", options);
  if (!settings.password.empty()) append("password", settings.password.Reveal());
  return uri;
}

absl::Status StatusOfCurrentException() {
  try {
    throw;
  } catch (const pqxx::broken_connection& error) {
    return Away(error.what());
  } catch (const pqxx::serialization_failure& error) {
    return Error(absl::StatusCode::kAborted, "SERIALIZATION_FAILURE", error.what());
  } catch (const pqxx::deadlock_detected& error) {
    return Error(absl::StatusCode::kAborted, "DEADLOCK", error.what());
  } catch (const pqxx::sql_error& error) {
    // Class 57: the server is shutting down or starting; 53: out of memory, disk or connections. 57014 is a
    // statement that ran too long.
    const std::string& state = error.sqlstate();
    if (state == "57014") return absl::DeadlineExceededError("the database took too long");
    if (state.rfind("57", 0) == 0 || state.rfind("53", 0) == 0) return Away(error.what());
    return absl::InternalError(absl::StrCat("SQLSTATE ", state, ": ", error.what()));
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

bool CommitUnknown(const absl::Status& status) {
  return status.GetPayload(kCommitUnknown).has_value();
}

void MarkCommitUnknown(absl::Status& status) {
  status.SetPayload(kCommitUnknown, absl::Cord("1"));
}

TenantId EveryTenant() {
  return TenantId::Trusted("*");
}

Session::Session(ConnectionSettings settings, Plans plans) : settings_(std::move(settings)), plans_(plans) {}

void Session::Connect() {
  transaction_.reset();
  connection_.reset();
  prepared_.clear();
  tenants_.clear();
  std::string options =
      absl::StrCat("-c statement_timeout=", absl::ToInt64Milliseconds(settings_.statement_timeout),
                   " -c idle_in_transaction_session_timeout=60000");
  if (plans_ == Plans::kIndexOnly) {
    absl::StrAppend(&options, " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off",
                    " -c enable_bitmapscan=off -c enable_material=off -c enable_memoize=off -c jit=off",
                    " -c plan_cache_mode=force_generic_plan");
  } else if (plans_ == Plans::kEachTime) {
    absl::StrAppend(&options, " -c enable_seqscan=off -c jit=off -c plan_cache_mode=force_custom_plan");
  }
  connection_ = std::make_unique<pqxx::connection>(ConnectionUri(settings_, options));
  // A connection that silently reconnects would lose the session's settings and its transaction.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored \
    "-Wdeprecated-declarations"  // deprecated because libpqxx 7 never reconnects, which is what we want
  connection_->inhibit_reactivation(true);
#pragma GCC diagnostic pop
}

void Session::Prepare(const Statement& statement) {
  if (prepared_.contains(statement.name)) return;
  connection_->prepare(statement.name, statement.sql);
  prepared_.insert(statement.name);
}

void Session::Restrict(const std::vector<TenantId>& tenants) {
  std::string wanted =
      absl::StrJoin(tenants, ",", [](std::string* out, const TenantId& t) { out->append(t.str()); });
  if (wanted == tenants_) return;
  static constexpr Statement kSet{"bv_set_tenants", "SELECT set_config('bv.tenants', $1, false)"};
  tenants_ = "?";  // unknown until it has succeeded
  Exec(kSet, wanted);
  tenants_ = std::move(wanted);
}

absl::Time Session::transaction_time() {
  static constexpr Statement kNow{"bv_now", "SELECT (extract(epoch FROM now()) * 1e6)::bigint"};
  if (!transaction_time_) transaction_time_ = TimeFromMicros(Exec(kNow)[0][0]);
  return *transaction_time_;
}

absl::Status Session::Guard(const std::function<absl::Status()>& body) {
  try {
    if (!connection_ || !connection_->is_open()) Connect();
    transaction_ = std::make_unique<pqxx::nontransaction>(*connection_);
    absl::Status status = body();
    transaction_.reset();
    return status;
  } catch (...) {
    absl::Status status = StatusOfCurrentException();
    transaction_.reset();
    if (absl::IsUnavailable(status)) connection_.reset();
    return status;
  }
}

// A connection that was lost while it lay idle, as all are when the server restarts, is found out by its next
// use. As long as nothing has been written, that use goes to a new connection instead of failing.
absl::Status Session::Read(const std::vector<TenantId>& tenants,
                           const std::function<absl::Status(Session&)>& work) {
  const auto read = [&] {
    Restrict(tenants);
    return work(*this);
  };
  const bool may_be_stale = connection_ != nullptr;
  absl::Status status = Guard(read);
  return may_be_stale && absl::IsUnavailable(status) ? Guard(read) : status;
}

absl::Status Session::Transact(const std::vector<TenantId>& tenants,
                               const std::function<absl::Status(Session&)>& work) {
  bool committing = false;
  bool begun = false;
  bool working = false;
  const auto transact = [&]() -> absl::Status {
    Restrict(tenants);
    on_commit_.clear();
    transaction_time_.reset();
    begun = true;
    transaction_->exec("BEGIN");
    working = true;
    absl::Status done = work(*this);
    if (done.ok()) {
      committing = true;
      transaction_->exec("COMMIT");
      committing = false;
      for (const auto& then : on_commit_) then();
    } else {
      transaction_->exec("ROLLBACK");
    }
    begun = false;
    return done;
  };
  const bool may_be_stale = connection_ != nullptr;
  absl::Status status = Guard(transact);
  if (may_be_stale && !working && absl::IsUnavailable(status)) status = Guard(transact);
  if (committing && absl::IsUnavailable(status)) MarkCommitUnknown(status);
  if (begun && connection_) {
    // A statement failed: leave the aborted transaction.
    if (absl::Status rolled_back = Guard([this]() -> absl::Status {
          transaction_->exec("ROLLBACK");
          return absl::OkStatus();
        });
        !rolled_back.ok()) {
      connection_.reset();
    }
  }
  return status;
}

}  // namespace bv::postgres
