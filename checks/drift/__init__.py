"""Drift checks: how far the current distribution of a column is from the reference's. One file a test."""
