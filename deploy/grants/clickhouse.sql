-- ClickHouse 23 and later: a user that can read the log and nothing else, for ten minutes a statement at most.
-- readonly = 2 still allows its driver to set formats. Change the password, and the names prod and predictions.
CREATE USER leeway_reader IDENTIFIED WITH sha256_password BY 'change-me' SETTINGS readonly = 2, max_execution_time = 600 MAX 600;
GRANT SELECT ON prod.predictions TO leeway_reader;
