-- What operators asked for, and how far it has come. It belongs to no tenant; of a tenant it holds the rows that were found to differ, at
-- most 100 of a replay, in `parity`. The latest hundred or so of a projection are kept.
CREATE TABLE replay (
  replay_id           text        PRIMARY KEY,
  projection          text        NOT NULL,
  purpose             text        NOT NULL CHECK (purpose IN ('REBUILD', 'VERIFY', 'POINT_IN_TIME')),
  accept_differences  boolean     NOT NULL,
  pass_over_refused   boolean     NOT NULL,
  -- Of POINT_IN_TIME: commerce.replay.v1.PartitionOffsets as JSON, where it ends, of every partition. It is fixed at the start: what is
  -- found by a time may be different later.
  until               jsonb       CHECK ((until IS NOT NULL) = (purpose = 'POINT_IN_TIME')),
  state               text        NOT NULL CHECK (state IN ('BUILDING', 'COMPARING', 'DONE', 'DIFFERENT', 'FAILED', 'CANCELED')),
  -- Of the rows that it makes; grows, so that no two write the same ones.
  rows_version        int         NOT NULL,
  -- Of those that were read when it began.
  live_version        int         NOT NULL,
  started_at          timestamptz NOT NULL DEFAULT now(),
  ended_at            timestamptz CHECK ((ended_at IS NULL) = (state IN ('BUILDING', 'COMPARING'))),
  cancel_requested    boolean     NOT NULL DEFAULT false,
  messages_applied    bigint      NOT NULL DEFAULT 0,
  messages_in_all     bigint      NOT NULL DEFAULT 0,
  messages_per_second float8      NOT NULL DEFAULT 0,
  messages_refused    bigint      NOT NULL DEFAULT 0,
  -- commerce.replay.v1.Parity as JSON, of the last comparison.
  parity              jsonb,
  failure             text        NOT NULL DEFAULT '',
  started_by          text        NOT NULL,
  idempotency_key     text,
  -- Who drives it, and until when nobody else does.
  driver              text        NOT NULL DEFAULT '',
  lease_until         timestamptz NOT NULL DEFAULT now(),
  UNIQUE (projection, rows_version),
  UNIQUE (started_by, idempotency_key)
);
-- One at a time for a projection.
CREATE UNIQUE INDEX replay_running ON replay (projection) WHERE ended_at IS NULL;
