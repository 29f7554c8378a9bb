-- What the connector of cdc.json needs, run by a superuser in the fleet's database once the services have made their tables; running it
-- again changes nothing but the password.
--   psql -v cdc_password=… -f cdc.sql
\set ON_ERROR_STOP on

SELECT 'CREATE ROLE bv_cdc LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bv_cdc')
\gexec

-- Its first look at the tables is of every tenant, which row-level security would hide; the write-ahead log knows no tenants.
ALTER ROLE bv_cdc REPLICATION BYPASSRLS PASSWORD :'cdc_password';
SELECT format('GRANT CONNECT ON DATABASE %I TO bv_cdc', current_database())
\gexec
GRANT USAGE ON SCHEMA orders, inventory, product TO bv_cdc;
GRANT SELECT ON orders.orders, inventory.inventory_adjustment, product.product, product.variant TO bv_cdc;

-- Rows of these tables are not deleted. Each has a primary key, which is the key of its messages.
SELECT 'CREATE PUBLICATION bv_cdc FOR TABLE orders.orders, inventory.inventory_adjustment, product.product, product.variant'
       ' WITH (publish = ''insert, update'')'
WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'bv_cdc')
\gexec
