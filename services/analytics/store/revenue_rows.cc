#include "services/analytics/store/revenue_rows.h"

#include <absl/strings/str_format.h>

namespace bv::analytics {
namespace {

RevenueRow RevenueOf(const pqxx::row& row) {
  return {.currency = row["currency"].c_str(),
          .paid_amount = row["paid_amount"].as<std::int64_t>(),
          .paid_orders = row["paid_orders"].as<std::int64_t>(),
          .refunded_amount = row["refunded_amount"].as<std::int64_t>(),
          .refunded_orders = row["refunded_orders"].as<std::int64_t>()};
}

// With four digits of the year, which Abseil does not write and PostgreSQL needs.
std::string TextOf(absl::CivilDay day) {
  return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
}

}  // namespace

std::vector<DayRow> ReadDays(postgres::Session& session, const TenantId& tenant, absl::CivilDay first,
                             absl::CivilDay last, const std::string& currency, int limit) {
  static constexpr postgres::Statement kRead{"analytics_days", R"sql(
    SELECT day::text AS day, currency, paid_amount, paid_orders, refunded_amount, refunded_orders
    FROM daily_revenue
    WHERE tenant_id = $1 AND rows_version = (SELECT live_version FROM projection WHERE name = 'daily_revenue')
      AND day BETWEEN $2::date AND $3::date AND ($4 = '' OR currency = $4)
    ORDER BY day, currency LIMIT $5::int
  )sql"};
  std::vector<DayRow> days;
  for (const pqxx::row& row :
       session.Exec(kRead, tenant.str(), TextOf(first), TextOf(last), currency, limit)) {
    DayRow read{.revenue = RevenueOf(row)};
    if (!absl::ParseCivilTime(row["day"].c_str(), &read.day)) throw pqxx::conversion_error("no day");
    days.push_back(std::move(read));
  }
  return days;
}

std::vector<MinuteRow> ReadMinutes(postgres::Session& session, const TenantId& tenant, absl::Time first,
                                   const std::string& currency, int limit) {
  static constexpr postgres::Statement kRead{"analytics_minutes", R"sql(
    SELECT (extract(epoch FROM minute) * 1e6)::bigint AS minute, currency, paid_amount, paid_orders, refunded_amount,
           refunded_orders
    FROM revenue_by_minute
    WHERE tenant_id = $1 AND rows_version = (SELECT live_version FROM projection WHERE name = 'revenue_by_minute')
      AND minute >= to_timestamp($2::bigint / 1e6) AND ($3 = '' OR currency = $3)
    ORDER BY minute, currency LIMIT $4::int
  )sql"};
  std::vector<MinuteRow> minutes;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), absl::ToUnixMicros(first), currency, limit)) {
    minutes.push_back({.minute = postgres::TimeFromMicros(row["minute"]), .revenue = RevenueOf(row)});
  }
  return minutes;
}

std::map<std::string, double> SumMinutes(postgres::Session& session, absl::Time first, absl::Time last) {
  static constexpr postgres::Statement kSum{"analytics_minutes_sum", R"sql(
    SELECT currency, sum(paid_amount - refunded_amount)::float8 AS net
    FROM revenue_by_minute
    WHERE minute >= to_timestamp($1::bigint / 1e6) AND minute < to_timestamp($2::bigint / 1e6)
      AND rows_version = (SELECT live_version FROM projection WHERE name = 'revenue_by_minute')
    GROUP BY currency
  )sql"};
  std::map<std::string, double> net;
  for (const pqxx::row& row : session.Exec(kSum, absl::ToUnixMicros(first), absl::ToUnixMicros(last)))
    net[row["currency"].c_str()] = row["net"].as<double>();
  return net;
}

int DeleteMinutes(postgres::Session& session, absl::Time before, int limit) {
  static constexpr postgres::Statement kDelete{"analytics_minutes_delete", R"sql(
    DELETE FROM revenue_by_minute r
    USING (
      SELECT tenant_id, rows_version, minute, currency FROM revenue_by_minute
      WHERE minute < to_timestamp($1::bigint / 1e6) ORDER BY minute LIMIT $2::int
    ) AS old
    WHERE r.tenant_id = old.tenant_id AND r.rows_version = old.rows_version AND r.minute = old.minute
      AND r.currency = old.currency
  )sql"};
  return static_cast<int>(session.Exec(kDelete, absl::ToUnixMicros(before), limit).affected_rows());
}

}  // namespace bv::analytics
