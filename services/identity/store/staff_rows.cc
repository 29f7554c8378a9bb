#include "services/identity/store/staff_rows.h"

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

namespace bv::identity {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// Neither codes of stores nor permissions have commas or blanks in them.
#define BV_STAFF_COLUMNS                                                                                 \
  "staff_id, email, coalesce(user_id, '') AS user_id, status, code_hash, "                               \
  "(extract(epoch FROM invited_until) * 1e6)::bigint AS invited_until, version, "                        \
  "(extract(epoch FROM created_at) * 1e6)::bigint AS created_at, "                                       \
  "(extract(epoch FROM updated_at) * 1e6)::bigint AS updated_at, "                                       \
  "(SELECT string_agg(store_code || ' ' || array_to_string(permissions, ' '), ',' ORDER BY store_code) " \
  "FROM staff_grant AS g WHERE g.tenant_id = s.tenant_id AND g.staff_id = s.staff_id) AS grants "

std::vector<Grant> GrantsOf(const pqxx::field& text) {
  std::vector<Grant> grants;
  if (text.is_null()) return grants;
  for (const absl::string_view grant : absl::StrSplit(text.c_str(), ',')) {
    const std::pair<std::string, absl::string_view> parts = absl::StrSplit(grant, absl::MaxSplits(' ', 1));
    grants.push_back({.store = parts.first, .permissions = absl::StrSplit(parts.second, ' ')});
  }
  return grants;
}

Staff StaffOf(const pqxx::row& row) {
  Staff staff;
  staff.id = StaffId::Trusted(row["staff_id"].as<std::string>());
  staff.email = Email::Trusted(row["email"].as<std::string>());
  staff.user_id = row["user_id"].as<std::string>();
  staff.status = StatusOf(row["status"].c_str()).value_or(StaffStatus::kDeactivated);
  staff.grants = GrantsOf(row["grants"]);
  if (!row["code_hash"].is_null()) {
    staff.invitation = Invitation{.code_hash = row["code_hash"].as<std::string>(),
                                  .until = postgres::TimeFromMicros(row["invited_until"])};
  }
  staff.version = row["version"].as<std::int64_t>();
  staff.created_at = postgres::TimeFromMicros(row["created_at"]);
  staff.updated_at = postgres::TimeFromMicros(row["updated_at"]);
  return staff;
}

std::optional<Staff> OnlyOf(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return StaffOf(rows[0]);
}

void WriteGrants(postgres::Session& session, const TenantId& tenant, const Staff& staff) {
  static constexpr Statement kDelete{"staff_grant_delete",
                                     "DELETE FROM staff_grant WHERE tenant_id = $1 AND staff_id = $2"};
  static constexpr Statement kInsert{"staff_grant_insert", R"sql(
    INSERT INTO staff_grant (tenant_id, staff_id, store_code, permissions)
    SELECT $1, $2, store_code, string_to_array(permissions, ' ')
    FROM unnest($3::text[], $4::text[]) AS g (store_code, permissions)
  )sql"};
  std::vector<std::string> stores, permissions;
  for (const Grant& grant : staff.grants) {
    stores.push_back(grant.store);
    permissions.push_back(absl::StrJoin(grant.permissions, " "));
  }
  session.Exec(kDelete, tenant.str(), staff.id.str());
  session.Exec(kInsert, tenant.str(), staff.id.str(), ArrayLiteral(stores), ArrayLiteral(permissions));
}

std::string HashOf(const Staff& staff) {
  return staff.invitation ? staff.invitation->code_hash : std::string();
}

std::int64_t UntilOf(const Staff& staff) {
  return staff.invitation ? absl::ToUnixMicros(staff.invitation->until) : 0;
}

}  // namespace

std::optional<Staff> ReadStaff(postgres::Session& session, const TenantId& tenant, const StaffId& id) {
  static constexpr Statement kRead{
      "staff_read", "SELECT " BV_STAFF_COLUMNS "FROM staff AS s WHERE tenant_id = $1 AND staff_id = $2"};
  return OnlyOf(session.Exec(kRead, tenant.str(), id.str()));
}

std::optional<Staff> FindStaffByEmail(postgres::Session& session, const TenantId& tenant,
                                      const Email& email) {
  static constexpr Statement kFind{
      "staff_by_email", "SELECT " BV_STAFF_COLUMNS "FROM staff AS s WHERE tenant_id = $1 AND email = $2"};
  return OnlyOf(session.Exec(kFind, tenant.str(), email.str()));
}

std::optional<Staff> FindStaffByUser(postgres::Session& session, const TenantId& tenant,
                                     const std::string& user_id) {
  static constexpr Statement kFind{
      "staff_by_user", "SELECT " BV_STAFF_COLUMNS "FROM staff AS s WHERE tenant_id = $1 AND user_id = $2"};
  return OnlyOf(session.Exec(kFind, tenant.str(), user_id));
}

std::optional<Staff> FindStaffByCode(postgres::Session& session, const TenantId& tenant,
                                     const std::string& code_hash) {
  static constexpr Statement kFind{
      "staff_by_code", "SELECT " BV_STAFF_COLUMNS "FROM staff AS s WHERE tenant_id = $1 AND code_hash = $2"};
  return OnlyOf(session.Exec(kFind, tenant.str(), code_hash));
}

std::vector<Staff> ListStaff(postgres::Session& session, const TenantId& tenant,
                             std::optional<StaffStatus> status, const StaffId& after, int limit) {
  static constexpr Statement kList{"staff_list",
                                   "SELECT " BV_STAFF_COLUMNS
                                   "FROM staff AS s "
                                   "WHERE tenant_id = $1 AND staff_id > $2 AND ($3 = '' OR status = $3) "
                                   "ORDER BY staff_id LIMIT $4::int"};
  std::vector<Staff> accounts;
  for (const pqxx::row& row : session.Exec(kList, tenant.str(), after.str(),
                                           status ? std::string(Word(*status)) : std::string(), limit))
    accounts.push_back(StaffOf(row));
  return accounts;
}

int CountStaff(postgres::Session& session, const TenantId& tenant) {
  static constexpr Statement kCount{
      "staff_count", "SELECT count(*) FROM staff WHERE tenant_id = $1 AND status <> 'DEACTIVATED'"};
  return session.Exec(kCount, tenant.str())[0][0].as<int>();
}

void InsertStaff(postgres::Session& session, const TenantId& tenant, Staff& staff) {
  static constexpr Statement kInsert{"staff_insert", R"sql(
    INSERT INTO staff (tenant_id, staff_id, email, status, code_hash, invited_until)
    VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1e6))
  )sql"};
  session.Exec(kInsert, tenant.str(), staff.id.str(), staff.email.str(), std::string(Word(staff.status)),
               HashOf(staff), UntilOf(staff));
  WriteGrants(session, tenant, staff);
  staff.created_at = staff.updated_at = session.transaction_time();
}

void UpdateStaff(postgres::Session& session, const TenantId& tenant, Staff& staff) {
  static constexpr Statement kUpdate{"staff_update", R"sql(
    UPDATE staff
    SET user_id = nullif($4, ''), status = $5, code_hash = nullif($6, ''),
        invited_until = CASE WHEN $6 <> '' THEN to_timestamp($7::bigint / 1e6) END, version = version + 1, updated_at = now()
    WHERE tenant_id = $1 AND staff_id = $2 AND version = $3::bigint
  )sql"};
  const pqxx::result updated =
      session.Exec(kUpdate, tenant.str(), staff.id.str(), staff.version, staff.user_id,
                   std::string(Word(staff.status)), HashOf(staff), UntilOf(staff));
  if (updated.affected_rows() != 1) throw pqxx::usage_error("an account that was not locked has changed");
  WriteGrants(session, tenant, staff);
  ++staff.version;
  staff.updated_at = session.transaction_time();
}

}  // namespace bv::identity
