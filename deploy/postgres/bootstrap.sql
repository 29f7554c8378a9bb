-- Roles, schemas and rights of the fleet, run by a superuser in the fleet's database; running it again changes nothing but passwords,
-- and without the variables not even those.
--   psql -v product_password=… -v cart_password=… -v order_password=… -v inventory_password=… -v payment_password=… -v analytics_password=… -v replay_password=… -v webhook_password=… -v mail_password=… -v identity_password=… -v audit_password=… -v relay_password=… -f bootstrap.sql
-- Each service logs in with a role that owns its schema and nothing else, and migrates that schema itself.
\set ON_ERROR_STOP on

SELECT format('CREATE ROLE %I LOGIN', role)
FROM unnest(ARRAY['bv_product', 'bv_cart', 'bv_order', 'bv_inventory', 'bv_payment', 'bv_analytics', 'bv_replay', 'bv_webhook', 'bv_mail', 'bv_identity', 'bv_audit', 'bv_relay']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
\gexec

-- The relay reads the write-ahead log.
ALTER ROLE bv_relay REPLICATION;

\if :{?product_password}
ALTER ROLE bv_product PASSWORD :'product_password';
ALTER ROLE bv_cart PASSWORD :'cart_password';
ALTER ROLE bv_order PASSWORD :'order_password';
ALTER ROLE bv_inventory PASSWORD :'inventory_password';
ALTER ROLE bv_payment PASSWORD :'payment_password';
ALTER ROLE bv_analytics PASSWORD :'analytics_password';
ALTER ROLE bv_replay PASSWORD :'replay_password';
ALTER ROLE bv_webhook PASSWORD :'webhook_password';
ALTER ROLE bv_mail PASSWORD :'mail_password';
ALTER ROLE bv_identity PASSWORD :'identity_password';
ALTER ROLE bv_audit PASSWORD :'audit_password';
ALTER ROLE bv_relay PASSWORD :'relay_password';
\endif

CREATE SCHEMA IF NOT EXISTS product AUTHORIZATION bv_product;
CREATE SCHEMA IF NOT EXISTS cart AUTHORIZATION bv_cart;
CREATE SCHEMA IF NOT EXISTS orders AUTHORIZATION bv_order;
CREATE SCHEMA IF NOT EXISTS inventory AUTHORIZATION bv_inventory;
CREATE SCHEMA IF NOT EXISTS payment AUTHORIZATION bv_payment;
CREATE SCHEMA IF NOT EXISTS analytics AUTHORIZATION bv_analytics;
CREATE SCHEMA IF NOT EXISTS replay AUTHORIZATION bv_replay;
CREATE SCHEMA IF NOT EXISTS webhook AUTHORIZATION bv_webhook;
CREATE SCHEMA IF NOT EXISTS mail AUTHORIZATION bv_mail;
CREATE SCHEMA IF NOT EXISTS identity AUTHORIZATION bv_identity;
CREATE SCHEMA IF NOT EXISTS audit AUTHORIZATION bv_audit;
CREATE SCHEMA IF NOT EXISTS outbox AUTHORIZATION bv_relay;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database())
\gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO bv_product, bv_cart, bv_order, bv_inventory, bv_payment, bv_analytics, bv_replay, bv_webhook, bv_mail, bv_identity, bv_audit, bv_relay', current_database())
\gexec
-- A publication belongs to the database.
SELECT format('GRANT CREATE ON DATABASE %I TO bv_relay', current_database())
\gexec

SELECT format('ALTER ROLE %I IN DATABASE %I SET search_path = %I', role, current_database(), schema)
FROM (VALUES ('bv_product', 'product'), ('bv_cart', 'cart'), ('bv_order', 'orders'), ('bv_inventory', 'inventory'),
             ('bv_payment', 'payment'), ('bv_analytics', 'analytics'), ('bv_replay', 'replay'), ('bv_webhook', 'webhook'), ('bv_mail', 'mail'),
             ('bv_identity', 'identity'), ('bv_audit', 'audit'), ('bv_relay', 'outbox')) AS r (role, schema)
\gexec

-- For the search of products: words without their accents…
CREATE EXTENSION IF NOT EXISTS unaccent SCHEMA product;
-- …and an index of words that is used under row-level security, too: a condition that might tell something of rows that it should not see is only
-- looked at after the policy, and so never by an index. This one tells nothing: it fails for no row, and its outcome goes nowhere.
ALTER FUNCTION pg_catalog.ts_match_vq(tsvector, tsquery) LEAKPROOF;
