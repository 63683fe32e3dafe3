"""`labcoat token`: what is printed once, what is listed, and what is refused with a sentence."""

import shutil
from pathlib import Path

import pytest

from labcoat.cli import app as cli
from labcoat.db import workspaces
from labcoat.db.database import Database
from labcoat.db.tables import schema
from labcoat.usecases.people import tokens


@pytest.fixture
def database(tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The database of the command line, used by one workspace."""
    shutil.copy(migrated_sqlite, tmp_path / "labcoat.db")
    url = f"sqlite:///{tmp_path / 'labcoat.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    found = Database(url)
    use(found, "T1")
    return found


def use(database: Database, workspace: str) -> None:
    with database.writing() as tx:
        workspaces.add_once(tx, schema.workspaces, {"id": workspace})
    database.dispose()


def create(capsys: pytest.CaptureFixture[str], name: str = "CI pipeline") -> tuple[str, str]:
    """Return what `labcoat token create` prints and notes."""
    assert cli.main(["token", "create", "--name", name]) == 0
    shown = capsys.readouterr()
    return shown.out.strip(), shown.err


def test_a_token_is_shown_once_and_alone_on_its_line(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    token, note = create(capsys)
    cli.main(["token", "list"])

    listed = capsys.readouterr().out
    with database.reading() as tx:
        found = tokens.recognise(tx, token)
    database.dispose()
    assert found is not None
    assert (found.workspace, found.name) == ("T1", "CI pipeline")
    assert token not in note
    assert token.rpartition("_")[2] not in listed
    assert found.hashed not in listed
    assert f"{found.id}  T1  works  results:write" in listed


def test_the_database_does_not_have_the_secret(
    database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    token, _ = create(capsys)
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("labcoat.db*"))

    assert token.split("_")[1].encode() in stored
    assert token.rpartition("_")[2].encode() not in stored


def test_a_revoked_token_is_recognised_no_more(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    token, _ = create(capsys)
    token_id = token.split("_")[1]

    assert cli.main(["token", "revoke", token_id]) == 0
    assert cli.main(["token", "revoke", token_id]) == 1

    assert "labcoat token list" in capsys.readouterr().err
    with database.reading() as tx:
        assert tokens.recognise(tx, token) is None
    database.dispose()
    cli.main(["token", "list"])
    assert "revoked" in capsys.readouterr().out


def test_two_that_work_have_two_names(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    token, _ = create(capsys)

    assert cli.main(["token", "create", "--name", "ci  PIPELINE"]) == 1
    assert "works already" in capsys.readouterr().err
    cli.main(["token", "revoke", token.split("_")[1]])
    assert create(capsys)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_name_is_needed_and_fits_a_line(database: Database, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["token", "create", "--name", name]) == 1
    assert capsys.readouterr().out == ""


def test_with_several_workspaces_one_is_named(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    use(database, "T2")

    assert cli.main(["token", "create", "--name", "CI"]) == 1
    assert "T1, T2" in capsys.readouterr().err
    assert cli.main(["token", "create", "--name", "CI", "--workspace", "T3"]) == 1
    assert "T1, T2" in capsys.readouterr().err
    assert cli.main(["token", "create", "--name", "CI", "--workspace", "T2"]) == 0


def test_an_unused_or_old_database_is_said(
    tmp_path: Path, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    assert cli.main(["token", "list"]) == 1
    assert "labcoat migrate" in capsys.readouterr().err
    shutil.copy(migrated_sqlite, tmp_path / "unused.db")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'unused.db'}")
    assert cli.main(["token", "create", "--name", "CI"]) == 1
    assert "File a hypothesis" in capsys.readouterr().err
    assert cli.main(["token", "list"]) == 0
    assert "No tokens yet" in capsys.readouterr().out
