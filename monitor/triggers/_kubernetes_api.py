"""Kubernetes' API server: how a pod reaches it and signs in, and what a person must allow."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from monitor.apis.calling import Api, CallError

IN_CLUSTER = "https://kubernetes.default.svc"
LARGEST_ANSWER = 4 * 2**20  # bytes; etcd keeps objects of 1.5 MiB at most
NEEDED = (("get", "cronjobs"), ("create", "jobs"), ("get", "jobs"))


def address(url: str) -> str:
    """Return where the API server is: of the cluster that Leeway runs in as the pod's environment says."""
    host, port = os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    if url != IN_CLUSTER or not host:
        return url
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def mounted(account: str, name: str, option: str) -> str:
    """Return a file of the service account. It is read anew every time, since tokens are exchanged while a pod runs.

    Raises
    ------
    CallError
        When there is none; ``option`` says what would stand in its place.
    """
    try:
        return (Path(account) / name).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        note = f"Kubernetes: no service account is mounted here ({name} cannot be read); set {option}"
        raise CallError(note, lasting=True) from error


def trusting(api: Api, ca: str | None, account: str) -> Api:
    """Return the API, trusting what ``ca`` has signed, or the cluster's own certificates where there are such.

    Raises
    ------
    CallError
        When ``ca`` holds no certificates.
    """
    import ssl

    api = replace(api, largest=LARGEST_ANSWER)
    own = Path(account) / "ca.crt"
    file = ca or (str(own) if own.is_file() else None)
    if file is None or not api.url.startswith("https:"):
        return api
    try:
        return replace(api, trusted=ssl.create_default_context(cafile=file))
    except (OSError, ssl.SSLError) as error:
        raise CallError("Kubernetes: ca is no file of certificates (PEM) that can be read", lasting=True) from error


def review(verb: str, resource: str, namespace: str, name: str) -> dict[str, Any]:
    """Return the question whether whoever asks may do something."""
    asked = {"namespace": namespace, "verb": verb, "group": "batch", "resource": resource}
    if resource == "cronjobs":
        asked["name"] = name
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": asked},
    }


def rules(missing: Iterable[tuple[str, str]]) -> str:
    """Return the rules that a Role lacks, as its manifest has them."""
    return ", ".join(f"{{apiGroups: [batch], resources: [{what}], verbs: [{verb}]}}" for verb, what in missing)


def signed(token: SecretStr | None, account: str) -> SecretStr:
    """Return the token: the given one, or that of the service account."""
    return token or SecretStr(mounted(account, "token", "url, namespace, token and ca"))
