"""``monitor config schema``: a JSON schema for editors, with every installed check and extension."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import SecretStr, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from checks.catalogue import Entry
from monitor.config.extensions import Classes, Extensions, discover, first_line
from monitor.config.models import Config
from monitor.config.planning import AUTO, parameter_defaults, parameter_types
from monitor.options import Options, display, format_duration
from monitor.rates import Rate

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REFERENCE: dict[str, Any] = {
    "type": "string",
    "pattern": r"\$\{",
    "description": "A value from the environment or a file.",
}


class _Schema(GenerateJsonSchema):
    """Leaves open what only an extension can say: it is filled in below."""

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> JsonSchemaValue:
        """Leave it open."""
        del schema
        return {}

    def encode_default(self, dft: Any) -> Any:
        """Write a default as the configuration would."""
        if isinstance(dft, timedelta):
            return format_duration(dft)
        if isinstance(dft, Rate):
            return str(dft)
        return display(dft) if isinstance(dft, SecretStr) else super().encode_default(dft)


def schema(extensions: Extensions | None = None) -> dict[str, Any]:
    """Return the JSON schema of ``config.yaml``."""
    found = extensions or discover()
    document = Config.model_json_schema(schema_generator=_Schema, ref_template="#/$defs/{model}")
    parts = document.pop("$defs")
    model, reference = parts["Model"], parts.pop("Reference")
    del parts["PlannedCheck"]
    sources = {f"source_{name}": _source(name, options, parts) for name, options in found.sources.items()}
    parts |= sources
    model["properties"]["logs"] |= {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in sources]}
    parts["Reference"] = reference | {"type": ["object", "string"]}
    parts["checks"] = _checks(found.checks)
    model["properties"]["checks"] = {
        "$ref": "#/$defs/checks",
        "description": model["properties"]["checks"]["description"],
    }
    parts["trigger"] = _named(found.triggers, parts)
    for section in (parts["Retrain"], parts["Rollback"]):
        section["properties"]["trigger"] = {
            "anyOf": [{"$ref": "#/$defs/trigger"}, {"type": "null"}],
            "description": section["properties"]["trigger"]["description"],
        }
    parts["notifier"] = _named(found.notifiers, parts)
    document["properties"]["notifiers"]["additionalProperties"] = {"$ref": "#/$defs/notifier"}
    whole = {"$schema": DIALECT, **document, "title": "Leeway", "$defs": parts}
    return {name: _forgiving(part) for name, part in whole.items()}


def _options(options: type[Options], parts: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a class of options; the classes it uses are put among ``parts``."""
    own = options.model_json_schema(schema_generator=_Schema, ref_template="#/$defs/{model}")
    parts |= own.pop("$defs", {})
    own["description"] = first_line(options)
    return own


def _source(name: str, options: type[Options], parts: dict[str, Any]) -> dict[str, Any]:
    own = _options(options, parts)
    return own | {"properties": {"source": {"const": name}, **own["properties"]}}


def _named(kind: Classes, parts: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of one key that names an extension, or of its name alone."""
    bare = [name for name, options in kind.items() if not any(f.is_required() for f in options.model_fields.values())]
    return {
        "anyOf": [
            {"enum": bare},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {name: _options(options, parts) for name, options in kind.items()},
            },
        ]
    }


def _checks(entries: Mapping[str, Entry]) -> dict[str, Any]:
    item = {
        "anyOf": [
            {"enum": [AUTO, *entries]},
            {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
                "properties": {name: _check(entry) for name, entry in entries.items()},
            },
        ]
    }
    return {"anyOf": [{"const": AUTO}, {"type": "array", "items": item}]}


def _check(entry: Entry) -> dict[str, Any]:
    defaults = parameter_defaults(entry)
    properties = {
        name: TypeAdapter(kind).json_schema() | ({"default": defaults[name]} if name in defaults else {})
        for name, kind in parameter_types(entry).items()
    }
    own = {"type": "object", "additionalProperties": False, "properties": properties}
    return {"description": entry.summary, "anyOf": [own, {"enum": ["off", False]}, {"type": "null"}]}


def _forgiving(part: Any) -> Any:
    """Allow a reference such as ``${NAME}`` wherever a number, a truth or a text of some form is asked for."""
    if isinstance(part, list):
        return [_forgiving(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") in ("integer", "number", "boolean") or isinstance(part.get("pattern"), str):
        words = {name: part[name] for name in ("title", "description", "default") if name in part}
        return {**words, "anyOf": [{name: part[name] for name in part.keys() - words.keys()}, _REFERENCE]}
    return {name: _forgiving(item) for name, item in part.items()}
