-- Leeway's own store in PostgreSQL 13 and later, as a superuser: a database that one role owns.
-- Leeway makes and migrates its tables itself. Change the password. The role needs nothing elsewhere.
CREATE ROLE leeway LOGIN PASSWORD 'change-me' CONNECTION LIMIT 100 NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
CREATE DATABASE leeway OWNER leeway;
REVOKE ALL ON DATABASE leeway FROM PUBLIC;
