"""Columns that the reference does not know."""

from dataclasses import dataclass
from typing import ClassVar

from checks.measurement import Inconclusive, Measurement
from checks.profile import Table


@dataclass(frozen=True)
class NewColumn:
    """New column: how many columns the log has that the reference has not.

    Statistic and effect: the number of such columns, named in the finding; a count, so without sampling error. Not
    among the default checks: a log usually carries columns that no model was trained on.

    Sees additions and renames (``missing_column`` sees the other half). Does not look into the new columns.

    Parameters
    ----------
    tolerance : columns, from 0. 0.5: any new column.

    Configuration
    -------------
    ::

        - new_column: {tolerance: 0.5}

    References
    ----------
    Breck et al. 2019, *Data validation for machine learning*, SysML.
    """

    default: ClassVar[bool] = False
    unit: ClassVar[str] = "columns"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.5

    def measure_table(self, reference: Table, current: Table) -> Measurement | Inconclusive:
        """Compare the names of the columns with the reference's."""
        rows, known = current.profile.rows, reference.profile.rows
        if not rows:
            return Inconclusive("no rows in this window", 1, rows, known)
        names = tuple(sorted(current.profile.extra.keys() - reference.profile.extra.keys()))
        count = float(len(names))
        words = f"new: {', '.join(names)}" if names else "no new columns"
        return Measurement(count, count, 0.0, (count, count), rows, known, words=words, columns=names)
