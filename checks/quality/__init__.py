"""Quality checks: rows that are missing, broken or impossible. One file a check."""
