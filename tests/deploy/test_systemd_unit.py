"""The unit for systemd: systemd itself finds nothing wrong, and it fits what the daemon does."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.cli import EXIT_MISTAKE
from monitor.store.leases import LEASE_SECONDS

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy/systemd/leeway.service"
MOST_EXPOSED = 2.0  # of 10; systemd calls up to 4 OK


class _Repeated(dict):
    """Keeps every line of a key that stands there more than once."""

    def __setitem__(self, key, value):
        if isinstance(value, list) and key in self and isinstance(self[key], list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


@pytest.fixture(scope="module")
def service():
    parser = configparser.ConfigParser(strict=False, interpolation=None, dict_type=_Repeated, comment_prefixes=("#",))
    parser.optionxform = str
    parser.read(UNIT)
    return parser["Service"]


@pytest.fixture
def installed(tmp_path):
    """The unit as if the command were where it says."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/leeway/bin/monitor", shutil.which("true")), "utf-8")
    return copy


def analyzed(*words):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, check=False)


def test_systemd_accepts_it_without_a_word(installed):
    found = analyzed("verify", installed)
    assert (found.returncode, found.stderr) == (0, "")


def test_systemd_rates_it_hardly_exposed(installed):
    found = analyzed("security", "--offline=true", "--no-pager", installed)
    if "unrecognized option" in found.stderr:
        pytest.skip("this systemd-analyze looks at running services alone")
    (level,) = re.findall(r"exposure level for \S+: ([0-9.]+)", found.stdout)
    assert float(level) <= MOST_EXPOSED


def test_a_mistake_is_not_tried_again_and_everything_else_is(service):
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == str(EXIT_MISTAKE)


def test_it_waits_for_the_daemons_own_word_and_its_signs_of_progress(service):
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert service["WatchdogSec"] == "2min"
    assert LEASE_SECONDS <= 120, "a daemon that stalls is restarted after its leases have run out"


def test_only_the_state_folder_is_writable_and_nothing_runs_as_root(service):
    assert service["User"] == "leeway"
    assert (service["ProtectSystem"], service["StateDirectory"]) == ("strict", "leeway")
    assert "ReadWritePaths" not in service
    assert service["CapabilityBoundingSet"] == ""


def test_the_boots_id_stays_readable_by_which_dead_claims_are_told(service):
    assert "ProcSubset" not in service


def test_the_user_of_the_unit_is_made_by_the_file_beside_it(service):
    assert re.search(rf"^u {service['User']} ", (UNIT.parent / "leeway.sysusers").read_text("utf-8"), re.MULTILINE)


def test_secrets_are_credentials_that_the_documentation_names(service):
    page = (ROOT / "docs/howto/installing.md").read_text("utf-8")
    names = re.findall(r"^LoadCredential=([\w-]+):/etc/leeway/credentials/\1$", UNIT.read_text("utf-8"), re.MULTILINE)
    assert names
    assert f"/run/credentials/{UNIT.name}/{names[0]}" in page
