"""`labcoat backup` and `labcoat restore` on real files: whole or not at all, and nothing is overwritten unasked."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from labcoat.cli import app as cli
from labcoat.db import database_lock, migrating, workspaces
from labcoat.db.database import Database
from labcoat.domain.ids import UserId, WorkspaceId

WORKSPACE = WorkspaceId("T1")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the database is, or will be."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'labcoat.db'}")
    return tmp_path / "labcoat.db"


def write(path: Path, lead: str) -> Database:
    """Migrate a database if need be, and name a lead."""
    database = Database(f"sqlite:///{path}")
    migrating.migrate(database)
    with database.writing() as tx:
        workspaces.set_leads(tx, WORKSPACE, (UserId(lead),), from_settings=True)
    return database


def leads(path: Path) -> list[str]:
    database = Database(f"sqlite:///{path}")
    with database.reading() as tx:
        found = workspaces.leads(tx, WORKSPACE, from_settings=True)
    database.dispose()
    return list(found)


def test_a_backup_while_the_bot_runs_has_what_was_committed(place: Path, tmp_path: Path) -> None:
    running = write(place, "U1")
    backup = tmp_path / "backup.db"

    with running.writing() as tx:
        workspaces.set_leads(tx, WORKSPACE, (UserId("U2"),), from_settings=True)
        code = cli.main(["backup", str(backup)])  # in the midst of a transaction
    running.dispose()

    assert code == 0
    assert leads(backup) == ["U1"]
    assert leads(place) == ["U2"]
    assert [path.name for path in tmp_path.glob("*unfinished*")] == []


def test_no_backup_overwrites_a_file_unasked(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, "U1").dispose()
    backup = tmp_path / "backup.db"
    backup.write_text("precious")

    refused = cli.main(["backup", str(backup)])
    kept = backup.read_text()
    forced = cli.main(["backup", str(backup), "--force"])
    itself = cli.main(["backup", str(place), "--force"])

    said = capsys.readouterr().err
    assert (refused, kept, forced, itself) == (1, "precious", 0, 1)
    assert "replace it with --force" in said
    assert "is the database itself" in said


def test_a_restore_keeps_what_was_there(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(place, "U1").dispose()
    backup = tmp_path / "backup.db"
    cli.main(["backup", str(backup)])
    write(place, "U2").dispose()

    refused, forced = cli.main(["restore", str(backup)]), cli.main(["restore", str(backup), "--force"])

    assert (refused, forced) == (1, 0)
    assert leads(place) == ["U1"]
    assert leads(place.with_name("labcoat.db.before-1")) == ["U2"]
    assert "The previous database is kept in" in capsys.readouterr().out


def test_no_restore_under_a_bot_that_runs(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = write(place, "U1")
    backup = tmp_path / "backup.db"
    cli.main(["backup", str(backup)])

    code = cli.main(["restore", str(backup), "--force"])
    running.dispose()

    assert code == 1
    said = capsys.readouterr().err
    assert "is in use" in said
    assert "Stop labcoat serve first." in said
    assert leads(place) == ["U1"]
    assert list(tmp_path.glob("*.before-*")) == []


def left_by_a_crash(path: Path, lead: str) -> None:
    """Leave a file and its log as a killed process does, with the lead in the log alone."""
    running = write(path, "U1")
    with running.writing() as tx:
        workspaces.set_leads(tx, WORKSPACE, (UserId(lead),), from_settings=True)
    files = {one: one.read_bytes() for one in path.parent.glob(f"{path.name}*")}
    running.dispose()
    for one, content in files.items():
        one.write_bytes(content)


def test_a_log_without_its_file_is_not_played_back_into_the_backup(place: Path, tmp_path: Path) -> None:
    write(place, "U1").dispose()
    backup = tmp_path / "backup.db"
    cli.main(["backup", str(backup)])
    left_by_a_crash(place, "U2")
    place.unlink()

    code = cli.main(["restore", str(backup)])

    assert code == 0
    assert leads(place) == ["U1"]


def test_a_damaged_database_is_not_replaced_under_a_bot_that_serves_it(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = write(place, "U1")
    backup = tmp_path / "backup.db"
    cli.main(["backup", str(backup)])
    database.dispose()
    place.write_bytes(b"not a database at all" * 500)

    with database_lock.serving(database), database_lock.serving(database):
        refused = cli.main(["restore", str(backup), "--force"])
    code = cli.main(["restore", str(backup), "--force"])

    assert (refused, code) == (1, 0)
    assert "is in use. Stop labcoat serve first." in capsys.readouterr().err
    assert leads(place) == ["U1"]


def test_serve_does_not_start_in_the_midst_of_a_restore(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "one")
    database = write(place, "U1")

    with database_lock.alone(database):
        code = cli.main(["serve"])
    database.dispose()

    assert code == 1
    assert "It is being restored. Start again when that is done." in capsys.readouterr().err


def test_what_is_kept_has_the_log_and_the_file_keeps_its_mode(place: Path, tmp_path: Path) -> None:
    write(place, "U1").dispose()
    backup = tmp_path / "backup.db"
    cli.main(["backup", str(backup)])
    left_by_a_crash(place, "U2")
    log = Path(f"{place}-wal").read_bytes()
    with place.open("r+b") as file:
        file.write(b"\0" * 100)
    place.chmod(0o640)

    code = cli.main(["restore", str(backup), "--force"])

    assert code == 0
    assert leads(place) == ["U1"]
    assert place.stat().st_mode & 0o777 == 0o640
    assert Path(f"{place}.before-1-wal").read_bytes() == log


def test_a_damaged_database_is_replaced_and_a_damaged_backup_is_not_taken(place: Path, tmp_path: Path) -> None:
    write(place, "U1").dispose()
    backup, damaged, other = tmp_path / "backup.db", tmp_path / "damaged.db", tmp_path / "other.db"
    cli.main(["backup", str(backup)])
    damaged.write_bytes(backup.read_bytes()[:8000])
    sqlite3.connect(other).close()
    place.write_bytes(b"not a database at all" * 500)

    codes = [cli.main(["restore", str(one), "--force"]) for one in (damaged, other, tmp_path / "none.db", backup)]

    assert codes == [1, 1, 1, 0]
    assert leads(place) == ["U1"]


def test_a_backup_of_another_version_says_what_to_do(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = write(place, "U1")
    said = []
    for revision in ("0001", "9999"):
        with database.writing() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        cli.main(["backup", str(tmp_path / revision)])
        database.dispose()
        assert cli.main(["restore", str(tmp_path / revision), "--force"]) == 0
        said.append(capsys.readouterr().out)

    assert "run: labcoat migrate" in said[0]
    assert "by a newer version" in said[1]


def test_for_postgresql_its_own_commands_are_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://labcoat:very-secret@db/labcoat")

    codes = [cli.main(["backup", "x"]), cli.main(["restore", "x"])]

    said = capsys.readouterr().err
    assert codes == [1, 1]
    assert "pg_dump" in said
    assert "pg_restore" in said
    assert "very-secret" not in said
