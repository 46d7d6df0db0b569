"""The command trigger: real processes, each of them short."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from pydantic import ValidationError
from retrain_factory import asked

from monitor.core.errors import UserError
from monitor.core.retrain import RetrainState
from monitor.triggers import _supervisor
from monitor.triggers.command import Command


def command(folder, *argv, **options):
    return Command.model_validate({"argv": argv, **options}, context={"folder": folder})


def script(folder, text, **options):
    return command(folder, sys.executable, "-c", text, **options)


def counting(folder, **options):
    """A command that adds a line to a file every time it runs."""
    return script(folder, f"open({str(folder / 'runs')!r}, 'a').write('run\\n')", **options)


def runs(folder):
    return len((folder / "runs").read_text().splitlines()) if (folder / "runs").exists() else 0


def awaited(trigger, request, state=RetrainState.RUNNING, seconds=20.0):
    deadline = time.monotonic() + seconds
    while (found := trigger.find(request)).state is state and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_exit_code_zero_is_success(tmp_path):
    fired = script(tmp_path, "print('trained')").fire(asked())
    assert fired.state is RetrainState.SUCCEEDED
    assert fired.note.endswith("exit code 0\ntrained")


def test_any_other_exit_code_is_failure_with_the_end_of_the_output(tmp_path):
    fired = script(tmp_path, "print('x' * 9000); print('the cause'); raise SystemExit(3)").fire(asked())
    assert fired.state is RetrainState.FAILED
    assert "exit code 3" in fired.note
    assert fired.note.endswith("the cause")
    assert len(fired.note) < 4500


def test_the_request_is_a_json_file_and_environment_variables(tmp_path):
    told = "import os, json; json.dump({**os.environ, 'file': json.load(open(os.environ['LEEWAY_REQUEST_FILE']))}, open('told.json', 'w'))"
    script(tmp_path, told, cwd=".").fire(asked())
    found = json.loads((tmp_path / "told.json").read_text())
    assert found["file"] == asked().as_json()
    assert {
        name: found[f"LEEWAY_{name}"] for name in ("KEY", "MODEL", "INCIDENT", "VERSION", "COLUMNS", "WINDOW_START")
    } == {
        "KEY": "churn-1a2b3c4d-1",
        "MODEL": "churn",
        "INCIDENT": "churn-1a2b3c4d",
        "VERSION": "7",
        "COLUMNS": '["amount", "age"]',
        "WINDOW_START": "2026-03-01T00:00:00Z",
    }


def test_the_same_key_does_nothing_twice(tmp_path):
    trigger = counting(tmp_path)
    first, second = trigger.fire(asked()), trigger.fire(asked())
    assert runs(tmp_path) == 1
    assert first == second


def test_the_same_key_does_nothing_twice_after_a_restart(tmp_path):
    counting(tmp_path).fire(asked())
    assert counting(tmp_path).fire(asked()).state is RetrainState.SUCCEEDED
    assert runs(tmp_path) == 1


def test_the_same_key_from_many_threads_runs_once(tmp_path):
    trigger = counting(tmp_path)
    threads = [threading.Thread(target=trigger.fire, args=(asked(),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(tmp_path) == 1


def test_another_key_runs_again(tmp_path):
    trigger = counting(tmp_path)
    trigger.fire(asked("a-1"))
    trigger.fire(asked("a-2"))
    assert runs(tmp_path) == 2


def test_a_failure_uses_its_key_up(tmp_path):
    trigger = script(tmp_path, f"open({str(tmp_path / 'runs')!r}, 'a').write('run\\n'); raise SystemExit(1)")
    trigger.fire(asked())
    assert trigger.fire(asked()).state is RetrainState.FAILED
    assert runs(tmp_path) == 1


def test_a_dry_run_does_nothing_and_says_what_it_would_do(tmp_path):
    fired = counting(tmp_path).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert asked().key in fired.note
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_was_never_used_is_not_found(tmp_path):
    assert counting(tmp_path).find(asked()) is None


def test_a_long_command_is_left_to_itself_and_found_again(tmp_path):
    go = tmp_path / "go"
    wait = f"import time, pathlib\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)\nprint('done')"
    trigger = script(tmp_path, wait, wait="0.05s")
    fired = trigger.fire(asked())
    assert fired.state is RetrainState.RUNNING
    assert fired.retry_after == 60.0
    assert trigger.fire(asked()).state is RetrainState.RUNNING
    go.touch()
    found = awaited(trigger, asked())
    assert (found.state, found.note.splitlines()[-1]) == (RetrainState.SUCCEEDED, "done")


def test_a_command_that_takes_too_long_is_ended_with_all_that_it_started(tmp_path):
    child = tmp_path / "child.pid"
    spawn = (
        "import subprocess, sys, time, pathlib\n"
        f"child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    fired = script(tmp_path, spawn, timeout="1s").fire(asked())
    assert fired.state is RetrainState.FAILED
    assert "was ended after 1 s" in fired.note
    assert _gone(int(child.read_text()))


def _gone(pid):
    """Whether a process has ended; an orphan may wait to be reaped by its new parent."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_supervisor_that_dies_leaves_a_failure_and_no_second_run(tmp_path):
    trigger = script(
        tmp_path,
        f"import os, signal, time; open({str(tmp_path / 'runs')!r}, 'a').write(str(os.getpid()) + '\\n'); os.kill(os.getppid(), signal.SIGKILL); time.sleep(600)",
    )
    fired = trigger.fire(asked())
    os.kill(int((tmp_path / "runs").read_text()), signal.SIGKILL)
    assert fired.state is RetrainState.FAILED
    assert "without telling how" in fired.note
    assert trigger.fire(asked()).state is RetrainState.FAILED
    assert runs(tmp_path) == 1


def test_a_key_that_is_about_to_start_is_unknown(tmp_path):
    (tmp_path / ".leeway-retrains" / asked().key).mkdir(parents=True)
    assert counting(tmp_path).find(asked()).state is RetrainState.UNKNOWN


def test_no_shell_reads_the_arguments(tmp_path):
    fired = command(tmp_path, "echo", "$HOME; touch owned", "`id`").fire(asked())
    assert fired.note.endswith("$HOME; touch owned `id`")


def test_hostile_names_reach_the_command_as_data(tmp_path):
    names = ("a\x00b", "$(touch owned)", 'quote"', "line\nbreak", "ü🙂")
    told = "import os, sys; sys.stdout.write(os.environ['LEEWAY_COLUMNS'])"
    fired = script(tmp_path, told).fire(asked(columns=names, reason="nul \x00 byte"))
    assert json.loads(fired.note.splitlines()[-1].replace("\\\\", "\\")) == list(names)


def test_thousands_of_columns_fit_the_environment(tmp_path):
    names = tuple(f"column-{number}-" + "x" * 300 for number in range(2000))
    told = "import os, json; print(len(json.load(open(os.environ['LEEWAY_REQUEST_FILE']))['columns']), len(json.loads(os.environ['LEEWAY_COLUMNS'])) > 100)"
    assert script(tmp_path, told).fire(asked(columns=names)).note.endswith("2000 True")


@pytest.mark.parametrize("key", ["../../escape", "a/b", "k" * 500, "", "ü🙂"])
def test_every_key_stays_inside_the_state_folder(tmp_path, key):
    inside = tmp_path / "deep" / "state"
    script(tmp_path, "pass", state="deep/state").fire(asked(f"x{key}"))
    assert len(list(inside.iterdir())) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"deep"}


def test_secrets_of_the_environment_are_in_neither_repr_nor_note(tmp_path):
    trigger = script(tmp_path, "import os; print('token is', os.environ['API_TOKEN'])", env={"API_TOKEN": "tok-123456"})
    fired = trigger.fire(asked())
    assert "token is ***" in fired.note
    assert "tok-123456" not in repr(trigger) + repr(fired)


def test_control_characters_of_the_output_are_escaped(tmp_path):
    assert "\x1b" not in script(tmp_path, "print('\\x1b[31mred')").fire(asked()).note


def test_a_program_that_is_not_there_is_refused_and_keeps_its_key(tmp_path):
    fired = command(tmp_path, "no-such-program").fire(asked())
    assert fired.state is RetrainState.REFUSED
    assert "set argv" in fired.note
    assert counting(tmp_path).fire(asked()).state is RetrainState.SUCCEEDED


def test_a_program_that_cannot_be_executed_fails(tmp_path):
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x00\x01")
    broken.chmod(0o755)
    fired = command(tmp_path, str(broken)).fire(asked())
    assert fired.state is RetrainState.FAILED
    assert "could not be started" in fired.note


def test_a_state_folder_that_cannot_be_made_refuses(tmp_path):
    (tmp_path / "file").write_text("")
    fired = script(tmp_path, "pass", state="file/state").fire(asked())
    assert fired.state is RetrainState.REFUSED


def test_the_probe_says_what_would_run(tmp_path):
    assert command(tmp_path, "echo", "hi").probe() == "echo hi, for 1h at most"


@pytest.mark.parametrize(
    ("options", "words"),
    [({"argv": ["no-such-program"]}, "no program"), ({"argv": ["echo"], "cwd": "nowhere"}, "no folder")],
)
def test_the_probe_explains_what_is_missing(tmp_path, options, words):
    with pytest.raises(UserError, match=words):
        Command.model_validate(options, context={"folder": tmp_path}).probe()


def test_a_program_is_found_relative_to_the_folder_it_runs_in(tmp_path):
    program = tmp_path / "train.sh"
    program.write_text("#!/bin/sh\necho trained\n")
    program.chmod(0o755)
    assert command(tmp_path, "./train.sh", cwd=".").fire(asked()).note.endswith("trained")


def test_an_empty_command_is_refused_by_the_configuration():
    with pytest.raises(ValidationError):
        Command(argv=())


@pytest.mark.parametrize(
    ("argv", "timeout", "expected"),
    [(["true"], 5.0, {"code": 0, "why": ""}), (["false"], 5.0, {"code": 1, "why": ""}), (["sleep", "60"], 0.1, {"code": None, "why": "was ended after 0.1 s"})],
)  # fmt: skip
def test_the_supervisor_writes_down_how_it_ended(tmp_path, argv, timeout, expected):
    _supervisor.main([str(tmp_path), str(timeout), *argv])
    assert json.loads((tmp_path / "result.json").read_text()) == expected


def test_a_command_that_ignores_the_request_to_end_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(_supervisor, "GRACE", 0.2)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"
    )
    began = time.monotonic()
    assert _supervisor.run(tmp_path, 1.0, [sys.executable, "-c", stubborn])["code"] is None
    assert time.monotonic() - began < 10
