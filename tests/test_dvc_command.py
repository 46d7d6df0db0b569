"""What is given to DVC's command and what its words mean, with a stand-in for it; real ones are below tests/orchestrators."""

import sys
from textwrap import dedent

import pytest

from monitor.core.errors import UnavailableError, UserError
from monitor.referencing.dvc import fetch_dvc


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Put a command of the name in the way; it says what it is told to, or writes its arguments into the file."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(said="", code=0, seconds=0):
        (folder / "dvc").write_text(
            dedent(f"""\
            #!{sys.executable}
            import sys, time
            from pathlib import Path
            time.sleep({seconds})
            sys.stderr.write({said!r})
            if {code} == 0:
                Path(sys.argv[sys.argv.index("--out") + 1]).write_text("|".join(sys.argv[1:]))
            sys.exit({code})
            """)
        )
        (folder / "dvc").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return make


def fetch(tmp_path, repo="https://git.example/x", path="data/a.csv", rev="v1", timeout=30):
    return fetch_dvc(repo, path, rev, tmp_path / "to", timeout)


def test_the_command_gets_the_revision_the_place_and_then_no_more_options(command, tmp_path):
    command()
    found = fetch(tmp_path)
    assert found.read_text() == f"get|--force|--rev=v1|--out|{found}|--|https://git.example/x|data/a.csv"


@pytest.mark.parametrize("given", [
    {"repo": "--config=x"}, {"path": "-o"}, {"rev": "--help"}, {"rev": ""}, {"path": " "}, {"rev": "a\0b"},
    {"path": "/etc/passwd"}, {"path": "../a.csv"}, {"path": "data/../../a.csv"}, {"path": "."},
])  # fmt: skip
def test_what_would_be_an_option_or_lead_elsewhere_is_refused(command, tmp_path, given):
    command()
    with pytest.raises(UserError, match=r"dvc\.(repo|path|rev)"):
        fetch(tmp_path, **given)
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(("said", "kind", "words"), [
    ("ERROR: failed to get 'data/a.csv' - unknown Git revision 'v1'", UserError, "there is no revision 'v1'"),
    ("ERROR: unexpected error - ['data/a.csv']\n\nHaving any troubles?", UserError, "there is no 'data/a.csv'"),
    ("ERROR: SCM error: Failed to clone repo: No git repository was found", UserError, "that git clone takes"),
    ("ERROR: SCM error: Failed to clone repo: Could not resolve host: git.example", UnavailableError, "failed: ERROR"),
    ("ERROR: unexpected error - Unable to locate credentials", UserError, "Unable to locate credentials"),
])  # fmt: skip
def test_the_commands_words_become_what_to_do(command, tmp_path, said, kind, words):
    command(said, code=1)
    with pytest.raises(kind, match=words):
        fetch(tmp_path)


def test_no_password_and_no_forged_line_is_shown(command, tmp_path):
    command("no\x1b[31m clone of https://anna:a-secret@git.example/x\nforged", code=1)
    with pytest.raises(UserError) as raised:
        fetch(tmp_path, repo="https://anna:a-secret@git.example/x")
    assert "a-secret" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_of_very_long_words_the_end_is_shown(command, tmp_path):
    command("x" * 50_000 + " the cause", code=1)
    with pytest.raises(UserError, match="the cause") as raised:
        fetch(tmp_path)
    assert len(str(raised.value)) < 600


def test_a_command_that_takes_too_long_is_ended(command, tmp_path):
    command(seconds=20)
    with pytest.raises(UnavailableError, match=r"took more than 0.3 s"):
        fetch(tmp_path, timeout=0.3)


def test_a_command_that_brings_nothing_is_no_success(command, tmp_path):
    command(code=0)
    (tmp_path / "bin" / "dvc").write_text(f"#!{sys.executable}\n")
    with pytest.raises(UserError, match="has brought nothing"):
        fetch(tmp_path)
