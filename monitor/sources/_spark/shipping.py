"""The code that Spark's executors need, as a zip: they have NumPy, Arrow and pyspark, but not Leeway."""

import atexit
import shutil
import sys
import tempfile
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import checks
import monitor

_MODULES = (
    "__init__.py",
    "core/__init__.py",
    "core/window.py",
    "sources/__init__.py",
    "sources/_arrow.py",
    "sources/_cutting.py",
    "sources/_features.py",
    "sources/_spark/__init__.py",
    "sources/_spark/task.py",
)


def ship(session: Any) -> None:
    """Give a session's executors the code; a session that has it stays as it is."""
    path = list(sys.path)
    session.addArtifacts(str(code()), pyfile=True)
    # A classic session also puts the zip on this process's own path, where it would hide most of the package.
    sys.path[:] = path


@cache
def code() -> Path:
    """Write the zip, once a process, in a folder of its own.

    Executors of a classic session fetch it from there for as long as the process lives.
    """
    files = {f"checks/{path.relative_to(root)}": path for root in _folders(checks) for path in root.rglob("*.py")}
    files |= {f"monitor/{name}": root / name for root in _folders(monitor) for name in _MODULES}
    folder = Path(tempfile.mkdtemp(prefix="leeway-spark-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    digest = sha256()
    with ZipFile(folder / "code.zip", "w") as archive:
        for name in sorted(files):
            content = files[name].read_bytes()
            digest.update(name.encode() + b"\0" + content)
            archive.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    # By its content, so that two releases that share a cluster keep apart.
    return (folder / "code.zip").rename(folder / f"leeway_{digest.hexdigest()[:16]}.zip")


def _folders(package: Any) -> list[Path]:
    return [Path(folder) for folder in package.__path__]
