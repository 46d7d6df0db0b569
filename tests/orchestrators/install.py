"""Installs orchestrators and registries for the tests, each into an environment of its own below ``.orchestrators``.

``python -m tests.orchestrators.install prefect dagster airflow airflow2 mlflow dvc`` installs those that are named, one after the
other, and says how long it took. What is there already stays. ``pins/NAME.txt`` fixes every package's version; remove
one, install again and write ``pip freeze`` of the environment into it to move to newer releases.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2] / ".orchestrators"
PINS = Path(__file__).parent / "pins"

REQUIREMENTS = {
    "prefect": ("prefect==3.8.8", "fastapi<0.150"),  # a newer FastAPI crashes this release of Prefect
    "airflow": ("apache-airflow==3.3.2",),
    "dagster": ("dagster==1.13.27", "dagster-webserver==1.13.27", "dagster-graphql==1.13.27"),
    "airflow2": ("apache-airflow==2.11.2",),
    "mlflow": ("mlflow[auth]==3.17.2",),  # with its sign-in
    "dvc": ("dvc==3.67.1",),
}


def environment(name: str) -> Path | None:
    """Return the folder of programs of an orchestrator's environment; None where it is not installed as it should be."""
    stamp = ROOT / name / "installed"
    return ROOT / name / "bin" if stamp.exists() and stamp.read_text() == _wanted(name) else None


def install(name: str) -> None:
    """Make an orchestrator's environment, from nothing where there is another one."""
    if environment(name) is not None:
        return
    place = ROOT / name
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    pins = PINS / f"{name}.txt"
    constraints = ["--constraint", pins] if pins.exists() else []
    pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet", "--quiet", "--prefer-binary"]
    subprocess.run([*pip, *constraints, *REQUIREMENTS[name]], check=True)
    (place / "installed").write_text(_wanted(name))


def _wanted(name: str) -> str:
    pins = PINS / f"{name}.txt"
    return "\n".join(REQUIREMENTS[name]) + "\n" + (pins.read_text() if pins.exists() else "")


def main() -> None:
    """Install what the command line names."""
    parser = argparse.ArgumentParser(description="Install orchestrators for the tests.")
    parser.add_argument("names", nargs="+", choices=REQUIREMENTS)
    for name in parser.parse_args().names:
        began = time.monotonic()
        install(name)
        sys.stdout.write(f"{name}: installed in {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
