"""What systemd is told, on a real datagram socket: by the few lines themselves, and by `monitor run`."""

import os
import signal
import socket
import tempfile
import time
from pathlib import Path

import pytest

from monitor.systemd import Systemd
from tests.test_daemon import DAYS, FIRST, Process, recent
from tests.waiting import until
from tests.worlds import world


class Listener:
    """The other end: what a service has said, line by line."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.lines = []

    def said(self):
        while True:
            try:
                self.lines += self.socket.recv(4096).decode().splitlines()
            except BlockingIOError:
                return self.lines


@pytest.fixture
def listener():
    with tempfile.TemporaryDirectory(prefix="sd-") as folder:  # short, since the path of a socket has few bytes
        found = Listener(str(Path(folder) / "notify"))
        yield found
        found.socket.close()


def notify(listener, **environment):
    return Systemd.of({"NOTIFY_SOCKET": listener.socket.getsockname(), **environment})


def test_without_a_socket_nothing_is_said():
    one = Systemd.of({})
    one.ready()
    one.feed(well=True)
    assert (one.watchdog, one.interval) == (None, float("inf"))


def test_what_a_service_says_in_its_life(listener):
    one = notify(listener)
    one.ready()
    one.status("watching 3 models\nand more")
    one.status("watching 3 models\nand more")
    one.reloading()
    one.stopping()
    ready, status, reloading, moment, stopping, _ = listener.said()
    assert (ready, status, stopping) == ("READY=1", "STATUS=watching 3 models and more", "STOPPING=1")
    assert reloading == "RELOADING=1"
    assert abs(int(moment.removeprefix("MONOTONIC_USEC=")) - time.monotonic_ns() // 1000) < 5_000_000


def test_an_abstract_socket_is_reached_too():
    name = f"leeway-test-{os.getpid()}"
    found = Listener(f"\0{name}")
    Systemd.of({"NOTIFY_SOCKET": f"@{name}"}).ready()
    assert found.said() == ["READY=1"]
    found.socket.close()


def test_progress_is_told_at_half_of_the_time_that_is_allowed(listener):
    one = notify(listener, WATCHDOG_USEC="400000")
    for _ in range(50):
        one.feed(well=True)
    assert listener.said() == ["WATCHDOG=1"]
    time.sleep(0.2)
    one.feed(well=True)
    assert listener.said() == ["WATCHDOG=1"] * 2


def test_without_progress_nothing_is_told(listener):
    one = notify(listener, WATCHDOG_USEC="400000")
    one.feed(well=False)
    assert listener.said() == []


def test_a_watchdog_that_is_another_processs_is_left_alone(listener):
    assert notify(listener, WATCHDOG_USEC="400000", WATCHDOG_PID="1").watchdog is None


def test_commands_that_are_started_from_here_are_not_told_of_the_socket(listener):
    environment = {
        "NOTIFY_SOCKET": listener.socket.getsockname(),
        "WATCHDOG_USEC": "1",
        "WATCHDOG_PID": "",
        "HOME": "/",
    }
    Systemd.of(environment)
    assert environment == {"HOME": "/"}


def test_a_listener_that_is_gone_stops_nothing(listener):
    one = notify(listener)
    listener.socket.close()
    one.ready()


# --- the command ----------------------------------------------------------------------------------------------------

FREEZE = """
import os, sys, threading
from monitor.daemon import Daemon
real = Daemon._look
Daemon._look = lambda self: threading.Event().wait() if os.path.exists(sys.argv[-1] + ".freeze") else real(self)
from monitor.cli import main
from tests.waiting import until
main()
"""


class Service(Process):
    """`monitor run` as systemd starts it; its ticks freeze while there is a file ``config.yaml.freeze``."""

    def __init__(self, path, address, monkeypatch):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "1000000")
        monkeypatch.setattr("tests.test_daemon.RUN", [__import__("sys").executable, "-c", FREEZE, "run"])
        super().__init__(path)


@pytest.fixture
def service(tmp_path, listener, monkeypatch):
    path = world(tmp_path, DAYS, None, recent("churn"), FIRST)
    one = Service(path, listener.socket.getsockname(), monkeypatch)
    yield one
    one.running.kill()
    one.running.wait()


def test_the_command_says_when_it_is_ready_reloads_and_stops(service, listener):
    until(lambda: "READY=1" in listener.said())
    until(lambda: "STATUS=watching 1 model" in listener.said())
    assert listener.said().count("READY=1") == 1
    service.running.send_signal(signal.SIGHUP)
    until(lambda: listener.said().count("READY=1") == 2)
    lines = listener.said()
    assert lines.index("RELOADING=1") < len(lines) - 1 - lines[::-1].index("READY=1")
    assert service.end(signal.SIGTERM) == 0
    assert "STOPPING=1" in listener.said()


def test_a_tick_loop_that_freezes_is_not_covered_up(service, listener):
    until(lambda: listener.said().count("WATCHDOG=1") > 2)
    Path(f"{service.path}.freeze").touch()
    time.sleep(6.5)  # a tick a tenth of a second apart is given five seconds
    listener.said()
    seen = len(listener.lines)
    time.sleep(2.5)
    assert "WATCHDOG=1" not in listener.said()[seen:]
