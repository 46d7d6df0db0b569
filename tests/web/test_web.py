"""The web port of a running daemon, over real HTTP."""

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_classic

from monitor.checkup import PATIENCE
from monitor.core.errors import UserError
from monitor.web.listening import bound
from tests.test_daemon import DAY, NOW, Running, config, done, drop, events, model
from tests.waiting import until
from tests.worlds import world

TOKEN = "a-token-of-sixteen-and-more"
REST = "notifiers: {{log: stdout}}\ntick: 0.1s\ncanary: off\nweb: {{port: {port}{more}}}\n"
PAGE = Path(__file__).parents[2] / "docs/howto/monitoring-leeway.md"


def web(port=0, more=""):
    return REST.format(port=port, more=more)


class Answer:
    def __init__(self, reply):
        self.status, self.headers = reply.status, {name.lower(): value for name, value in reply.getheaders()}
        self.text = reply.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def samples(self, read=read_classic):
        """Every sample as (name, labels) → value."""
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in read(self.text)
            for sample in family.samples
        }


def ask(one, path, method="GET", **headers):
    address = urlsplit(one.daemon.signs.web.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return Answer(connection.getresponse())
    finally:
        connection.close()


@pytest.fixture
def served(running):
    """A daemon that has evaluated everything and answers."""

    def start(text=None, **kwargs):
        one = running(text or config(model("churn"), rest=web()), **kwargs)
        until(lambda: one.daemon.signs.web and done(one.store))
        return one

    return start


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """A port that answers for a daemon that does nothing."""
    one = Running(world(tmp_path_factory.mktemp("lone"), 1, None, config(model("churn"), rest=web())))
    one.daemon.signs.start()
    yield one
    one.daemon.signs.stop()
    one.store.close()


# --- health ---------------------------------------------------------------------------------------------------------


def test_a_daemon_that_is_well_says_so(served):
    one = served()
    assert (ask(one, "/healthz").status, ask(one, "/healthz").json["status"]) == (200, "alive")
    assert (ask(one, "/readyz").status, ask(one, "/readyz").json) == (200, {"status": "ready", "problems": []})


def test_health_may_be_asked_for_by_head_and_nothing_else(served):
    one = served()
    assert ask(one, "/healthz", "HEAD").status == 200
    assert (ask(one, "/healthz", "POST").status, ask(one, "/metrics", "DELETE").status) == (405, 405)


def test_what_is_red_makes_it_unready_with_its_remedy_and_not_dead(served):
    one = served()
    one.daemon.pulse.failed("canary", "a defect (KeyError)")
    unready = until(lambda: (answer := ask(one, "/readyz")).status == 503 and answer)
    (problem,) = unready.json["problems"]
    assert (problem["name"], problem["words"]) == ("work_fails", "canary: a defect (KeyError)")
    assert "the log says why" in problem["remedy"]
    assert ask(one, "/healthz").status == 200


def test_ticks_that_hang_make_it_dead(running, monkeypatch):
    one, gate = running(config(model("churn"), rest=web()), begin=False), threading.Event()
    monkeypatch.setattr(one.daemon, "_look", lambda: gate.wait(30))
    one.start()
    until(lambda: one.daemon.signs.web and one.daemon.signs.web._server.started)
    stuck = until(lambda: (answer := ask(one, "/healthz")).status == 503 and answer)
    assert stuck.json == {"status": "stuck", "stuck": ["tick"]}
    gate.set()


def test_a_store_that_does_not_answer_makes_it_unready_soon_and_leaves_it_alive(served, monkeypatch):
    one, gate = served(), threading.Event()
    monkeypatch.setattr("monitor.checkup.PATIENCE", 0.3)
    monkeypatch.setattr(one.daemon.signs.checkup, "rows", lambda _: gate.wait(20))
    time.sleep(3.1)  # for as long an answer is good
    began = time.monotonic()
    assert [problem["name"] for problem in ask(one, "/readyz").json["problems"]] == ["store_away"]
    assert time.monotonic() - began < PATIENCE
    assert ask(one, "/healthz").status == 200
    gate.set()


def test_a_daemon_that_is_about_to_end_is_not_ready(lone):
    lone.daemon.stopping.set()
    try:
        assert (ask(lone, "/readyz").status, ask(lone, "/readyz").json["status"]) == (503, "stopping")
    finally:
        lone.daemon.stopping.clear()


# --- metrics --------------------------------------------------------------------------------------------------------


def test_metrics_say_where_every_model_stands(served):
    one = served(config(model("churn"), model("quiet", start=NOW - DAY), rest=web()), change=drop("age", 3, 8))
    until(lambda: len(done(one.store)) == 9)
    found = until(lambda: _complete(ask(one, "/metrics").samples()))
    churn = ("model", "churn")
    assert found["leeway_window_rows", (churn,)] == 300
    assert found["leeway_incidents", (churn, ("state", "firing"))] == 1
    assert found["leeway_incidents", (("model", "quiet"), ("state", "firing"))] in (0, 1)
    assert found["leeway_null_ratio", (("column", "age"), churn)] == 1
    assert found["leeway_check_runs_total", (churn, ("outcome", "done"))] == 8
    assert found["leeway_check_duration_seconds_count", ()] == 9
    assert found["leeway_next_due_timestamp_seconds", (churn,)] == (NOW + DAY).timestamp()
    assert found["leeway_notifications_total", (("outcome", "delivered"), ("receiver", "log"))] >= 1
    assert (found["leeway_store_up", ()], found["leeway_processes", ()], found["leeway_models", ()]) == (1, 1, 2)


def _complete(samples):
    ready = samples.get(("leeway_notifications_total", (("outcome", "delivered"), ("receiver", "log"))))
    return samples if ready else None


def test_a_model_that_leaves_the_configuration_takes_its_series_along(served):
    one = served(config(model("churn"), model("old"), rest=web()))
    until(lambda: len(done(one.store)) == 16)
    assert 'model="old"' in ask(one, "/metrics").text
    one.path.write_text(config(model("churn"), rest=web()))
    one.daemon.ask(signal.SIGHUP)
    until(lambda: 'model="old"' not in ask(one, "/metrics").text)


@pytest.mark.parametrize(
    ("accept", "kind", "read"),
    [
        ("", "text/plain; version=0.0.4", read_classic),
        ("text/plain", "text/plain; version=0.0.4", read_classic),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", read_openmetrics),
    ],
)
def test_metrics_come_in_the_format_that_is_asked_for(served, accept, kind, read):
    answer = ask(served(), "/metrics", accept=accept)
    assert answer.headers["content-type"].startswith(kind)
    assert answer.samples(read)["leeway_store_up", ()] == 1


def test_the_exposition_is_clean_in_the_eyes_of_promtool(served):
    if shutil.which("promtool") is None:
        pytest.skip("no promtool is installed (Debian: prometheus)")
    text = ask(served(), "/metrics").text
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_store_that_is_away_leaves_the_metrics_of_the_process(served, monkeypatch):
    one, gate = served(), threading.Event()
    real = one.daemon.signs.checkup.rows
    monkeypatch.setattr("monitor.checkup.PATIENCE", 0.3)
    monkeypatch.setattr(one.daemon.signs.checkup, "rows", lambda connection: gate.wait(20) and real(connection))
    for _ in range(2):  # the second while the first has its question still open
        found = ask(one, "/metrics").samples()
        assert found["leeway_store_up", ()] == 0
        assert found["leeway_models", ()] == 1
        assert not [name for name, _ in found if name == "leeway_window_rows"]
    gate.set()
    until(lambda: ask(one, "/metrics").samples()["leeway_store_up", ()] == 1)


def test_every_metric_stands_in_the_documentation_and_no_other(served):
    one = served(config(model("churn"), rest=web().replace("canary: off\n", "")), change=drop("age", 3, 8))
    families = {
        family.name for family in read_openmetrics(ask(one, "/metrics", accept="application/openmetrics-text").text)
    }
    told = set(re.findall(r"^\| `(leeway_\w+?)(?:_total)?(?:\{[^}]*\})?`", PAGE.read_text("utf-8"), re.MULTILINE))
    assert told == {name for name in families if name.startswith("leeway_")}


# --- who may read what ----------------------------------------------------------------------------------------------


@pytest.fixture
def guarded(served):
    return served(config(model("churn"), rest=web(more=f", token: {TOKEN}")))


@pytest.mark.parametrize("given", [None, "", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer \xff"])
def test_metrics_need_the_token_where_there_is_one(guarded, given):
    headers = {} if given is None else {"Authorization": given}
    answer = ask(guarded, "/metrics", **headers)
    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert "leeway_" not in answer.text


def test_who_has_the_token_reads_metrics(guarded):
    assert ask(guarded, "/metrics", Authorization=f"Bearer {TOKEN}").status == 200


def test_without_the_token_health_names_problems_and_says_nothing_of_them(guarded):
    guarded.daemon.pulse.failed("canary", "the table predictions is gone")
    problems = until(lambda: ask(guarded, "/readyz").json["problems"])
    assert problems == [{"name": "work_fails"}]
    told = ask(guarded, "/readyz", Authorization=f"Bearer {TOKEN}").json["problems"]
    assert "predictions" in told[0]["words"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", ""]
)
@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/"])
def test_a_page_whose_name_was_made_to_mean_this_machine_reads_nothing(lone, host, path):
    answer = ask(lone, path, Host=host)
    assert answer.status in (400, 421)
    assert "leeway_" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8321", "10.1.2.3:8321"])
def test_an_address_and_localhost_are_served(lone, host):
    assert ask(lone, "/healthz", Host=host).status == 200


def test_with_a_token_any_name_is_served(guarded):
    assert ask(guarded, "/healthz", Host="leeway.example.org").status == 200


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/metrics/", "/../etc/passwd", "/healthz/%2e%2e/", "/docs", "/static/x"]
)
def test_there_is_nothing_else(lone, path):
    answer = ask(lone, path)
    assert (answer.status, answer.text) == (404, "not found; there is /healthz, /readyz and /metrics\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/nope"])
def test_every_answer_may_be_neither_kept_nor_framed_nor_guessed_at(lone, path):
    headers = ask(lone, path).headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_a_defect_in_an_answer_shows_nothing_of_itself(lone, monkeypatch):
    def broken():
        raise KeyError("postgresql://u:hunter2@db")

    monkeypatch.setattr(lone.daemon.signs.checkup, "problems", broken)
    answer = ask(lone, "/readyz")
    assert (answer.status, answer.text) == (500, "Internal Server Error")


# --- the port -------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_with_what_to_do():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1, port {port}: another program listens there; set web.port"):
            bound("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_told(host):
    with pytest.raises(UserError, match=re.escape(f"web: cannot listen on {host}")):
        bound(host, 0)


def test_the_log_names_the_port_that_was_taken(running, said):
    one = running(config(model("churn"), rest=web()))
    (told,) = until(lambda: events(said, "web.listening"))
    assert told["address"] == one.daemon.signs.web.url
    assert not told["address"].endswith(":0")


def test_a_reload_moves_the_port(served, said):
    one = served()
    before = one.daemon.signs.web.url
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    one.path.write_text(config(model("churn"), rest=web(port)))
    one.daemon.ask(signal.SIGHUP)
    until(lambda: one.daemon.signs.web.url.endswith(f":{port}"))
    until(lambda: ask(one, "/healthz").status == 200)
    assert one.daemon.signs.web.url != before


def test_a_reload_to_a_port_that_is_taken_keeps_the_old_one(served, said):
    one = served()
    before = one.daemon.signs.web.url
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        one.path.write_text(config(model("churn"), rest=web(other.getsockname()[1])))
        one.daemon.ask(signal.SIGHUP)
        (kept,) = until(lambda: events(said, "web.kept"))
    assert "another program listens there" in kept["reason"]
    assert (one.daemon.signs.web.url, ask(one, "/healthz").status) == (before, 200)


def test_a_reload_with_another_token_keeps_the_port(served):
    one = served()
    before = one.daemon.signs.web
    one.path.write_text(config(model("churn"), rest=web(more=f", token: {TOKEN}")))
    one.daemon.ask(signal.SIGHUP)
    until(lambda: ask(one, "/metrics").status == 401)
    assert one.daemon.signs.web is before


def test_a_reload_without_the_section_closes_the_port(served):
    one = served()
    address = urlsplit(one.daemon.signs.web.url)
    one.path.write_text(config(model("churn")))
    one.daemon.ask(signal.SIGHUP)
    until(lambda: refused(address))
    assert one.daemon.signs.web is None


def refused(address):
    try:
        socket.create_connection((address.hostname, address.port), 1).close()
    except (ConnectionRefusedError, ConnectionResetError):  # while it closes, it may have answered half
        return True
    return False


def test_without_the_section_no_web_library_is_loaded():
    program = (
        "import sys, monitor.daemon, monitor.signs; "
        "print(sorted({'starlette', 'uvicorn', 'prometheus_client', 'anyio'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
