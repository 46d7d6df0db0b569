"""One log, kept in every kind of place that a source reads."""

import getpass
import itertools
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from chdb_server import ChdbServer
from log_places import Places


@pytest.fixture
def without_adbc(monkeypatch):
    """PostgreSQL is read as where no ADBC driver is installed."""
    monkeypatch.setattr("monitor.sources._sql.adbc.find_spec", lambda _: None)


def _place(request, folder):
    kind, _, how = request.param.partition(" by ")
    if how:
        request.getfixturevalue("without_adbc")
    return Places(kind, folder, request)


@pytest.fixture(params=["sqlite", "postgres", "postgres by cursor", "parquet", "csv"])
def place(request, tmp_path):
    return _place(request, tmp_path)


@pytest.fixture(params=["sqlite", "postgres", "postgres by cursor"])
def database(request, tmp_path):
    return _place(request, tmp_path)


@pytest.fixture
def every_place(request, tmp_path):
    places = []
    for kind in ("sqlite", "postgres", "parquet", "csv"):
        folder = tmp_path / kind
        folder.mkdir()
        places.append(Places(kind, folder, request))
    return places


@pytest.fixture
def sqlite(request, tmp_path):
    return Places("sqlite", tmp_path, request)


@pytest.fixture(scope="session")
def mariadb_socket():
    """A MariaDB server on a Unix socket, gone when the session ends; the way in, as SQLAlchemy has it."""
    server, install = (
        shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin"),
        shutil.which("mariadb-install-db"),
    )
    if server is None or install is None:
        pytest.skip("no mariadbd here")
    folder = Path(tempfile.mkdtemp(prefix="maria-"))  # short, since the path of a socket has at most 107 bytes
    user = f"--user={getpass.getuser()}"
    made = [install, "--no-defaults", f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal", user]
    subprocess.run(made, check=True, capture_output=True)
    words = [
        "--skip-networking",
        "--innodb-buffer-pool-size=256M",
        "--innodb-flush-log-at-trx-commit=0",
        "--character-set-server=utf8mb4",
    ]
    process = subprocess.Popen(
        [server, "--no-defaults", f"--datadir={folder / 'data'}", f"--socket={folder / 's'}", f"--pid-file={folder / 'pid'}", *words, user],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ends = time.monotonic() + 60
    while not (folder / "s").exists():
        assert process.poll() is None, "mariadbd ended"
        assert time.monotonic() < ends, "mariadbd does not answer"
        time.sleep(0.1)
    yield folder / "s"
    process.terminate()
    process.wait(30)
    shutil.rmtree(folder)


_numbers = itertools.count()


@pytest.fixture
def mariadb_url(mariadb_socket):
    """The SQLAlchemy URL of an empty MariaDB database of the test's own."""
    name, query = f"test_{next(_numbers)}", {"unix_socket": str(mariadb_socket), "charset": "utf8mb4"}
    engine = sa.create_engine(sa.URL.create("mysql+pymysql", "root", query=query))
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.URL.create("mysql+pymysql", "root", database=name, query=query).render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name}"))
    engine.dispose()


@pytest.fixture(scope="session")
def chdb_server(tmp_path_factory):
    """ClickHouse, in this process, behind its HTTP interface."""
    pytest.importorskip("chdb")
    pytest.importorskip("clickhouse_connect")
    server = ChdbServer(tmp_path_factory.mktemp("chdb"))
    yield server
    server.close()


@pytest.fixture
def clickhouse_url(chdb_server):
    """The SQLAlchemy URL of an empty ClickHouse database of the test's own."""
    name = f"test_{next(_numbers)}"
    chdb_server.run(f"CREATE DATABASE {name}", {})
    yield f"clickhousedb://default@127.0.0.1:{chdb_server.port}/{name}"
    chdb_server.run(f"DROP DATABASE {name}", {})
