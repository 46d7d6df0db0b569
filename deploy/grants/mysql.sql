-- MySQL 8: a user that can read the log and nothing else. Each session sets max_execution_time from logs.timeout.
-- Change the password, and the names prod and predictions. A labels table needs a GRANT SELECT of its own.
-- Databases named test or test_… are open to every user of a fresh installation; keep no log there.
CREATE USER 'leeway_reader'@'%' IDENTIFIED BY 'change-me' WITH MAX_USER_CONNECTIONS 20;
GRANT SELECT ON prod.predictions TO 'leeway_reader'@'%';
