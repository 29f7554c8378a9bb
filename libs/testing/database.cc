#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "libs/testing/testing.h"

namespace bv::testing {
namespace {

struct ServiceRole {
  std::string_view service;
  std::string_view role;
  std::string_view schema;
};
constexpr ServiceRole kRoles[] = {{"product", "bv_product", "product"},
                                  {"cart", "bv_cart", "cart"},
                                  {"order", "bv_order", "orders"},
                                  {"inventory", "bv_inventory", "inventory"},
                                  {"payment-adapter", "bv_payment", "payment"},
                                  {"analytics", "bv_analytics", "analytics"},
                                  {"replay", "bv_replay", "replay"},
                                  {"mailer", "bv_mail", "mail"},
                                  {"webhook-dispatcher", "bv_webhook", "webhook"},
                                  {"identity", "bv_identity", "identity"},
                                  {"audit-trail", "bv_audit", "audit"},
                                  {"outbox-relay", "bv_relay", "outbox"}};

// "scheme://user:password@host:port/database?parameters" with the user or database of a test.
struct Url {
  std::string scheme, user, password, host, parameters;

  explicit Url(const std::string& text) {
    const std::size_t user_at = text.find("://") + 3;
    const std::size_t at = text.find('@', user_at);
    const std::size_t path_at = text.find('/', at);
    const std::size_t query_at = text.find('?', at);
    const std::string credentials = text.substr(user_at, at - user_at);
    scheme = text.substr(0, user_at);
    user = credentials.substr(0, credentials.find(':'));
    if (const std::size_t colon = credentials.find(':'); colon != std::string::npos)
      password = credentials.substr(colon + 1);
    host = text.substr(at + 1, std::min(path_at, query_at) - at - 1);
    if (query_at != std::string::npos) parameters = text.substr(query_at);
  }
  std::string WithoutPassword(std::string_view login, std::string_view database) const {
    return Concat(scheme, login, "@", host, "/", database, parameters);
  }
  std::string WithPassword(std::string_view database) const {
    return Concat(scheme, user, password.empty() ? "" : ":", password, "@", host, "/", database, parameters);
  }
};

constexpr char kPassword[] = "integration-test";

[[noreturn]] void Fail(const std::string& message) {
  std::cerr << message << std::endl;
  std::exit(1);
}

void Execute(const std::string& url, const std::string& sql) {
  pqxx::connection connection(url);
  pqxx::nontransaction(connection).exec(sql);
}

}  // namespace

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr)
    Fail(Concat(name, " is not set: integration tests run under `tools/bv test integration`"));
  return value;
}

Database::Database(std::string_view service, std::string_view neighbour) {
  static std::atomic<int> counter{0};
  name_ = Concat("bv_test_", ::getpid(), "_", counter.fetch_add(1));
  const Url server(Environment("BV_POSTGRES_URL"));
  superuser_url_ = server.WithPassword(name_);
  Execute(server.WithPassword("postgres"), Concat("CREATE DATABASE ", name_));
  const std::string command = Concat("psql -q -X '", superuser_url_,
                                     "' -f " BV_SOURCE_DIR "/deploy/postgres/bootstrap.sql > /dev/null");
  if (std::system(command.c_str()) != 0) Fail("deploy/postgres/bootstrap.sql failed");
  for (const ServiceRole& r : kRoles) {
    if (r.service == service) role_ = std::string(r.role);
    // The passwords of the fleet's roles belong to the fleet that runs on this server, so tests log in as
    // users of their own, who are these roles from the first statement on.
    const std::string login = Concat(name_, "_", r.schema);
    Execute(superuser_url_,
            Concat("CREATE ROLE ", login, " LOGIN PASSWORD '", kPassword, "' IN ROLE ", r.role,
                   r.service == "outbox-relay" ? " REPLICATION" : "", "; ALTER ROLE ", login,
                   " SET role = ", r.role, "; ALTER ROLE ", login, " SET search_path = ", r.schema,
                   "; GRANT CONNECT ON DATABASE ", name_, " TO ", login));
  }
  if (role_.empty()) Fail(Concat("no role for the service ", service));
  for (const ServiceRole& r : kRoles) {
    if (r.service != service && r.service != neighbour && r.service != "outbox-relay") continue;
    const absl::Status migrated =
        postgres::Migrate(ConnectionOf(r.role), Concat(BV_SOURCE_DIR "/services/", r.service, "/migrations"),
                          absl::Now() + absl::Seconds(10));
    if (!migrated.ok()) Fail(migrated.ToString());
  }
}

Database::~Database() {
  const std::string server = Url(superuser_url_).WithPassword("postgres");
  Execute(server, Concat("DROP DATABASE ", name_, " WITH (FORCE)"));
  for (const ServiceRole& r : kRoles) Execute(server, Concat("DROP ROLE ", name_, "_", r.schema));
}

postgres::ConnectionSettings Database::ConnectionOf(std::string_view role) const {
  for (const ServiceRole& r : kRoles) {
    if (r.role != role) continue;
    return {.url = Url(superuser_url_).WithoutPassword(Concat(name_, "_", r.schema), name_),
            .password = config::Secret(kPassword),
            .statement_timeout = absl::Seconds(30)};
  }
  Fail(Concat("no role ", role));
}

std::string Database::Query(const std::string& sql) const {
  pqxx::connection connection(superuser_url_);
  const pqxx::result result = pqxx::nontransaction(connection).exec(sql);
  return result.empty() || result[0][0].is_null() ? std::string() : result[0][0].as<std::string>();
}

std::string Database::TablesReadTooMuch(std::string_view schema, std::int64_t rows_max) const {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (Query("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
               "pg_backend_pid() AND backend_type = 'client backend'") != "0") {
    if (absl::Now() > deadline) Fail("a session that should have ended has not");
  }
  return Query(Concat(R"sql(
    SELECT string_agg(format('%s: %s rows by scans, %s by indexes', relname, seq_tup_read, by_index), '; ' ORDER BY relname)
    FROM pg_stat_user_tables
    JOIN (SELECT relid, sum(idx_tup_read) AS by_index FROM pg_stat_user_indexes GROUP BY relid) i USING (relid)
    WHERE relname <> 'schema_migration' AND schemaname = ')sql",
                      schema, "' AND (seq_tup_read > 0 OR by_index > ", rows_max, ")"));
}

void Database::Disconnect(postgres::Session& session) const {
  static constexpr postgres::Statement kBackend{"test_backend", "SELECT pg_backend_pid()"};
  const auto backend = session.Exec(kBackend)[0][0].as<std::string>();
  if (Query(Concat("SELECT pg_terminate_backend(", backend, ", 10000)")) != "t")
    Fail(Concat("the backend ", backend, " did not end"));
}

void Database::CommitUnheard(postgres::Session& session) const {
  static constexpr postgres::Statement kCommit{"test_commit", "COMMIT"};
  session.Exec(kCommit);
  Disconnect(session);
}

}  // namespace bv::testing
