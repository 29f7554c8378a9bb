-- What the attempts' spans hang below, of a delivery whose trace is sampled; empty for all others.
ALTER TABLE webhook_delivery ADD COLUMN traceparent text NOT NULL DEFAULT '' CHECK (octet_length(traceparent) <= 256);
