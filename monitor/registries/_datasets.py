"""The data sets that a run has logged as its inputs: which one is meant, and where its rows are."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from monitor.apis.downloading import download
from monitor.core.errors import UnavailableError, UserError
from monitor.core.wording import printable, shorten
from monitor.outbound import UnansweredError, host_of
from monitor.registries._artifacts import READABLE

_REMOTE = frozenset({"s3", "gs", "gcs", "r2", "az", "azure", "abfss"})  # schemes that the file reader knows
_CONTEXT = "mlflow.data.context"
_INSTEAD = "log its rows with mlflow.log_artifact and name them as artifact instead"


def chosen(inputs: Sequence[Mapping[str, Any]], dataset: str, words: str) -> Mapping[str, Any]:
    """Return the data set with a name, or else the one that was logged in this context, such as ``training``.

    Parameters
    ----------
    inputs : as MLflow lists them.
    words : whose they are.

    Raises
    ------
    UserError
        When there is none, or there are several.
    """
    named = [each["dataset"] for each in inputs if each["dataset"]["name"] == dataset]
    found = named or [each["dataset"] for each in inputs if dataset in _contexts(each)]
    distinct = {(each["name"], each["digest"]): each for each in found}
    if len(distinct) == 1:
        return next(iter(distinct.values()))
    shown = shorten(printable(dataset), 80)
    listed = ", ".join(_listed(each) for each in inputs[:8])
    if distinct:
        raise UserError(f"{words} has logged several data sets {shown!r} ({listed}); name one of them")
    remedy = f"there are {listed}" if inputs else "it has logged none; log it with mlflow.log_input"
    raise UserError(f"{words} has no data set with the name or context {shown!r}; {remedy}")


def located(dataset: Mapping[str, Any], folder: Path, timeout: float) -> Path | str:
    """Return where a data set's rows are: a file here, or an address that the file reader knows.

    Parameters
    ----------
    folder : where what is on the web is brought to.
    timeout : seconds of silence while it is.

    Raises
    ------
    UserError
        When it is of a kind that holds no file.
    UnavailableError
        When it cannot be brought for now.
    """
    kind, shown = dataset["source_type"], repr(shorten(printable(dataset["name"]), 80))
    try:
        source = json.loads(dataset["source"])
    except ValueError:
        source = {}
    where = (source.get("uri") or source.get("url")) if isinstance(source, dict) else None
    scheme = urlsplit(where).scheme if isinstance(where, str) else None
    known = (
        kind == "local" or (kind == "http" and scheme in ("http", "https")) or (kind in _REMOTE and scheme in _REMOTE)
    )
    if not isinstance(where, str) or not known:
        raise UserError(
            f"data set {shown} comes from {shorten(printable(str(kind)), 40)}, which is no file; a local path, an"
            f" address of the web and {', '.join(sorted(_REMOTE))} can be read: {_INSTEAD}"
        )
    if kind == "local":
        return _local(where, shown)
    return _brought(SecretStr(where), shown, folder, timeout) if kind == "http" else where


def _local(where: str, shown: str) -> Path:
    parts = urlsplit(where)
    path = Path(unquote(parts.path) if parts.scheme == "file" else where)
    if not path.is_absolute():
        raise UserError(
            f"data set {shown} was logged as {shorten(printable(where), 100)!r}, a path relative to the training's own"
            f" folder; log it with its whole path, or {_INSTEAD}"
        )
    if not path.exists():
        raise UserError(
            f"data set {shown} was logged as {shorten(printable(where), 100)!r}, which is not on this machine; mount it"
            f" here, or {_INSTEAD}"
        )
    return path


def _brought(url: SecretStr, shown: str, folder: Path, timeout: float) -> Path:
    name = PurePosixPath(unquote(urlsplit(url.get_secret_value()).path)).name
    if PurePosixPath(name).suffix.lower() not in READABLE or "\0" in name:
        raise UserError(
            f"data set {shown} is at {host_of(url)}, under a name that ends neither in .parquet nor in .csv"
        )
    to = folder / name
    try:
        reply = download(url, {}, to, timeout=timeout)
    except UnansweredError as unanswered:
        raise UnavailableError(f"data set {shown} at {host_of(url)}: {unanswered.reason}") from unanswered
    if reply.transient:
        raise UnavailableError(f"data set {shown} at {host_of(url)}: HTTP {reply.status}")
    if not reply.ok:
        why = " (it redirects, which is not followed)" if 300 <= reply.status < 400 else ""
        raise UserError(f"data set {shown} at {host_of(url)}: HTTP {reply.status}{why}; {_INSTEAD}")
    return to


def _contexts(logged: Mapping[str, Any]) -> list[str]:
    return [tag["value"] for tag in logged.get("tags", ()) if tag["key"] == _CONTEXT]


def _listed(logged: Mapping[str, Any]) -> str:
    contexts = ", ".join(_contexts(logged))
    name = shorten(printable(logged["dataset"]["name"]), 60)
    return f"{name} ({shorten(printable(contexts), 60)})" if contexts else name
