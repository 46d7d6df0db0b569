"""Signs of life: the heartbeat in the store, what systemd is told, the dead man's switch, and the web port."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from monitor import __version__
from monitor.checkup import Checkup
from monitor.core.errors import UserError
from monitor.core.wording import plural
from monitor.ping import Switch
from monitor.pulse import RENEWAL, TICK, WRITTEN
from monitor.store import heartbeats
from monitor.store.database import StoreAwayError
from monitor.store.leases import LEASE_SECONDS
from monitor.systemd import Systemd

if TYPE_CHECKING:
    from monitor.config.models import Config
    from monitor.config.operations import Web
    from monitor.watch import Watch
    from monitor.web.listening import Listening

log = structlog.get_logger("monitor.signs")

STATUS_SECONDS = 15.0


class Signs:
    """What a daemon shows of itself.

    Parameters
    ----------
    checkup : tells whether it is well.
    owner : returns the process's name in the store.
    watches : returns the models as they are now.
    stopping : returns whether the daemon is about to end.
    moved : is told the model whose alias has moved in its registry.
    """

    def __init__(
        self,
        checkup: Checkup,
        owner: Callable[[], str],
        watches: "Callable[[], Mapping[str, Watch]]",
        stopping: Callable[[], bool],
        moved: Callable[[str], None],
    ) -> None:
        self.checkup, self.owner, self.watches, self.stopping = checkup, owner, watches, stopping
        self.moved = moved
        self.systemd = Systemd.of()
        self.web: Listening | None = None
        self._options: Web | None = None
        self._switch: Switch | None = None
        self._ready = False
        self._told = float("-inf")

    def start(self) -> None:
        """Open the port and begin to call the switch.

        Raises
        ------
        UserError
            When the port cannot be had.
        """
        config = self.checkup.config()
        self._listen(config)
        self._call(config)

    def attend(self) -> None:
        """Tell systemd how it goes; called every second or so."""
        pulse = self.checkup.pulse
        vitals = pulse.vitals()
        if not self._ready and pulse.ticked:
            self._ready = True
            self.systemd.ready()
        stuck = {TICK, RENEWAL} & {*vitals.late, *vitals.hanging}
        self.systemd.feed(well=not stuck and vitals.since[WRITTEN] < LEASE_SECONDS)
        if pulse.clock() - self._told >= STATUS_SECONDS and self._ready:
            self._told = pulse.clock()
            self.systemd.status(self._status())

    def beat(self) -> None:
        """Write the heartbeat.

        Raises
        ------
        StoreAwayError
            When the store cannot be used.
        """
        self._write(stopped=False)
        self.checkup.pulse.mark(WRITTEN)

    def reload(self, config: "Config") -> None:
        """Show what the new configuration asks for; a port that cannot be had leaves things as they are."""
        try:
            self._listen(config)
        except UserError as error:
            log.error("web.kept", reason=str(error))  # noqa: TRY400 - it needs no traceback
        if self._switch is None or self._switch.options != config.ping:
            self._call(config)

    def stop(self) -> None:
        """Show no more, and leave word in the store that this was meant."""
        if self._switch is not None:
            self._switch.stop()
        if self.web is not None:
            self.web.stop()
        self.checkup.end()
        with suppress(StoreAwayError):
            self._write(stopped=True)

    def _listen(self, config: "Config") -> None:
        options, before = config.web, self.web
        where = (options.host, options.port) if options is not None else None
        if before is not None and before.where == where and before.alive:
            self._options = options  # another token is heeded from the next request on
            return
        if options is not None:
            from monitor.web.answers import Answers
            from monitor.web.exposition import Exposition
            from monitor.web.hooks import Hooks
            from monitor.web.listening import Listening

            exposition = Exposition(self.checkup, self.watches)
            hooks = Hooks(self.checkup.clock, self.watches, self.moved)
            answers = Answers(lambda: self._options or options, self.checkup, exposition, self.stopping, hooks)
            opened = Listening(options, answers.application())
            self._options, self.web = options, opened
            opened.start()
        else:
            self._options = self.web = None
        if before is not None:
            before.stop()

    def _call(self, config: "Config") -> None:
        if self._switch is not None:
            self._switch.stop()
        self._switch = Switch(config.ping, self.checkup.problems) if config.ping is not None else None
        if self._switch is not None:
            self._switch.start()

    def _write(self, *, stopped: bool) -> None:
        body = {
            "models": len(self.watches()),
            "web": self.web.url if self.web is not None else None,
            "stopped": stopped,
            "problems": [problem.as_json() for problem in self.checkup.of_process()],
        }
        checkup = self.checkup
        with checkup.store.write() as connection:
            now = heartbeats.beat(connection, self.owner(), __version__, checkup.started_at, body)
        checkup.compare(now)

    def _status(self) -> str:
        found = self.checkup.of_process()
        wrong = f"; {plural(len(found), 'problem')}: {', '.join(problem.words for problem in found)}" if found else ""
        return f"watching {plural(len(self.watches()), 'model')}{wrong}"
