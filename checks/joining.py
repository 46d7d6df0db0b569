"""Joining rows whose columns may be missing here and of another type there."""

from collections.abc import Sequence

import pyarrow as pa

from checks import reading


def concat(tables: Sequence[pa.Table]) -> pa.Table:
    """Join tables whose columns may be missing here and of another type there; what shares no type becomes text."""
    fields: dict[str, pa.DataType] = {}
    for table in tables:
        for field in table.schema:
            fields[field.name] = _common(fields.get(field.name), field.type)
    schema = pa.schema(list(fields.items()))
    return pa.concat_tables([_conform(table, schema) for table in tables]) if tables else pa.table({})


def _common(one: pa.DataType | None, other: pa.DataType) -> pa.DataType:
    if one is None or one == other or pa.types.is_null(one):
        return other
    if pa.types.is_null(other):
        return one
    families = {reading.family(one), reading.family(other)}
    return pa.float64() if families == {"number"} else pa.string()


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        _cast(table.column(field.name), field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if column.type == kind:
        return column
    if not pa.types.is_string(kind) or pa.types.is_null(column.type):
        return column.cast(kind, safe=False)
    read = reading.texts(column)
    return pa.array(read.values, pa.string(), mask=read.nulls)
