// The search by PostgreSQL's full text (migrations/0006_search.sql).
#pragma once

#include <absl/time/time.h>

#include "libs/postgres/postgres.h"
#include "services/product/search/search.h"

namespace bv::product {

struct PostgresSearchSettings {
  // Connections of its own, so that no search keeps other reads waiting.
  postgres::PoolSettings pool;
  // A search that takes longer is ended: DEADLINE_EXCEEDED.
  absl::Duration timeout = absl::Seconds(2);
  // Up to how many matches total and facets are exact.
  std::int64_t counted_max = 10'000;

  void Bind(config::Binder& b);  // search.…
};

class PostgresSearch : public Search {
 public:
  PostgresSearch(const postgres::ConnectionSettings& connection, const PostgresSearchSettings& settings);

  async::Task<absl::StatusOr<SearchResult>> Find(const SearchQuery& query,
                                                 const RequestContext& context) override;
  // Ends the threads after what is queued has run.
  void Stop() { pool_.Stop(); }

 private:
  const std::int64_t counted_max_;
  postgres::Pool pool_;
};

}  // namespace bv::product
