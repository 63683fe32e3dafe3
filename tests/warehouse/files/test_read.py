"""However a table is written it gives the same numbers, and what is wrong with it is said with its line."""

import gzip
import io
import random
import tracemalloc
import zipfile
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest

from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.files import read as reader
from labcoat.warehouse.files.units import Asked, Units, read_units

VALUE = (Asked(column=2, is_yes_or_no=False),)
SEEN = (Asked(column=2, is_yes_or_no=True),)
SECONDS = 60.0
ROWS = [("1", "größe", 1234.5), ("2", "b", 0.25), ("3", "größe", -7.0), ("4", "b", 1e-3), ("5", "b", 12.0)]


def read(
    folder: Path, content: bytes, name: str = "units.csv", *, metrics: Sequence[Asked] = VALUE, unit: int | None = 0
) -> Units:
    path = folder / "given"
    path.write_bytes(content)
    with reader.opened(path, name=name, seconds=SECONDS) as table:
        return read_units(table, variant=1, unit=unit, metrics=metrics)


def refused(
    folder: Path,
    content: bytes | str,
    name: str = "units.csv",
    *,
    metrics: Sequence[Asked] = VALUE,
    unit: int | None = 0,
) -> str:
    encoded = content.encode() if isinstance(content, str) else content
    with pytest.raises(SourceError) as raised:
        read(folder, encoded, name, metrics=metrics, unit=unit)
    assert raised.value.permanent
    return raised.value.message


def written(separator: str, *, comma: bool = False, groups: str = "") -> str:
    """Return ROWS as a table."""

    def number(value: float) -> str:
        whole, _, decimals = f"{value:,.3f}".partition(".")
        return whole.replace(",", groups) + ("," if comma else ".") + decimals

    lines = [separator.join((unit, variant, number(value))) for unit, variant, value in ROWS]
    return separator.join(("unit", "variant", "value")) + "\n" + "\n".join(lines) + "\n"


def parquet(folder: Path, select: str) -> bytes:
    path = folder / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


def values() -> str:
    return ", ".join(f"({unit}, '{variant}', {value})" for unit, variant, value in ROWS)


WRITTEN = {
    "commas": written(",").encode(),
    "byte order mark": written(",").encode("utf-8-sig"),
    "windows-1252": written(",").encode("cp1252"),
    "utf-16": written("\t").encode("utf-16"),
    "semicolons": written(";").encode(),
    "decimal commas": written(";", comma=True).encode(),
    "1.234,5": written(";", comma=True, groups=".").encode("cp1252"),
    "1 234,5": written(";", comma=True, groups="\u00a0").encode(),
    "1'234.5": written(",", groups="'").encode(),
    "tabs, decimal commas": written("\t", comma=True).encode(),
    "bars": written("|").encode(),
    "windows line ends": written(",").replace("\n", "\r\n").encode(),
    "old mac line ends": written(",").replace("\n", "\r").encode(),
    "quotes": (
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in written(",").splitlines())
    ).encode(),
    "blank rows": f"\n\n{written(';')}\n;;\n\n".encode(),
    "Excel's own first line": f"sep=;\n{written(';', comma=True)}".encode(),
    "blanks around": written(",").replace(",", " , ").encode(),
}


@pytest.fixture
def plain(tmp_path: Path) -> Units:
    return read(tmp_path, written(",").encode())


def test_a_long_cell_is_a_cell_and_lines_are_still_told(tmp_path: Path) -> None:
    content = f"u,v,x,notes\n1,a,1,{'z' * 140_000}\n2,b,n/a,\n".encode()

    # Python's csv stops at 131,072 characters by itself.
    assert "line 3 has “n/a”" in refused(tmp_path, content)


def test_a_line_that_is_too_long_is_named(tmp_path: Path) -> None:
    content = f"u,v,x,notes\n1,a,1,\n2,b,1,{'z' * 2_000_001}\n".encode()

    assert refused(tmp_path, content).startswith("Line 3 has more than 2 MB.")


@pytest.mark.parametrize("name", ["place", "PLACE"])
def test_a_file_s_own_column_place_numbers_no_rows(tmp_path: Path, name: str) -> None:
    content = parquet(tmp_path, f"SELECT *, 100 - u AS {name} FROM (VALUES (1, 'a', 1), (2, 'b', 2)) AS t(u, v, x)")

    found = read(tmp_path, content)

    assert found.first_seen == {"a": "row 1", "b": "row 2"}


@pytest.mark.parametrize("name", ["file_row_number", "Labcoat_Row_Number"])
def test_a_column_of_the_name_that_numbers_rows_is_refused(tmp_path: Path, name: str) -> None:
    content = parquet(tmp_path, f"SELECT 1 AS u, 'a' AS v, 1 AS x, 5 AS {name}")

    assert f"has a column {name}" in refused(tmp_path, content)


def test_the_numbers_are_what_python_computes(plain: Units) -> None:
    (moments,) = plain.moments

    assert moments["größe"].count == 2
    assert moments["größe"].mean == pytest.approx((1234.5 - 7) / 2)
    assert moments["größe"].variance == pytest.approx((1234.5 + 7) ** 2 / 2)
    assert plain.first_seen == {"größe": "line 2", "b": "line 3"}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_table_reads_the_same_however_it_is_written(tmp_path: Path, plain: Units, name: str) -> None:
    assert read(tmp_path, WRITTEN[name]).moments == plain.moments


@pytest.mark.parametrize("type_", ["DOUBLE", "DECIMAL(18, 4)", "VARCHAR"])
def test_parquet_reads_the_same_whatever_its_types(tmp_path: Path, plain: Units, type_: str) -> None:
    select = (
        f"SELECT unit, variant, CAST(value AS {type_}) AS value FROM (VALUES {values()}) AS t(unit, variant, value)"
    )

    found = read(tmp_path, parquet(tmp_path, select), "units.parquet")

    assert found.moments == plain.moments
    assert found.first_seen == {"größe": "row 1", "b": "row 2"}


def test_a_parquet_file_is_known_by_what_is_in_it(tmp_path: Path, plain: Units) -> None:
    select = f"SELECT * FROM (VALUES {values()}) AS t(unit, variant, value)"

    assert read(tmp_path, parquet(tmp_path, select), "units.csv").moments == plain.moments


def test_yes_and_no_are_one_and_nothing(tmp_path: Path) -> None:
    words = b"u,v,x\n1,a,True\n2,a,no\n3,b,YES\n4,b,0\n"
    flags = parquet(tmp_path, "SELECT * FROM (VALUES (1, 'a', true), (2, 'a', false), (3, 'b', true), (4, 'b', false))")

    for content in (words, flags):
        (moments,) = read(tmp_path, content, metrics=SEEN).moments
        assert [(one.mean, one.variance) for one in moments.values()] == [(0.5, 0.25)] * 2


def test_thousands_are_no_decimals(tmp_path: Path) -> None:
    (moments,) = read(tmp_path, b'u,v,x\n1,a,"1,234"\n2,b,"12,345"\n').moments

    assert [one.mean for one in moments.values()] == [1234, 12345]


BAD_VALUES = {
    "text": "oops",
    "nothing": "",
    "NULL": "NULL",
    "NaN": "NaN",
    "infinite": "-Infinity",
    "inf": "inf",
    "day": "2026-01-01",
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_what_is_no_number_is_told_with_its_line(tmp_path: Path, name: str) -> None:
    said = refused(tmp_path, f"u,v,x\n1,a,1\n2,b,{BAD_VALUES[name]}\n3,a,{BAD_VALUES[name]}\n")

    assert said.startswith("In x, line 3 has ")
    assert (BAD_VALUES[name] or "nothing") in said
    assert "Write a number" in said


@pytest.mark.parametrize("value", ["NULL", "'NaN'::DOUBLE", "'Infinity'::DOUBLE"])
def test_what_is_no_number_in_parquet_is_told_with_its_row(tmp_path: Path, value: str) -> None:
    select = f"SELECT * FROM (VALUES (1, 'a', 1.0::DOUBLE), (2, 'b', {value}), (3, 'a', 2.0)) AS t(u, v, x)"

    assert refused(tmp_path, parquet(tmp_path, select)).startswith("In x, row 2 has ")


def test_a_day_is_no_number(tmp_path: Path) -> None:
    select = "SELECT * FROM (VALUES (1, 'a', DATE '2026-01-01'), (2, 'b', DATE '2026-01-02')) AS t(u, v, x)"

    assert "x has the type date, and a metric needs numbers" in refused(tmp_path, parquet(tmp_path, select))


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "units.csv", "units.csv is empty."),
        (b"\n \n", "units.csv", "units.csv is empty."),
        (b"u,v,x\n", "units.csv", "no rows below its line of column names"),
        (
            zipped(),
            "units.xlsx",
            "is damaged and can't be read. In its program choose Save as, pick Excel workbook (.xlsx) or CSV",
        ),
        (b"\xd0\xcf\x11\xe0rest", "units.xls", "an Excel workbook"),
        (gzip.compress(b"u,v,x\n", mtime=0), "units.csv.gz", "is compressed. Unpack it"),
        (b"%PDF-1.7", "units.pdf", "is a PDF"),
        (b"\x89PNG\x00\x00", "units.csv", "no text file and no Parquet file"),
        (b"u,v,x\n1,a,1\n", "units.parquet", "is not a Parquet file, whatever its name says"),
        (b"PAR1 and then nothing", "units.parquet", "is cut off"),
        (b"PAR1" + b"x" * 100 + b"PAR1", "units.parquet", "can't be read to its end"),
        (b"x" * 200_000, "units.csv", "The first line of units.csv does not end"),
        (b"u,v,x\n1,a,1\n2,b\n3,a,1\n", "units.csv", "Line 3 has 2 values, and there are 3 names of columns"),
        (b"u,v,x\n1,a,1\n2,b,1,1\n", "units.csv", "Line 3 has 4 values, and there are 3 names of columns"),
        (b'u,v,x\n1,a,1\n2,b,"1\n', "units.csv", "Line 3 has a quotation mark that does not end"),
        (b"u,v,x\n1,a,1\n2, ,1\n3,,1\n", "units.csv", "There is no v on line 3, and 1 more"),
        (b"u,v,x\n1,a,1\n,b,1\n", "units.csv", "There is no u on line 3"),
        (b"u,v,x\n1,a,1\n2,b,1\n1,b,2\n", "units.csv", "A u is in two variants, on line 2 and line 4, more than"),
        (b'u,v,x\n1,a,"1,5"\n2,b,0.5\n', "units.csv", "see line 3 and line 2. Write them in one way"),
        (b"u;v;x\n1;a;1.234\n2;b;5\n", "units.csv", "line 2 can be read as thousands or as decimals"),
        (b"u;v;x\n1;a;1,234\n2;b;5\n", "units.csv", "line 2 can be read as thousands or as decimals"),
        ("u,v,x\n" + "".join(f"{n},{n},1\n" for n in range(30)), "units.csv", "v has more than 20 different values"),
        (",".join("abc" * 400) + "\n", "units.csv", "has 1,200 columns"),
    ],
)
def test_what_cannot_be_read_says_why_and_what_to_do(
    tmp_path: Path, content: bytes | str, name: str, said: str
) -> None:
    assert said in refused(tmp_path, content, name)


def test_a_line_is_counted_as_the_person_s_program_counts_it(tmp_path: Path) -> None:
    table = 'sep=,\n\nu,v,x\n1,a,1\n"2\n2",b,1\n\n3,a,oops\n'

    assert "line 8 has “oops”" in refused(tmp_path, table)


def test_what_is_yes_or_no_has_no_other_number(tmp_path: Path) -> None:
    assert "line 3 has “2”. Write 1 or 0" in refused(tmp_path, "u,v,x\n1,a,1\n2,b,2\n", metrics=SEEN)


def test_rows_of_a_unit_are_summed_up_and_counted_as_one(tmp_path: Path) -> None:
    found = read(tmp_path, b"u,v,x\n1,a,1\n2,b,1\n1,a,2\n3,a,5\n")

    assert (found.rows, found.is_summed) == (4, True)
    assert found.units == {"a": 2, "b": 1}
    assert (found.moments[0]["a"].mean, found.moments[0]["a"].variance) == (4, 2)


def test_a_variant_called_all_is_no_row_of_totals(tmp_path: Path) -> None:
    assert read(tmp_path, b"u,v,x\n1,none,1\n2,all,1\n3,none,2\n4,all,5\n").units == {"none": 2, "all": 2}


def test_yes_or_no_twice_for_a_unit_is_refused(tmp_path: Path) -> None:
    table = "u,v,x\n1,a,1\n2,b,1\n1,a,0\n"

    assert "A u is there twice, on line 2 and line 4. Sum up" in refused(tmp_path, table, metrics=SEEN)


def test_reading_that_takes_too_long_ends(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text("u,v,x\n" + "".join(f"{n},{'ab'[n % 2]},{n}\n" for n in range(200_000)))

    with (
        pytest.raises(SourceError) as raised,
        reader.opened(path, name="units.csv", seconds=0.001) as table,
    ):
        read_units(table, variant=1, unit=0, metrics=VALUE)
    assert not raised.value.permanent


def test_a_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    path, numbers = tmp_path / "units.csv", random.Random(7)
    with path.open("w") as file:
        file.write("u,v,x\n")
        file.writelines(f"{n},{'ab'[n % 2]},{numbers.random()}\n" for n in range(400_000))

    tracemalloc.start()
    with reader.opened(path, name="units.csv", seconds=SECONDS) as table:
        units = read_units(table, variant=1, unit=0, metrics=VALUE)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert units.moments[0]["a"].count == 200_000
    assert most < path.stat().st_size / 3
