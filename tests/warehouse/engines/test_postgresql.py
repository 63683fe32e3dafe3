"""PostgreSQL: the session only reads, whatever the role may do; what a role may reach is its grants."""

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

import postgres
from labcoat.warehouse.engines import postgresql
from labcoat.warehouse.engines.postgresql import OpenPostgresql
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import PostgresqlSource

SETUP = """
CREATE TABLE orders (amount float8);
INSERT INTO orders VALUES (1), (2);
CREATE TABLE salaries (amount float8);
CREATE SEQUENCE numbers;
CREATE TABLE calls (at int);
CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO calls VALUES (1) RETURNING 1';
CREATE FUNCTION runs(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE $1; RETURN 1; END $$;
GRANT SELECT ON orders TO reader;
"""
OWNER, READER = "postgres", "reader"


@pytest.fixture(scope="module")
def url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh_database(is_migrated=False) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS reader")
            connection.execute("CREATE ROLE reader LOGIN PASSWORD 'hush-hush'")
            connection.execute(SETUP.encode())
        yield url
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("DROP OWNED BY reader")
            connection.execute("DROP ROLE reader")


@contextmanager
def opened(url: str, *, role: str, seconds: float = 30) -> Iterator[OpenPostgresql]:
    mine = make_url(url).set(username=role).render_as_string(hide_password=False)
    source = PostgresqlSource(engine="postgresql", url=SecretStr(mine))
    with postgresql.opened(source, name="shop", tables=(), seconds=seconds) as source_:
        yield source_


def test_a_role_that_may_select_is_enough(url: str) -> None:
    with opened(url, role=READER) as source:
        assert source.rows("SELECT sum(amount) FROM orders") == [(3.0,)]
        assert "cost" in source.cost("SELECT sum(amount) FROM orders")


@pytest.mark.parametrize(
    "text",
    [
        "WITH gone AS (DELETE FROM orders RETURNING amount) SELECT * FROM gone",
        "SELECT amount INTO stolen FROM orders",
        "CREATE TABLE more AS SELECT 1",
        "SELECT writes()",
        "SELECT nextval('numbers')",
        "SELECT runs('DELETE FROM orders')",
        "SELECT runs('SET TRANSACTION READ WRITE'), writes()",
        "SELECT set_config('transaction_read_only', 'off', true), writes()",
        "SELECT set_config('default_transaction_read_only', 'off', false), writes()",
        "SELECT query_to_xml('DELETE FROM orders', true, true, '')",
        "SELECT amount FROM orders FOR UPDATE",
        "SELECT lo_create(7)",
        "COPY orders FROM '/dev/null'",
        "SELECT 1; DELETE FROM orders",
        "COMMIT; DELETE FROM orders",
        "SELECT runs('COMMIT')",
    ],
)
def test_even_an_owner_writes_nothing(url: str, text: str) -> None:
    with opened(url, role=OWNER) as source, pytest.raises(SourceError) as caught:
        source.rows(text)

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*), (SELECT count(*) FROM calls) FROM orders").fetchone() == (2, 0)
    assert caught.value.permanent


@pytest.mark.parametrize(
    "text",
    [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_read_binary_file('/etc/passwd')",
        "SELECT * FROM pg_ls_dir('/etc')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(7, '/tmp/labcoat-stolen')",
        "SELECT runs('COPY orders TO PROGRAM ''cat > /tmp/labcoat-stolen''')",
        "SELECT runs('COPY orders TO ''/tmp/labcoat-stolen''')",
        "SELECT * FROM salaries",
        "SELECT rolpassword FROM pg_authid",
        "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS found (one int)",
    ],
)
def test_a_reader_reaches_no_file_no_program_and_no_other_table(url: str, text: str) -> None:
    with opened(url, role=READER) as source, pytest.raises(SourceError) as caught:
        source.rows(text)

    assert "permission denied" in caught.value.message or "does not exist" in caught.value.message
    assert caught.value.permanent


def test_a_reader_cannot_buy_time(url: str) -> None:
    with opened(url, role=READER, seconds=0.2) as source, pytest.raises(SourceError) as caught:
        source.rows("SELECT set_config('statement_timeout', '0', false), pg_sleep(600)")

    assert "longer than 0.2 seconds" in caught.value.message
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "url_",
    [
        "postgresql://reader:hush-hush@127.0.0.1:1/shop",
        "postgresql://reader:hush-hush@no host/shop",
        "postgresql://reader:hush-hush@127.0.0.1:port/shop",
        "postgresql://reader:hush-hush@[::1/shop",
        "postgresql://reader:hush-hush@127.0.0.1:1/shop?no_such_option=1",
        "mysql://reader:hush-hush@127.0.0.1/shop",
        "hush-hush",
        "password=hush-hush host",
    ],
)
def test_a_wrong_address_is_not_shown(url_: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    source = PostgresqlSource(engine="postgresql", url=SecretStr(url_))

    with (
        pytest.raises(SourceError, match="can't be reached, or refuses the role") as caught,
        postgresql.opened(source, name="shop", tables=(), seconds=1),
    ):
        pass

    assert caught.value.__suppress_context__
    assert "hush-hush" not in caught.value.message + repr(source) + str(source) + caplog.text
    assert not caught.value.permanent


def test_a_role_that_is_not_there_is_refused_without_its_name_or_password(url: str) -> None:
    mine = make_url(url).set(username="nobody", password="hush-hush").render_as_string(hide_password=False)
    source = PostgresqlSource(engine="postgresql", url=SecretStr(mine))

    with (
        pytest.raises(SourceError, match="refuses the role") as caught,
        postgresql.opened(source, name="shop", tables=(), seconds=1),
    ):
        pass

    assert "nobody" not in caught.value.message
    assert "hush-hush" not in caught.value.message


def test_a_connection_that_ends_before_its_first_statement_is_told_as_unreachable() -> None:
    """A pooler does this: it takes the log-in, and has no database behind it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pooler = threading.Thread(target=_log_in_and_hang_up, args=(listener,))
        pooler.start()
        port = listener.getsockname()[1]

        with (
            pytest.raises(SourceError) as caught,
            opened(f"postgresql://x:hush-hush@127.0.0.1:{port}/shop?sslmode=disable", role=READER),
        ):
            pass
        pooler.join()

    assert caught.value.message.startswith("The database of shop can't be reached")
    assert not caught.value.permanent


def _log_in_and_hang_up(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I")  # you are in; ready
        connection.recv(4096)
