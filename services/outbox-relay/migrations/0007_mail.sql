-- mailer writes entries of the audit trail.
GRANT USAGE ON SCHEMA outbox TO bv_mail;
GRANT INSERT ON outbox.event TO bv_mail;
