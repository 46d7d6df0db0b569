"""A file over HTTP, streamed to disk: bounded in size and in time, and no redirect is followed."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from monitor.core.errors import UserError
from monitor.outbound import LARGEST_REPLY, Reply, headers_of, host_of, opened

if TYPE_CHECKING:
    import ssl

    from pydantic import SecretStr

MOST_BYTES = 2_000_000_000  # of one download
_LONGEST = 3600.0  # seconds that one download may take
_PIECE = 1 << 20


def download(
    url: "SecretStr",
    headers: Mapping[str, str],
    to: Path,
    *,
    timeout: float,
    most: int = MOST_BYTES,
    trusted: "ssl.SSLContext | None" = None,
) -> Reply:
    """Write what a GET brings into a file, which is there when all of it has come and not before.

    Parameters
    ----------
    to : the file; its folder is made where it is missing.
    timeout : seconds of silence.
    most : bytes.
    trusted : whose certificates are believed, where it is not the system that says so.

    Returns
    -------
    Reply
        Of an answer that says no the beginning of its body; of one that says yes, none.

    Raises
    ------
    UnansweredError
        When no answer came, or only a part of it.
    UserError
        When there are more than ``most`` bytes.
    """
    if urlsplit(url.get_secret_value()).scheme not in ("http", "https"):
        raise UserError(f"{host_of(url)} is no address of the web")
    part = to.with_name(f"{to.name}.part")
    try:
        with opened(url, None, headers, timeout=timeout, method="GET", trusted=trusted) as answer:
            found = headers_of(answer)
            if not 200 <= answer.status < 300:
                return Reply(answer.status, found, answer.read(LARGEST_REPLY).decode("utf-8", "replace"))
            to.parent.mkdir(parents=True, exist_ok=True)
            _written(answer, part, most, host_of(url))
            part.replace(to)
            return Reply(answer.status, found, "")
    finally:
        part.unlink(missing_ok=True)


def _written(answer: Any, part: Path, most: int, where: str) -> None:
    deadline = time.monotonic() + _LONGEST
    held, length = 0, answer.headers.get("Content-Length")
    with part.open("wb") as file:
        while piece := answer.read1(_PIECE):
            held += len(piece)
            if held > most:
                raise UserError(f"what {where} sends has more than {most / 1e9:.3g} GB, which is too large to be taken")
            if time.monotonic() > deadline:
                raise TimeoutError
            file.write(piece)
    if length is not None and length.isdecimal() and held < int(length):
        raise ConnectionError(None, "the answer breaks off")
