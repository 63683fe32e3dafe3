"""A role that may do more than read is warned of, with the lines that make a better one; real roles of PostgreSQL.

The question of Redshift is run on PostgreSQL too, which has its `pg_user`; Snowflake's on DuckDB, which takes macros of
its functions' names. ClickHouse's answers are written as chdb 26.9 and the documentation write them; tests/engines asks
chdb.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

import postgres
from labcoat.warehouse import roles
from labcoat.warehouse.engines import duckdb as duckdb_source
from labcoat.warehouse.engines import postgresql
from labcoat.warehouse.engines.clickhouse import OpenClickHouse
from labcoat.warehouse.engines.engine import Engine
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import (
    ClickHouseSource,
    DuckDbSource,
    PostgresqlSource,
    RedshiftSource,
    SnowflakeSource,
    Source,
)

OPERATE = (Path(__file__).parents[2] / "docs/operate.md").read_text(encoding="utf-8")
HUSH = SecretStr("hush-hush")
POSTGRESQL = PostgresqlSource(engine="postgresql", url=HUSH)
REDSHIFT = RedshiftSource(engine="redshift", host="here", user="ana", password=HUSH, database="shop")
CLICKHOUSE = ClickHouseSource(engine="clickhouse", url=HUSH)
SNOWFLAKE = SnowflakeSource(
    engine="snowflake", account="acme", user="ana", password=HUSH, warehouse="small", database="dwh"
).model_copy(update={"db_schema": "shop"})  # else mypy and pydantic want it under two names

SETUP = """
CREATE SCHEMA shop;
CREATE TABLE shop.exposures (unit text);
CREATE TABLE shop.orders (unit text, amount float8);
CREATE VIEW shop.paid AS SELECT * FROM shop.orders;
CREATE ROLE role_writer; GRANT INSERT, UPDATE, DELETE ON shop.exposures, shop.orders TO role_writer;
CREATE ROLE role_boss SUPERUSER;
"""
# Each role, what is granted to it, and what it is told to do beyond reading.
TELLTALE = {
    "superuser": ("ALTER ROLE {role} SUPERUSER", "it is a superuser."),
    "of_boss": ("GRANT role_boss TO {role}", "it can become a superuser."),
    "roles": ("ALTER ROLE {role} CREATEROLE", "it can create roles."),
    "databases": ("ALTER ROLE {role} CREATEDB", "it can create databases."),
    "reads_files": ("GRANT pg_read_server_files TO {role}", "it can read files of the server."),
    "writes_files": ("GRANT pg_write_server_files TO {role}", "it can write files of the server."),
    "programs": ("GRANT pg_execute_server_program TO {role}", "it can run programs on the server."),
    "all_data": ("GRANT pg_write_all_data TO {role}", "it can change every table."),
    "inserts": ("GRANT INSERT ON shop.orders TO {role}", "it can change shop.orders."),
    "updates": ("GRANT UPDATE ON shop.orders TO {role}", "it can change shop.orders."),
    "updates_one": ("GRANT UPDATE (amount) ON shop.orders TO {role}", "it can change shop.orders."),
    "deletes": ("GRANT DELETE ON shop.orders TO {role}", "it can change shop.orders."),
    "truncates": ("GRANT TRUNCATE ON shop.orders TO {role}", "it can change shop.orders."),
    "by_view": ("GRANT DELETE ON shop.paid TO {role}", "it can change shop.paid."),
    "of_writer": ("GRANT role_writer TO {role}", "it can change shop.exposures and 1 more table."),
    "must_ask": ("ALTER ROLE {role} NOINHERIT; GRANT role_writer TO {role}", "shop.exposures and 1 more table."),
    "many": ("GRANT ALL ON ALL TABLES IN SCHEMA shop TO {role}", "it can change shop.exposures and 2 more tables."),
    "much": (
        "ALTER ROLE {role} CREATEROLE CREATEDB; GRANT pg_read_server_files TO {role}",
        "it can create roles, can create databases and can read files of the server.",
    ),
}
READS = {
    "nothing": "",
    "selects": "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO {role}",
    "reads_all": "GRANT pg_read_all_data, pg_monitor TO {role}",
}


@pytest.fixture(scope="module")
def url(postgres_server: postgres.Server) -> Iterator[str]:
    made = {**{name: grant for name, (grant, _) in TELLTALE.items()}, **READS}
    with postgres_server.fresh_database(is_migrated=False) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(SETUP.encode())
            for name, grant in made.items():
                role = f"role_{name}"
                connection.execute(f"CREATE ROLE {role} LOGIN; {grant.format(role=role)}".encode())
        yield url
        with psycopg.connect(url, autocommit=True) as connection:
            for role in [*(f"role_{name}" for name in made), "role_writer", "role_boss"]:
                connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


@contextmanager
def opened(url: str, *, role: str) -> Iterator[Engine]:
    mine = make_url(url).set(username=role).render_as_string(hide_password=False)
    source = PostgresqlSource(engine="postgresql", url=SecretStr(mine))
    with postgresql.opened(source, name="shop", tables=(), seconds=30) as opened:
        yield opened


def warned(url: str, *, role: str, source: Source = POSTGRESQL) -> str | None:
    with opened(url, role=role) as engine:
        return roles.warning(engine, source, name="shop")


@pytest.mark.parametrize("name", TELLTALE)
def test_what_a_role_of_postgresql_may_do_beyond_reading_is_said(url: str, name: str) -> None:
    said = warned(url, role=f"role_{name}")

    assert said is not None
    first, _, rest = said.partition(" Labcoat needs ")
    assert first.startswith("The role of shop can do more than read: it ")
    assert first.endswith(TELLTALE[name][1])
    assert rest.splitlines()[1:] == [f"  {line}" for line in roles.POSTGRESQL_LINES]


@pytest.mark.parametrize("name", READS)
def test_a_role_of_postgresql_that_only_reads_is_not_warned_of(url: str, name: str) -> None:
    assert warned(url, role=f"role_{name}") is None


def test_the_lines_that_are_told_make_a_role_that_is_not_warned_of(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("\n".join(roles.POSTGRESQL_LINES).encode())
    try:
        with opened(url, role="labcoat") as engine:
            assert engine.rows("SELECT count(*) FROM shop.orders") == [(0,)]
            assert roles.warning(engine, POSTGRESQL, name="shop") is None
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY labcoat; DROP ROLE labcoat")


def test_an_answered_question_leaves_the_engine_open_for_more(url: str) -> None:
    with opened(url, role="role_many") as engine:
        assert roles.warning(engine, POSTGRESQL, name="shop") is not None
        assert engine.rows("SELECT 1") == [(1,)]


@pytest.mark.parametrize("lines", [roles.POSTGRESQL_LINES, roles.REDSHIFT_LINES[:1], roles.CLICKHOUSE_LINES])
def test_the_lines_are_those_of_the_roles_table(lines: tuple[str, ...]) -> None:
    shown = re.findall(r"`([^`]*)`", "\n".join(line for line in OPERATE.splitlines() if line.startswith("| ")))

    assert any(" ".join(lines) in one for one in shown)


def test_a_superuser_of_redshift_is_warned_of_and_no_other_user(url: str) -> None:
    said = warned(url, role="role_superuser", source=REDSHIFT)

    assert said is not None
    assert "it is a superuser. " in said
    assert said.splitlines()[1:] == [f"  {line}" for line in roles.REDSHIFT_LINES]
    assert warned(url, role="role_many", source=REDSHIFT) is None


def granted(*lines: str, is_old: bool = False) -> str | None:
    """Return what is said of a user of ClickHouse of whom SHOW GRANTS answers these lines."""

    def ask(text: str) -> str:
        if is_old and "FINAL" in text:
            message = "The database says: Syntax error (SYNTAX_ERROR)"
            raise SourceError(message, permanent=True)
        assert text.startswith("SHOW GRANTS")
        return json.dumps({"meta": [{"name": "GRANTS", "type": "String"}], "data": [[line] for line in lines]})

    return roles.warning(OpenClickHouse(ask, is_here=False), CLICKHOUSE, name="shop")


READS_ONLY = (
    "GRANT SHOW TABLES, SELECT(unit, `the variant`), dictGet ON shop.* TO ana",
    "GRANT TABLE ENGINE ON * TO ana",
)
EVERYTHING = (
    "GRANT SOURCES ON *.* TO default",
    "GRANT SHOW, SELECT, INSERT, ALTER, CREATE, DROP ON *.* TO default WITH GRANT OPTION",
)


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("GRANT SELECT, INSERT(unit, amount) ON shop.orders TO ana",), "it has the grant INSERT. "),
        ((*READS_ONLY, "GRANT ALTER UPDATE, TRUNCATE ON shop.* TO ana"), "it has the grants ALTER UPDATE, TRUNCATE. "),
        (("GRANT READ ON S3 TO ana", "GRANT URL ON *.* TO ana"), "it has the grants READ ON S3, URL. "),
        (EVERYTHING, "it has the grants ALTER, CREATE, DROP and 2 more. "),
    ],
)
def test_grants_of_clickhouse_beyond_reading_are_said(lines: tuple[str, ...], said: str, *, is_old: bool) -> None:
    found = granted(*lines, is_old=is_old)

    assert found is not None
    assert said in found
    assert found.splitlines()[1:] == [f"  {line}" for line in roles.CLICKHOUSE_LINES]


@pytest.mark.parametrize(
    "lines",
    [
        READS_ONLY,
        (),
        ("GRANT USAGE ON *.* TO ana",),
        ("GRANT SELECT ON *.* TO ana", "REVOKE SELECT ON hr.* FROM ana"),
        ("GRANT SELECT ON *.* TO ana", "GRANT analyst TO `INSERT ON x`"),
    ],
)
def test_a_user_of_clickhouse_that_only_reads_is_not_warned_of(lines: tuple[str, ...]) -> None:
    assert granted(*lines) is None


@contextmanager
def answering(tmp_path: Path, **answers: str) -> Iterator[Engine]:
    """Open a DuckDB that has functions of these names."""
    path = tmp_path / "answering.duckdb"
    with duckdb.connect(str(path)) as connection:
        for function, answer in answers.items():
            connection.execute(f"CREATE MACRO {function}() AS '{answer}'")
    source = DuckDbSource(engine="duckdb", database=path)
    with duckdb_source.opened(source, name="shop", tables=(), seconds=30) as opened:
        yield opened


@pytest.mark.parametrize(
    ("role", "secondary", "said"),
    [
        ("ACCOUNTADMIN", '{"roles":"","value":""}', "it acts as ACCOUNTADMIN. "),
        ("SYSADMIN", "", "it acts as SYSADMIN. "),
        ("SECURITYADMIN", '{"roles":"ANALYST","value":"ALL"}', "it acts as SECURITYADMIN. "),
        ("ANALYST", '{"roles":"LOADER,SYSADMIN","value":"ALL"}', "it acts as SYSADMIN. "),
    ],
)
def test_an_admin_role_of_snowflake_is_warned_of(tmp_path: Path, role: str, secondary: str, said: str) -> None:
    with answering(tmp_path, current_role=role, current_secondary_roles=secondary) as engine:
        found = roles.warning(engine, SNOWFLAKE, name="shop")

    assert found is not None
    assert said in found
    assert "\n  GRANT SELECT ON ALL TABLES IN SCHEMA dwh.shop TO ROLE labcoat;\n" in found
    assert "\n  GRANT ROLE labcoat TO USER ana;\n" in found


def test_another_role_of_snowflake_is_not_warned_of(tmp_path: Path) -> None:
    secondary = '{"roles":"NOT_SYSADMIN","value":"ALL"}'
    with answering(tmp_path, current_role="MY_SYSADMIN", current_secondary_roles=secondary) as engine:
        assert roles.warning(engine, SNOWFLAKE, name="shop") is None


def test_a_question_that_is_refused_is_no_warning(url: str) -> None:
    assert warned(url, role="role_superuser", source=SNOWFLAKE) is None


def test_a_source_that_cannot_be_opened_is_no_warning() -> None:
    gone = SecretStr("postgresql://ana:hush-hush@127.0.0.1:1/shop")

    assert roles.ask(PostgresqlSource(engine="postgresql", url=gone), name="shop") is None


def test_what_runs_in_this_process_has_no_role(url: str, tmp_path: Path) -> None:
    tables = {"orders": tmp_path / "orders.parquet"}
    for source in (DuckDbSource(engine="duckdb", tables=tables), ClickHouseSource(engine="clickhouse", tables=tables)):
        assert warned(url, role="role_superuser", source=source) is None
