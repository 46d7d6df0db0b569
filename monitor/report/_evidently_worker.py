"""The process in which Evidently runs: two cleaned Parquet files in, one page out."""

import json
import sys
from pathlib import Path


def main(folder: Path) -> None:
    """Render ``page.html`` from ``reference.parquet``, ``current.parquet`` and ``roles.json`` in ``folder``."""
    roles = json.loads((folder / "roles.json").read_text(encoding="utf-8"))

    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset, DataSummaryPreset

    definition = DataDefinition(
        numerical_columns=roles["numeric"],
        categorical_columns=roles["categorical"],
        datetime_columns=roles["datetime"],
        text_columns=[],
    )
    reference, current = (
        Dataset.from_pandas(pd.read_parquet(folder / f"{name}.parquet"), data_definition=definition)
        for name in ("reference", "current")
    )
    snapshot = Report([DataDriftPreset(), DataSummaryPreset()]).run(current, reference)
    snapshot.save_html(str(folder / "page.html"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
