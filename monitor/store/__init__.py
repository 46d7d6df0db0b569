"""Leeway's own database: runs, profiles, findings, incidents, outbox, references, retrainings."""
