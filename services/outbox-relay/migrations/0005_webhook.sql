GRANT USAGE ON SCHEMA outbox TO bv_webhook;
GRANT INSERT ON outbox.event TO bv_webhook;
