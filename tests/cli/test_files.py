"""`labcoat import` and `labcoat export`: what is stored, what is written, and what is refused with a sentence."""

import csv
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import openpyxl
import pytest

from builders import DAY, E7, NOW, WORKSPACE, a_goal, a_guardrail, a_typed_plan
from labcoat.cli import app as cli
from labcoat.db import looks, workspaces
from labcoat.db.database import Database
from labcoat.db.tables import schema
from labcoat.domain.exporting import SHEETS
from labcoat.usecases.experiments import uploads
from usecases.storing import started

TABLE = "variant,n,orders per user,refunds\ncontrol,1000,100,10\ntreatment,1000,140,9\n"


@pytest.fixture
def database(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database of the command line, with an experiment that takes totals."""
    shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
    url = f"sqlite:///{tmp_path / 'labcoat.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    database = Database(url)
    with database.writing() as tx:
        workspaces.add_once(tx, schema.workspaces, {"id": WORKSPACE})
        started(tx, a_typed_plan(a_goal(), a_guardrail()), since=NOW - 300 * DAY)
    database.dispose()
    return database


def imports(folder: Path, text: str, *more: str) -> int:
    path = folder / "totals.csv"
    path.write_text(text)
    return cli.main(["import", "E-7", str(path), "--as-of", "2026-06-01T12:00", *more])


def test_totals_of_a_file_are_looked_at_as_typed_ones_are(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imports(tmp_path, TABLE) == 0

    assert capsys.readouterr().out == (
        "totals.csv: 2 rows, one per variant.\nStored for E-7: orders per user, refunds.\n"
    )
    with database.reading() as tx:
        look = looks.newest(tx, WORKSPACE, E7)
    database.dispose()
    assert look is not None
    assert look.sample.exposed == (1000, 1000)
    assert set(look.sample.moments) == {"orders per user", "refunds"}


def test_a_workbook_gives_the_same_totals(database: Database, tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in TABLE.splitlines():
        workbook.active.append([int(cell) if cell.isdigit() else cell for cell in row.split(",")])
    workbook.save(tmp_path / "totals.xlsx")

    assert cli.main(["import", "E-7", str(tmp_path / "totals.xlsx"), "--as-of", "2026-06-01T12:00"]) == 0
    with database.reading() as tx:
        look = looks.newest(tx, WORKSPACE, E7)
    database.dispose()
    assert look is not None
    assert look.sample.exposed == (1000, 1000)
    assert [one.mean for one in look.sample.moments["orders per user"]] == [0.1, 0.14]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["E-9", "totals.csv"], "There is no E-9 here"),
        (["seven", "totals.csv"], "There is no seven here"),
        (["E-7", "none.csv"], "none.csv: No such file"),
        (["E-7", "totals.csv", "--metric", "clicks"], "“clicks” is no metric of the plan"),
        (["E-7", "totals.csv", "--as-of", "yesterday"], "--as-of can't be read: yesterday"),
        (["E-7", "totals.csv", "--as-of", "2099-01-01"], "That is still to come"),
        (["E-7", "totals.csv", "--workspace", "T9"], "No workspace T9"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "totals.csv").write_text(TABLE)

    assert cli.main(["import", *arguments]) == 1
    assert said in capsys.readouterr().err


def test_two_columns_that_fit_are_refused_until_one_is_named(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = "variant,visitors,total,events\ncontrol,1000,5200,100\ntreatment,1010,5600,131\n"

    assert imports(tmp_path, table) == 1
    assert "`--column n=visitors` or `--column n=total`" in capsys.readouterr().err
    assert imports(tmp_path, table, "--column", "n=visitors") == 1
    assert "say `--column successes=events`" in capsys.readouterr().err
    assert imports(tmp_path, table, "--column", "n=visitors", "--column", "successes=events") == 0
    assert capsys.readouterr().out == (
        "totals.csv: 2 rows, one per variant, n = `visitors`, orders per user = `events`.\n"
        "Stored for E-7: orders per user.\n"
    )


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("units=visitors", "--column units=visitors can't be read. Write ROLE=COLUMN, with a role of variant, n,"),
        ("n", "--column n can't be read"),
        ("n=people", "There is no column people; its columns are variant, n, orders per user, refunds."),
    ],
)
def test_a_column_that_is_none_is_refused(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, said: str
) -> None:
    assert imports(tmp_path, TABLE, "--column", column) == 1
    assert said in capsys.readouterr().err


def test_a_file_that_takes_too_long_is_told_what_to_do(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(uploads, "SECONDS", 0.001)
    rows = "".join(f"{unit},{('control', 'treatment')[unit % 2]},1\n" for unit in range(200_000))

    assert imports(tmp_path, f"id,variant,orders per user\n{rows}") == 1
    assert "Sum it up before: a row for each variant" in capsys.readouterr().err


def test_smaller_totals_need_to_be_meant(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imports(tmp_path, TABLE)

    assert imports(tmp_path, TABLE.replace("1000", "900")) == 1
    assert "Totals only grow" in capsys.readouterr().err
    assert imports(tmp_path, TABLE.replace("1000", "900"), "--correct") == 0


def test_totals_are_corrected_since_when_they_were_wrong(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imports(tmp_path, TABLE)
    imports(tmp_path, TABLE)
    assert "already stored; nothing changed" in capsys.readouterr().out
    fewer = TABLE.replace("140", "120")

    assert imports(tmp_path, fewer, "--wrong-since", "2026-05-01T00:00") == 1
    assert "so it needs --correct" in capsys.readouterr().err
    assert imports(tmp_path, fewer, "--correct", "--wrong-since", "2026-05-01T00:00") == 0

    with database.reading() as tx:
        entries = looks.newest_entries(tx, WORKSPACE, E7)
    assert {name: entry.wrong_since for name, entry in entries.items()} == {
        "orders per user": datetime(2026, 5, 1, tzinfo=UTC),
        "refunds": None,
    }


def test_an_export_has_every_sheet_with_its_columns(database: Database, tmp_path: Path) -> None:
    imports(tmp_path, TABLE)

    assert cli.main(["export", "--out", str(tmp_path / "out")]) == 0
    assert cli.main(["export", "--format", "parquet", "--out", str(tmp_path / "out")]) == 0

    for sheet, columns in SHEETS.items():
        with (tmp_path / "out" / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        with duckdb.connect() as connection:
            parquet = f"'{tmp_path / 'out' / sheet}.parquet'"
            names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {parquet}").fetchall()]
            counted = connection.execute(f"SELECT COUNT(*) FROM {parquet}").fetchone()
        assert rows[0] == names == [name for name, _ in columns]
        assert counted == (len(rows) - 1,)
        assert len(rows) > 1
