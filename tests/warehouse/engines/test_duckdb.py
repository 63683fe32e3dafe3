"""Files can be read and nothing else can be done."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from labcoat.warehouse.engines import duckdb as duckdb_source
from labcoat.warehouse.engines import duckdb_connection
from labcoat.warehouse.engines.duckdb import OpenTables
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import DuckDbSource


@contextmanager
def an_open_source(folder: Path, *, seconds: float = 30, memory_limit: str = "1GB") -> Iterator[OpenTables]:
    database, players = folder / "world.duckdb", folder / "players.csv"
    if not database.exists():
        with duckdb.connect(database) as writer:
            writer.execute("CREATE TABLE days AS SELECT 1 AS unit")
        players.write_text("unit,variant\n1,a\n2,b\n")
    source = DuckDbSource(engine="duckdb", database=database, tables={"players": players}, memory_limit=memory_limit)
    with duckdb_source.opened(source, name="game", tables={"players"}, seconds=seconds) as opened:
        yield opened


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_tables_of_both_kinds_are_found_by_name(tmp_path: Path) -> None:
    with an_open_source(tmp_path) as source:
        assert source.rows("SELECT unit FROM days UNION ALL SELECT unit FROM game.days") == [(1,), (1,)]
        assert source.rows("SELECT count(*) FROM players") == [(2,)]


@pytest.mark.parametrize(
    "text",
    [
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        # Without its temporary file DuckDB lets this one through where the file itself may be read.
        "COPY (SELECT 1) TO '{folder}/players.csv' (USE_TMP_FILE false)",
        "COPY (SELECT 1) TO '{folder}/world.duckdb' (USE_TMP_FILE false)",
        "EXPORT DATABASE '{folder}/out'",
        "ATTACH '{folder}/other.duckdb'",
        "ATTACH '{folder}/world.duckdb' AS again",
        "CREATE TABLE game.more AS SELECT 1",
        "CREATE TABLE memory.more AS SELECT 1",
        "INSERT INTO days VALUES (2)",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 8",
        "SET enable_external_access = true",
        "RESET lock_configuration",
        "SELECT 1; COPY (SELECT 1) TO '{folder}/out.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_csv('{folder}/players.csv')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_csv('https://example.com/a.csv')",
        "SELECT getenv('HOME')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{folder}/out.csv''')",
    ],
)
def test_the_engine_refuses_to_write_reach_out_or_unlock(tmp_path: Path, text: str) -> None:
    with an_open_source(tmp_path) as source:
        before = contents(tmp_path)

        with pytest.raises(SourceError):
            source.rows(text.format(folder=tmp_path))

        assert contents(tmp_path) == before


def test_a_message_of_the_engine_shows_no_folder(tmp_path: Path) -> None:
    with an_open_source(tmp_path) as source, pytest.raises(SourceError) as caught:
        source.rows(f"SELECT * FROM read_csv('{tmp_path}/players.csv')")

    assert "players.csv" in caught.value.message
    assert "/" not in caught.value.message


def test_a_message_of_the_engine_shows_no_value(tmp_path: Path) -> None:
    with an_open_source(tmp_path) as source, pytest.raises(SourceError) as caught:
        source.rows("SELECT CAST('ann@example.com' AS INT)")

    assert "Could not convert" in caught.value.message
    assert "ann@" not in caught.value.message


def test_a_statement_over_its_time_is_stopped_and_the_next_one_works(tmp_path: Path) -> None:
    with an_open_source(tmp_path, seconds=0.05) as source:
        with pytest.raises(SourceError, match=r"longer than 0\.05 seconds") as caught:
            source.rows("SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3")

        assert not caught.value.permanent
        assert source.rows("SELECT 1") == [(1,)]


def test_a_statement_over_its_memory_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb_connection, "SPILL_LIMIT", "1MB")

    with (
        an_open_source(tmp_path, memory_limit="20MB") as source,
        pytest.raises(SourceError, match="more memory than its source may have"),
    ):
        source.rows("SELECT count(*) FROM (SELECT DISTINCT i || repeat('a', 50) FROM range(5000000) t(i))")


def test_no_progress_bar_is_drawn_into_the_output(tmp_path: Path) -> None:
    with an_open_source(tmp_path) as source:
        assert source.rows("SELECT current_setting('enable_progress_bar')") == [(False,)]


def test_a_missing_file_may_come_back(tmp_path: Path) -> None:
    source = DuckDbSource(engine="duckdb", database=tmp_path / "gone.duckdb")

    with (
        pytest.raises(SourceError, match=r"gone\.duckdb is not there") as caught,
        duckdb_source.opened(source, name="game", tables=()),
    ):
        pass

    assert not caught.value.permanent
    assert str(tmp_path) not in caught.value.message


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "world.duckdb"
    path.write_text("hello " * 2000)

    with (
        pytest.raises(SourceError, match="not a valid DuckDB database") as caught,
        duckdb_source.opened(DuckDbSource(engine="duckdb", database=path), name="game", tables=()),
    ):
        pass

    assert caught.value.permanent
    assert str(tmp_path) not in caught.value.message


def test_a_writer_in_another_process_is_waited_for(tmp_path: Path) -> None:
    with an_open_source(tmp_path):
        pass
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path / "world.duckdb")]

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(SourceError, match="open for writing in another program") as caught:
            an_open_source(tmp_path).__enter__()
        writer.communicate()

    assert not caught.value.permanent
    with an_open_source(tmp_path) as source:
        assert source.rows("SELECT unit FROM days") == [(1,)]


def test_a_writer_in_this_process_is_waited_for(tmp_path: Path) -> None:
    with an_open_source(tmp_path):
        pass

    with (
        duckdb.connect(tmp_path / "world.duckdb"),
        pytest.raises(SourceError, match="open for writing") as caught,
        an_open_source(tmp_path),
    ):
        pass

    assert not caught.value.permanent


def test_what_spills_to_disk_is_gone_after_the_read(tmp_path: Path) -> None:
    with an_open_source(tmp_path) as source:
        rows = source.rows("SELECT current_setting('temp_directory')")

    assert not Path(str(rows[0][0])).exists()


def test_two_reads_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    with an_open_source(tmp_path) as one, an_open_source(tmp_path) as other:
        assert one.rows("SELECT unit FROM days") == other.rows("SELECT unit FROM days")


def test_rows_that_a_crashed_writer_left_in_its_log_are_seen(tmp_path: Path) -> None:
    with an_open_source(tmp_path):
        pass
    code = "import duckdb, os, sys; duckdb.connect(sys.argv[1]).execute('INSERT INTO days VALUES (2)'); os._exit(0)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "world.duckdb")], check=True)

    with an_open_source(tmp_path) as source:
        assert source.rows("SELECT count(*) FROM days") == [(2,)]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("unit,variant\n1,a\n2,b,9\n3,a\n", "line 3 has 3 values, and there are 2 names of columns"),
        ("unit,variant\n" + "1,a\n" * 30_000 + "2\n", "line 30,002 has 1 values, and there are 2 names of columns"),
        ('unit,variant\n1,"a\n2,b\n', "line 2 has a quotation mark that does not end"),
    ],
    ids=["a long line", "a late short line", "an open quote"],
)
def test_a_broken_csv_is_refused_with_its_line_and_not_guessed_at(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "players.csv"
    path.write_text(text)

    with (
        pytest.raises(SourceError, match=rf"players\.csv: {wrong}") as caught,
        duckdb_source.opened(DuckDbSource(engine="duckdb", tables={"players": path}), name="game", tables={"players"}),
    ):
        pass

    assert caught.value.permanent


def test_only_the_tables_asked_for_are_opened(tmp_path: Path) -> None:
    (tmp_path / "players.csv").write_text("unit\n1\n")
    tables = {"players": tmp_path / "players.csv", "other": tmp_path / "gone.csv"}

    with duckdb_source.opened(DuckDbSource(engine="duckdb", tables=tables), name="game", tables={"players"}) as source:
        assert source.rows("SELECT unit FROM players") == [(1,)]
