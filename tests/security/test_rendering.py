"""Names and values out of users' tables wherever people read them: page, Slack, JSON, terminal and log."""

import io
import json
import logging
import os
import re
import sys
import unicodedata
from contextlib import closing
from datetime import timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

import monitor
from monitor import logs
from monitor.cli.common import clean, print_json, table
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.notice import Attempt
from monitor.cycle import Cycle
from monitor.notifiers._blocks import minimal, render_reply, render_slack
from monitor.notifiers._message import payload
from monitor.notifiers.stdout import Stdout
from monitor.outbound import LARGEST_BODY, cloud_event, fitting
from monitor.report.page import render
from monitor.store.schema import open_store
from monitor.testing._slack_blocks import faults, links, mentions
from monitor.triggers._attempts import Attempt as Record
from monitor.triggers.command import Command
from monitor.watch import watches
from tests.notifiers.notice_factory import evidence, incident, notice, series
from tests.report.report_factory import small_report
from tests.security.fuzzing import FRAGMENTS, hostile, renamed, tried
from tests.security.pages import dangers, elements, shapes
from tests.triggers.retrain_factory import asked
from tests.worlds import CONFIG, START, rows_of, world

MARKS = {"delays": "MODELNAME", "amount": "COLUMNNAME", "carrier": "OTHERNAME", "B6": "VALUENAME", "ada": "PERSON"}
WORDS = ("MODELNAME", "COLUMNNAME", "OTHERNAME", "VALUENAME", "PERSON")


def uncontrolled(text: str) -> set[str]:
    """The characters of a text that could drive a terminal, end a line or turn the reading direction round."""
    return {ch for ch in text if unicodedata.category(ch) in ("Cc", "Zl", "Zp", "Cs") or ch in "\u202e\ufeff"} - {"\n"}


# --- the page ----------------------------------------------------------------------------------------------------


@cache
def marked():
    """A report in which a column, a category, a model and a person can be told apart."""
    return renamed(small_report(4, 150), MARKS)


@cache
def plain_shapes():
    return shapes(elements(render(renamed(marked(), {word: f"n{place}" for place, word in enumerate(WORDS)}))))


@tried(0.02, shrink=False)
@given(st.tuples(*[hostile] * len(WORDS)))
def test_no_name_or_value_adds_anything_to_the_page(words):
    page = render(renamed(marked(), {word: text + str(place) for place, (word, text) in enumerate(zip(WORDS, words, strict=True))}))  # fmt: skip
    found = elements(page)
    assert dangers(found) == []
    assert shapes(found) <= plain_shapes(), "an element or an attribute that the templates never make"
    assert not uncontrolled(page) - {"\t"}


@pytest.fixture
def pages(run, tmp_path):
    """Report and backtest of a world in which every name and a category would be markup."""
    name = "".join(FRAGMENTS[:7])

    def change(rows):
        rows[name] = list(rows["age"])
        rows["plan"] = [name if place % 2 else "basic" for place in range(len(rows["plan"]))]

    config = CONFIG.replace("churn:", "'<img src=x onerror=alert(2)>':")
    path = world(tmp_path, 3, change, config)
    _add_to_reference(tmp_path, name)
    read_in = read(path)
    with closing(open_store(read_in.store.get_secret_value())) as store:
        Cycle(store, SetClock(START + timedelta(days=3, hours=1))).catch_up(next(iter(watches(read_in).values())))
    assert run("report", "-o", "report.html")[0] == 0
    assert run("backtest", "--from", "2026-01-05", "--to", "2026-01-08", "--no-plant", "-o", "backtest.html")[0] in (
        0,
        1,
    )
    return [tmp_path / "report.html", tmp_path / "backtest.html"]


def _add_to_reference(folder, name):
    rows = rows_of(START - timedelta(days=40), 40, 1)
    rows[name] = list(rows["age"])
    pq.write_table(pa.table(rows), folder / "reference.parquet")


@pytest.mark.browser
def test_in_a_browser_no_page_asks_runs_or_fetches_anything(pages, browser):
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert "Content-Security-Policy" in text
        assert dangers(elements(text)) == []
        with closing(browser.new_context()) as context:
            tab, said, own = context.new_page(), [], path.as_uri()
            tab.on("dialog", lambda dialog, said=said: (said.append(dialog.message), dialog.dismiss()))
            tab.on("console", lambda message, said=said: said.append(message.text))
            tab.on("request", lambda request, said=said, own=own: said.append(request.url) if request.url != own else None)  # fmt: skip
            tab.goto(own)
            tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            tab.mouse.move(300, 300)
            tab.wait_for_timeout(200)
            assert "onerror" in tab.locator("body").inner_text()
            assert said == []


# --- Slack -------------------------------------------------------------------------------------------------------


def told(words):
    """A notice in which every text that comes from outside is hostile."""
    first, second, third = words
    bad = incident(
        model=first, columns=(second, third), diagnosis=third, summary=first, acknowledged_by=second,
        evidence=(evidence(second, words=first), evidence(third, words=second)),
    )  # fmt: skip
    return notice(
        of=bad,
        version=third,
        detail=first,
        timeline=(f"2026-01-05 {second}", f"2026-01-06 {third}"),
        series=(series(second),),
        note=third,
    )


@tried(0.1)
@given(st.tuples(hostile, hostile, hostile), st.booleans())
def test_no_word_pings_anybody_or_forges_a_link_in_slack(words, buttons):
    made = told(words)
    for content in (render_slack(made, buttons=buttons), render_reply(made), minimal(made)):
        blocks = content.get("blocks", [])
        assert mentions(content["text"], blocks) == []
        assert set(links(content["text"], blocks)) <= {made.link}
        assert faults(blocks) == []
        for text in _marked(blocks):
            assert not re.search(r"<[!@#h]", text)


def _marked(part):
    if isinstance(part, list):
        return [text for item in part for text in _marked(item)]
    if not isinstance(part, dict):
        return []
    own = [part["text"]] if part.get("type") == "mrkdwn" else []
    return own + [text for item in part.values() for text in _marked(item)]


# --- JSON, standard output, commands -----------------------------------------------------------------------------


@tried(0.05)
@given(st.tuples(hostile, hostile, hostile))
def test_an_event_is_json_that_says_the_words_as_they_are(words):
    made = told(words)

    def build(most):
        return cloud_event("leeway.incident.firing", key=made.key, model=words[0], subject="x", at=made.at, data=payload(made, most))  # fmt: skip

    body = fitting(build)
    assert len(body) <= LARGEST_BODY
    event = json.loads(body.decode("utf-8"))
    assert set(event) == {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}
    assert re.fullmatch(r"/leeway/models/[A-Za-z0-9._~%-]*", event["source"])


@tried(0.05)
@given(st.tuples(hostile, hostile, hostile), st.sampled_from(["text", "json"]))
def test_standard_output_gets_no_control_character_and_no_forged_line(words, form):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    kept, sys.stdout = sys.stdout, stream
    try:
        Stdout(format=form).send(Attempt(told(words)))
    finally:
        sys.stdout = kept
    stream.seek(0)
    lines = stream.read().split("\n")
    assert not uncontrolled("\n".join(lines))
    assert len(lines) <= (12 if form == "text" else 2)


@tried(0.05)
@given(hostile)
def test_tables_and_json_of_the_commands_hold_no_control_character(word):
    stream = io.StringIO()
    kept, sys.stdout = sys.stdout, stream
    try:
        table(["name"], [[word]])
        print_json({word: [word]})
    finally:
        sys.stdout = kept
    assert not uncontrolled(stream.getvalue())
    assert not uncontrolled(clean(word))


@tried(0.05)
@given(hostile, hostile, hostile)
def test_a_command_gets_words_in_its_environment_and_file_and_never_in_its_arguments(tmp_path_factory, model, column, reason):  # fmt: skip
    state = tmp_path_factory.getbasetemp() / "retrains"
    command = Command(argv=("true",), state=str(state))
    request = asked(key=f"{model}-1", model=model, columns=(column,), reason=reason, incident=reason)
    record = Record.of(command.state, request.key)
    assert record.folder.parent == state
    given_ = command._environment(request, record)
    for name, value in given_.items():
        if name.startswith("LEEWAY_"):
            assert not uncontrolled(value)
            assert "\n" not in value
            value.encode("utf-8")
    assert json.loads(given_["LEEWAY_COLUMNS"]) == [column]
    assert command.argv == ("true",)
    assert {name for name in given_ if not name.startswith("LEEWAY_")} <= set(os.environ)


def test_the_whole_way_from_a_hostile_name_to_a_command_runs_no_shell(tmp_path):
    target = tmp_path / "pwned"
    word = f"$(touch {target}); touch {target} | `touch {target}` && touch {target}\n--help"
    command = Command(argv=("sh", "-c", 'printf %s "$LEEWAY_REASON$LEEWAY_MODEL"'), state=str(tmp_path / "state"))
    fired = command.fire(asked(model=word, reason=word, columns=(word,)))
    assert str(fired.state) == "succeeded"
    assert not target.exists()


# --- logs --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[False, True], ids=["json", "people"])
def logged(request, monkeypatch):
    """Gives a function that logs and returns the lines that it made; on a terminal, or not."""
    stream = io.StringIO()
    stream.isatty = lambda: request.param
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        logs.configure()

    def lines(say):
        stream.seek(0), stream.truncate()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            say()
        return re.sub(r"\x1b\[\d*m", "", stream.getvalue()).removesuffix("\n").split("\n")

    return lines


@tried(0.04)
@given(hostile)
def test_no_word_forges_a_line_of_the_log(logged, word):
    log = structlog.get_logger("monitor.test")
    for say in (
        lambda: log.warning("window.failed", reason=word, model=word, many=[word], told={word: word}),
        lambda: log.warning(word),
        lambda: logging.getLogger("library").warning("%s", word),
    ):
        (line,) = lines = logged(say)
        assert not uncontrolled(line), lines
        assert len(line.splitlines()) == 1


# --- CSV ---------------------------------------------------------------------------------------------------------


def test_nothing_writes_csv_so_that_no_cell_is_a_formula():
    root = Path(monitor.__file__).parents[1]
    writers = re.compile(r"csv\.writer|to_csv|write_csv|DictWriter|FORMAT CSV|pyarrow\.csv")
    sources = [path for folder in ("monitor", "checks") for path in (root / folder).rglob("*.py")]
    assert [str(path) for path in sources if writers.search(path.read_text("utf-8"))] == []
