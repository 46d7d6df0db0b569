"""What an orchestrator may answer, and what that means: the same for every one of them."""

from monitor.core.retrain import RetrainState
from monitor.testing.webhook import Answer

NO = {status: Answer(status, body='{"detail": "no such\\nthing"}') for status in (302, 400, 401, 403, 404, 410, 422)}

# The answer to the call that starts a run: the state, and after how many seconds it is looked at again.
STARTING = [
    (Answer(500), RetrainState.UNKNOWN, 60.0),
    (Answer(503, {"Retry-After": "90"}), RetrainState.UNKNOWN, 90.0),
    (Answer(dropped=True), RetrainState.UNKNOWN, 60.0),
    (Answer(200, delay=3.0), RetrainState.UNKNOWN, 60.0),
    (Answer(200, body="<html>"), RetrainState.UNKNOWN, 60.0),
    (Answer(200, body="[]"), RetrainState.UNKNOWN, 60.0),
    (Answer(429, {"Retry-After": "120"}), RetrainState.REQUESTED, 120.0),
    *((answer, RetrainState.REFUSED, None) for answer in NO.values()),
]

# The answer to a call that is made before, which starts nothing.
BEFORE = [
    (Answer(500), RetrainState.REQUESTED, 60.0),
    (Answer(dropped=True), RetrainState.REQUESTED, 60.0),
    (Answer(429, {"Retry-After": "120"}), RetrainState.REQUESTED, 120.0),
    (Answer(200, body="<html>"), RetrainState.REFUSED, None),
    *((answer, RetrainState.REFUSED, None) for answer in NO.values()),
]

# The answer to a look-up that says nothing.
UNCLEAR = [*(answer for answer, _, _ in BEFORE if answer.status != 404), Answer(200, body='{"odd": 1}')]
