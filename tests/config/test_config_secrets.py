"""No secret in any report, wherever it stands and however it is misplaced."""

import pytest

SECRET = "hunter2-swordfish"
MODEL = "models: {m: {logs: {path: l, time: t}, reference: r.csv}}\n"


@pytest.mark.parametrize(
    "line",
    [
        "a: {slack: {token: SECRET, chanel: b}}",
        "a: {slack: {tokn: SECRET, channel: b}}",
        "a: {slack: {token: [SECRET], channel: b}}",
        "a: {slack: {token: x, chanel: b, headers: {X-Key: SECRET}}}",
        "a: {stdout: {password: SECRET}}",
        "a: {stdout: {colour: xoxb-SECRET}}",
        "a: {stdout: {hook: 'https://hooks.slack.com/services/SECRET'}}",
        'a: {slack: {token: "SECRET", channel: 7}}',
        "a: {slack: {token: 'SECRET}}",
        "a: {slack: {token: SECRET: x}}",
        "a: {slack: {token: SECRET, timeout: SECRET}}",
        "a: SECRET-xoxb-",
        "a: {slack: {channel: 'postgresql://u:SECRET@h/db', chanel: 1}}",
        "a: {slack: {channel: 'mysql://h/db?password=SECRET', chanel: 1}}",
        "a: {slack: {token: |\n      SECRET\n      more\n    , chanel: b}}",
    ],
)
def test_a_secret_in_the_file_is_masked(report, line):
    said = report(MODEL + "notifiers:\n  " + line.replace("SECRET", SECRET) + "\n")
    assert SECRET not in said
    assert said.count("\n") >= 3


def test_a_secret_in_a_block_is_masked_in_each_of_its_lines(report):
    said = report(MODEL + f"notifiers:\n  a:\n    slack:\n      channel: 7\n      token:\n        - {SECRET}\n")
    assert SECRET not in said


@pytest.mark.parametrize(
    "line",
    [
        "sample: ${S}",
        "schedule: {every: '${S}'}",
        "schedule: {timezone: '${S}'}",
        "retrain: {mode: '${S}'}",
        "notify: ['${S}']",
        "checks: ['${S}']",
        "checks: [{ks: {tolerance: '${S}'}}]",
        "logs: ${S}",
        "reference: {file: a, pin: '${S}'}",
        "retrain: {trigger: '${S}'}",
    ],
)
def test_a_looked_up_value_is_shown_as_it_is_written(report, line):
    lines = {"logs": "logs: {path: l, time: t}", "reference": "reference: r.csv"}
    lines[line.partition(":")[0]] = line
    said = report("models:\n  m:\n" + "".join(f"    {text}\n" for text in lines.values()), S=SECRET)
    assert SECRET not in said
    assert "${S}" in said


def test_a_short_looked_up_value_is_not_shown_in_its_own_message(model):
    assert "'${S}' is no duration" in model("schedule: {every: '${S}'}", S="x")


def test_a_password_that_changes_the_length_of_the_line_keeps_the_caret_in_place(model):
    lines = model("sample: 1", logs="{url: 'postgresql://u:p@h/db', tabel: t, time: ts}").splitlines()
    assert "u:********@h/db" in lines[1]
    assert lines[1][lines[2].index("^") :].startswith("tabel")


def test_a_mask_that_changes_the_length_of_the_line_keeps_the_caret_in_place(report):
    lines = report(MODEL + "notifiers: {a: {slack: {token: abc, chanel: b}}}").splitlines()
    caret = next(line for line in lines if "^" in line).index("^")
    assert lines[1][caret:].startswith("chanel")


def test_a_masked_value_is_underlined_as_a_mask(report):
    lines = report(MODEL + "notifiers: {a: {slack: {token: [abc], channel: b}}}").splitlines()
    assert lines[1][lines[2].index("^") :].startswith(("********", "[********"))


def test_a_model_named_like_a_secret_is_not_masked(report):
    assert "{path: logs_of_it, tmie: t}" in report(
        "models: {token_model: {logs: {path: logs_of_it, tmie: t}, reference: r}}"
    )
