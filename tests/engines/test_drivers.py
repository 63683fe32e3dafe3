"""What five drivers are called with exists, and a server that is not there is said without a secret.

No BigQuery, Snowflake, Databricks, Trino or Redshift can be run here: what they answer is not tried.
"""

import gc
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import fields

import pytest
import redshift_connector
import snowflake.connector
import trino
from databricks.sql.client import Connection as DatabricksConnection
from databricks.sql.client import Cursor as DatabricksCursor
from google.cloud import bigquery
from pydantic import SecretStr
from snowflake.connector.connection_config import ConnectionConfig
from snowflake.connector.cursor import SnowflakeCursor

from labcoat.warehouse.engines import databricks, engine, redshift
from labcoat.warehouse.engines import snowflake as snowflake_source
from labcoat.warehouse.engines import trino as trino_source
from labcoat.warehouse.engines.dbapi import Cursor, Driver
from labcoat.warehouse.engines.engine import ColumnType
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import BigQuerySource, DatabricksSource, RedshiftSource, Source, TrinoSource

HUSH = SecretStr("hush-hush")


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (bigquery.Client, ("project", "location")),
        (bigquery.Client.query, ("query", "job_config", "timeout", "job_retry")),
        (bigquery.QueryJob.result, ("timeout", "job_retry")),
        (bigquery.QueryJob.cancel, ("timeout",)),
        (
            redshift_connector.connect,
            ("host", "port", "user", "password", "database", "ssl", "timeout", "tcp_keepalive", "application_name"),
        ),
        (DatabricksConnection, ("server_hostname", "http_path", "access_token", "catalog", "schema")),
        (DatabricksConnection, ("session_configuration", "kwargs")),
        (trino.dbapi.Connection, ("host", "port", "user", "catalog", "schema", "http_scheme", "auth", "source")),
        (trino.dbapi.Connection, ("session_properties", "timezone", "request_timeout", "max_attempts")),
        (trino.auth.BasicAuthentication, ("username", "password")),
    ],
)
def test_a_driver_takes_what_we_give(call: Callable[..., object], names: tuple[str, ...]) -> None:
    known = inspect.signature(call).parameters

    assert [name for name in names if name not in known] == []


def test_snowflake_takes_what_we_give() -> None:
    known = {one.name for one in fields(ConnectionConfig)}

    asked = {"account", "user", "password", "warehouse", "database", "schema", "role", "login_timeout", "application"}
    assert asked | {"session_parameters"} <= known


def test_bigquery_has_the_settings_of_a_job() -> None:
    config = bigquery.QueryJobConfig(
        use_legacy_sql=False, dry_run=True, use_query_cache=False, maximum_bytes_billed=10, job_timeout_ms=1000
    )
    config.default_dataset = "project.dataset"

    sent = config.to_api_repr()
    assert sent["dryRun"] is True
    assert sent["query"]["maximumBytesBilled"] == "10"
    assert sent["jobTimeoutMs"] == "1000"
    assert {"schema", "statement_type", "total_bytes_processed"} <= set(dir(bigquery.QueryJob))


@pytest.mark.parametrize("cursor", [redshift_connector.Cursor, SnowflakeCursor, DatabricksCursor, trino.dbapi.Cursor])
def test_a_cursor_has_what_we_use(cursor: type) -> None:
    assert {name for name in vars(Cursor) if not name.startswith("_")} <= set(dir(cursor))


@pytest.mark.parametrize("cursor", [DatabricksCursor, trino.dbapi.Cursor])
def test_a_cursor_can_be_cancelled(cursor: type) -> None:
    assert "cancel" in dir(cursor)


def test_redshift_runs_a_text_with_a_percent_sign_as_it_is() -> None:
    text = "SELECT 1 WHERE 'a%' LIKE 'b%%' AND 3 % 2 = 1 -- 5 %"

    assert redshift_connector.core.convert_paramstyle("qmark", text)[0] == text


@pytest.mark.parametrize(
    ("driver", "code", "type_"),
    [
        (redshift.DRIVER, 701, ColumnType.NUMBER),
        (redshift.DRIVER, 1043, ColumnType.TEXT),
        (redshift.DRIVER, 1184, ColumnType.TIME),
        (redshift.DRIVER, 16, ColumnType.BOOLEAN),
        (redshift.DRIVER, 4000, ColumnType.OTHER),
        (snowflake_source.DRIVER, 0, ColumnType.NUMBER),
        (snowflake_source.DRIVER, 2, ColumnType.TEXT),
        (snowflake_source.DRIVER, 8, ColumnType.TIME),
        (snowflake_source.DRIVER, 12, ColumnType.OTHER),
        (snowflake_source.DRIVER, 13, ColumnType.BOOLEAN),
        (databricks.DRIVER, "decimal", ColumnType.NUMBER),
        (trino_source.DRIVER, "timestamp(3) with time zone", ColumnType.TIME),
        (trino_source.DRIVER, "varchar(20)", ColumnType.TEXT),
    ],
)
def test_types_are_told_from_the_driver_s_codes(driver: Driver, code: object, type_: ColumnType) -> None:
    assert engine.typed(driver.type_name(code), driver.types) is type_


def test_snowflake_numbers_its_types_as_we_do() -> None:
    known: Mapping[int, str] = snowflake.connector.constants.FIELD_ID_TO_NAME

    assert tuple(known[code] for code in range(len(snowflake_source.TYPE_NAMES))) == snowflake_source.TYPE_NAMES


def test_a_message_of_redshift_is_its_own_words_without_values() -> None:
    error = redshift_connector.ProgrammingError({"S": "ERROR", "C": "22P02", "M": "invalid input: 'ana@example.org'"})

    assert redshift.DRIVER.source_error(error).message == "The database says: invalid input: '...'"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of Databricks' half-made connection
@pytest.mark.parametrize(
    "source",
    [
        RedshiftSource(engine="redshift", host="127.0.0.1", port=1, user="ana", password=HUSH, database="shop"),
        DatabricksSource(engine="databricks", host="127.0.0.1:1", http_path="/sql", token=HUSH),
        TrinoSource(engine="trino", host="127.0.0.1", port=1, user="ana", password=HUSH, catalog="shop"),
    ],
    ids=lambda source: source.engine,
)
def test_a_server_that_is_not_there_is_said_without_a_secret(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    with (
        pytest.raises(SourceError, match="can't be reached") as caught,
        engine.opened(source, name="shop", tables=()),
    ):
        pass

    assert not caught.value.permanent
    assert caught.value.__suppress_context__
    assert "hush-hush" not in caught.value.message + repr(source) + str(source) + caplog.text
    del caught
    gc.collect()


def test_bigquery_without_credentials_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    source = BigQuerySource(engine="bigquery", project="shop")

    with (
        pytest.raises(SourceError, match="Check the machine's Google credentials") as caught,
        engine.opened(source, name="shop", tables=()),
    ):
        pass

    assert "nowhere" not in caught.value.message
