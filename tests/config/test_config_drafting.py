"""The draft that `monitor init` writes."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config.drafting import URL_VARIABLE, draft, quoted
from monitor.config.models import Labels
from monitor.config.reading import read_text
from monitor.core.ports import TableFacts
from monitor.options import reveal

URL = "postgresql+psycopg://reader:hunter2@db/logs"
FACTS = TableFacts({"ts": "timestamp", "age": "float", "new": "text"}, warnings=["no index on 'ts':\nslow"])
ODD = [
    "a b",
    "it's",
    'say "hi"',
    "😀",
    "a: b",
    "- a",
    "# a",
    "<script>",
    "yes",
    "null",
    "7",
    "1e3",
    "${HOME}",
    "a\\n",
    "a\nb",
    "*a",
    "{a}",
    "ts ",
    "\x85",
]


@pytest.fixture
def drafted(extensions):
    def written(**changes):
        known = {
            "logs_url": URL,
            "table": "predictions",
            "time": "ts",
            "reference_file": "reference.parquet",
            "facts": FACTS,
            "reference_columns": {"age": "float", "target": "int"},
            "model": "churn",
            "extensions": extensions,
        }
        return draft(**known | changes)

    return written


@pytest.fixture
def understood(extensions):
    return lambda text: read_text(text, environ={URL_VARIABLE: URL}, extensions=extensions)


def test_it_is_understood(drafted, understood):
    model = understood(drafted(id="row", score="p", prediction="y", version="v")).models["churn"]
    assert (model.logs.table, model.logs.time, model.logs.id) == ("predictions", "ts", "row")
    assert (model.score, model.prediction, model.version, reveal(model.logs.url)) == ("p", "y", "v", URL)


def test_files_are_named_by_their_path(drafted, understood):
    model = understood(drafted(logs_url="logs/*.parquet", table=None)).models["churn"]
    assert model.logs.path.endswith("logs/*.parquet")


def test_a_password_is_left_to_the_environment(drafted):
    text = drafted()
    assert "hunter2" not in text
    assert f'url: "${{{URL_VARIABLE}}}"' in text


def test_a_url_without_a_password_stands_as_it_is(drafted):
    assert "url: sqlite:///logs.db\n" in drafted(logs_url="sqlite:///logs.db").replace('"', "")


def test_what_the_log_lacks_is_not_watched(drafted, understood):
    assert understood(drafted()).models["churn"].columns.exclude == ("target",)


def test_what_the_reference_lacks_is_named(drafted):
    assert "# Not watched, since the reference lacks them: new." in drafted()


def test_warnings_of_the_source_stand_in_comments(drafted):
    assert "# Note: no index on 'ts':" in drafted()


def test_nothing_in_common_is_a_warning(drafted):
    assert "so there is nothing to compare" in drafted(reference_columns={"other": "int"})


def test_labels_are_written(drafted, understood):
    labels = Labels(table="truth", id="row", time="at")
    assert understood(drafted(labels=labels)).models["churn"].labels == labels


@pytest.mark.parametrize("section", ["schedule", "alerts", "retrain", "labels", "notify", "sample", "version"])
def test_a_section_of_defaults_is_shown_behind_a_hash(drafted, section):
    assert f"\n    # {section}:" in drafted()


def test_a_default_that_is_uncommented_is_understood(drafted, understood):
    text = drafted().replace("    # schedule:", "    schedule:").replace("    #   every: 1d", "      every: 1d")
    assert understood(text).models["churn"].schedule.every.days == 1


@pytest.mark.parametrize("name", ODD)
def test_a_scalar_is_read_back_as_it_was(drafted, understood, name):
    assert understood(drafted(time=name)).models["churn"].logs.time == name


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), min_size=6, max_size=6)
)
def test_any_names_make_a_draft_that_is_understood(drafted, understood, names):
    time, table, column, absent, file, warning = names
    facts = TableFacts({time: "t", column: "n"}, warnings=[warning])
    model = understood(
        drafted(time=time, table=table, score=column, reference_file=file, facts=facts, reference_columns={absent: "n"})
    ).models["churn"]
    assert (model.logs.time, model.logs.table, model.score) == (time, table, column)
    assert set(model.columns.exclude) == {absent} - {time, column}


def test_a_plain_name_needs_no_quotes():
    assert quoted("prediction_id") == "prediction_id"
