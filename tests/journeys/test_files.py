"""Files in Slack: small ones answer in the form, larger ones are read soon and told; exports are direct messages."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import httpx
import openpyxl
import pytest
from sqlalchemy import update

from journeys.playing import CONFIDENCE_SEQUENCE, DAY, Play, payload_fields, read
from labcoat.db import clock
from labcoat.db.clock import machine_now
from labcoat.db.tables import schema
from labcoat.slack.incoming.downloads import Download
from labcoat.worker.file_worker import MOST_ATTEMPTS
from slack_sandbox.faults import FaultKind
from slack_sandbox.wire import Json

HEADER = "user_id,variant,orders per user,refund_rate,basket\n"


def units(of: int, *, treated: int, pad: str = "") -> bytes:
    """Return a row a unit, half of them treated; treated of them ordered, a tenth of the others."""
    lines = [HEADER]
    for n in range(of):
        arm = "treatment" if n % 2 else "control"
        ordered = int(n // 2 < (treated if n % 2 else of // 20))
        lines.append(f"u{n}{pad},{arm},{ordered},{int(n % 40 < 2)},{n % 7}.5\n")
    return "".join(lines).encode()


@pytest.fixture
def running(play: Play) -> Play:
    """An experiment with a guardrail and a secondary mean, that takes totals; two days old."""
    guardrails = "refund rate down\nsecondary mean basket up"
    play.runs(play.ana, design=CONFIDENCE_SEQUENCE, guardrails=guardrails)
    play.set_clock(play.now() + 2 * DAY)
    return play


def gives(play: Play, content: bytes, name: str = "units.csv", **values: object) -> Json | None:
    """Give a file in the form; return what the form says afterwards."""
    play.types(play.ana, "/experiment record E-1")
    done = play.ana.submit({"file": [play.ana.upload(name, content)], **values})
    assert done.ok, done
    assert not done.errors, done.errors
    play.deliver()
    view = play.ana.find_view()
    if view is not None:
        play.ana.close()
    return view


def stores(play: Play, content: bytes, name: str = "units.csv") -> None:
    """Give a file that is stored: at once, or soon where this machine is too busy for the form's patience."""
    if gives(play, content, name) is not None:
        assert "Stored for E-1" in works(play)


def works(play: Play) -> str:
    """Let the files be worked on; return what the person is told."""
    play.bot.jobs.work_on_files()
    play.deliver()
    return read(play.direct(play.ana)[-1])


def retries_at_once(play: Play) -> None:
    with play.bot.database.writing() as tx:
        tx.execute(update(schema.file_jobs).values(next_try_at=machine_now() - timedelta(seconds=1)))


LARGE = units(80_000, treated=5_000, pad="x" * 10)


def test_a_small_file_stores_every_metric_that_it_has(running: Play) -> None:
    stores(running, units(4000, treated=300))

    shown = running.asks(running.ana, "/experiment result E-1")
    assert "orders per user" in shown
    assert "refund rate" in shown
    assert "basket" in shown
    assert any(
        "gave totals for E-1 in units.csv: orders per user, refund rate, basket" in one for one in running.thread()
    )


def test_a_workbook_is_read_as_the_same_file_in_csv_is(running: Play, tmp_path: Path) -> None:
    rows = units(400, treated=30).decode().splitlines()
    workbook = openpyxl.Workbook()
    for row in rows:
        cells = row.split(",")
        workbook.active.append([float(cell) if cell.replace(".", "", 1).isdigit() else cell for cell in cells])
    workbook.save(tmp_path / "units.xlsx")

    stores(running, (tmp_path / "units.xlsx").read_bytes(), "units.xlsx")

    from_workbook = running.asks(running.ana, "/experiment result E-1")
    assert "n 200" in from_workbook
    stores(running, units(400, treated=30))  # the same numbers again, so nothing is stored
    assert running.asks(running.ana, "/experiment result E-1") == from_workbook


def test_a_large_file_is_read_after_the_form_has_closed(running: Play) -> None:
    view = gives(running, LARGE)

    assert view is not None
    assert "Reading units.csv (3 MB)…" in read(view)
    assert running.direct(running.ana) == []
    told = works(running)
    assert "units.csv (3 MB) is read: 80,000 units. Stored for E-1: orders per user, refund rate, basket." in told
    assert "n 40,000" in running.asks(running.ana, "/experiment result E-1")


def test_a_parquet_file_gives_what_its_csv_gives(running: Play, tmp_path: Path) -> None:
    (tmp_path / "units.csv").write_bytes(units(4000, treated=300))
    with duckdb.connect() as connection:
        source, target = tmp_path / "units.csv", tmp_path / "units.parquet"
        connection.execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")
    stores(running, (tmp_path / "units.csv").read_bytes())
    first = running.asks(running.ana, "/experiment result E-1")
    running.set_clock(running.now() + timedelta(seconds=1))

    stores(running, (tmp_path / "units.parquet").read_bytes(), "units.parquet")

    second = running.asks(running.ana, "/experiment result E-1")
    effects = [line for line in first.splitlines() if line.startswith("•")]
    assert effects
    assert [line for line in second.splitlines() if line.startswith("•")] == effects


def test_what_is_wrong_with_a_large_file_is_told_with_its_line(running: Play) -> None:
    stores(running, units(4000, treated=300))
    before = running.asks(running.ana, "/experiment result E-1")

    gives(running, LARGE + b"zz,control,oops,0,1\n")
    told = works(running)

    assert "units.csv (3 MB) was not stored for E-1." in told
    assert "In orders per user, line 80,002 has “oops”" in told
    assert "Earlier totals are as they were." in told
    assert running.asks(running.ana, "/experiment result E-1") == before
    assert running.presses(running.ana, running.direct(running.ana)[-1], "record") is not None


def test_what_is_wrong_with_a_small_file_stands_under_its_field(running: Play) -> None:
    running.types(running.ana, "/experiment record E-1")

    errors = running.is_refused(running.ana, file=[running.ana.upload("units.xlsx", b"PK\x03\x04rest")])

    assert list(errors) == ["file"]
    assert errors["file"].startswith("units.xlsx is damaged and can't be read.")


def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(running: Play) -> None:
    view = running.types(running.ana, "/experiment record E-1")
    assert view is not None
    file = {"id": "F1", "name": "all.csv", "size": 2_000_000_000, "url_private_download": "https://files.slack.com/F1"}
    view["state"]["values"]["file"] = {"answer": {"type": "file_input", "files": [file]}}
    submission = {
        "type": "view_submission",
        "team": {"id": view["team_id"], "domain": "sandbox"},
        "user": {"id": running.ana.id, "team_id": view["team_id"]},
        "trigger_id": "1.2.3",
        "view": view,
    }

    answer = running.send(payload_fields(submission)).json()

    assert answer["response_action"] == "errors"
    assert answer["errors"]["file"].startswith("The file is larger than 50 MB.")


def test_smaller_totals_of_a_large_file_ask_whether_they_correct(running: Play) -> None:
    gives(running, units(100_000, treated=8_000))
    works(running)
    running.set_clock(running.now() + timedelta(minutes=1))
    gives(running, LARGE)

    told = works(running)

    assert "Totals only grow" in told
    assert "control 50,000" in told
    question = running.direct(running.ana)[-1]
    running.presses(running.ana, question, "correct_file")
    assert "n 40,000" in running.asks(running.ana, "/experiment result E-1")
    running.presses(running.ana, question, "correct_file")
    direct = next(place["id"] for place in running.ana.conversations() if place["is_im"])
    assert "were stored already" in read(running.private(running.ana, direct))


def test_a_file_that_slack_does_not_give_now_is_asked_for_again(running: Play) -> None:
    gives(running, LARGE)
    files = running.bot.jobs.files
    nobody = Download(token="t", origins=files.download.origins | {("http", "127.0.0.1", 9)})
    broken = replace(files, download=_Elsewhere(nobody))

    assert broken.do_next(now=running.now())
    running.deliver()
    assert running.direct(running.ana) == []

    retries_at_once(running)
    assert "is read: 80,000 units" in works(running)


class _Elsewhere(Download):
    """A way to Slack on which nobody answers."""

    def __init__(self, download: Download) -> None:
        super().__init__(token=download.token, origins=download.origins)

    def into(self, path: Path, url: str, *, most_bytes: int, seconds: float) -> None:  # noqa: ARG002
        super().into(path, "http://127.0.0.1:9/file", most_bytes=most_bytes, seconds=seconds)


def test_a_file_that_slack_never_gives_is_told(running: Play) -> None:
    gives(running, LARGE)
    files = running.bot.jobs.files
    nobody = Download(token="t", origins=files.download.origins | {("http", "127.0.0.1", 9)})
    broken = replace(files, download=_Elsewhere(nobody))

    while broken.do_next(now=running.now()):
        retries_at_once(running)
    running.deliver()

    assert "could not be read from Slack just now" in read(running.direct(running.ana)[-1])


def test_a_file_whose_experiment_was_closed_meanwhile_is_told(running: Play) -> None:
    gives(running, LARGE)
    running.stops(running.ana)  # also works on the file, as time goes on
    gives(running, LARGE)
    running.types(running.ana, "/hypothesis close H-1")
    running.submits(running.ana, outcome="supported", learning="Fresh offers bring orders", days_spent="4")

    assert "H-1 is closed" in works(running)


def exported(play: Play) -> dict[str, bytes]:
    """Return the files of the newest direct message."""
    message = play.direct(play.ana)[-1]
    token = play.sandbox.slack.workspace.bot.token
    found = {}
    for file in message["files"]:
        answer = httpx.get(file["url_private"], headers={"Authorization": f"Bearer {token}"}, timeout=10, verify=False)
        found[file["name"].split("-")[1]] = answer.content
    return found


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_an_export_comes_as_files_in_a_direct_message(running: Play) -> None:
    stores(running, units(4000, treated=300))
    running.files(running.ana, "=HYPERLINK(1) for everybody")

    answer = running.asks(running.ana, "/experiment export")
    assert "direct message" in answer
    said = works(running)

    assert "2 hypotheses, 1 experiment and 3 rows of readouts" in said
    files = exported(running)
    hypotheses, experiments, readouts = (rows(files[name]) for name in ("hypotheses", "experiments", "readouts"))
    assert [one["change"] for one in hypotheses] == ["Show fresh offers first", "'=HYPERLINK(1) for everybody"]
    assert experiments[0]["no_prototype_because"] == "Built by the vendor already"
    assert [one["metric"] for one in readouts] == ["orders per user", "refund rate", "basket"]
    assert float(readouts[1]["difference"]) == pytest.approx(0, abs=0.01)
    assert readouts[0]["verdict"] == "too early"


def test_an_export_as_parquet_has_the_same_rows(running: Play, tmp_path: Path) -> None:
    stores(running, units(4000, treated=300))
    running.types(running.ana, "/experiment export parquet")
    works(running)

    path = tmp_path / "readouts.parquet"
    path.write_bytes(exported(running)["readouts"])
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT metric, treatment_units, typeof(as_of) FROM '{path}'").fetchall()

    assert found == [(name, 2000, "TIMESTAMP WITH TIME ZONE") for name in ("orders per user", "refund rate", "basket")]


def test_a_second_export_waits_for_the_first(running: Play) -> None:
    running.asks(running.ana, "/experiment export")

    assert "being written already" in running.asks(running.ana, "/experiment export")


@pytest.mark.parametrize("fault", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER, FaultKind.ERROR_500])
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_an_export_is_sent_once_whatever_breaks_on_the_way(running: Play, method: str, fault: FaultKind) -> None:
    running.asks(running.ana, "/experiment export")
    running.slack.faults.add(method, fault)

    running.bot.jobs.work_on_files()
    retries_at_once(running)
    running.bot.jobs.work_on_files()

    with_files = [message for message in running.direct(running.ana) if message.get("files")]
    assert [len(message["files"]) for message in with_files] == [3]


@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "conversations.open", "files.completeUploadExternal"])
def test_an_export_waits_as_long_as_slack_wants_it_later(
    running: Play, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.asks(running.ana, "/experiment export")
    running.slack.faults.add(method, FaultKind.RATELIMITED, times=MOST_ATTEMPTS + 1, seconds=600)
    at = machine_now()
    for minutes in range(0, 11 * (MOST_ATTEMPTS + 2), 11):
        monkeypatch.setattr(clock, "machine_now", lambda minutes=minutes: at + timedelta(minutes=minutes))
        running.bot.jobs.work_on_files()
        retries_at_once(running)
        running.bot.jobs.work_on_files()  # too early: nobody is asked

    called = [call["method"] for call in running.slack.calls(limit=500)].count(method)
    with_files = [message for message in running.direct(running.ana) if message.get("files")]
    assert [len(message["files"]) for message in with_files] == [3]
    assert called == MOST_ATTEMPTS + 1 + (3 if method == "files.getUploadURLExternal" else 1)


def test_an_export_that_slack_does_not_take_is_told(running: Play) -> None:
    running.asks(running.ana, "/experiment export")
    bot = running.sandbox.slack.workspace.bot
    scopes = tuple(scope for scope in bot.scopes if scope != "files:write")
    workspace = running.sandbox.slack.workspace
    running.sandbox.slack.workspace = workspace.model_copy(update={"bot": bot.model_copy(update={"scopes": scopes})})

    said = works(running)

    assert "I could not send you the export. I may not upload files here." in said
