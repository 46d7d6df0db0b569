"""`monitor versions` and `monitor rollback`, and the button in Slack: what people see of versions, and the way back."""

import json
from dataclasses import replace
from datetime import timedelta
from shutil import copytree

import pytest

from monitor.buttons import Buttons
from monitor.core.retrain import Action, RetrainState
from monitor.delivery import Delivery
from monitor.store import retrains as retrain_rows
from monitor.testing import FakeSlack, RecordingTrigger
from monitor.testing.slack import APP_TOKEN, CHANNEL, TOKEN
from tests.versions.housed import DAY, House, write_reference_of
from tests.versions.test_proving import LABELLED, label, predicting, with_back
from tests.waiting import until
from tests.worlds import START

WITH_SLACK = "team: {slack: {token: TOKEN, channel: CHANNEL, app_token: APP, base_url: URL, timeout: 20s}}"


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A folder in which version 8 is worse than version 7, by labels, and the way back is proposed."""
    folder = tmp_path_factory.mktemp("lived")
    write_reference_of(folder, "8", 0.05)
    one = House(folder, with_back(LABELLED), days=13, change=predicting(v7=0.9, v8=0.6), drift=0.0)
    label(one)
    one.until(13)
    one.deliver()
    assert one.incident("worse_version")
    one.close()
    return folder


@pytest.fixture
def folder(tmp_path, lived):
    copytree(lived, tmp_path, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture
def at_home(folder):
    """The house again, in a folder of the test's own."""
    one = House.__new__(House)
    one.folder = folder
    one.reload()
    from monitor.clocks import SetClock
    from monitor.store.schema import open_store

    one.store = open_store(one.config.store.get_secret_value())
    one.clock = SetClock(START + 13 * DAY + timedelta(hours=1))
    yield one
    one.close()


def change(folder, before, after):
    path = folder / "config.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


# --- versions ---------------------------------------------------------------------------------------------------------


def test_versions_are_shown_with_when_they_served_and_how_they_did(folder, run):
    code, out, _ = run("versions", "churn")
    seven, eight = [line for line in out.splitlines() if line.startswith("churn   ")]
    assert code == 0
    assert out.split()[:2] == ["model", "version"]
    assert ("2026-01-05 00:00" in seven, "2026-01-15 00:00" in seven, "3,000" in seven) == (True, True, True)
    assert (" now " in eight, " 900 " in eight, " worse" in out) == (True, True, True)
    assert "accuracy 0.9" in seven


def test_what_is_known_of_the_last_one_is_said_in_words(folder, run):
    _, out, _ = run("versions")
    assert "with version 7 before (difference -0." in out
    assert out.rstrip().endswith("It is worse.")


def test_programs_get_it_as_json(folder, run):
    _, out, _ = run("versions", "--json")
    seven, eight = json.loads(out)["versions"]
    assert (seven["version"], seven["until"], seven["proof"]) == ("7", "2026-01-15T00:00:00Z", None)
    assert (eight["model"], eight["version"], eight["how"], eight["until"]) == ("churn", "8", "rows", None)
    assert (seven["windows"], seven["rows"], eight["windows"], eight["rows"]) == (10, 3000, 3, 900)
    assert eight["proof"]["former"] == "7"
    assert eight["proof"]["performance"]["outcome"] == "worse"
    (measure,) = eight["performance"]
    assert (measure["metric"], measure["ci"][0] < measure["value"] < measure["ci"][1]) == ("accuracy", True)
    assert len(eight["incidents"]) == 1


def test_labels_need_not_be_read(folder, run):
    _, out, _ = run("versions", "--json", "--no-performance")
    assert [entry["performance"] for entry in json.loads(out)["versions"]] == [[], []]


def test_labels_that_cannot_be_read_are_a_warning(folder, run):
    change(folder, "table: outcomes", "table: outcome")
    code, out, err = run("versions")
    assert (code, "warning: churn: " in err, "did you mean 'outcomes'" in err) == (0, True, True)
    assert "2026-01-15" in out


def test_a_model_that_is_not_configured_is_named(folder, run):
    code, _, err = run("versions", "chrn")
    assert code == 2
    assert "churn" in err


def test_before_anything_was_judged_there_is_nothing_to_show(tmp_path, run):
    House(tmp_path, days=1).close()
    code, out, _ = run("versions")
    assert code == 0
    assert out.strip()


# --- rollback ---------------------------------------------------------------------------------------------------------


def test_the_proposed_way_back_is_taken(folder, run):
    code, out, _ = run("rollback", "churn", "--by", "anna", "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["action"], told["target"], told["version"], told["state"], told["requested_by"]) == (
        "rollback", "7", "8", "succeeded", "anna",
    )  # fmt: skip
    assert told["key"].endswith("-rollback-1")
    _, out, _ = run("retrains", "--json")
    assert len(json.loads(out)["retrains"]) == 1


def test_a_dry_run_says_what_would_be_done_and_does_nothing(folder, run):
    code, out, _ = run("rollback", "churn", "--dry-run")
    assert (code, "dry run" in out) == (0, True)
    _, out, _ = run("retrains", "--json")
    assert [entry["state"] for entry in json.loads(out)["retrains"]] == ["proposed"]


def test_a_version_may_be_named(folder, run):
    assert run("rollback", "churn", "--to", "7")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "6"], "version '6' of churn has never served; 7, 8 have"),
        (["--to", "8"], "version 8 of churn is the one that serves; nothing was asked"),
    ],
)
def test_a_version_that_cannot_be_gone_back_to_is_refused(folder, run, arguments, words):
    code, _, err = run("rollback", "churn", *arguments)
    assert code == 2
    assert words in err


def test_without_a_trigger_nothing_leads_back(folder, run):
    change(folder, "    rollback: {trigger: {command: {argv: [python3, -c, pass]}}}\n", "")
    code, _, err = run("rollback", "churn")
    assert code == 2
    assert "models.churn.rollback has no trigger" in err
    assert "monitor list triggers" in err


def test_with_a_single_version_there_is_none_to_go_back_to(tmp_path, run):
    one = House(tmp_path, with_back(LABELLED), days=2, versions=((0, "7"),), change=predicting(v7=0.9), drift=0.0)
    label(one)
    one.until(2)
    one.close()
    code, _, err = run("rollback", "churn")
    assert code == 2
    assert "name one with --to" in err


def test_a_trigger_that_fails_ends_with_an_exit_code_of_its_own(folder, run):
    change(folder, "[python3, -c, pass]", "[python3, -c, 'raise SystemExit(3)']")
    code, out, _ = run("rollback", "churn", "--json")
    assert (code, json.loads(out)["state"]) == (3, "failed")


def test_once_it_is_under_way_it_is_not_asked_for_again(at_home, run):
    with at_home.store.write() as connection:
        (proposed,) = retrain_rows.listing(connection)
        retrain_rows.put(
            connection, replace(proposed.request, key="churn-other"), RetrainState.REQUESTED, at_home.clock.now()
        )
    code, _, err = run("rollback", "churn")
    assert code == 2
    assert "churn-other is under way (requested)" in err


def test_the_command_learns_which_version_to_leave_and_which_to_go_back_to(folder, run):
    script = "import json, os, pathlib; pathlib.Path('asked.json').write_text(json.dumps(dict(os.environ)))"
    change(folder, "[python3, -c, pass]", f'[python3, -c, "{script}"]')
    assert run("rollback", "churn")[0] == 0
    told = json.loads((folder / "asked.json").read_text())
    assert {"7", "8", "rollback"} <= set(told.values())


# --- the button ---------------------------------------------------------------------------------------------------------


def test_the_button_in_slack_takes_the_way_back_once(tmp_path):
    with FakeSlack() as slack:
        receiver = WITH_SLACK.replace("TOKEN", TOKEN).replace("CHANNEL", CHANNEL).replace("APP", APP_TOKEN)
        text = with_back(LABELLED).replace("log: stdout", receiver.replace("URL", slack.api))
        write_reference_of(tmp_path, "8", 0.05)
        one = House(tmp_path, text, days=13, change=predicting(v7=0.9, v8=0.6), drift=0.0)
        label(one)
        one.until(13)
        trigger = RecordingTrigger()
        model = one.watch.model
        back = model.rollback.model_copy(update={"trigger": trigger})
        watches = {"churn": replace(one.watch, model=model.model_copy(update={"rollback": back}))}

        def flush():
            Delivery(one.store, one.clock, "test", one.config.notifiers, watches).flush()

        buttons = Buttons(one.store, one.clock, one.config.notifiers, watches, flush)
        flush()
        buttons.start()
        incident = one.incident("worse_version")
        slack.press("leeway_rollback", incident.id)
        slack.press_again()
        slack.press("leeway_rollback", incident.id)
        until(lambda: len(slack.whispers) == 2)  # asked for, and asked for already
        buttons.stop()
        (asked,) = trigger.requests
        (found,) = one.requests
        one.close()
        assert (asked.action, asked.target, asked.incident) == (Action.ROLLBACK, "7", incident.id)
        assert (found.state, found.request.requested_by) == (RetrainState.SUCCEEDED, "0anna (U0ANNA)")
        (message,) = [post for post in slack.posts if "is worse than" in str(post)]
        assert any("requested" in str(reply) or "7" in str(reply) for reply in slack.thread(message["ts"]))
