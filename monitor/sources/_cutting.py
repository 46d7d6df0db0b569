"""The exact cut of a window in Arrow; light, since Spark's executors load it too."""

from datetime import tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from checks.instants import INSTANT, column_to_utc
from monitor.core.window import Window


def cut(batch: pa.RecordBatch, time: str, window: Window, zone: tzinfo) -> pa.RecordBatch:
    """Return the rows of a batch that lie in a window, their time as a timestamp in UTC.

    Parameters
    ----------
    batch : with times in whatever form a log keeps them.
    time : name of the time column.
    window : half-open.
    zone : of times that name none.
    """
    place = batch.schema.get_field_index(time)
    times = column_to_utc(batch.column(place), zone)
    batch = batch.set_column(place, time, times)
    inside = pc.and_(
        pc.greater_equal(times, pa.scalar(window.start, INSTANT)), pc.less(times, pa.scalar(window.end, INSTANT))
    )
    # Null where the time is null, which `all` skips: a row without a time is in no window.
    return batch if pc.all(pc.fill_null(inside, False)).as_py() else batch.filter(inside)
