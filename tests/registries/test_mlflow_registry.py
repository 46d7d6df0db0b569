"""MLflow's registry against the stand-in, which may lose, refuse and lie; the real server is below tests/orchestrators."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.apis import downloading
from monitor.core.errors import UnavailableError, UserError
from monitor.registries import SignatureError
from monitor.registries.mlflow import Mlflow
from monitor.testing.mlflow import FakeMlflow, event, signed
from monitor.testing.webhook import Answer, FakeWebhook
from tests.registries.mlflow_contract import MlflowContract, parquet, registry
from tests.waiting import patience

TOKEN = "a-token-of-a-server"
SECRET = "any text that MLflow was given"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATH = "alias"


@dataclass
class FakeWorld:
    server: FakeMlflow
    name: str = "churn"
    options: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=lambda: {"token": "a-wrong-token"})

    def register(self, files=None, datasets=(), *, run=True):
        version = self.server.register(self.name, run=run)
        for path, content in (files or {}).items():
            self.server.put_artifact(self.run(version), path, content)
        for name, context, kind, source in datasets:
            self.server.put_dataset(self.run(version), name, kind, source, context=context)
        return version

    def point(self, version, alias="champion"):
        self.server.set_alias(self.name, alias, version)

    def tags(self, version):
        return dict(self.server.tags_of(self.name, version))

    def run(self, version):
        return self.server.run_of(self.name, version)


@pytest.fixture
def world():
    with FakeMlflow(TOKEN) as server:
        yield FakeWorld(server, options={"url": server.url, "token": TOKEN, "timeout": "20s"})


class TestStandIn(MlflowContract):
    """What holds of the real server holds of the stand-in."""


def following(**changes):
    return Mlflow(**{"url": "http://mlflow", "name": "churn", "webhook_secret": SECRET, **changes})


def created(**changes):
    return event("model_version_alias", "created", **{"name": "churn", "alias": "champion", "version": "3", **changes})


def test_a_webhook_that_moves_our_alias_names_the_version():
    headers, body = signed(SECRET, created(), NOW.timestamp())
    assert following().moved(headers, body, NOW) == "3"


@pytest.mark.parametrize("body", [
    created(name="other"),
    created(alias="challenger"),
    event("model_version_alias", "deleted", name="churn", alias="champion"),
    event("model_version_tag", "set", name="churn", version="3", key="a", value="b"),
    b"[]", b"{}", b"no JSON", b"\xff", b'{"entity": "model_version_alias", "action": "created", "data": 1}',
])  # fmt: skip
def test_any_other_event_moves_nothing(body):
    headers, body = signed(SECRET, body, NOW.timestamp())
    assert following().moved(headers, body, NOW) is None


def test_one_of_several_signatures_is_enough():
    headers, body = signed(SECRET, created(), NOW.timestamp())
    both = {**headers, "X-MLflow-Signature": f"v1,b3RoZXI= {headers['X-MLflow-Signature']} v2,x"}
    assert following().moved(both, body, NOW) == "3"


def test_header_names_may_be_in_any_case():
    headers, body = signed(SECRET, created(), NOW.timestamp())
    assert following().moved({name.upper(): value for name, value in headers.items()}, body, NOW) == "3"


def test_another_secret_is_not_believed():
    headers, body = signed("another", created(), NOW.timestamp())
    with pytest.raises(SignatureError, match="not the secret's"):
        following().moved(headers, body, NOW)


def test_a_changed_body_is_not_believed():
    headers, _ = signed(SECRET, created(), NOW.timestamp())
    with pytest.raises(SignatureError, match="not the secret's"):
        following().moved(headers, created(version="1"), NOW)


@pytest.mark.parametrize("header", ["X-MLflow-Delivery-Id", "X-MLflow-Timestamp"])
def test_what_is_signed_besides_the_body_cannot_be_changed(header):
    headers, body = signed(SECRET, created(), NOW.timestamp())
    with pytest.raises(SignatureError):
        following().moved({**headers, header: str(int(NOW.timestamp()) + 1)}, body, NOW)


@pytest.mark.parametrize("header", ["X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature"])
def test_a_message_without_a_signature_is_not_believed(header):
    headers, body = signed(SECRET, created(), NOW.timestamp())
    with pytest.raises(SignatureError, match="carries no signature"):
        following().moved({name: value for name, value in headers.items() if name != header}, body, NOW)


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1e9", "9" * 400, "١٢٣"])
def test_a_time_that_is_none_is_not_believed(stamp):
    headers, body = signed(SECRET, created(), NOW.timestamp())
    with pytest.raises(SignatureError):
        following().moved({**headers, "X-MLflow-Timestamp": stamp}, body, NOW)


@pytest.mark.parametrize(("age", "believed"), [(299, True), (301, False), (-299, True), (-301, False)])
def test_a_message_counts_for_five_minutes(age, believed):
    headers, body = signed(SECRET, created(), (NOW - timedelta(seconds=age)).timestamp())
    if believed:
        assert following().moved(headers, body, NOW) == "3"
    else:
        with pytest.raises(SignatureError, match="more than five minutes"):
            following().moved(headers, body, NOW)


def test_odd_characters_in_a_signature_are_an_error_of_its_own():
    headers, body = signed(SECRET, created(), NOW.timestamp())
    with pytest.raises(SignatureError):
        following().moved({**headers, "X-MLflow-Signature": "v1,é\udce9"}, body, NOW)


def test_without_a_secret_no_message_is_believed():
    headers, body = signed(SECRET, created(), NOW.timestamp())
    with pytest.raises(SignatureError, match="there is no webhook_secret"):
        following(webhook_secret=None).moved(headers, body, NOW)


def test_the_stand_in_sends_what_it_signs(world):
    with FakeWebhook() as receiver:
        status = world.server.send(
            f"{receiver.url}/moved",
            SECRET,
            "model_version_alias",
            "created",
            name="churn",
            alias="champion",
            version="2",
        )
        [received] = receiver.requests
    assert status == 200
    assert following().moved(received.headers, received.body, datetime.now(UTC)) == "2"


def test_tags_can_be_turned_off(world):
    registry(world, tags=False).tag(world.register(), {"leeway.drift": "firing"})
    assert world.tags("1") == {}
    assert world.server.requests == []


def test_a_long_tag_is_shortened(world):
    registry(world).tag(world.register(), {"leeway.incident": "x" * 10_000})
    assert len(world.tags("1")["leeway.incident"]) == 500


def test_what_a_logged_model_holds_is_found_too(world, tmp_path):
    version = world.server.register("churn", model="m-1")
    world.server.put_artifact("m-1", "reference.parquet", parquet(tmp_path).read_bytes())
    assert registry(world).fetch_artifact(version, "reference.parquet", tmp_path / "to").is_file()


def test_a_version_without_a_run_has_neither_artifacts_nor_data_sets(world, tmp_path):
    version = world.register(run=False)
    with pytest.raises(UserError, match="names no run, so that it has no artifacts"):
        registry(world).fetch_artifact(version, "reference.parquet", tmp_path)
    with pytest.raises(UserError, match="names no run, so that it has no data sets"):
        registry(world).fetch_dataset(version, "training", tmp_path)


@pytest.mark.parametrize("stray", ["../../outside.parquet", "/etc/outside.parquet", "other/outside.parquet"])
def test_a_listing_that_leads_out_of_the_folder_is_not_followed(world, tmp_path, stray):
    version = world.register({"reference/a.parquet": b"PAR1"})
    world.server.put_stray(world.run(version), "reference", stray)
    with pytest.raises(UserError, match=r"outside the folder|names no artifact"):
        registry(world).fetch_artifact(version, "reference", tmp_path / "to")
    assert not list(tmp_path.rglob("outside*"))


def test_a_link_in_the_folder_is_not_written_through(world, tmp_path):
    version = world.register({"data/reference.parquet": b"PAR1"})
    (tmp_path / "to").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "to" / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="leads out of"):
        registry(world).fetch_artifact(version, "data/reference.parquet", tmp_path / "to")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_an_artifact_that_is_too_large_is_not_kept(world, tmp_path, monkeypatch):
    monkeypatch.setattr("monitor.registries._artifacts.MOST_BYTES", 10)
    version = world.register({"reference.parquet": b"x" * 11})
    with pytest.raises(UserError, match="more than 2 GB"):
        registry(world).fetch_artifact(version, "reference.parquet", tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_download_that_goes_on_for_too_long_is_given_up(tmp_path):
    with FakeWebhook(usual=Answer(body="x" * 1000)) as server:
        from pydantic import SecretStr

        with pytest.raises(UserError, match="which is too large"):
            downloading.download(SecretStr(server.url), {}, tmp_path / "a", timeout=1, most=999)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "kind"), [
    (Answer(500), UnavailableError),
    (Answer(503), UnavailableError),
    (Answer(dropped=True), UnavailableError),
    (Answer(delay=3.0), UnavailableError),
    (Answer(429), UnavailableError),
    (Answer(302, {"Location": "http://elsewhere"}), UserError),
    (Answer(403, body="Invalid Host header"), UserError),
    (Answer(200, body="<html>"), UserError),
    (Answer(200, body="[]"), UserError),
    (Answer(200, body='{"model_version": {"version": 3}}'), UserError),
    (Answer(200, body='{"model_version": {"version": "3", "creation_timestamp": 1e300}}'), UserError),
])  # fmt: skip
def test_what_passes_is_told_from_what_has_to_be_put_right(world, answer, kind):
    world.point(world.register())
    world.server.plan([answer], path=PATH)
    with pytest.raises(kind, match=r"MLflow at http://127.0.0.1"):
        registry(world, **patience(answer)).serving()


def test_a_slow_server_is_given_up_in_time(world):
    world.server.plan([Answer(delay=3.0)], path=PATH)
    began = time.monotonic()
    with pytest.raises(UnavailableError, match="no answer in time"):
        registry(world, timeout="1s").serving()
    assert time.monotonic() - began < 2.8


def test_an_unknown_alias_may_be_a_404_as_well(world):
    world.register()
    world.server.plan([Answer(404, body='{"error_code": "RESOURCE_DOES_NOT_EXIST"}')], path=PATH)
    assert registry(world).serving() is None


def test_no_words_of_the_servers_show_a_secret_or_forge_a_line(world):
    world.server.plan([Answer(500, body=f"no\x1b[31m {TOKEN}\nforged")], path=PATH)
    with pytest.raises(UnavailableError) as raised:
        registry(world).serving()
    assert "*** forged" in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_tags_of_a_version_are_one_line_each(world):
    version = world.register()
    registry(world).tag(version, {"note": "a\nb\x1b"})
    assert registry(world).version(version).tags == {"note": "a b\\x1b"}


def test_users_sign_in_by_name_and_password(world):
    world.server.token = "Basic YW5uYTpzZWNyZXQtcGFzc3dvcmQ="  # anna:secret-password
    world.point(world.register())
    signed_in = registry(world, token=None, username="anna", password="secret-password")
    assert signed_in.serving().version == "1"
    assert "secret-password" not in repr(signed_in)


def test_headers_for_a_proxy_are_sent_with_every_call_and_download(world, tmp_path):
    version = world.register({"reference.csv": b"x\n1\n"})
    registry(world, headers={"X-Proxy": "for-a-proxy"}).fetch_artifact(version, "reference.csv", tmp_path)
    assert {request.headers.get("x-proxy") for request in world.server.requests} == {"for-a-proxy"}


def test_links_lead_to_the_address_that_people_reach(world):
    assert (
        registry(world, ui="https://mlflow.example/").version(world.register()).page
        == "https://mlflow.example/#/models/churn/versions/1"
    )


@pytest.mark.parametrize("options", [
    {"url": "ftp://mlflow"},
    {"url": "https://me:password@mlflow"},
    {"name": ""},
    {"name": "models:/churn"},
    {"alias": "v1"},
    {"alias": "the champion"},
    {"username": "anna"},
    {"password": "secret"},
    {"token": "x", "username": "anna", "password": "secret"},
    {"poll": "9s"},
])  # fmt: skip
def test_options_that_cannot_work_are_a_mistake_in_the_configuration(options):
    with pytest.raises(ValidationError):
        Mlflow(**{"url": "http://mlflow", "name": "churn", **options})
