#include <absl/strings/str_cat.h>

#include <algorithm>
#include <filesystem>

#include "libs/base/error.h"
#include "libs/postgres/postgres.h"
#include "libs/telemetry/telemetry.h"

namespace bv::postgres {
namespace {

// "bivouac-migrations" as a number nobody else uses; one lock a database.
constexpr const char* kLock = "SELECT pg_advisory_lock(7021985500)";
constexpr const char* kUnlock = "SELECT pg_advisory_unlock(7021985500)";

struct Migration {
  std::string name;
  std::string sql;
};

absl::StatusOr<std::vector<Migration>> ReadMigrations(const std::string& directory) {
  std::error_code error;
  std::vector<Migration> migrations;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (entry.path().extension() != ".sql") continue;
    auto sql = config::ReadFile(entry.path().string());
    if (!sql.ok()) return sql.status();
    migrations.push_back({entry.path().filename().string(), *std::move(sql)});
  }
  if (error)
    return absl::NotFoundError(
        absl::StrCat("cannot read the migrations in ", directory, ": ", error.message()));
  std::ranges::sort(migrations, {}, &Migration::name);
  return migrations;
}

absl::Status Apply(const ConnectionSettings& settings, const std::vector<Migration>& migrations) try {
  pqxx::connection connection(ConnectionUri(settings));
  pqxx::nontransaction session(connection);
  session.exec(kLock);
  session.exec(
      "CREATE TABLE IF NOT EXISTS schema_migration ("
      " name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
  const pqxx::result applied = session.exec("SELECT name, checksum FROM schema_migration ORDER BY name");
  for (const auto& row : applied) {
    const auto name = row[0].as<std::string>();
    const auto found = std::ranges::find(migrations, name, &Migration::name);
    if (found == migrations.end()) {
      // A newer version of the service was here: forward only, and each migration works with the version
      // before.
      telemetry::Log(telemetry::Level::kWarn, "the database has a migration that this version does not know",
                     {{"migration", name}});
      continue;
    }
    const auto checksum =
        session.exec("SELECT md5(" + session.quote(found->sql) + ")")[0][0].as<std::string>();
    if (checksum != row[1].as<std::string>()) {
      return Error(
          absl::StatusCode::kFailedPrecondition, "MIGRATION_CHANGED",
          absl::StrCat("migration ", name, " has changed since it was applied; add a new one instead"));
    }
  }
  for (const Migration& migration : migrations) {
    const bool done = std::any_of(applied.begin(), applied.end(),
                                  [&](const auto& row) { return row[0].c_str() == migration.name; });
    if (done) continue;
    session.exec("BEGIN");
    session.exec(migration.sql);
    session.exec("INSERT INTO schema_migration (name, checksum) VALUES (" + session.quote(migration.name) +
                 ", md5(" + session.quote(migration.sql) + "))");
    session.exec("COMMIT");
    telemetry::Log(telemetry::Level::kInfo, "migration applied", {{"migration", migration.name}});
  }
  session.exec(kUnlock);
  return absl::OkStatus();
} catch (...) {
  return StatusOfCurrentException();
}

}  // namespace

absl::Status Migrate(const ConnectionSettings& connection, const std::string& directory,
                     absl::Time deadline) {
  const absl::StatusOr<std::vector<Migration>> migrations = ReadMigrations(directory);
  if (!migrations.ok()) return migrations.status();
  while (true) {
    absl::Status status = Apply(connection, *migrations);
    if (!absl::IsUnavailable(status) || absl::Now() > deadline) return status;
    // The server is not there yet; libpqxx offers nothing to wait on.
    absl::SleepFor(absl::Milliseconds(200));
  }
}

}  // namespace bv::postgres
