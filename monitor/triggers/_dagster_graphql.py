"""What is asked of Dagster's GraphQL API. Nearly every answer is HTTP 200; what it is, its type says."""

import json
from collections.abc import Mapping
from typing import Any

from monitor.apis.calling import Api, CallError
from monitor.core.wording import printable, shorten

RUNS = """
query Runs($key: String!) {
  found: runsOrError(filter: {tags: [{key: "leeway/key", value: $key}]}, limit: 20) {
    __typename
    ... on Runs { results { runId status } }
    ... on Error { message }
  }
}"""

JOBS = """
query Jobs {
  found: repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { name location { name } jobs { name } } }
    ... on Error { message }
  }
}"""

LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  found: launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId status } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}"""

DAEMONS = """
query Daemons {
  found: instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
}"""

# What is wrong for good, and what to do. Anything else, such as PythonError, may pass, and may have begun a run.
_LASTING = {
    "RunConfigValidationInvalid": "set run_config to what the job takes",
    "PipelineNotFoundError": "correct job, repository or location",
    "InvalidSubsetError": "correct job",
    "UnauthorizedError": "give the token's user the right to launch runs",
    "NoModeProvidedError": "set run_config to what the job takes",
    "ConflictingExecutionParamsError": "set run_config to what the job takes",
    "PresetNotFoundError": "set run_config to what the job takes",
}
_LARGEST_TAG = 2000  # bytes; PostgreSQL's index of tags takes 2,704


def ask(api: Api, text: str, variables: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """Return the data of a query's answer: what it calls ``found``.

    Raises
    ------
    CallError
        As :meth:`Api.call` does, and for an answer that is an error.
    """
    body = json.dumps({"query": text, "variables": variables or {}}, allow_nan=False).encode()
    return data_of(api, api.call("/graphql", body))


def data_of(api: Api, answer: Any, *, starts: bool = False) -> Mapping[str, Any]:
    """Return an answer's data, where it is not an error.

    Raises
    ------
    CallError
        For GraphQL errors, and for types that are errors; ``starts`` as for :meth:`Api.call`.
    """
    if answer.get("errors"):
        said = api.quoted("; ".join(str(error.get("message")) for error in answer["errors"]))
        # A query that does not fit the schema is wrong for good, and nothing has been done; there is no data then.
        lasting = answer.get("data") is None and not starts
        raise CallError(f"{api.shown}: {said}", lasting=lasting, uncertain=starts)
    found = answer["data"]["found"]
    kind = found.get("__typename", "")
    if kind.endswith(("Error", "Invalid", "Conflict", "NotFound")):
        said = found.get("message") or "; ".join(error["message"] for error in found.get("errors", ()))
        remedy = _LASTING.get(kind)
        note = f"{api.shown}: {kind}: {api.quoted(said)}" + (f"; {remedy}" if remedy else "")
        raise CallError(note, lasting=remedy is not None, uncertain=starts and remedy is None)
    told: Mapping[str, Any] = found
    return told


def tags_of(facts: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a request as a run's tags: its facts that are one value, and all of it as JSON, with columns that fit."""
    names = ("key", "model", "version", "incident", "window_start", "window_end", "reference", "link")
    tags = {name: shorten(printable(str(facts[name])), 500) for name in names if facts[name] is not None}
    tags |= {"key": facts["key"], "labels_available": json.dumps(facts["labels_available"]), "request": _short(facts)}
    return [{"key": f"leeway/{name}", "value": value} for name, value in tags.items()]


def _short(facts: Mapping[str, Any]) -> str:
    told = dict(facts["request"])
    columns = told["columns"]
    left_out = told.get("omitted", {}).get("columns", 0)
    while len(text := json.dumps(told).encode()) > _LARGEST_TAG and told["columns"]:
        told["columns"] = told["columns"][: len(told["columns"]) // 2]
        told["omitted"] = {"columns": left_out + len(columns) - len(told["columns"])}
    if len(text) > _LARGEST_TAG:
        told = {name: shorten(fact, 100) if isinstance(fact, str) else fact for name, fact in told.items()}
        text = json.dumps(told).encode()
    return text.decode()
