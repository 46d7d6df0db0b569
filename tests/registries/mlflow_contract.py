"""What holds of MLflow's registry, whether it is the stand-in or a real server."""

import threading
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import Action, RetrainState
from monitor.registries.mlflow import Mlflow
from monitor.sources._files import Files, stream
from monitor.triggers.mlflow import Mlflow as MlflowTrigger
from tests.triggers.retrain_factory import asked


class World(Protocol):
    """A server, and a model in it that no other test knows. ``options`` sign in, those with ``wrong`` do not."""

    name: str
    options: dict[str, Any]
    wrong: dict[str, Any]

    def register(self, files=None, datasets=(), *, run=True) -> str: ...

    def point(self, version, alias="champion") -> None: ...

    def tags(self, version) -> dict[str, str]: ...

    def run(self, version) -> str: ...


def registry(world, **changes):
    return Mlflow(**{"name": world.name, **world.options, **changes})


def trigger(world, **changes):
    return MlflowTrigger(**{"name": world.name, **world.options, **changes})


def back(version, target, **changes):
    return asked(action=Action.ROLLBACK, version=version, target=target, **changes)


def parquet(folder, rows=3, name="rows.parquet"):
    pq.write_table(pa.table({"x": list(range(rows))}), folder / name)
    return folder / name


def rows_of(place):
    files = Files(str(place))
    with files.connect() as connection:
        return sum(batch.num_rows for batch in stream(files.relation(connection), 1000))


class MlflowContract:
    def test_the_version_that_the_alias_points_at_serves(self, world):
        world.register()
        version = world.register()
        world.point(version)
        found = registry(world).serving()
        assert (found.version, found.run_id) == ("2", world.run(version))
        assert found.created_at.tzinfo is UTC
        assert found.created_at > datetime(2026, 1, 1, tzinfo=UTC)
        assert found.page == f"{world.options['url']}/#/models/{world.name}/versions/2"

    def test_an_alias_that_nobody_has_set_serves_nothing(self, world):
        world.point(world.register(), "challenger")
        assert registry(world).serving() is None

    def test_the_probe_of_an_alias_that_nobody_has_set_says_which_there_are(self, world):
        world.point(world.register(), "challenger")
        with pytest.raises(
            UserError, match=r"has no alias champion \(its aliases: challenger\); set it with MlflowClient"
        ):
            registry(world).probe()

    def test_the_probe_says_what_serves(self, world):
        world.point(world.register())
        assert (
            registry(world)
            .probe()
            .startswith(f"version 1 of {world.name} in MLflow at http://127.0.0.1 (alias champion)")
        )

    def test_an_unknown_model_is_a_mistake_with_the_nearest_name(self, world):
        world.register()
        with pytest.raises(UserError, match=f"no registered model '{world.name}x'; did you mean .*'{world.name}'"):
            registry(world, name=f"{world.name}x").serving()

    def test_a_version_is_found_by_its_name(self, world):
        world.register()
        assert registry(world).version("1").version == "1"

    @pytest.mark.parametrize("version", ["99", "abc"])
    def test_an_unknown_version_is_a_mistake_that_names_the_newest(self, world, version):
        world.register()
        with pytest.raises(UserError, match=f"no version {version} of .*; its newest is 1"):
            registry(world).version(version)

    def test_a_version_without_a_run_is_one_all_the_same(self, world):
        assert registry(world).version(world.register(run=False)).run_id is None

    def test_tags_are_set_and_may_be_set_again(self, world):
        version = world.register()
        for value in ("pending", "firing", "firing"):
            registry(world).tag(version, {"leeway.drift": value, "leeway.last_check": "2026-03-01"})
        assert world.tags(version) == {"leeway.drift": "firing", "leeway.last_check": "2026-03-01"}
        assert registry(world).version(version).tags == world.tags(version)

    def test_a_tag_of_an_unknown_version_is_a_mistake(self, world):
        world.register()
        with pytest.raises(UserError, match=r"HTTP 404"):
            registry(world).tag("99", {"leeway.drift": "firing"})

    def test_a_file_of_the_run_is_brought_as_it_is(self, world, tmp_path):
        content = parquet(tmp_path).read_bytes()
        version = world.register({"data/reference.parquet": content})
        found = registry(world).fetch_artifact(version, "data/reference.parquet", tmp_path / "to")
        assert found == tmp_path / "to" / "data" / "reference.parquet"
        assert found.read_bytes() == content

    def test_of_a_folder_of_the_run_all_that_can_be_read_is_brought(self, world, tmp_path):
        content = parquet(tmp_path).read_bytes()
        names = ("reference/a.parquet", "reference/month=2/b c.parquet", "reference/README.md", "other.parquet")
        version = world.register(dict.fromkeys(names, content))
        found = registry(world).fetch_artifact(version, "reference", tmp_path / "to")
        brought = {str(path.relative_to(found)) for path in found.rglob("*") if path.is_file()}
        assert brought == {"a.parquet", "month=2/b c.parquet"}
        assert rows_of(found) == 6

    def test_an_artifact_that_is_not_there_is_a_mistake_that_names_what_is(self, world, tmp_path):
        version = world.register({"refrence.parquet": b"PAR1"})
        with pytest.raises(UserError, match=r"has no artifact 'reference.parquet'; there is refrence.parquet"):
            registry(world).fetch_artifact(version, "reference.parquet", tmp_path)

    def test_an_artifact_of_another_kind_is_a_mistake(self, world, tmp_path):
        version = world.register({"model.pkl": b"x"})
        with pytest.raises(UserError, match="no Parquet and no CSV"):
            registry(world).fetch_artifact(version, "model.pkl", tmp_path)

    @pytest.mark.parametrize("artifact", ["../x.parquet", "/etc/x.parquet", "a/../../x.parquet", "", "."])
    def test_a_path_that_leads_out_of_the_artifacts_is_none(self, world, tmp_path, artifact):
        with pytest.raises(UserError, match="names no artifact"):
            registry(world).fetch_artifact(world.register(), artifact, tmp_path)

    @pytest.mark.parametrize("dataset", ["flights", "training"])
    def test_a_data_set_is_found_by_its_name_and_by_its_context(self, world, tmp_path, dataset):
        rows = parquet(tmp_path)
        version = world.register(datasets=[("flights", "training", "local", {"uri": str(rows)}),
                                           ("later", "validation", "s3", {"uri": "s3://bucket/later.parquet"})])  # fmt: skip
        assert registry(world).fetch_dataset(version, dataset, tmp_path / "to") == rows

    def test_a_data_set_in_a_bucket_is_left_to_the_reader_of_files(self, world, tmp_path):
        version = world.register(datasets=[("flights", "training", "s3", {"uri": "s3://bucket/a.parquet"})])
        assert registry(world).fetch_dataset(version, "training", tmp_path) == "s3://bucket/a.parquet"

    def test_a_data_set_on_the_web_is_brought(self, world, tmp_path):
        parquet(tmp_path, 5)
        with served(tmp_path) as url:
            version = world.register(datasets=[("flights", "training", "http", {"url": f"{url}/rows.parquet"})])
            found = registry(world).fetch_dataset(version, "training", tmp_path / "to")
        assert rows_of(found) == 5

    def test_a_data_set_on_the_web_that_is_gone_is_a_mistake(self, world, tmp_path):
        with served(tmp_path) as url:
            version = world.register(datasets=[("flights", "training", "http", {"url": f"{url}/rows.parquet"})])
            with pytest.raises(UserError, match=r"'flights' at http://127.0.0.1: HTTP 404"):
                registry(world).fetch_dataset(version, "training", tmp_path / "to")

    @pytest.mark.parametrize(("kind", "source", "words"), [
        ("code", {"tags": {}}, "comes from code, which is no file"),
        ("local", {"uri": "train.parquet"}, "a path relative to the training's own folder"),
        ("local", {"uri": "/no/such/train.parquet"}, "which is not on this machine"),
        ("hugging_face", {"path": "a/b"}, "comes from hugging_face"),
        ("s3", {"uri": "/etc/passwd.csv"}, "comes from s3, which is no file"),
        ("http", {"url": "file:///etc/passwd.csv"}, "comes from http, which is no file"),
    ])  # fmt: skip
    def test_a_data_set_that_is_no_file_here_is_a_mistake_with_what_to_do(self, world, tmp_path, kind, source, words):
        version = world.register(datasets=[("flights", "training", kind, source)])
        with pytest.raises(UserError, match=f"{words}.*log its rows with mlflow.log_artifact"):
            registry(world).fetch_dataset(version, "training", tmp_path)

    def test_an_unknown_data_set_is_a_mistake_that_names_what_there_is(self, world, tmp_path):
        version = world.register(datasets=[("flights", "training", "code", {})])
        with pytest.raises(UserError, match=r"name or context 'fligths'; there are flights \(training\)"):
            registry(world).fetch_dataset(version, "fligths", tmp_path)

    def test_two_data_sets_of_a_context_are_not_guessed_between(self, world, tmp_path):
        version = world.register(datasets=[(name, "training", "code", {}) for name in ("a", "b")])
        with pytest.raises(
            UserError, match=r"several data sets 'training' \(a \(training\), b \(training\)\); name one"
        ):
            registry(world).fetch_dataset(version, "training", tmp_path)

    def test_a_run_that_has_logged_no_data_set_says_how_to(self, world, tmp_path):
        with pytest.raises(UserError, match=r"it has logged none; log it with mlflow.log_input"):
            registry(world).fetch_dataset(world.register(), "training", tmp_path)

    def test_rolling_back_moves_the_alias(self, world):
        former, latter = world.register(), world.register()
        world.point(latter)
        fired = trigger(world).fire(back(latter, former))
        assert (fired.state, fired.retry_after) == (RetrainState.SUCCEEDED, None)
        assert fired.url == f"{world.options['url']}/#/models/{world.name}/versions/{former}"
        assert registry(world).serving().version == former

    def test_rolling_back_twice_is_done_once_and_well_both_times(self, world):
        former, latter = world.register(), world.register()
        world.point(latter)
        states = [trigger(world).fire(back(latter, former)).state for _ in range(2)]
        assert states == [RetrainState.SUCCEEDED] * 2

    def test_what_somebody_else_has_set_meanwhile_stays(self, world):
        former, latter, other = (world.register() for _ in range(3))
        world.point(other)
        for found in (trigger(world).fire(back(latter, former)), trigger(world).find(back(latter, former))):
            assert found.state is RetrainState.REFUSED
            assert "points at version 3, not at version 2: somebody has moved it meanwhile" in found.note
        assert registry(world).serving().version == other

    def test_an_alias_that_is_gone_is_not_set_anew(self, world):
        former, latter = world.register(), world.register()
        found = trigger(world).fire(back(latter, former))
        assert found.state is RetrainState.REFUSED
        assert "is gone" in found.note
        assert registry(world).serving() is None

    def test_a_target_that_does_not_exist_is_refused(self, world):
        world.point(world.register())
        found = trigger(world).fire(back("1", "99"))
        assert found.state is RetrainState.REFUSED
        assert "no version 99" in found.note

    def test_looking_it_up_says_whether_it_has_moved(self, world):
        former, latter = world.register(), world.register()
        world.point(latter)
        assert trigger(world).find(back(latter, former)) is None
        world.point(former)
        assert trigger(world).find(back(latter, former)).state is RetrainState.SUCCEEDED

    def test_a_dry_run_moves_nothing(self, world):
        former, latter = world.register(), world.register()
        world.point(latter)
        fired = trigger(world).fire(back(latter, former), dry_run=True)
        assert fired.state is RetrainState.PROPOSED
        assert "from version 2 to 1" in fired.note
        assert registry(world).serving().version == latter

    def test_the_triggers_probe_says_where_the_alias_is(self, world):
        world.point(world.register())
        assert trigger(world).probe() == f"alias champion of {world.name} in MLflow at http://127.0.0.1, now version 1"

    def test_a_refused_sign_in_is_a_mistake_with_what_to_do(self, world):
        world.register()
        for probe in (registry(world, **world.wrong).probe, trigger(world, **world.wrong).probe):
            with pytest.raises(UserError, match=r"HTTP 401.*compare token, or username and password") as raised:
                probe()
            assert "a-wrong" not in str(raised.value)

    def test_an_address_that_is_no_mlflow_is_named_as_the_mistake(self, world):
        with pytest.raises(UserError, match="compare url with MLflow's address"):
            registry(world, url=f"{world.options['url']}/other").serving()

    def test_a_server_that_is_away_is_asked_again(self, world):
        away = {"url": "http://127.0.0.1:9"}
        with pytest.raises(UnavailableError):
            registry(world, **away).serving()
        fired = trigger(world, **away).fire(back("2", "1"))
        assert (fired.state, fired.retry_after) == (RetrainState.REQUESTED, 60.0)


class served:  # noqa: N801 - reads as a verb
    """A folder on the web, on this machine."""

    def __init__(self, folder: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)
