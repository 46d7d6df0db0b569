"""Diagnoses: which fault explains a breach. One file a fault; see :mod:`checks.diagnosing` for how they are tried."""
