-- Databricks with Unity Catalog: a service principal, by its application id, that can read the log and nothing else.
-- Change the id, and the names prod, public and predictions. Give it CAN USE on one SQL warehouse, and set the
-- warehouse's STATEMENT_TIMEOUT to 600 seconds.
GRANT USE CATALOG ON CATALOG prod TO `00000000-0000-0000-0000-000000000000`;
GRANT USE SCHEMA ON SCHEMA prod.public TO `00000000-0000-0000-0000-000000000000`;
GRANT SELECT ON TABLE prod.public.predictions TO `00000000-0000-0000-0000-000000000000`;
