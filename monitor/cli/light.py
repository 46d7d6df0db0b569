"""A light start: what libraries would load beside themselves, for nothing that is used here, is not loaded."""

import sys
from importlib.abc import MetaPathFinder

from monitor.footprint import without_pandas


class _NoRich(MetaPathFinder):
    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002 - the interface
        """Refuse Rich; whatever else is asked for, others find."""
        if fullname.partition(".")[0] == "rich":
            raise ModuleNotFoundError(name=fullname)


def start_light() -> None:
    """Let PyArrow begin without pandas, and structlog without Rich: it is for tracebacks, which are written plainly."""
    without_pandas()
    if "rich" in sys.modules:
        return
    refusing = _NoRich()
    sys.meta_path.insert(0, refusing)
    try:
        import structlog  # noqa: F401 - it is imported as if Rich were not there
    finally:
        sys.meta_path.remove(refusing)
