"""Files as tables of a source: types that lose nothing, text that is read where a metric needs it, many as one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest

from labcoat.cli import app as cli
from labcoat.warehouse.engines import duckdb as duckdb_source
from labcoat.warehouse.engines import engine
from labcoat.warehouse.engines.duckdb import OpenTables
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.sources import DuckDbSource


@contextmanager
def opened(folder: Path, text: str, *, name: str = "given.csv") -> Iterator[OpenTables]:
    (folder / name).write_text(text, encoding="utf-8")
    source = DuckDbSource(engine="duckdb", tables={"given": folder / name})
    with duckdb_source.opened(source, name="shop", tables={"given"}, seconds=30) as found:
        yield found


@pytest.mark.parametrize(
    ("cells", "type_", "values"),
    [
        (("1", "-20", ""), "BIGINT", ("1", "-20", None)),
        (("007", "12"), "VARCHAR", ("007", "12")),
        (("12345678901234567890", "1"), "VARCHAR", ("12345678901234567890", "1")),
        (("1.5", "2", "1e3"), "DOUBLE", ("1.5", "2.0", "1000.0")),
        (("0.5", ".25", "-3."), "DOUBLE", ("0.5", "0.25", "-3.0")),
        (("1.5", "00.5"), "VARCHAR", ("1.5", "00.5")),
        (("1.5", "n/a"), "VARCHAR", ("1.5", "n/a")),
        (("nan", "1"), "VARCHAR", ("nan", "1")),
        (("1_000", "2"), "VARCHAR", ("1_000", "2")),
        (("1.1", "1.10"), "VARCHAR", ("1.1", "1.10")),
        (("7", "7.0"), "VARCHAR", ("7", "7.0")),
        (("0.5", ".5"), "VARCHAR", ("0.5", ".5")),
        (("5.", "5"), "VARCHAR", ("5.", "5")),
        (("1e1", "10"), "VARCHAR", ("1e1", "10")),
        (("0.12345678901234563", "0.12345678901234564"), "VARCHAR", ("0.12345678901234563", "0.12345678901234564")),
        (("0.30000000000000004", "0.3"), "DOUBLE", ("0.30000000000000004", "0.3")),
        (("1.50", "2.25", "1.50", " 1.50"), "DOUBLE", ("1.5", "2.25", "1.5", "1.5")),
        (("1.5", "2.0", "12"), "DOUBLE", ("1.5", "2.0", "12.0")),
        (("$9.99", "$12.99"), "VARCHAR", ("$9.99", "$12.99")),
        (("5 %", "10 %"), "VARCHAR", ("5 %", "10 %")),
        (("true", "FALSE"), "BOOLEAN", ("true", "false")),
        (("yes", "no"), "VARCHAR", ("yes", "no")),
        (("2026-11-05", "2026-12-31"), "DATE", ("2026-11-05", "2026-12-31")),
        (
            ("2026-11-05 09:30", "2026-11-05T09:30:00.25"),
            "TIMESTAMP",
            ("2026-11-05 09:30:00", "2026-11-05 09:30:00.25"),
        ),
        (
            ("2026-11-05 09:30:00Z", "2026-11-05 09:30:00+02:00"),
            "TIMESTAMP WITH TIME ZONE",
            ("2026-11-05 09:30:00+00", "2026-11-05 07:30:00+00"),
        ),
        (("2026-11-05", "2026-11-05 09:30"), "VARCHAR", ("2026-11-05", "2026-11-05 09:30")),
        (("05/11/2026", "25/11/2026"), "VARCHAR", ("05/11/2026", "25/11/2026")),
        (("2026-02-30", "2026-02-28"), "VARCHAR", ("2026-02-30", "2026-02-28")),
        (("", ""), "VARCHAR", (None, None)),
    ],
)
def test_a_column_has_a_type_only_where_no_cell_loses_anything(
    tmp_path: Path, cells: Sequence[str], type_: str, values: Sequence[str | None]
) -> None:
    lines = "".join(f"{place},{cell}\n" for place, cell in enumerate(cells))

    with opened(tmp_path, f"place,cell\n{lines}") as source:
        assert source.columns("SELECT cell FROM given")[0].type_name == type_
        found = tuple(value for (value,) in source.rows("SELECT CAST(cell AS TEXT) FROM given ORDER BY place"))

    assert found == values


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        (("1,1", "1,10"), "VARCHAR"),
        (("1.234,5", "1234,5"), "VARCHAR"),
        (("1,5", "2,25"), "DOUBLE"),
        (("1.234,50", "2,25"), "DOUBLE"),
    ],
)
def test_cells_that_are_one_number_stay_apart_in_every_style(tmp_path: Path, cells: Sequence[str], type_: str) -> None:
    with opened(tmp_path, "place;cell\n" + "".join(f"{place};{cell}\n" for place, cell in enumerate(cells))) as source:
        assert source.columns("SELECT cell FROM given")[0].type_name == type_
        assert source.rows("SELECT COUNT(DISTINCT cell) FROM given") == [(2,)]


def test_one_cell_far_down_keeps_a_column_text(tmp_path: Path) -> None:
    lines = "".join(f"{n},{n}\n" for n in range(1, 30_000))

    with opened(tmp_path, f"id,code\n{lines}30000,007\n") as source:
        assert [column.type_name for column in source.columns("SELECT * FROM given")] == ["BIGINT", "VARCHAR"]
        assert source.rows("SELECT code FROM given WHERE id = 30000") == [("007",)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("id;amount\n1;1.234,50\n2;7\n", [1234.5, 7.0]),
        ("id;amount;share\n1;1.234;0,5\n2;2.500;0,75\n", [1234.0, 2500.0]),
        ('id,amount\n1,"1,234"\n2,"12,345.5"\n', [1234.0, 12345.5]),
        ("id,amount\n1,1.234\n2,2.500\n", [1.234, 2.5]),
    ],
    ids=["a decimal comma", "told by another column", "grouped", "a point where commas separate"],
)
def test_numbers_of_one_style_are_numbers_in_sql(tmp_path: Path, text: str, values: Sequence[float]) -> None:
    with opened(tmp_path, text) as source:
        assert source.rows("SELECT amount FROM given ORDER BY id") == [(value,) for value in values]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("id,amount,amount,", ["id", "amount_1", "amount_2", "column3"]),
        ("amount,amount,amount_1", ["amount_2", "amount_3", "amount_1"]),
        ("Amount,amount,AMOUNT_1", ["Amount", "amount_2", "AMOUNT_1"]),
        (",,column0", ["column0_1", "column1", "column0"]),
    ],
)
def test_columns_of_one_name_get_numbers_and_none_is_taken_for_another(
    tmp_path: Path, header: str, names: Sequence[str]
) -> None:
    cells = [str(n) for n in range(len(names))]

    with opened(tmp_path, f"{header}\n{','.join(cells)}\n") as source:
        assert [column.name for column in source.columns("SELECT * FROM given")] == names
        assert source.rows("SELECT * FROM given") == [tuple(range(len(names)))]


def test_titles_blank_rows_and_totals_are_no_rows(tmp_path: Path) -> None:
    text = "Sales;;\n\nid;name;amount\n1;a;5\n;;\n2;b;6\nTotal;;11\n;;\n"

    with opened(tmp_path, text) as source:
        assert source.rows("SELECT id, name, amount FROM given") == [(1, "a", 5), (2, "b", 6)]
        assert source.loaded["given"].left_out == (
            "what stands above the names of the columns (“Sales”)",
            "the row of totals on line 7",
        )


def test_a_category_called_all_is_no_row_of_totals(tmp_path: Path) -> None:
    with opened(tmp_path, "kind,amount\nall,5\nnew,6\nall,7\n") as source:
        assert source.rows("SELECT SUM(amount) FROM given") == [(18,)]


METRICS = """
sources:
  shop: {engine: duckdb, tables: {users: users.csv, orders: orders.csv}}
exposures:
  users: {source: shop, table: users, unit: user_id}
metrics:
  revenue: {kind: mean, direction: up, table: orders, value: amount}
"""
USERS = "user_id,variant\n1,control\n2,new\n3,control\n4,new\n"


def checked(folder: Path, capsys: pytest.CaptureFixture[str], orders: str, *, metrics: str = METRICS) -> str:
    (folder / "users.csv").write_text(USERS)
    (folder / "orders.csv").write_text(orders)
    (folder / "metrics.yml").write_text(metrics)
    cli.main(["metrics", "check", str(folder / "metrics.yml")])
    said = capsys.readouterr()
    return said.out + said.err


@pytest.mark.parametrize(
    ("amounts", "mean"),
    [
        (("€ 10,50", "€ 1.020,00", "€ 3,25", "€ 0,25"), 258.5),
        (("10 %", "20 %", "5 %", "1,5 %"), 0.09125),
        (("(5)", "10", "$7", "8"), 5.0),
    ],
)
def test_marks_around_numbers_are_read_where_a_metric_needs_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], amounts: Sequence[str], mean: float
) -> None:
    orders = "user_id;amount\n" + "".join(f"{n};{cell}\n" for n, cell in enumerate(amounts, 1))

    said = checked(tmp_path, capsys, orders)

    assert f"{mean:.4g}" in said.replace(",", "")


@pytest.mark.parametrize(
    ("orders", "wrong"),
    [
        (
            "user_id;amount\n1;€ 1.234\n2;€ 2.500\n",
            "Metric revenue: orders.csv: a number of amount on line 2 can be read as thousands or as decimals",
        ),
        (
            "user_id;amount\n1;$ 1,5\n2;$ 0.5\n",
            "some numbers of amount have a decimal point, others a decimal comma: see line 3 and line 2",
        ),
        ("user_id,amount\n1,$5\n2,€5\n", "there is more than one currency in amount"),
        (
            "user_id,amount\n1,5%\n2,5\n",
            "some numbers of amount have a percent sign, others none: see line 2 and line 3",
        ),
    ],
)
def test_numbers_that_can_be_read_two_ways_are_refused_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], orders: str, wrong: str
) -> None:
    said = checked(tmp_path, capsys, orders)

    assert wrong in said
    assert "metrics.yml, line 7" in said


def test_text_that_a_select_gives_is_read_as_its_rows_prove(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = METRICS.replace("table: orders, value", "sql: 'SELECT user_id, amount FROM orders', value")

    assert "1.5" in checked(tmp_path, capsys, "user_id;amount\n1;€ 1,5\n2;€ 4,50\n", metrics=sql)
    assert "a number of amount can be read as thousands or as decimals" in checked(
        tmp_path, capsys, "user_id;amount\n1;€ 1.234\n2;€ 2.500\n", metrics=sql
    )


def test_what_is_left_out_of_a_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = checked(tmp_path, capsys, "Orders of May\n\nuser_id;amount\n1;5\n2;7\nTotal;12\n")

    assert "Source shop: ignored what stands above the names of the columns (“Orders of May”) (orders.csv)." in said
    assert "Source shop: ignored the row of totals on line 6 (orders.csv)." in said


def test_a_file_without_rows_yet_has_no_wrong_types(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = checked(tmp_path, capsys, "user_id,amount\n")

    assert "revenue: no rows in the days that are read, so every unit has 0." in said
    assert "No errors." in said


def test_a_midnight_among_the_times_of_a_workbook_is_a_time(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in (
        ("ordered_at", "delivered"),
        (datetime(2026, 11, 5, 9, 30), date(2026, 11, 6)),  # noqa: DTZ001 - a workbook has no zones
        (datetime(2026, 11, 6), date(2026, 11, 7)),  # noqa: DTZ001
    ):
        page.append(row)
    book.save(tmp_path / "orders.xlsx")
    source = DuckDbSource(engine="duckdb", tables={"given": tmp_path / "orders.xlsx"})

    with engine.opened(source, name="shop", tables={"given"}) as found:
        assert [column.type_name for column in found.columns("SELECT * FROM given")] == ["TIMESTAMP", "DATE"]
        assert found.rows("SELECT CAST(ordered_at AS TEXT) FROM given") == [
            ("2026-11-05 09:30:00",),
            ("2026-11-06 00:00:00",),
        ]


def parquet(path: Path, select: str, *, how: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet{how})")


def days(folder: Path) -> None:
    for day in (1, 2, 3):
        parquet(folder / f"day={day}" / "part.parquet", f"SELECT {day} AS n")
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "part.parquet").write_bytes(b"half of a file")


@pytest.mark.parametrize(
    ("entry", "total"),
    [
        (("flat",), 30),
        (("flat/*.parquet",), 30),
        (("flat/one.parquet", "flat/two.parquet"), 30),
        (("flat/t*.parquet",), 20),
        (("hive",), 6),
        (("hive/*/*.parquet",), 6),
        (("hive/day=1", "hive/day=3"), 4),
    ],
)
def test_many_parquet_files_are_one_table(tmp_path: Path, entry: Sequence[str], total: int) -> None:
    parquet(tmp_path / "flat" / "one.parquet", "SELECT 10 AS n")
    parquet(tmp_path / "flat" / "two.parquet", "SELECT 20 AS n, 'late' AS added")
    days(tmp_path / "hive")
    entries = tuple(tmp_path / one for one in entry)
    source = DuckDbSource(engine="duckdb", tables={"given": entries})

    with engine.opened(source, name="shop", tables={"given"}) as found:
        assert found.rows("SELECT SUM(n) FROM given") == [(total,)]


@pytest.mark.parametrize(
    "entry",
    [("flat", "flat"), ("flat/one.parquet", "flat/*.parquet"), ("flat/../flat/one.parquet", "flat"), ("links",)],
)
def test_a_file_that_is_listed_twice_is_read_once(tmp_path: Path, entry: Sequence[str]) -> None:
    parquet(tmp_path / "flat" / "one.parquet", "SELECT 10 AS n")
    (tmp_path / "links").mkdir()
    for name in ("one", "same"):
        (tmp_path / "links" / f"{name}.parquet").symlink_to(tmp_path / "flat" / "one.parquet")
    source = DuckDbSource(engine="duckdb", tables={"given": tuple(tmp_path / one for one in entry)})

    with engine.opened(source, name="shop", tables={"given"}) as found:
        assert found.rows("SELECT SUM(n) FROM given") == [(10,)]


@pytest.mark.parametrize("entry", ["flat", "flat/*.parquet", "flat/*.PARQUET", "."])
def test_a_capital_suffix_hides_no_file(tmp_path: Path, entry: str) -> None:
    parquet(tmp_path / "flat" / "one.parquet", "SELECT 10 AS n")
    parquet(tmp_path / "flat" / "TWO.PARQUET", "SELECT 20 AS n")
    parquet(tmp_path / "flat" / "three.Parquet", "SELECT 30 AS n")
    source = DuckDbSource(engine="duckdb", tables={"given": tmp_path / entry})

    with engine.opened(source, name="shop", tables={"given"}) as found:
        assert found.rows("SELECT SUM(n) FROM given") == [(60,)]


def test_the_days_of_folders_are_a_column(tmp_path: Path) -> None:
    days(tmp_path)
    source = DuckDbSource(engine="duckdb", tables={"given": tmp_path})

    with engine.opened(source, name="shop", tables={"given"}) as found:
        assert found.rows("SELECT n FROM given WHERE day = 2") == [(2,)]


def test_a_folder_without_files_says_so_and_may_get_some(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    source = DuckDbSource(engine="duckdb", tables={"given": tmp_path / "empty"})

    with (
        pytest.raises(SourceError, match="There is no Parquet file in empty, the table given") as caught,
        engine.opened(source, name="shop", tables={"given"}),
    ):
        pass

    assert not caught.value.permanent


@pytest.mark.parametrize("tables", [("flat/*.parquet",), ("flat",)])
def test_a_file_that_appears_while_it_is_read_is_noticed(tmp_path: Path, tables: Sequence[str]) -> None:
    parquet(tmp_path / "flat" / "one.parquet", "SELECT 10 AS n")
    source = DuckDbSource(engine="duckdb", tables={"given": tuple(tmp_path / one for one in tables)})

    with (
        pytest.raises(SourceError, match="changed while it was read"),
        engine.opened(source, name="shop", tables={"given"}),
    ):
        parquet(tmp_path / "flat" / "two.parquet", "SELECT 20 AS n")


VIEWS: Mapping[str, str] = {
    "one": "read_parquet('{folder}/flat/one.parquet')",
    "every": "read_parquet('{folder}/flat/*.parquet')",
    "by_day": "read_parquet('{folder}/hive/*/part.parquet', hive_partitioning = true)",
}


@pytest.fixture
def views(tmp_path: Path) -> DuckDbSource:
    """Return a database of views over Parquet files, some of which are listed."""
    parquet(tmp_path / "flat" / "one.parquet", "SELECT 10 AS n")
    parquet(tmp_path / "flat" / "two.parquet", "SELECT 20 AS n")
    parquet(tmp_path / "other.parquet", "SELECT 30 AS n")
    for day in (1, 2):
        parquet(tmp_path / "hive" / f"day={day}" / "part.parquet", f"SELECT {day} AS n")
    (tmp_path / "users.csv").write_text("n\n1\n")
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        for name, select in VIEWS.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {select.format(folder=tmp_path)}")
        connection.execute(f"CREATE VIEW other AS SELECT * FROM read_parquet('{tmp_path}/other.parquet')")
        connection.execute(f"CREATE VIEW users AS SELECT * FROM read_csv('{tmp_path}/users.csv')")
    tables = {"flat": tmp_path / "flat", "hive": tmp_path / "hive", "typed": tmp_path / "users.csv"}
    return DuckDbSource(engine="duckdb", database=tmp_path / "shop.duckdb", tables=tables)


@pytest.mark.parametrize(("name", "total"), [("one", 10), ("every", 30), ("by_day", 3)])
def test_a_view_reads_files_that_are_listed(views: DuckDbSource, name: str, total: int) -> None:
    with engine.opened(views, name="shop", tables={name}) as found:
        assert found.rows(f"SELECT SUM(n) FROM {name}") == [(total,)]


@pytest.mark.parametrize(("name", "file"), [("other", "other.parquet"), ("users", "users.csv")])
def test_a_view_reads_no_other_file(views: DuckDbSource, name: str, file: str) -> None:
    with (
        engine.opened(views, name="shop", tables={name}) as found,
        pytest.raises(SourceError, match=f"The SQL reads {file}, which is no Parquet file of the source's `tables`"),
    ):
        found.rows(f"SELECT SUM(n) FROM {name}")
