"""Requests for retrainings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.core.retrain import RetrainRequest
from monitor.core.window import Window

START = datetime(2026, 3, 1, tzinfo=UTC)


def asked(key: str = "churn-1a2b3c4d-1", **changes: Any) -> RetrainRequest:
    return replace(
        RetrainRequest(
            key=key,
            model="churn",
            reason="shifted values in amount",
            requested_at=START,
            requested_by="anna",
            version="7",
            incident="churn-1a2b3c4d",
            columns=("amount", "age"),
            window=Window(START, START + timedelta(days=1)),
            reference="4f1c2ab09de7",
        ),
        **changes,
    )
