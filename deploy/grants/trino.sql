-- Trino, for catalogs whose access is governed by SQL; where rules in a file decide, give the user SELECT on the table there.
-- Change the names prod, public and predictions. The session property query_max_run_time bounds a statement: set it to
-- 10m for this user in the session property manager.
GRANT SELECT ON TABLE prod.public.predictions TO USER leeway_reader;
