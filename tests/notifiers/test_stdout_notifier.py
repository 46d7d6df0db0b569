"""The stdout notifier: for people, and for programs."""

import io
import json
import sys

from notice_factory import first, hostile, incident, monster, notice

from monitor.core.incident import State
from monitor.core.notice import Attempt, Deferred, Delivered
from monitor.notifiers.stdout import Stdout


class _Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_notice_is_one_block_that_begins_with_its_title(capsys):
    assert Stdout().send(first()) == Delivered()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "DRIFT · churn v7 · 3 of 42 columns"
    assert "  - amount: median 733 to 1,180 · 0.62 standard deviations of the reference, tolerance 0.2" in lines


def test_json_is_one_line_a_notice(capsys):
    notifier = Stdout(format="json")
    notifier.send(first())
    notifier.send(Attempt(monster()))
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["model"] for line in lines] == ["churn", "m" * 300]


def test_json_holds_the_incident_as_the_contract_has_it(capsys):
    Stdout(format="json").send(first())
    assert json.loads(capsys.readouterr().out)["incident"] == notice().incident.as_json()


def test_a_pipe_gets_no_colours(capsys):
    Stdout().send(first())
    assert "\x1b" not in capsys.readouterr().out


def test_a_terminal_gets_colours_and_the_same_words(capsys, monkeypatch):
    Stdout().send(first())
    plain = capsys.readouterr().out
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    Stdout().send(first())
    assert "\x1b[1;33mDRIFT" in terminal.getvalue()
    assert plain.splitlines()[1].strip() in terminal.getvalue()


def test_control_characters_in_users_words_reach_no_terminal(monkeypatch):
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    Stdout().send(Attempt(hostile()))
    assert "\x1b[31m" not in terminal.getvalue()
    assert "\u202e" not in terminal.getvalue()


def test_a_name_with_a_line_break_forges_no_line(capsys):
    forged = incident(model="churn\nRESOLVED · everything is fine")
    Stdout().send(first(of=forged))
    assert not any(line.startswith("RESOLVED") for line in capsys.readouterr().out.splitlines())


def test_markup_of_the_terminal_library_is_shown_as_it_is(monkeypatch):
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    Stdout().send(first(of=incident(model="[bold]x[/bold]")))
    assert "[bold]x[/bold]" in terminal.getvalue()


def test_an_encoding_without_the_letters_is_no_failure(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert Stdout().send(first()) == Delivered()
    assert raw.getvalue().startswith(rb"DRIFT \xb7 churn v7")


def test_a_closed_pipe_is_deferred(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    assert isinstance(Stdout().send(first()), Deferred)


def test_a_resolution_says_that_it_is_over(capsys):
    Stdout().send(first(of=incident(state=State.RESOLVED, resolved_reason="calm again")))
    shown = capsys.readouterr().out
    assert shown.startswith("RESOLVED · DRIFT")
    assert "It is over after 2 windows: calm again." in shown


def test_the_probe_says_where_notices_go():
    assert Stdout(format="json").probe() == "standard output, as json"
