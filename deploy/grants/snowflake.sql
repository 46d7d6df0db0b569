-- Snowflake, as SECURITYADMIN: a role that can read the log and use one warehouse, for ten minutes a statement at most.
-- Change the names prod, public, predictions and small_wh, and give the user a key pair rather than a password.
CREATE ROLE leeway_reader;
GRANT USAGE ON WAREHOUSE small_wh TO ROLE leeway_reader;
GRANT USAGE ON DATABASE prod TO ROLE leeway_reader;
GRANT USAGE ON SCHEMA prod.public TO ROLE leeway_reader;
GRANT SELECT ON TABLE prod.public.predictions TO ROLE leeway_reader;
CREATE USER leeway_reader DEFAULT_ROLE = leeway_reader DEFAULT_WAREHOUSE = small_wh;
ALTER USER leeway_reader SET STATEMENT_TIMEOUT_IN_SECONDS = 600;
GRANT ROLE leeway_reader TO USER leeway_reader;
