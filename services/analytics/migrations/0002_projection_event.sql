-- Which events are in the sums of a version of rows: when the relay dies, an event may stand in its topic twice. Ids only, nothing of a tenant.
CREATE TABLE projection_event (
  name         text NOT NULL,
  rows_version int  NOT NULL,
  event_id     text NOT NULL,
  PRIMARY KEY (name, rows_version, event_id)
);
