"""``monitor config show``: the configuration in effect, every default filled in and every secret hidden."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import SecretStr

from checks.catalogue import Check
from monitor.config.extensions import Classes, Extensions, discover, name_of
from monitor.config.interpolation import escape
from monitor.config.models import Config, Model, PlannedCheck, Retrain
from monitor.config.planning import AUTO, automatic
from monitor.config.versions import Rollback
from monitor.core.window import iso
from monitor.options import Options, display, format_duration, hide_url_passwords


def as_yaml(config: Config, extensions: Extensions | None = None) -> str:
    """Return the configuration in effect as YAML, in the order of the reference documentation."""
    import yaml

    return yaml.safe_dump(effective(config, extensions), sort_keys=False, allow_unicode=True, width=120)


def effective(config: Config, extensions: Extensions | None = None) -> dict[str, Any]:
    """Return the configuration in effect as plain data; what it says is read back as an equal configuration.

    Secrets are the exception: they are hidden.
    """
    found = extensions or discover()
    shown = _fields(config)
    shown["models"] = {name: _model(model, found) for name, model in config.models.items()}
    shown["notifiers"] = {name: _named(receiver, found.notifiers) for name, receiver in config.notifiers.items()}
    return shown


def _model(model: Model, found: Extensions) -> dict[str, Any]:
    shown = _fields(model)
    shown["logs"] = {"source": name_of(found.sources, model.logs), **_fields(model.logs)}
    shown["checks"] = _checks(model.checks, found)
    shown["retrain"] = _triggered(model.retrain, found)
    shown["rollback"] = _triggered(model.rollback, found)
    return shown


def _triggered(section: Retrain | Rollback, found: Extensions) -> dict[str, Any]:
    trigger = {"trigger": _named(section.trigger, found.triggers)} if section.trigger is not None else {}
    return _fields(section) | trigger


def _named(extension: object, kind: Classes) -> dict[str, Any]:
    return {name_of(kind, extension): _fields(extension)}


def _checks(planned: tuple[PlannedCheck, ...], found: Extensions) -> list[Any]:
    """Return the list of checks; ``auto`` stands first where any was taken by it, then each with its parameters."""
    taken = {check.name for check in planned if check.auto}
    off: list[Any] = [{name: "off"} for name in automatic(found.checks) if taken and name not in taken]
    return [*([AUTO] if taken else []), *off, *({check.name: _parameters(check)} for check in planned)]


def _parameters(planned: PlannedCheck) -> dict[str, Any]:
    shown = {name: _plain(value) for name, value in parameters_of(planned.check).items()}
    if planned.columns is not None:
        shown["columns"] = _plain(planned.columns)
    if planned.threshold is not None:
        shown["threshold"] = planned.threshold
    return shown


def parameters_of(check: Check) -> dict[str, Any]:
    """Return the parameters of a check by name."""
    return {item.name: getattr(check, item.name) for item in fields(cast("Any", check))}


def _fields(options: object) -> dict[str, Any]:
    """Return the fields of options; unset ones without a default are left out."""
    if not isinstance(options, Options):
        return {}
    values = {name: getattr(options, name) for name in type(options).model_fields}
    return {name: _plain(value) for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Options):
        return _fields(value)
    if isinstance(value, SecretStr):
        return escape(display(value))
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return iso(value) if value.tzinfo is not None else value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, str):
        return escape(hide_url_passwords(value))
    return value if value is None or isinstance(value, bool | int | float) else str(value)
