"""The dead man's switch, against a local receiver."""

import time
from datetime import timedelta

import pytest

from monitor.config.operations import Ping
from monitor.health import Problem
from monitor.ping import Switch, address
from monitor.testing import FakeWebhook
from monitor.testing.webhook import Answer
from tests.waiting import until

SECRET = "a0b1c2d3-uuid-of-the-check"
BAD = [Problem("store_away", "the store is away"), Problem("budget_spent", "twice")]


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def switch(receiver, problems=()):
    return Switch(Ping(url=f"{receiver.url}/{SECRET}"), lambda: list(problems))


def calls(receiver):
    return [
        (request.method, request.path.partition("?")[0].removeprefix(f"/{SECRET}")) for request in receiver.requests
    ]


def test_while_all_is_well_the_address_itself_is_called(receiver):
    switch(receiver).once()
    assert calls(receiver) == [("GET", "")]


def test_what_is_red_is_told_with_its_remedy_and_what_is_not_red_is_not(receiver):
    switch(receiver, BAD).once()
    (request,) = receiver.requests
    assert calls(receiver) == [("POST", "/fail")]
    assert request.body.decode() == f"store_away: {BAD[0]}"


def test_a_problem_that_is_not_red_is_well(receiver):
    switch(receiver, BAD[1:]).once()
    assert calls(receiver) == [("GET", "")]


def test_a_check_up_that_fails_itself_is_told(receiver):
    def broken():
        raise KeyError("postgresql://u:hunter2@db")

    Switch(Ping(url=receiver.url), broken).once()
    (request,) = receiver.requests
    assert request.path.startswith("/fail")
    assert b"hunter2" not in request.body


def test_a_process_begins_with_start_and_carries_one_rid_all_its_life(receiver):
    one = switch(receiver)
    one.options = one.options.model_copy(update={"every": timedelta(milliseconds=50)})
    one.start()
    until(lambda: len(receiver.requests) > 3)
    one.stop()
    assert calls(receiver)[:3] == [("GET", "/start"), ("GET", ""), ("GET", "")]
    assert {request.path.partition("?")[2] for request in receiver.requests} == {f"rid={one.rid}"}


def test_starting_does_not_wait_for_a_receiver_that_does_not_answer(receiver):
    receiver.usual = Answer(delay=3.0)
    began = time.monotonic()
    one = switch(receiver)
    one.start()
    one.stop()
    assert time.monotonic() - began < 2
    one._thread.join(5)


def test_a_receiver_that_does_not_answer_is_logged_once_without_its_address(receiver, said):
    receiver.plan([Answer(500), Answer(500), Answer(500)])
    one = switch(receiver)
    for _ in range(5):
        one.once()
    assert [entry["event"] for entry in said] == ["ping.unheard", "ping.heard"]
    assert SECRET not in repr(said)


def test_an_address_keeps_its_own_query():
    called = address(Ping(url="https://hc.example.org/x/?a=1").url, "/fail", "r").get_secret_value()
    assert called == "https://hc.example.org/x/fail?a=1&rid=r"
