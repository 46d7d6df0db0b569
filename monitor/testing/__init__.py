"""Fakes to test with, shipped for extensions and users too: they pass the contract tests of what they stand for.

The servers (``FakeMlflow``, ``FakeSlack``, ``FakeWebhook``) need aiohttp: ``pip install 'leeway-monitor[testing]'``.
"""

from monitor.testing.clock import FakeClock
from monitor.testing.mlflow import FakeMlflow
from monitor.testing.recording import RecordingNotifier, RecordingTrigger
from monitor.testing.slack import FakeSlack
from monitor.testing.source import MemorySource
from monitor.testing.webhook import FakeWebhook, Received

__all__ = [
    "FakeClock",
    "FakeMlflow",
    "FakeSlack",
    "FakeWebhook",
    "MemorySource",
    "Received",
    "RecordingNotifier",
    "RecordingTrigger",
]
