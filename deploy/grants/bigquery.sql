-- BigQuery: a service account that can read the log. Change the names my-project, prod and predictions.
-- Its queries need one permission of the project, which SQL cannot grant:
--   gcloud projects add-iam-policy-binding my-project \
--     --member=serviceAccount:leeway-reader@my-project.iam.gserviceaccount.com --role=roles/bigquery.jobUser
-- A custom quota (query usage per day and user) bounds what it may cost.
GRANT `roles/bigquery.dataViewer` ON TABLE `my-project.prod.predictions` TO "serviceAccount:leeway-reader@my-project.iam.gserviceaccount.com";
