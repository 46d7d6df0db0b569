-- PostgreSQL 13 and later, as the owner of the table: a role that can read the log and nothing else.
-- Change the password, and the names prod, public and predictions. A labels table needs a GRANT SELECT of its own.
CREATE ROLE leeway_reader LOGIN PASSWORD 'change-me' CONNECTION LIMIT 20 NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE leeway_reader SET default_transaction_read_only = on;
ALTER ROLE leeway_reader SET statement_timeout = '10min';
ALTER ROLE leeway_reader SET idle_in_transaction_session_timeout = '10min';
GRANT CONNECT ON DATABASE prod TO leeway_reader;
GRANT USAGE ON SCHEMA public TO leeway_reader;
GRANT SELECT ON TABLE public.predictions TO leeway_reader;
