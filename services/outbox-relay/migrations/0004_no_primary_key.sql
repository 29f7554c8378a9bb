-- Nothing looks for an event by its id: a row is read from the write-ahead log, or with its whole partition. The index was a third of what
-- a row cost, and one more record in the log that the relay has to read past.
ALTER TABLE outbox.event DROP CONSTRAINT event_pkey;
