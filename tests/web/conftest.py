"""Daemons in this process, and what they log, as the daemon's own tests have them."""

from tests.test_daemon import running, said

__all__ = ["running", "said"]
