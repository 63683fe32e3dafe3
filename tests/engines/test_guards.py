"""Nothing is written, no file, host or program is reached, and no secret shows, whatever a text tries."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from labcoat.warehouse import roles
from labcoat.warehouse.engines import clickhouse as clickhouse_source
from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines import spark as spark_source
from labcoat.warehouse.engines.clickhouse import OpenClickHouse
from labcoat.warehouse.engines.spark import OpenSpark
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import ClickHouseSource, SparkSource

SPARK_TRIES = [
    "SELECT 1) UNION ALL (SELECT 2); SELECT (3",
    "CREATE TABLE more AS SELECT 1",
    "INSERT INTO orders SELECT 1",
    "SET spark.sql.runSQLOnFiles = true",
    "SELECT * FROM text.`/etc/passwd`",
    "ADD FILE '/etc/passwd'",
    "CACHE TABLE orders",
]
SPARK_TRIES_HERE = [
    "SELECT reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT `java_method`('java.lang.System', 'getenv', 'HOME')",
    "SELECT system.builtin.try_reflect('java.lang.System', 'getenv', 'HOME')",
    "SELECT IDENTIFIER('ref' || 'lect')('java.lang.System', 'getenv', 'HOME')",
    "SELECT 1 WHERE 'x' IN (SELECT reflect('java.lang.System', 'getenv', 'HOME'))",
    "SELECT (SELECT max(x) FROM (SELECT reflect('java.lang.System', 'getenv', 'HOME') AS x))",
    "SELECT TRANSFORM (1) USING 'cat /etc/hostname' AS (x)",
]
CLICKHOUSE_TRIES = [
    "SELECT 1; SELECT 2",
    "SELECT 1) UNION ALL (SELECT 2); SELECT (3",
    "CREATE TABLE more (a Int8) ENGINE = Memory",
    "INSERT INTO orders SELECT 1",
    "SET readonly = 0",
    "SELECT 1 INTO OUTFILE '{folder}/out.csv'",
    "DROP TABLE orders",
    "SYSTEM FLUSH LOGS",
]
CLICKHOUSE_TRIES_HERE = [
    "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "SELECT file('/etc/hostname')",
    "SELECT 1 WHERE 'x' IN (SELECT * FROM `file`('/etc/hostname', 'LineAsString'))",
    "SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')",
    "SELECT * FROM executable('cat', 'LineAsString', 'x String')",
    "SELECT * FROM remote('127.0.0.1:9', system.one)",
    "SELECT * FROM orders AS o JOIN s3('http://127.0.0.1:9/a') AS p ON 1 = 1",
]


@contextmanager
def spark(folder: Path) -> Iterator[OpenSpark]:
    source = SparkSource(engine="spark", tables={"orders": folder / "orders.parquet"})
    with spark_source.opened(source, name="shop", tables={"orders"}, seconds=300) as opened:
        yield opened


@contextmanager
def clickhouse(folder: Path) -> Iterator[OpenClickHouse]:
    source = ClickHouseSource(engine="clickhouse", tables={"orders": folder / "orders.parquet"})
    with clickhouse_source.opened(source, name="shop", tables={"orders"}, seconds=60) as opened:
        yield opened


def contents(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "spark" not in path.name}


@pytest.mark.parametrize("text", [*SPARK_TRIES, *SPARK_TRIES_HERE])
def test_spark_on_this_machine_only_reads_its_tables(folder: Path, text: str) -> None:
    before = contents(folder)

    with spark(folder) as source:
        with pytest.raises(SourceError):
            source.rows(text)
        with pytest.raises(SourceError):
            source.columns(text)

    assert contents(folder) == before


@pytest.mark.parametrize("text", [*CLICKHOUSE_TRIES, *CLICKHOUSE_TRIES_HERE])
def test_clickhouse_in_this_process_only_reads_its_tables(folder: Path, text: str) -> None:
    before = contents(folder)

    with clickhouse(folder) as source:
        with pytest.raises(SourceError):
            source.rows(text.format(folder=folder))
        with pytest.raises(SourceError):
            source.columns(text.format(folder=folder))

    assert contents(folder) == before


@pytest.mark.parametrize("text", CLICKHOUSE_TRIES)
def test_a_clickhouse_server_is_asked_to_read_only(folder: Path, clickhouse_url: str, text: str) -> None:
    source = ClickHouseSource(engine="clickhouse", url=SecretStr(clickhouse_url))
    before = contents(folder)

    with clickhouse_source.opened(source, name="shop", tables=(), seconds=60) as opened, pytest.raises(SourceError):
        opened.rows(text.format(folder=folder))

    assert contents(folder) == before


def test_two_reads_at_once_do_not_disturb_each_other(folder: Path) -> None:
    with clickhouse(folder) as one, clickhouse(folder) as other:
        assert one.rows("SELECT count() FROM orders") == other.rows("SELECT count() FROM orders")
    with spark(folder) as first, spark(folder) as second:
        assert first.rows("SELECT count(*) FROM orders") == second.rows("SELECT count(*) FROM orders")


def test_nothing_of_a_read_stays_in_the_process(folder: Path) -> None:
    with clickhouse(folder):
        pass
    with clickhouse(folder) as source:
        names = [str(name) for (name,) in source.rows("SELECT name FROM system.databases")]
        assert len([name for name in names if name.startswith("labcoat_")]) == 1


WRONG_CLICKHOUSE = [
    "http://ana:hush-hush@127.0.0.1:{port}/shop",
    "http://ana:hush-hush@127.0.0.1:1/shop",
    "http://ana:hush-hush@127.0.0.1:no-port/shop",
    "http://ana:hush-hush@[::1/shop",
    "clickhouse://ana:hush-hush@127.0.0.1/shop",
    "hush-hush",
]
WRONG_SPARK = [
    "sc://127.0.0.1:1/;token=hush-hush",
    "http://hush-hush",
    "hush-hush",
    "sc://127.0.0.1:x/;token=hush-hush",
]


@pytest.mark.parametrize("url", WRONG_CLICKHOUSE)
def test_a_wrong_address_of_clickhouse_is_not_shown(
    clickhouse_url: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    port = clickhouse_url.rpartition(":")[2].partition("/")[0]
    source = ClickHouseSource(engine="clickhouse", url=SecretStr(url.format(port=port)))

    shows_no_secret(source, caplog)


@pytest.mark.parametrize("url", WRONG_SPARK)
def test_a_wrong_address_of_spark_is_not_shown(url: str, caplog: pytest.LogCaptureFixture) -> None:
    shows_no_secret(SparkSource(engine="spark", url=SecretStr(url), time_limit_seconds=5.0), caplog)


def shows_no_secret(source: ClickHouseSource | SparkSource, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with (
        pytest.raises(SourceError, match="can't be reached") as caught,
        engine.opened(source, name="shop", tables=()) as opened,
    ):
        opened.rows("SELECT 1")

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert "hush-hush" not in caught.value.message + repr(source) + str(source) + caplog.text
    assert not caught.value.permanent


def test_what_a_user_of_clickhouse_can_do_beyond_reading_is_said(clickhouse_url: str) -> None:
    source = ClickHouseSource(engine="clickhouse", url=SecretStr(clickhouse_url))

    said = roles.ask(source, name="shop")

    assert said is not None
    assert "The role of shop can do more than read: it has the grants ALTER, ALTER NAMED COLLECTION, " in said


def test_clickhouse_in_this_process_has_no_role(folder: Path) -> None:
    source = ClickHouseSource(engine="clickhouse", tables={"orders": folder / "orders.parquet"})

    assert roles.ask(source, name="shop") is None
