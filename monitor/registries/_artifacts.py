"""The files of a run and of a logged model, fetched through MLflow's server into a folder of ours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode

from monitor.apis.calling import Api
from monitor.apis.downloading import MOST_BYTES
from monitor.core.errors import UserError
from monitor.core.wording import printable, shorten

READABLE = frozenset({".parquet", ".csv", ".tsv", ".gz"})
_MOST_FILES = 1000
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """Where MLflow keeps files: a run's artifacts, or those of a model that was logged.

    Parameters
    ----------
    words : what it is, for people.
    listing : path that lists a folder, with its query up to the folder's name.
    getting : path that brings a file, with its query up to the file's name.
    """

    words: str
    listing: str
    getting: str

    @classmethod
    def of_run(cls, run: str) -> "Place":
        """Return the artifacts of a run."""
        asked = urlencode({"run_id": run})
        return cls(
            f"run {shorten(printable(run), 60)}",
            f"/api/2.0/mlflow/artifacts/list?{asked}&path=",
            f"/get-artifact?{urlencode({'run_uuid': run})}&path=",
        )

    @classmethod
    def of_model(cls, model: str) -> "Place":
        """Return the artifacts of a logged model, as MLflow 3 has them."""
        named = quote(model, safe="")
        return cls(
            f"logged model {shorten(printable(model), 60)}",
            f"/api/2.0/mlflow/logged-models/{named}/artifacts/directories?artifact_directory_path=",
            f"/ajax-api/2.0/mlflow/logged-models/{named}/artifacts/files?artifact_file_path=",
        )

    def entries(self, api: Api, folder: str) -> Iterator[Mapping[str, Any]]:
        """Yield what a folder holds; one that is not there holds nothing."""
        token = ""
        for _ in range(_MOST_PAGES):
            more = f"&{urlencode({'page_token': token})}" if token else ""
            page = api.call(f"{self.listing}{quote(folder, safe='')}{more}")
            yield from page.get("files", ())
            token = page.get("next_page_token", "")
            if not token:
                return


def inside(artifact: str) -> PurePosixPath:
    """Return the path of an artifact.

    Raises
    ------
    UserError
        When it is none, or leads out of the folder of all artifacts.
    """
    path = PurePosixPath(artifact)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in artifact or "\0" in artifact:
        raise UserError(
            f"{shorten(printable(artifact), 100)!r} names no artifact; write its path in the run, such as"
            " reference.parquet or data/reference"
        )
    return path


def fetch(api: Api, places: list[Place], artifact: str, folder: Path) -> Path:
    """Bring an artifact, a file or a folder of them, into a folder; return where it is now.

    Raises
    ------
    UserError
        When no place has it, it holds nothing that can be read, or too much.
    CallError
        When MLflow cannot be asked.
    """
    path = inside(artifact)
    seen: list[str] = []
    for place in places:
        parent = "" if len(path.parts) == 1 else str(path.parent)
        listed = list(place.entries(api, parent))
        found = next((entry for entry in listed if entry["path"] == str(path)), None)
        if found is not None:
            files = _files(api, place, found, path)
            return _brought(api, place, files, folder) / path
        seen += [entry["path"] for entry in listed]
    words = " and ".join(place.words for place in places)
    there = ", ".join(shorten(printable(name), 60) for name in seen[:8]) or "nothing"
    raise UserError(
        f"{words} in {api.shown} has no artifact {shorten(printable(artifact), 100)!r}; there is {there}."
        " Log it in training with mlflow.log_artifact, or correct artifact"
    )


def _files(api: Api, place: Place, entry: Mapping[str, Any], path: PurePosixPath) -> list[tuple[PurePosixPath, int]]:
    """Return the files to bring, with what MLflow says of their sizes in bytes."""
    found = [(path, int(entry.get("file_size", 0)))]
    if entry.get("is_dir"):
        found = list(_below(api, place, path))
    files = [(file, size) for file, size in found if file.suffix.lower() in READABLE]
    if not files:
        held = "the folder has" if entry.get("is_dir") else "it is"
        raise UserError(
            f"artifact {shorten(printable(str(path)), 100)!r} of {place.words}: {held} no Parquet and no CSV"
        )
    if len(files) > _MOST_FILES:
        raise UserError(f"artifact {shorten(printable(str(path)), 100)!r} of {place.words} has more than 1,000 files")
    if sum(size for _, size in files) > MOST_BYTES:
        raise UserError(f"artifact {shorten(printable(str(path)), 100)!r} of {place.words} has more than 2 GB")
    return files


def _below(api: Api, place: Place, top: PurePosixPath) -> Iterator[tuple[PurePosixPath, int]]:
    waiting, listed = [top], 0
    while waiting:
        folder = waiting.pop()
        for entry in place.entries(api, str(folder)):
            path = inside(entry["path"])
            if not path.is_relative_to(folder) or path == folder:
                raise UserError(f"{api.shown} names a file outside the folder that was asked for")
            listed += 1
            if listed > 10 * _MOST_FILES:
                raise UserError(f"artifact {shorten(printable(str(top)), 100)!r} of {place.words} has too many files")
            if entry.get("is_dir"):
                waiting.append(path)
            else:
                yield path, int(entry.get("file_size", 0))


def _brought(api: Api, place: Place, files: list[tuple[PurePosixPath, int]], folder: Path) -> Path:
    left = MOST_BYTES
    for path, _ in files:
        to = folder / path
        if not to.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"{shorten(printable(str(path)), 100)!r} leads out of {folder}")
        api.download(f"{place.getting}{quote(str(path), safe='')}", to, most=left)
        left -= to.stat().st_size
    return folder
