GRANT USAGE ON SCHEMA outbox TO bv_payment;
GRANT INSERT ON outbox.event TO bv_payment;
