"""What the daemon answers over HTTP. Imported only where the configuration has ``web:``."""
