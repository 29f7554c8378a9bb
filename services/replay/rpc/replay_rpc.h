// The service commerce.replay.v1.Replays.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/kafka/consumer.h"
#include "libs/postgres/postgres.h"
#include "libs/projections/projection.h"
#include "libs/rpc/server.h"
#include "services/replay/domain/replay.h"
#include "services/replay/store/replay_rows.h"

namespace bv::replay {

class ReplayRpc {
 public:
  // The pool is of the table `replay`; `read_models` logs in as the owner of the rows. The projections
  // outlive it.
  ReplayRpc(postgres::Pool& pool, postgres::ConnectionSettings read_models, kafka::ConsumerSettings kafka,
            const std::vector<projections::Projection>& projections)
      : pool_(pool),
        read_models_(std::move(read_models)),
        kafka_(std::move(kafka)),
        projections_(projections) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Replay> StartReplay(rpc::Call<pb::StartReplayRequest> call);
  rpc::Reply<pb::Replay> GetReplay(rpc::Call<pb::GetReplayRequest> call);
  rpc::Reply<pb::Replay> CancelReplay(rpc::Call<pb::CancelReplayRequest> call);
  rpc::Reply<pb::ProjectionState> GetProjection(rpc::Call<pb::GetProjectionRequest> call);
  rpc::Reply<pb::ProjectionState> DropRows(rpc::Call<pb::DropRowsRequest> call);

 private:
  // INVALID_ARGUMENT, reason PROJECTION_UNKNOWN.
  absl::StatusOr<const projections::Projection*> Find(const std::string& name) const;
  // The two below run on a thread of the pool, which may block: they ask Kafka and the read models too.

  // Stores a new replay, or finds the one that was begun under the same key.
  absl::StatusOr<pb::Replay> Begin(postgres::Session& session, const Request& request,
                                   const RequestContext& context, bool& is_repeat) const;
  absl::StatusOr<pb::ProjectionState> StateOf(postgres::Session& session,
                                              const projections::Projection& projection) const;

  postgres::Pool& pool_;
  const postgres::ConnectionSettings read_models_;
  const kafka::ConsumerSettings kafka_;
  const std::vector<projections::Projection>& projections_;
};

}  // namespace bv::replay
