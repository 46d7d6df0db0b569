"""Which version served when, and what was seen of it then: for `monitor versions` and the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.core.incident import Incident
from monitor.core.proof import Proof
from monitor.core.window import iso
from monitor.store import incidents as incident_rows
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows


@dataclass(frozen=True)
class Tenure:
    """The time in which one version served.

    Parameters
    ----------
    version : None where nobody said which, and only the reference changed.
    until : None for the version that serves now.
    windows, rows : judged in that time, and rows in them.
    reference_id : of the snapshot that its windows were judged against last.
    incidents : those whose trouble began in that time.
    proof : whether it helped; None for the first version.
    """

    version: str | None
    since: datetime
    until: datetime | None
    how: str
    windows: int
    rows: int
    reference_id: str | None
    incidents: Sequence[Incident]
    proof: Proof | None

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        proof = self.proof
        return {
            "version": self.version,
            "since": iso(self.since),
            "until": iso(self.until) if self.until is not None else None,
            "how": self.how,
            "windows": self.windows,
            "rows": self.rows,
            "reference": self.reference_id,
            "incidents": [incident.id for incident in self.incidents],
            "proof": {
                "former": proof.former,
                "drift": {"outcome": str(proof.drift.outcome), "words": proof.drift.words},
                "performance": {"outcome": str(proof.performance.outcome), "words": proof.performance.words},
            }
            if proof is not None
            else None,
        }


def tenures(connection: sa.Connection, model: str) -> list[Tenure]:
    """Return the versions of a model in the order in which they served."""
    entries = version_rows.listing(connection, model)
    told = [incident for incident in incident_rows.listing(connection, model, closed=True) if incident.told]
    found = []
    ends: list[datetime | None] = [later.since for later in entries[1:]]
    for entry, until in zip(entries, [*ends, None], strict=False):  # of no version there is no end
        windows, rows = run_rows.volume(connection, model, entry.since, until)
        begun = [i for i in told if entry.since <= i.onset and (until is None or i.onset < until)]
        seen = (entry.reference_id, begun, entry.proof)
        found.append(Tenure(entry.version, entry.since, until, entry.how, windows, rows, *seen))
    return found
