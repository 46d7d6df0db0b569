-- Redshift: a user that can read the log and nothing else, for ten minutes a statement at most.
-- Change the password, and the names public and predictions. A labels table needs a GRANT SELECT of its own.
CREATE USER leeway_reader PASSWORD 'Change-me-1' CONNECTION LIMIT 20 SESSION TIMEOUT 3600;
ALTER USER leeway_reader SET statement_timeout TO 600000;
GRANT USAGE ON SCHEMA public TO leeway_reader;
GRANT SELECT ON TABLE public.predictions TO leeway_reader;
