"""What a pressed button does: the same steps as the command line, in the name of the person who pressed it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import sqlalchemy as sa
import structlog

from monitor import actions
from monitor.approving import approve
from monitor.core.errors import LeewayError, UserError
from monitor.core.incident import Incident, State
from monitor.core.ports import Clock, Notifier
from monitor.core.retrain import RetrainState
from monitor.core.retrain_policy import UNDER_WAY
from monitor.notifiers._slack_socket import Press, Socket
from monitor.notifiers.slack import Slack
from monitor.options import reveal
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store.database import Store
from monitor.watch import Watch

log = structlog.get_logger("monitor.buttons")

_ASKING = ("retrain", "rollback")  # what takes time, and shows itself when it ends
SILENCE = timedelta(hours=24)  # what the button says
_REMEMBERED = 1000  # presses, to know those that Slack sends again


@dataclass
class Buttons:
    """Listens to the buttons of every configured app of Slack, and does what they say.

    Parameters
    ----------
    acted : called after every action, so that its messages need not wait for the next tick.
    """

    store: Store
    clock: Clock
    notifiers: Mapping[str, Notifier]
    watches: Mapping[str, Watch]
    acted: Callable[[], None]
    _sockets: list[Socket] = field(default_factory=list)
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin to listen; returns at once, whether or not Slack can be reached."""
        for receivers in _by_app(self.notifiers):
            socket = receivers[0].listen(partial(self.pressed, receivers))
            socket.start()
            self._sockets.append(socket)

    def stop(self) -> None:
        """Listen no longer."""
        for socket in self._sockets:
            socket.stop()
        self._sockets.clear()

    def pressed(self, receivers: Sequence[Slack], press: Press) -> None:
        """Do what one press says, once, and tell whoever pressed what came of it where the message does not show it."""
        facts = {"action": press.action, "incident": press.incident, "by": press.who}
        with self._turn:  # of two people who press at the same moment, the second is told what the first has done
            if self._known(press):
                return
            try:
                _allow(receivers, press)
                if press.action == "retrain":
                    self._retrain(press)
                else:
                    with self.store.write() as connection:
                        self._act(connection, press)
            except LeewayError as error:
                log.warning("button.refused", reason=str(error), **facts)
                answer = str(error)
            except Exception:
                log.exception("button.crashed", **facts)
                answer = "that did not work; the monitor's log says why"
            else:
                log.info("button.done", **facts)
                self.acted()
                if press.action not in _ASKING:
                    return  # the message shows it at once
                answer = "it is asked for now; how it ends will stand in this incident's thread"
        unheard = receivers[0].whisper(press, answer)
        if unheard:
            log.warning("button.unanswered", reason=unheard, **facts)

    def _known(self, press: Press) -> bool:
        """Whether the press was seen before; remembers it."""
        if press.key in self._seen:
            return True
        self._seen[press.key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _retrain(self, press: Press) -> None:
        """Approve a retraining, whose labels are counted before anything is written."""
        with self.store.read() as connection:
            incident, watch = self._found(connection, press)
            _not_yet(connection, incident, press.action)
        approve(self.store, self.clock, watch, press.who, incident_id=incident.id)

    def _found(self, connection: sa.Connection, press: Press) -> tuple[Incident, Watch]:
        incident = incident_rows.get(connection, press.incident)
        watch = self.watches.get(incident.model)
        if watch is None:
            raise UserError(f"the configuration has no model {incident.model!r} any more; nothing was changed")
        return incident, watch

    def _act(self, connection: sa.Connection, press: Press) -> None:
        incident, watch = self._found(connection, press)
        _not_yet(connection, incident, press.action)
        now, who = self.clock.now(), press.who
        if press.action == "ack":
            actions.acknowledge(connection, watch, incident, who, now)
        elif press.action == "silence":
            actions.silence(connection, watch, incident, who, SILENCE, "", now)
        elif press.action == "expected":
            actions.expect(connection, watch, incident, who, "", now)
        elif press.action == "rollback":
            actions.roll_back(connection, watch, who, "", now, incident=incident)
        elif press.action == "resolve":
            actions.resolve(connection, watch, incident, who, "", now)
        else:
            raise UserError(
                f"the button {press.action!r} is not known here; is another version of the monitor running?"
            )


def _by_app(notifiers: Mapping[str, Notifier]) -> list[list[Slack]]:
    """Group the receivers that have buttons by their app: of several connections Slack tells any one."""
    apps: dict[tuple[str, str], list[Slack]] = {}
    for notifier in notifiers.values():
        if isinstance(notifier, Slack) and notifier.app_token is not None:
            apps.setdefault((notifier.base_url, str(reveal(notifier.app_token))), []).append(notifier)
    return list(apps.values())


def _allow(receivers: Sequence[Slack], press: Press) -> None:
    """Refuse whom the channel's receivers do not name; Slack hides some channels' names, and then all must agree."""
    asked = [receiver for receiver in receivers if receiver.serves(press)] or receivers
    if any(receiver.may_press and press.user not in receiver.may_press for receiver in asked):
        raise UserError("you may not press this button; the monitor's configuration (may_press) names who may")


def _not_yet(connection: sa.Connection, incident: Incident, action: str) -> None:
    """Refuse what has been done already, as a second press would only say it again."""
    if incident.state is State.RESOLVED:
        return  # which says more, and is said by the action itself
    if action == "ack" and incident.acknowledged_by:
        raise UserError(f"{incident.id} is acknowledged by {incident.acknowledged_by} already; nothing was changed")
    if action == "expected" and incident.expected:
        raise UserError(f"{incident.id} is declared expected already; nothing was changed")
    if action in _ASKING:
        for key in incident.retrains:
            state = retrain_rows.get(connection, key).state
            if state in UNDER_WAY or state is RetrainState.SUCCEEDED:
                raise UserError(f"{key} was asked for already ({state}); nothing was asked again")
