"""The web port from outside: where it may listen, who may read what, and what a stranger can hold up."""

import socket
import threading
import time

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from monitor.config.errors import ConfigError
from monitor.config.operations import Web
from monitor.config.reading import read_text
from monitor.web import brief
from monitor.web.listening import Listening

CONFIG = "models: {m: {logs: {path: l, time: t}, reference: r}}\nweb: {WEB}\n"


def web(text: str) -> Web:
    found = read_text(CONFIG.replace("{WEB}", text)).web
    assert found is not None
    return found


def test_the_port_listens_on_this_machine_alone_where_nothing_else_is_said():
    assert web("{}").host == "127.0.0.1"
    assert read_text(CONFIG.partition("web")[0]).web is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "10.0.0.1", "monitor.example.org", "", "0", "127.0.0.1.example.org", "localhost.example.org", "2130706433"])  # fmt: skip
def test_an_address_that_others_reach_is_refused_without_a_token(host):
    with pytest.raises(ConfigError, match="can be reached by others: set a token"):
        web(f"{{host: '{host}'}}")
    assert web(f"{{host: '{host}', token: a-token-of-sixteen-and-more}}").host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "::1", "localhost"])
def test_an_address_of_this_machine_needs_no_token(host):
    assert web(f"{{host: '{host}'}}").token is None


@pytest.mark.parametrize("token", ["short", "", "x" * 15])
def test_a_token_that_can_be_guessed_is_refused_without_showing_it(token):
    with pytest.raises(ConfigError) as refused:
        web(f"{{host: 0.0.0.0, token: '{token}'}}")
    assert not token or token not in str(refused.value).replace("15", "")


# --- what a stranger can hold up -------------------------------------------------------------------------------------


@pytest.fixture
def port(monkeypatch):
    """An open port whose connections are few and brief."""
    monkeypatch.setattr(brief, "MOST", 10)
    monkeypatch.setattr(brief, "LONGEST", 1.0)
    application = Starlette(routes=[Route("/healthz", lambda _: PlainTextResponse("alive"))])
    listening = Listening(Web(port=0), application)
    listening.start()
    yield int(listening.url.rpartition(":")[2])
    listening.stop()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def healthy(port: int) -> bool:
    with connected(port) as one:
        try:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            said = b""
            while piece := one.recv(4096):
                said += piece
        except OSError:
            return False
    return said.endswith(b"alive")


def ended(one: socket.socket) -> bool:
    """Whether the other side has ended a connection."""
    try:
        return one.recv(1) == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET /healthz HTTP/1.1\r\nX-Slow: "])
def test_who_says_little_and_slowly_is_cut_off(port, said):
    with connected(port) as one:
        one.sendall(said)
        began = time.monotonic()
        assert ended(one)
        assert time.monotonic() - began < 8


def test_who_drips_a_header_for_ever_is_cut_off(port):
    with connected(port) as one:
        one.sendall(b"GET /healthz HTTP/1.1\r\n")
        began, stop = time.monotonic(), threading.Event()

        def drip():
            while not stop.wait(0.1):
                try:
                    one.sendall(b"X")
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        assert ended(one)
        stop.set()
        thread.join(5)
        assert time.monotonic() - began < 8


def test_a_crowd_of_connections_ends_by_itself_and_the_port_answers_again(port):
    crowd = [connected(port) for _ in range(40)]
    try:
        deadline = time.monotonic() + 15
        while not healthy(port):
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        for one in crowd:
            one.close()


@pytest.mark.parametrize(
    "request_line", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET /" + b"a" * 100_000, b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n"],
)  # fmt: skip
def test_a_request_that_is_none_leaves_the_port_open_for_others(port, request_line):
    with connected(port) as one:
        one.sendall(request_line)
        time.sleep(0.1)
        assert healthy(port)
