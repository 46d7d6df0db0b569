"""A JSON column of features, spread into one column a key."""

import json
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from monitor.sources._arrow import column_of, encodable


@dataclass
class Spreading:
    """Spreads the JSON objects of one column; keys seen in one batch are columns of every later one.

    A key that is missing in a row is null there; so is every key of a row whose JSON is no object. A column of the
    table is not replaced by a key of its name.
    """

    column: str
    kinds: dict[str, pa.DataType] = field(default_factory=dict)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with the keys in the place of the JSON column."""
        objects = [_object(text) for text in batch.column(self.column).to_pylist()]
        for document in objects:
            for key in document:
                self.kinds.setdefault(key, pa.null())
        kept = [name for name in batch.schema.names if name != self.column]
        columns = {name: batch.column(name) for name in kept}
        for key in self.kinds.keys() - columns.keys():
            kind = self.kinds[key]
            values = column_of([document.get(key) for document in objects], None if pa.types.is_null(kind) else kind)
            self.kinds[key] = values.type if pa.types.is_null(kind) else kind
            columns[key] = values
        names = [*kept, *(key for key in self.kinds if key not in kept)]
        return pa.RecordBatch.from_arrays([columns[name] for name in names], names=names)


def _object(text: Any) -> dict[str, Any]:
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return {}
    return {encodable(key): value for key, value in document.items()} if isinstance(document, dict) else {}
