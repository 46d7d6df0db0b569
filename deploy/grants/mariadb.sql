-- MariaDB 10.6 and later: a user that can read the log and nothing else, for ten minutes a statement at most.
-- Change the password, and the names prod and predictions. A labels table needs a GRANT SELECT of its own.
-- Databases named test or test_… are open to every user of a fresh installation; keep no log there.
CREATE USER 'leeway_reader'@'%' IDENTIFIED BY 'change-me' WITH MAX_USER_CONNECTIONS 20 MAX_STATEMENT_TIME 600;
GRANT SELECT ON prod.predictions TO 'leeway_reader'@'%';
