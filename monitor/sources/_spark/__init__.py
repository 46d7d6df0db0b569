"""Parts of the source `spark`: sessions, tables, and what runs on the executors."""
