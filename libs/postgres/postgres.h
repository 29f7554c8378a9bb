// PostgreSQL for services: sessions, a pool for reads and single writes, migrations. For batches see lane.h.
//
// Everything runs on threads of its own, since libpqxx blocks. Exceptions of libpqxx end here as
// absl::Status: UNAVAILABLE, reason DATABASE_UNAVAILABLE, when the server is away; ABORTED for serialization
// failures and deadlocks; INTERNAL for the rest.
#pragma once

#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <optional>
#include <pqxx/pqxx>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"
#include "libs/resilience/bounded_queue.h"

namespace bv::postgres {

struct ConnectionSettings {
  // Without a password: "postgresql://bv_order@127.0.0.1:5432/bv".
  std::string url;
  config::Secret password;
  // A statement that runs longer is cancelled by the server.
  absl::Duration statement_timeout = absl::Seconds(10);

  void Bind(config::Binder& b);  // postgres.url, postgres.password, postgres.statement_timeout
};

struct PoolSettings {
  // Connections, each with a thread.
  int size = 4;
  // Requests that wait for a connection; more are RESOURCE_EXHAUSTED.
  int queue_max = 1024;

  void Bind(config::Binder& b);  // postgres.pool_size, postgres.pool_queue_max
};

// A prepared statement: a name that is unique in the process, and its text.
struct Statement {
  const char* name;
  const char* sql;
};

enum class Plans {
  kDefault,
  // Only index plans, chosen once: for statements that touch a known few rows by their key. Without it a
  // batch over a table that has no statistics yet is planned as a scan of the whole table.
  kIndexOnly,
  // Chosen for the values of each run, never a sequential scan: for searches, whose best plan depends on what
  // is searched for.
  kEachTime,
};

// One connection; used by one thread. Connects when it is first used, and again after it was lost.
class Session {
 public:
  Session(ConnectionSettings settings, Plans plans);

  // Runs `work` in one transaction that sees the rows of `tenants` only, and commits when it returns OK;
  // otherwise, or when it throws, rolls back. UNAVAILABLE with `CommitUnknown(status)` when the connection
  // was lost during the commit.
  absl::Status Transact(const std::vector<TenantId>& tenants,
                        const std::function<absl::Status(Session&)>& work);
  // Runs `work` without a transaction: for a single reading statement, at the cost of one round trip. `work`
  // may run twice, when the first connection turns out to be lost.
  absl::Status Read(const std::vector<TenantId>& tenants, const std::function<absl::Status(Session&)>& work);

  // Inside the `work` of Transact only: when the transaction began, by the database's clock; SQL's now().
  // Asks the database unless a statement of the work has told it already. Throws what libpqxx throws.
  absl::Time transaction_time();
  // What a statement of the work returned as `(extract(epoch FROM now()) * 1e6)::bigint`.
  void set_transaction_time(absl::Time time) { transaction_time_ = time; }

  // Inside the `work` of Transact only: calls `then` once the transaction is known to be committed, and never
  // when it is not.
  void OnCommit(std::function<void()> then) { on_commit_.push_back(std::move(then)); }

  // Inside `work` only. Throws what libpqxx throws; Transact and Read turn it into a status.
  template <class... Args>
  pqxx::result Exec(const Statement& statement, Args&&... args) {
    Prepare(statement);
    return transaction_->exec_prepared(statement.name, std::forward<Args>(args)...);
  }

 private:
  void Connect();
  void Prepare(const Statement& statement);
  void Restrict(const std::vector<TenantId>& tenants);
  absl::Status Guard(const std::function<absl::Status()>& body);

  ConnectionSettings settings_;
  Plans plans_;
  std::unique_ptr<pqxx::connection> connection_;
  std::unique_ptr<pqxx::nontransaction> transaction_;
  absl::flat_hash_set<std::string> prepared_;
  // What bv.tenants is set to in this session.
  std::string tenants_;
  std::optional<absl::Time> transaction_time_;
  std::vector<std::function<void()>> on_commit_;
};

// The outcome of a transaction is unknown: it may have been committed. Only repeat what is idempotent.
bool CommitUnknown(const absl::Status& status);
void MarkCommitUnknown(absl::Status& status);

// A fixed number of sessions, each with a thread of its own. Thread safe.
class Pool {
 public:
  Pool(const ConnectionSettings& connection, const PoolSettings& settings, Plans plans = Plans::kDefault);
  ~Pool();

  // Session::Read and Session::Transact for the context's tenant, on one of the threads. A request whose
  // caller has gone or whose deadline has passed is not started. Reading `work` may run twice, writing `work`
  // runs at most once.
  template <class T>
  async::Task<absl::StatusOr<T>> Read(const RequestContext& context,
                                      std::function<absl::StatusOr<T>(Session&)> work) {
    return Run<T>(context, Mode::kRead, std::move(work));
  }
  template <class T>
  async::Task<absl::StatusOr<T>> Transact(const RequestContext& context,
                                          std::function<absl::StatusOr<T>(Session&)> work) {
    return Run<T>(context, Mode::kTransact, std::move(work));
  }

  // Ends the threads after what is queued has run.
  void Stop();

 private:
  enum class Mode { kRead, kTransact };
  struct Job {
    RequestContext context;
    Mode mode;
    std::function<absl::Status(Session&)> work;
    async::Done<absl::Status> done;
  };
  void Enqueue(Job job);
  void Serve(Session& session);

  template <class T>
  async::Task<absl::StatusOr<T>> Run(RequestContext context, Mode mode,
                                     std::function<absl::StatusOr<T>(Session&)> work) {
    absl::StatusOr<T> result = absl::UnknownError("not run");
    std::function<absl::Status(Session&)> store = [&result, &work](Session& session) {
      result = work(session);
      return result.status();
    };
    auto submit = [this, &context, mode, &store](async::Done<absl::Status> done) {
      Enqueue(Job{context, mode, store, std::move(done)});
    };
    absl::Status status = co_await async::Await<absl::Status>(submit);
    if (!status.ok()) co_return status;
    co_return std::move(result);
  }

  resilience::BoundedQueue<Job> queue_;
  std::vector<std::thread> threads_;
};

// Applies `directory`/NNNN_name.sql in order, each in a transaction, recorded with its checksum in the table
// `schema_migration` of the role's own schema. Several processes at once are serialised by an advisory lock.
// FAILED_PRECONDITION, reason MIGRATION_CHANGED, when an applied file has changed; an applied one that is not
// there belongs to a newer version and is let be. Waits for the server until `deadline`.
absl::Status Migrate(const ConnectionSettings& connection, const std::string& directory, absl::Time deadline);

// In place of a tenant, for jobs that look for due work in all tenants: opens the tables whose policy lets
// `bv.tenants = '*'` pass, which are few, and none to writes that matter.
TenantId EveryTenant();

// Arguments for `unnest($1::text[], …)`: libpqxx 6 takes no arrays, PostgreSQL's array literal does.
std::string ArrayLiteral(const std::vector<std::string>& values);
std::string ArrayLiteral(const std::vector<std::int64_t>& values);
// With NULL for absent ones.
std::string ArrayLiteral(const std::vector<std::optional<std::int64_t>>& values);

// A timestamptz column selected as microseconds since 1970: `(extract(epoch FROM at) * 1e6)::bigint`.
absl::Time TimeFromMicros(const pqxx::field& field);

// What libpq connects with: the URL, a connect time-out, the server options ("-c jit=off") and the password.
// Not to be logged.
std::string ConnectionUri(const ConnectionSettings& settings, std::string_view options = {});

// The status of an exception of libpqxx that is being handled.
absl::Status StatusOfCurrentException();

}  // namespace bv::postgres
