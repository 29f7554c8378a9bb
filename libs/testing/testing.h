// What integration tests share. They run against the real servers that `tools/bv test` starts and names in
// the environment.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"

namespace bv::testing {

// The value of an environment variable that `tools/bv test` sets; ends the test program with a clear message
// when it is not set.
std::string Environment(const char* name);

// A database of its own on the test server, with the fleet's roles and schemas and the outbox; dropped at the
// end.
class Database {
 public:
  // `service` is "product", "cart", "order", "inventory", "payment-adapter", "analytics", "replay" or
  // "webhook-dispatcher": its migrations are applied and Connection() logs in as its role. So are those of
  // `neighbour`, when there is one. "outbox-relay" is always migrated, since the others write to its table.
  explicit Database(std::string_view service, std::string_view neighbour = "");
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& name() const { return name_; }
  // As the service's role.
  postgres::ConnectionSettings Connection() const { return ConnectionOf(role_); }
  postgres::ConnectionSettings ConnectionOf(std::string_view role) const;
  // A libpq URL of the superuser, who sees all rows.
  const std::string& superuser_url() const { return superuser_url_; }
  // Runs one statement as the superuser and returns the first column of the first row, or "".
  std::string Query(const std::string& sql) const;

  // "" when, since the tables of `schema` were made, no statement has read one of them as a whole or found
  // more than `rows_max` rows of it by its indexes; else which, and how much, by PostgreSQL's own counts.
  // Waits until all sessions but the one that asks have ended, since their counts are complete only then.
  std::string TablesReadTooMuch(std::string_view schema, std::int64_t rows_max) const;

  // Inside `work` of a transaction: ends the server's side of the session, as a restart of the server does,
  // and returns when it has gone.
  void Disconnect(postgres::Session& session) const;
  // The same after the transaction was committed, so that the session's own COMMIT is never answered: its
  // outcome is unknown to the caller.
  void CommitUnheard(postgres::Session& session) const;

 private:
  std::string name_;
  std::string role_;
  std::string superuser_url_;
};

// Runs coroutines for a test that is not one.
class Loop {
 public:
  Loop();
  ~Loop();
  boost::asio::io_context& io() { return io_; }

  // Waits for the result.
  template <class T>
  T Run(async::Task<T> task) {
    return boost::asio::co_spawn(io_, std::move(task), boost::asio::use_future).get();
  }

 private:
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

// A context as the interceptor makes it.
RequestContext ContextOf(std::string_view tenant, std::string_view user = "user-1",
                         Role role = Role::kCustomer);

// An HS256 token of the development issuer, signed with the key of the JWK set `jwks` (one oct key).
// Without a tenant it names none.
std::string MakeToken(std::string_view jwks, std::string_view tenant, std::string_view user, Role role,
                      absl::Duration lifetime = absl::Hours(1));

// A JWK set in a file of its own, removed at the end, and tokens signed with its key. Sets with another
// `fill` have another key.
class JwksFile {
 public:
  explicit JwksFile(char fill = 'k');
  ~JwksFile();
  JwksFile(const JwksFile&) = delete;
  JwksFile& operator=(const JwksFile&) = delete;

  const std::string& path() const { return path_; }
  std::string Token(std::string_view tenant, std::string_view user, Role role,
                    absl::Duration lifetime = absl::Hours(1)) const {
    return MakeToken(jwks_, tenant, user, role, lifetime);
  }

 private:
  std::string jwks_;
  std::string path_;
};

}  // namespace bv::testing
