"""The manifest for Kubernetes: valid by its schemas, at one with itself, and with a configuration that Leeway reads."""

import re
from pathlib import Path

import pytest
import yaml

from monitor.config.reading import read_text

FILE = Path(__file__).parents[2] / "deploy/kubernetes/leeway.yaml"
OBJECTS = list(yaml.safe_load_all(FILE.read_text("utf-8")))


def one(kind):
    (found,) = [item for item in OBJECTS if item["kind"] == kind]
    return found


POD = one("Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: item["kind"])
def test_it_is_valid_by_the_schemas_of_kubernetes(item):
    validate = pytest.importorskip("kubernetes_validate")
    validate.validate(item, validate.latest_version(), strict=True)


def configured():
    """The configuration in the manifest, with its secrets as the manifest has them."""
    secrets = dict(one("Secret")["stringData"])
    text = one("ConfigMap")["data"]["config.yaml"]
    mounted = next(mount["mountPath"] for mount in CONTAINER["volumeMounts"] if mount["name"] == "secrets")
    for name in re.findall(rf"\$\{{file:{mounted}/([\w-]+)\}}", text):
        text = text.replace(f"${{file:{mounted}/{name}}}", secrets.pop(name))
    assert "${" not in text
    assert secrets == {}, "secrets that the configuration does not use"
    return read_text(text)


def test_its_configuration_is_one_that_leeway_reads_with_every_secret_from_a_file():
    assert configured().models


def test_the_web_port_is_that_of_probes_and_service_and_asks_for_a_token():
    web = configured().web
    (port,) = CONTAINER["ports"]
    (served,) = one("Service")["spec"]["ports"]
    assert web.port == port["containerPort"] == served["port"]
    assert served["targetPort"] == port["name"]
    assert (web.host, web.token is not None) == ("0.0.0.0", True)


def test_probes_ask_the_health_endpoints():
    paths = {name: CONTAINER[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def test_several_replicas_share_a_store_in_postgresql():
    assert one("Deployment")["spec"]["replicas"] == 2
    assert configured().store.get_secret_value().startswith("postgresql")
    assert one("PodDisruptionBudget")["spec"]["minAvailable"] < one("Deployment")["spec"]["replicas"]


def test_it_runs_without_root_and_writes_to_scratch_volumes_alone():
    assert (POD["securityContext"]["runAsNonRoot"], POD["securityContext"]["runAsUser"]) == (True, 10001)
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {mount["name"] for mount in CONTAINER["volumeMounts"] if not mount.get("readOnly")}
    assert written == {volume["name"] for volume in POD["volumes"] if "emptyDir" in volume}


def test_every_volume_that_is_mounted_is_there_and_names_what_is_there():
    assert {mount["name"] for mount in CONTAINER["volumeMounts"]} == {volume["name"] for volume in POD["volumes"]}
    named = {volume["name"]: volume for volume in POD["volumes"]}
    assert named["config"]["configMap"]["name"] == one("ConfigMap")["metadata"]["name"]
    assert named["secrets"]["secret"]["secretName"] == one("Secret")["metadata"]["name"]


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "Deployment"])
def test_selectors_find_the_pods(kind):
    labels = one("Deployment")["spec"]["template"]["metadata"]["labels"]
    selector = one(kind)["spec"]["selector"]
    assert selector.get("matchLabels", selector) == labels
