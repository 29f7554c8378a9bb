GRANT USAGE ON SCHEMA outbox TO bv_identity;
GRANT INSERT ON outbox.event TO bv_identity;
