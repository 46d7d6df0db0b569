"""Which columns of a reference are watched, and what is odd about them."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from monitor.config.models import Model
from monitor.core.errors import UserError
from monitor.sources._log import Log, missing


def watched_columns(names: Sequence[str], known: Sequence[str], model: Model, log: Log, model_name: str) -> list[str]:
    """Return the columns to watch, in the reference's order.

    Event time, id, model version and labels are not watched, and what the configuration leaves out.

    Parameters
    ----------
    names : columns of the reference.
    known : columns of the log.
    model, log, model_name : as configured.

    Raises
    ------
    UserError
        When a configured column is not there, or nothing is left, or nothing that the log has.
    """
    options, place = model.columns, "the reference"
    for option, wanted in (("include", options.include or ()), ("kinds", options.kinds)):
        for name in wanted:
            if name not in names:
                raise UserError(f"columns.{option} of {model_name}: {missing('column', name, names, place)}")
    roles = {log.time, log.id, log.features, model.version, *options.exclude}
    if model.labels is not None:
        roles.add(model.labels.label)
    if model.labels is not None or "label" not in known:
        roles.add("label")
    if options.include is not None:
        roles = (roles - {"label"}) | (set(names) - set(options.include))
    watched = [name for name in names if name not in roles]
    if not watched:
        raise UserError(f"nothing of {model_name} is left to watch; look at columns.include and columns.exclude")
    if not set(watched) & set(known):
        raise UserError(
            f"the reference of {model_name} has none of the log's columns; it has {_listed(watched)}, the log has"
            f" {_listed(known)}"
        )
    return watched


def column_warnings(table: pa.Table, watched: Sequence[str], known: Sequence[str]) -> list[str]:
    """Return in sentences what will look wrong from the first window on."""
    found = []
    absent = [name for name in watched if name not in known]
    if absent:
        found.append(
            f"the log does not have {_listed(absent)}; where that is as it should be, put it under columns.exclude"
        )
    empty = [name for name in watched if not _holds_values(table.column(name))]
    if empty:
        found.append(f"the reference has no finite value in {_listed(empty)}, so any value there is unlike it")
    return found


def _holds_values(column: pa.ChunkedArray) -> bool:
    kept = pc.is_finite(column) if pa.types.is_floating(column.type) else pc.is_valid(column)
    return bool(pc.any(kept).as_py())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
