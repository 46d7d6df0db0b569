"""Other tools' default drift rules, one file each (see :mod:`checks.peering`)."""
