"""The container: its file is well made, and what it demands of a process a daemon can do with."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.worlds import CONFIG, world

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy/Containerfile"
UID = 10001


@pytest.fixture(scope="module")
def parsed(tmp_path_factory):
    """The file's instructions, as (name, value)."""
    dockerfile_parse = pytest.importorskip("dockerfile_parse")
    folder = tmp_path_factory.mktemp("image")
    found = dockerfile_parse.DockerfileParser(path=str(folder / "Dockerfile"))
    found.content = FILE.read_text("utf-8")
    return found


def values(parsed, name):
    return [entry["value"] for entry in parsed.structure if entry["instruction"] == name]


def test_the_linter_finds_nothing():
    linter = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("no hadolint here")
    found = subprocess.run([linter, str(FILE)], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")


def test_it_is_built_in_a_stage_of_its_own_from_a_named_base(parsed):
    assert values(parsed, "FROM") == ["python:${PYTHON} AS build", "python:${PYTHON}"]
    (base,) = values(parsed, "ARG")
    assert base.count(".") == 2, "the base is pinned to a release"


def test_it_runs_as_a_numbered_user_that_is_not_root(parsed):
    assert values(parsed, "USER") == [f"{UID}:{UID}"]


def test_it_stops_by_the_signal_that_finishes_the_step_at_hand(parsed):
    assert values(parsed, "STOPSIGNAL") == ["SIGTERM"]
    assert values(parsed, "ENTRYPOINT") == ['["monitor"]'], "no shell stands between, which would keep the signal"


def test_its_health_is_asked_at_the_web_ports_own_path(parsed):
    (health,) = values(parsed, "HEALTHCHECK")
    assert "http://127.0.0.1:8321/healthz" in health
    assert values(parsed, "EXPOSE") == ["8321"]


def test_everything_that_is_copied_exists_and_is_let_into_the_context(parsed):
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    copied = [words for line in values(parsed, "COPY") for words in line.split()[:-1] if not line.startswith("--from")]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name


def test_what_the_wheel_is_made_of_is_copied(parsed):
    """Whatever pyproject.toml forces into the wheel or names as packages must be there in the build stage."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {*wheel["packages"], *wheel["force-include"], project["project"]["readme"], "pyproject.toml"}
    copied = {word for line in values(parsed, "COPY") for word in line.split()}
    assert needed <= copied


# --- what the container demands: no root, and nothing writable but the data ----------------------------------------

BOX = """
set -eu
mount --make-rprivate /
mount --bind "$DATA" "$DATA"
mount -t tmpfs -o mode=1777 tmpfs "$DATA/tmp"
while read -r _ _ _ _ place _; do
    case "$place" in /proc*|/sys*|/dev*|"$DATA"*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true ;; esac
done < /proc/self/mountinfo
exec setpriv --reuid={uid} --regid={uid} --clear-groups --no-new-privs --inh-caps=-all,+dac_read_search \
    --ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search "$@"
"""  # the interpreter of a test may lie in root's home: it may be read there, and nothing written anywhere


def boxed(data, *words, **options):
    """Run a process as the container does, with one folder to write to."""
    if os.geteuid() != 0 or any(shutil.which(tool) is None for tool in ("unshare", "setpriv", "mount")):
        pytest.skip("only root can make a box of its own here")
    environment = {"PATH": os.environ["PATH"], "DATA": str(data), "TMPDIR": f"{data}/tmp", "HOME": str(data),
                   "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(ROOT)}  # fmt: skip
    command = ["unshare", "--mount", "sh", "-c", BOX.format(uid=UID), "box", *words]
    return subprocess.Popen(
        command, cwd=data, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )


@pytest.fixture
def data(tmp_path):
    """The data volume: owned by the container's user."""
    folder = tmp_path / "data"
    (folder / "tmp").mkdir(parents=True)
    yield folder
    for path in (folder, *folder.rglob("*")):
        os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)


def owned(folder):
    for path in (folder, *folder.rglob("*")):
        os.chown(path, UID, UID)


def ready(data):
    """See that a box can be made here at all, and that it is one."""
    probe = boxed(
        data, "sh", "-c", 'id -u; touch /in-the-box 2>/dev/null || echo closed; touch "$DATA/open" && echo open'
    )
    said, why = probe.communicate(timeout=30)
    if probe.returncode:
        pytest.skip(f"a box of its own cannot be made here: {why.strip()[:120]}")
    assert said.split() == [str(UID), "closed", "open"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
def test_the_daemon_runs_without_root_on_a_read_only_system_and_ends_on_sigterm(data):
    port = free_port()
    world(
        data,
        1,
        None,
        f"{CONFIG}web: {{port: {port}}}\n".replace("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z, catch_up: 1d"),
    )
    owned(data)
    ready(data)
    daemon = boxed(data, sys.executable, "-W", "ignore", "-c", "from monitor.cli import main; main()", "run")
    try:
        deadline, health = time.monotonic() + 60, None
        while health is None and time.monotonic() < deadline and daemon.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=4) as answer:
                    health = answer.status
            except OSError:
                time.sleep(0.2)
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, said = daemon.communicate(timeout=60)
    assert health == 200, said
    assert daemon.returncode == 0, said
    assert "Read-only file system" not in said
    assert (data / "monitor.db").stat().st_uid == UID


@pytest.mark.slow
def test_commands_run_there_too(data):
    world(data, 2)
    owned(data)
    ready(data)
    for words in (
        ["migrate"],
        ["check", "--window", "2026-01-05/2026-01-06"],
        ["backup", "copy.db"],
        ["status", "--json"],
    ):
        command = boxed(data, sys.executable, "-W", "ignore", "-c", "from monitor.cli import main; main()", *words)
        _, said = command.communicate(timeout=120)
        assert command.returncode in (0, 1), (words, said)
