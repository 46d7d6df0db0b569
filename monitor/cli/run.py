"""`monitor run`: the daemon."""

import logging
from pathlib import Path

import click

from monitor.cli.common import config_option, load, open_store


@click.command(name="run")
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def run_command(config_path: Path, verbose: bool) -> None:
    """Run the daemon until SIGTERM; SIGHUP reads the configuration anew."""
    from monitor import logs
    from monitor.clocks import SystemClock
    from monitor.daemon import Daemon
    from monitor.footprint import in_small_pages, without_pandas

    without_pandas()
    in_small_pages()
    logs.configure(logging.DEBUG if verbose else logging.INFO)
    config = load(config_path)
    store = open_store(config)
    daemon = Daemon(store, SystemClock(), lambda: load(config_path), config)
    daemon.listen()
    daemon.run()
