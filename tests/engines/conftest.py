"""Engines whose drivers are extras; what a machine lacks fails here, and is never skipped."""

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines import clickhouse_http
from warehouse import shop

DRIVERS = ("pyspark", "grpc", "chdb", "google.cloud.bigquery", "snowflake.connector", "databricks.sql", "trino")
OLDEST_JAVA = 17


def pytest_sessionstart() -> None:
    """End before the first test where nothing could pass, and say what to install."""
    missing = [name for name in (*DRIVERS, "redshift_connector") if not _is_there(name)]
    if missing:
        pytest.exit(
            f"Missing: {', '.join(missing)}. `make test-engines` installs them from requirements-engines.lock.", 2
        )
    if (found := _java_version()) < OLDEST_JAVA:
        there = f"here is Java {found}" if found else "here is none"
        pytest.exit(
            f"Spark needs Java {OLDEST_JAVA} or later; {there}. On Debian: apt-get install default-jre-headless", 2
        )


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _java_version() -> int:
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin/java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(found[1]) if found else 0


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as a DuckDB database and as Parquet files."""
    folder = tmp_path_factory.mktemp("shop")
    shop.write_duckdb(folder)
    return folder


@pytest.fixture(scope="session")
def clickhouse_url(folder: Path) -> Iterator[str]:
    """The shop at an address that speaks ClickHouse's HTTP; user ana, password hush."""
    with clickhouse_http.serving(folder, user="ana", password="hush") as port:
        yield f"http://ana:hush@127.0.0.1:{port}/shop"


@pytest.fixture(scope="session")
def spark_connect_url(folder: Path) -> Iterator[str]:
    """The shop at a Spark Connect server of its own process."""
    home = Path(importlib.util.find_spec("pyspark").origin).parent  # type: ignore[union-attr,arg-type]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": 4,
        "spark.sql.warehouse.dir": folder / "spark",
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    command = ["bash", str(home / "sbin/start-connect-server.sh"), "--master", "local[2]", *options]
    environment = os.environ | {
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOG_DIR": str(folder),
    }
    with (folder / "spark.log").open("w") as log:
        # A session of its own: what is started is a shell, and Java its grandchild.
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait_for(port, server, log=folder / "spark.log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _wait_for(port: int, server: "subprocess.Popen[bytes]", *, log: Path) -> None:
    until = time.monotonic() + 300
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as attempt:
            attempt.settimeout(5)
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    pytest.fail(f"The Spark Connect server does not answer: {log.read_text()[-2000:]}")
