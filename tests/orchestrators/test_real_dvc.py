"""Files at revisions of a real repository of Git and DVC."""

import os
import subprocess
import time

import pytest

from monitor.core.errors import UnavailableError, UserError
from monitor.referencing.dvc import fetch_dvc
from tests.orchestrators.install import environment
from tests.orchestrators.processes import free_port


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    programs = environment("dvc")
    if programs is None:
        pytest.skip("dvc is not installed: python -m tests.orchestrators.install dvc")
    folder = tmp_path_factory.mktemp("repository")
    environ = {
        "PATH": f"{programs}:/usr/local/bin:/usr/bin:/bin", "HOME": str(folder.parent), "DVC_NO_ANALYTICS": "true",
        **{f"GIT_{who}_{what}": "anna@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }  # fmt: skip

    def run(*argv):
        subprocess.run(argv, cwd=folder, env=environ, check=True, capture_output=True)

    run("git", "init", "--quiet")
    run("dvc", "init", "--quiet")
    (folder / "data" / "folder").mkdir(parents=True)
    for version in ("1", "2"):
        (folder / "data" / "reference.csv").write_text(f"version\n{version}\n")
        (folder / "data" / "folder" / "part.csv").write_text(f"version\n{version}\n")
        (folder / "data" / "small.csv").write_text(f"small\n{version}\n")
        run("dvc", "add", "--quiet", "data/reference.csv", "data/folder")
        run("git", "add", "--all")
        run("git", "commit", "--quiet", "--message", version)
        run("git", "tag", f"v{version}")
    return folder


@pytest.fixture
def installed(repository, monkeypatch):
    monkeypatch.setenv("PATH", f"{environment('dvc')}:/usr/local/bin:/usr/bin:/bin")
    return repository


def fetch(repository, to, path="data/reference.csv", rev=None, timeout=120):
    return fetch_dvc(str(repository), path, rev, to, timeout)


@pytest.mark.parametrize(("rev", "held"), [("v1", "1"), ("v2", "2"), (None, "2")])
def test_every_revision_has_its_own_file(installed, tmp_path, rev, held):
    found = fetch(installed, tmp_path / "to", rev=rev)
    assert found == tmp_path / "to" / "reference.csv"
    assert found.read_text() == f"version\n{held}\n"


def test_another_revision_takes_the_place_of_the_one_before(installed, tmp_path):
    fetch(installed, tmp_path, rev="v1")
    assert fetch(installed, tmp_path, rev="v2").read_text() == "version\n2\n"


def test_a_folder_is_fetched_whole(installed, tmp_path):
    assert (fetch(installed, tmp_path, "data/folder", "v1") / "part.csv").read_text() == "version\n1\n"


def test_a_file_that_git_tracks_is_fetched_as_well(installed, tmp_path):
    (installed / "README.csv").write_text("a\n1\n")
    assert fetch(installed, tmp_path, "data/.gitignore", "v1").exists()


def test_an_unknown_revision_is_a_mistake(installed, tmp_path):
    with pytest.raises(UserError, match=r"no revision 'v9' in '.*'; name a commit, a tag or a branch"):
        fetch(installed, tmp_path, rev="v9")


def test_an_unknown_path_is_a_mistake(installed, tmp_path):
    with pytest.raises(UserError, match=r"there is no 'data/refrence.csv' in '.*' at 'v1'"):
        fetch(installed, tmp_path, "data/refrence.csv", "v1")


def test_a_folder_that_is_no_repository_is_a_mistake(installed, tmp_path):
    with pytest.raises(UserError, match="name a folder or a URL that git clone takes as repo"):
        fetch(tmp_path / "nowhere", tmp_path / "to")


def test_a_server_that_is_away_is_asked_again_and_no_password_is_shown(installed, tmp_path):
    with pytest.raises(UnavailableError) as raised:
        fetch(f"http://anna:a-secret-password@127.0.0.1:{free_port()}/x.git", tmp_path)
    assert "a-secret-password" not in str(raised.value)


def test_what_takes_too_long_is_ended(installed, tmp_path):
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=r"took more than 0.05 s"):
        fetch(installed, tmp_path, timeout=0.05)
    assert time.monotonic() - began < 5


def test_dvc_that_is_not_installed_is_a_mistake_with_what_to_do(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)
    with pytest.raises(UserError, match="dvc is not installed here; pip install dvc"):
        fetch(repository, tmp_path)
