// Inside libs/projections: the statements for the rows of a shape, and rows as their parameters and results.
#pragma once

#include <map>
#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "libs/projections/row.h"

namespace bv::projections {

using RowsByKey = std::map<RowKey, Row>;

// INSERT … ON CONFLICT of many rows: $1 the version of the rows, $2 the tenants, then as ColumnsOf. A
// conflict is found by the key, one by one, whatever the planner thinks of the table.
std::string WriteSql(const std::string& table, const Shape& shape);
// The parameters of WriteSql from $2 on, as array literals.
std::vector<std::string> ColumnsOf(const Shape& shape, const RowsByKey& rows);

// The tenants that have rows of version $1, found by the key.
std::string TenantsSql(const std::string& table);
// Deletes rows of version $1 of the tenants $2, $3 at most.
std::string DeleteSql(const std::string& table);

// A cursor over the rows of a version.
std::string ScanSql(const std::string& table, const Shape& shape, int rows_version);
Row RowOf(const Shape& shape, const pqxx::row& result);

}  // namespace bv::projections
