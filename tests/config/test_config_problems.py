"""A wrong configuration: every mistake with its line, a caret and a remedy, all at once."""

import pytest

from monitor.config.errors import ConfigError

MODEL = "models:\n  churn:\n    logs: {url: 'sqlite:///logs.db', table: t, time: ts}\n    reference: r.csv\n"


def test_the_report_has_the_documented_form(report):
    text = MODEL + "    checks:\n      - auto\n      - {ks: {colums: [age]}}\n    sample: -1\n"
    assert report(text).splitlines() == [
        "config.yaml:7:9  models.churn.checks[1]  ks has no parameter 'colums'; did you mean 'columns'?",
        "     7 |       - {ks: {colums: [age]}}",
        "       |               ^^^^^^",
        "config.yaml:8:13  models.churn.sample  must be at least 0",
        "     8 |     sample: -1",
        "       |             ^^",
        "2 problems in config.yaml. Nothing was started.",
    ]


def test_problems_are_there_as_data(read):
    with pytest.raises(ConfigError) as caught:
        read(MODEL + "    sampel: 1\n")
    assert [problem.as_json() for problem in caught.value.problems] == [
        {"line": 5, "column": 5, "path": "models.churn", "message": "has no key 'sampel'; did you mean 'sample'?"}
    ]


def test_colour_comes_only_when_asked_for(read):
    with pytest.raises(ConfigError) as caught:
        read(MODEL + "    sampel: 1\n")
    assert "\x1b[" not in str(caught.value)
    assert "\x1b[31m^^^^^^\x1b[0m" in caught.value.report(colour=True)


def test_the_consequence_can_be_said_otherwise(read):
    with pytest.raises(ConfigError) as caught:
        read("")
    assert caught.value.report(consequence="The old one stays.").endswith(
        "1 problem in config.yaml. The old one stays."
    )


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_says_how_to_get_a_full_one(report, text):
    assert "config.yaml  is empty; 'monitor init' writes one" in report(text)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("schedule: {every: 1 day}", "'1 day' is no duration; write 1d"),
        ("schedule: {every: 2 Hours and 5 minutes}", "is no duration; write 2h 5m"),
        ("schedule: {every: fortnightly}", "is no duration; write a number and a unit, such as 15m"),
        ("schedule: {every: 3600}", "3600 is no duration; write the unit too, such as 3600s"),
        ("schedule: {every: 0s}", "schedule.every  must be at least 1m"),
        ("schedule: {every: 99999999999999d}", "is too long for a duration"),
        ("schedule: {delay: -1h}", "'-1h' is no duration"),
        ("schedule: {timezone: Mars}", "'Mars' is no time zone; write a name such as UTC or Europe/Berlin"),
        ("schedule: {start: tomorrow}", "must be a time, such as 2026-01-31T00:00:00Z"),
        ("schedule: daily", "must be a mapping, such as {key: value}"),
        ("every: 1d", "has no key 'every'; 'every' belongs under 'schedule'"),
        ("zzz: 1", "has no key 'zzz'; it has alerts, calendar, checks"),
        ("columns: {kinds: {age: numerc}}", "did you mean 'numeric'?"),
        ("columns: {exclude: age}", "columns.exclude  must be a list, such as [first, second]"),
        ("columns: {exclude: [7]}", "columns.exclude[0]  must be a text; put it in quotes"),
        ("sample: many", "models.churn.sample  must be a whole number"),
        ("sample: 1.5", "models.churn.sample  must be a whole number"),
        ("schedule: {start: 2026}", "must name a day in full, such as 2026-01-31"),
        ("alerts: {open_after: 0}", "must be at least 1"),
        ("importance: 0", "churn.importance  must be at least 0.001"),
        ("importance: .nan", "must be a number"),
        ("columns: {importance: {age: -1}}", "columns.importance.age  must be at least 0\n"),
        ("columns: {importance: {age: .inf}}", "columns.importance.age  must be a number"),
        ("columns: {importance: {age: high}}", "columns.importance.age  must be a number"),
        ("columns: {importance: age}", "columns.importance  must be a mapping"),
        (
            "columns: {exclude: [age], importance: {age: 2}}",
            "columns.importance  names 'age', which exclude leaves out",
        ),
        (
            "columns: {include: [fare], importance: {age: 2}}",
            "names 'age', which is not among the columns that include",
        ),
        ("columns: {segments: origin}", "columns.segments  must be a list"),
        ("retrain: {mode: aks}", "must be one of ask, auto, off; did you mean 'ask'?"),
        ("retrain: {mode: auto}", "mode auto needs a trigger"),
        ("retrain: {trigger: {comand: {argv: [a]}}}", "there is no trigger 'comand'; did you mean 'command'?"),
        ("retrain: {trigger: {command: {argv: train}}}", "command.argv  must be a list"),
        ("retrain: {trigger: {command: {}}}", "command needs 'argv': The command and its arguments"),
        (
            "retrain: {trigger: {a: {}, b: {}}}",
            "must be one key, the trigger's name, with its options; known are command",
        ),
        ("notify: [tema]", "there is no notifier 'tema'; there are none"),
        ("labels: {table: labels}", "labels  needs 'id': Column that joins a label"),
        ("labels: {table: labels, ids: x}", "has no key 'ids'; did you mean 'id'?"),
        ("sample: 1\n    sample: 2", "'sample' stands here and in line 5; keep one"),
        ("sample: ${N}", "the environment variable N is not set; set it, or give a default: ${N:-default}"),
        ("sample: ${N M}", "is no reference; write ${NAME}"),
        ("score: '${N'", "opens a reference that no '}' closes"),
        ("score: ${file:nowhere}", "the file 'nowhere' cannot be read: No such file"),
    ],
)
def test_a_mistake_in_a_model_is_explained(model, line, sentence):
    assert sentence in model(line)


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("{file: a, query: b}", "exactly one of file, query, period, mlflow, dvc and pin; here it has file and query"),
        ("{version: '7'}", "here it has none of them"),
        ("{period: {start: 2026-02-01, end: 2026-01-01}}", "the period must end after it starts"),
        ("{period: {start: 2026-01-01, end: 2026-02-01T00:00:00Z}}", "must both name a zone, or neither"),
        ("{file: a, version: 7}", "reference.version  must be a text; put it in quotes"),
        ("7", "reference  must be a mapping"),
    ],
)
def test_a_mistake_in_the_reference_is_explained(report, reference, sentence):
    text = f"models: {{m: {{logs: {{path: l, time: t}}, reference: {reference}}}}}"
    assert sentence in report(text)


@pytest.mark.parametrize(
    ("logs", "sentence"),
    [
        ("{url: 'sqlite:///l.db', tabel: t, time: ts}", "has no key 'tabel'; did you mean 'table'?"),
        ("{url: logs.db, time: ts}", "a database is named by an SQLAlchemy URL"),
        ("{url: 'sqlite:///l.db'}", "needs 'time': Column with the time"),
        ("{}", "does not say which source it is: parquet needs path and time; sql needs url and time"),
        ("sqlite:///logs.db", "must be a mapping that names the source's place"),
        ("{source: [sql], url: a, time: b}", "there is no source \"['sql']\"; did you mean 'sql'?"),
        ("{source: sqll, url: a, time: b}", "there is no source 'sqll'; did you mean 'sql'?"),
    ],
)
def test_a_mistake_in_the_log_is_explained(model, logs, sentence):
    assert sentence in model("sample: 1", logs=logs)


def test_a_misspelled_required_key_is_one_problem_not_two(model):
    assert "1 problem in" in model("sample: 1", logs="{url: 'sqlite:///l.db', tiem: ts}")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("models: {}", "models  must hold at least 1"),
        ("store: sqlite:///a.db", "needs 'models'"),
        ("- a\n- b\n", "a configuration is a mapping"),
        ("models: {'': {logs: {path: l, time: t}, reference: r}}", "a model's name must be a printable text"),
        (MODEL + "workrs: 2\n", "the configuration has no key 'workrs'; did you mean 'workers'?"),
        (MODEL + "budget: stict", "budget  must be one of calibrated, strict; did you mean 'strict'?"),
        (MODEL + "notifiers: {a: stdot}", "there is no notifier 'stdot'; did you mean 'stdout'?"),
        (MODEL + "notifiers: {a: slack}", "slack needs 'token': The bot's token"),
        (
            MODEL + "notifiers: {a: {slack: {token: x, chanel: b}}}",
            "slack has no option 'chanel'; did you mean 'channel'?",
        ),
        (MODEL + "notifiers: {a: {stdout: {colour: red}}}", "stdout has no option 'colour'; there are none"),
    ],
)
def test_a_mistake_at_the_top_is_explained(report, text, sentence):
    assert sentence in report(text)


def test_a_receiver_is_suggested_from_those_that_the_file_names(report):
    text = MODEL + "    notify: [tema]\nnotifiers: {team: stdout}\n"
    assert "there is no notifier 'tema'; did you mean 'team'?" in report(text)


def test_a_missing_variable_is_the_only_problem_of_its_place(model):
    assert "1 problem in" in model("schedule: {every: ${EVERY}}")


def test_a_problem_in_one_model_does_not_hide_one_in_another(report):
    text = "models:\n  a: {logs: 1, reference: r}\n  b: {logs: {path: l, time: t}, reference: r, sampel: 1}\n"
    assert "2 problems in" in report(text)


def test_the_caret_stands_below_wide_characters(report):
    lines = report("models: {'数据😀': {sampel: 1, logs: {path: l, time: t}, reference: r}}").splitlines()
    assert lines[2] == "       | " + " " * len("models: {'") + " " * 6 + " " * len("': {") + "^^^^^^"


def test_a_long_line_is_cropped_around_its_caret(report):
    names = ", ".join(f"column_{number}" for number in range(200))
    lines = report(MODEL + f"    columns: {{exclude: [{names}], inclde: []}}\n").splitlines()
    start = lines[2].index("^")
    assert len(lines[1]) < 160
    assert lines[1][start:].startswith("inclde")


def test_odd_names_stand_in_quotes_in_a_path(report):
    assert 'models."a.b <script>"  has no key' in report(
        "models: {a.b <script>: {logs: {path: l, time: t}, reference: r, sampel: 1}}"
    )


def test_no_control_character_of_a_key_reaches_the_terminal(report):
    text = 'models: {"\\e[31mred": {logs: {path: l, time: t}, reference: r, "sam\\e[0mpel": 1}}'
    assert "\x1b" not in report(text)
