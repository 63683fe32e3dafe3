"""A treatment is dropped and a cause is fixed, by command and by button; what is told, and what is refused."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from journeys.playing import CONFIDENCE_SEQUENCE, DAY, GROUP_SEQUENTIAL, START, Play, read
from slack_sandbox.wire import Json

HOUR = timedelta(hours=1)
THREE = "control 50, photos 25, photos_big 25"
SOURCE = """\
sources:
  app: {engine: duckdb, tables: {players: players.csv}}
exposures:
  players: {source: app, table: players, unit: player, variant: version, exposed_at: seen_at}
  untimed: {source: app, sql: "SELECT player AS unit, version AS variant, retained FROM players"}
metrics:
  retained: {exposures: players, kind: proportion, direction: up, value: retained, complete_at_exposure: true}
  stayed: {exposures: untimed, kind: proportion, direction: up, value: retained, complete_at_exposure: true}
"""


def _rows(first: int, version: str, count: int, at: datetime) -> Iterator[str]:
    yield from (f"{first + n},{version},{at:%Y-%m-%d %H:%M:%S},{int(n % 10 == 0)}\n" for n in range(count))


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A CSV of players of whom many of gate_40 are missing until the second day."""
    (tmp_path / "players.csv").write_text(
        "player,version,seen_at,retained\n"
        + "".join(_rows(0, "gate_30", 2000, START + HOUR))
        + "".join(_rows(10_000, "gate_40", 1200, START + HOUR))
    )
    (tmp_path / "metrics.yml").write_text(SOURCE)
    return tmp_path


@pytest.fixture
def reading(world: Path, play_with: Callable[..., Play]) -> Play:
    return play_with(metrics=str(world / "metrics.yml"))


def _runs_gates(play: Play, goal: str = "retained") -> None:
    play.runs(play.ana, goal=goal, minimum_effect="1 point", design=GROUP_SEQUENTIAL, variants="gate_30 50, gate_40 50")


@pytest.fixture
def typed(play_on_both: Play) -> Play:
    """An experiment of three arms that takes typed totals, two days old."""
    play_on_both.runs(play_on_both.ana, design=CONFIDENCE_SEQUENCE, variants=THREE)
    play_on_both.set_clock(START + 2 * DAY)
    return play_on_both


def _choices(message: Json) -> list[str]:
    """Return the verbs of a message's "…" menu."""
    menus = [element for block in message["blocks"] for element in block.get("elements", ()) if "options" in element]
    return [option["value"].partition(" ")[0] for menu in menus for option in menu["options"]]


def test_a_treatment_is_dropped_by_command_and_the_others_go_on(typed: Play) -> None:
    typed.types(typed.ana, "/experiment record E-1 control=400/4000 photos=220/2000 photos_big=100/2000")

    form = typed.types(typed.ana, "/experiment drop e1")

    assert form is not None
    shown = read(form)
    assert "photos_big" in shown
    assert "Labcoat does not switch traffic" in shown
    assert "keeps its verdict" in shown
    typed.submits(typed.ana, treatment="photos_big", reason="It crashes on old phones.")
    line = typed.thread()[-1]
    assert "dropped photos_big from E-1" in line
    assert "Why: It crashes on old phones." in line
    said = "E-1: photos_big was dropped on Thu 26 Nov: it crashes on old phones"
    assert said in read(typed.card())
    assert said in typed.asks(typed.ben, "/experiment result E-1")
    assert "drop" not in _choices(typed.card())


def test_totals_may_leave_out_what_was_dropped_in_command_and_form(typed: Play) -> None:
    typed.types(typed.ana, "/experiment record E-1 control=400/4000 photos=220/2000 photos_big=100/2000")
    typed.types(typed.ana, "/experiment drop E-1")
    typed.submits(typed.ana, treatment="photos_big", reason="It crashes")
    typed.set_clock(START + 3 * DAY)

    typed.types(typed.ana, "/experiment record E-1 control=600/6000 photos=330/3000")
    typed.set_clock(START + 4 * DAY)
    form = typed.types(typed.ana, "/experiment record E-1")
    assert form is not None
    assert "It was dropped: left empty, its totals stay." in read(form)
    typed.submits(typed.ana, totals_0="800/8000", totals_1="440/4000")
    typed.set_clock(START + 5 * DAY)
    typed.types(typed.ana, "/experiment record E-1")
    typed.submits(typed.ana, table="variant,n,successes\ncontrol,9000,900\nphotos,4500,495")

    assert sum("typed in totals" in line for line in typed.thread()) == 4
    assert "are missing" in typed.asks(typed.ana, "/experiment record E-1 control=990/9900")


def test_a_treatment_is_dropped_by_button_while_another_is_left(typed: Play) -> None:
    assert "drop" in _choices(typed.card())
    assert "fixed" not in _choices(typed.card())

    typed.ana.click(typed.card(), action_id="more", option="drop H-1")
    refused = typed.is_refused(
        typed.ana, treatment="photos", reason="It crashes", at=int((START + 9 * DAY).timestamp())
    )
    assert refused == {"at": "That is still to come. Give a moment up to now; for a start to come, come back then."}
    refused = typed.is_refused(typed.ana, treatment="photos", reason="It crashes", at=int(START.timestamp()) - 60)
    assert refused == {"at": "That is not after the experiment's start. Please check the date."}
    typed.submits(typed.ana, treatment="photos", reason="It crashes", at=int((START + DAY).timestamp()))

    assert "its traffic ended Wed 25 Nov 09:00. Why: It crashes" in typed.thread()[-1]
    refusal = typed.asks(typed.ana, "/experiment drop E-1")
    assert "“photos_big” is the only treatment left. Stop the experiment instead" in refusal


def test_who_does_not_own_it_or_comes_too_late_drops_nothing(typed: Play) -> None:
    assert "Only the owner of H-1" in typed.asks(typed.ben, "/experiment drop E-1")
    typed.types(typed.ana, "/experiment drop E-1")
    typed.types(typed.omar, "/experiment stop E-1")
    typed.submits(typed.omar, reason="Enough seen")

    done = typed.ana.submit({"treatment": "photos", "reason": "It crashes"})

    assert done.ok
    dossier = typed.dossier()
    assert dossier is not None
    assert dossier.experiments[0].dropped == ()
    typed.ana.close()
    assert "E-1 is stopped" in typed.asks(typed.ana, "/experiment drop E-1")


def test_an_experiment_is_run_again_without_what_was_dropped(typed: Play) -> None:
    typed.types(typed.ana, "/experiment drop E-1")
    typed.submits(typed.ana, treatment="photos_big", reason="It crashes")
    typed.stops(typed.ana)

    said = typed.asks(typed.ana, "/experiment again E-1")

    assert "E-2 is planned with the plan of E-1, without photos_big, which was dropped." in said
    assert "planned to run it again as E-2, with the same plan, without photos_big" in typed.thread()[-1]
    assert "control 67 % / photos 33 %" in read(typed.card())


def test_the_cause_of_an_uneven_split_is_fixed_by_button(reading: Play, world: Path) -> None:
    play = reading
    _runs_gates(play)
    play.move_to(START + 4 * HOUR, step=HOUR)
    assert "fixed" in _choices(play.card())
    alarm = play.direct(play.ana)[-1]
    assert "The cause is fixed" in read(alarm)
    fixed_at = START + 5 * HOUR
    with (world / "players.csv").open("a") as csv:
        csv.writelines(_rows(20_000, "gate_30", 1000, fixed_at + HOUR))
        csv.writelines(_rows(30_000, "gate_40", 1000, fixed_at + HOUR))
        csv.writelines(_rows(0, "gate_30", 900, fixed_at + HOUR))  # seen before already
    play.set_clock(START + 7 * HOUR)

    form = play.presses(play.ana, alarm, "fixed:1")

    assert form is not None
    assert "Units that were exposed before are left out" in read(form)
    assert play.is_refused(play.ana, reason="A redirect", since=int((START - DAY).timestamp())) == {
        "since": "That is not after the experiment's start. Please check the date."
    }
    play.submits(play.ana, reason="A redirect lost users; it is gone.", since=int(fixed_at.timestamp()))
    assert (
        "fixed the cause of the uneven split of E-1, Tue 24 Nov 14:00. Why: A redirect lost users" in play.thread()[-1]
    )
    assert "fixed the cause" in read(play.direct(play.ana)[-1])  # in place of the alarm's buttons
    play.tick()

    card = read(play.card())
    assert "E-1: the cause of an uneven split was fixed on Tue 24 Nov: A redirect lost users; it is gone (once)" in card
    assert "SRM" not in card
    assert "fixed" not in _choices(play.card())
    assert "gate_30 1,000 / gate_40 1,000" in play.asks(play.ben, "/experiment result E-1")
    assert "A cause was already fixed in E-1" in play.asks(play.ana, "/experiment fixed E-1")


def test_what_is_fine_has_no_cause_to_fix(reading: Play) -> None:
    _runs_gates(reading)

    said = reading.asks(reading.ana, "/experiment fixed H-1")

    assert "The newest numbers of E-1 show no uneven split, so nothing has to start over." in said
    assert "Which one?" in reading.asks(reading.ana, "/experiment fixed")


def test_exposures_without_a_time_are_run_again_instead(reading: Play) -> None:
    _runs_gates(reading, "stayed")
    reading.move_to(START + 4 * HOUR, step=HOUR)

    said = reading.asks(reading.ana, "/experiment fixed E-1")

    assert "have no time in the metrics file (exposed_at)" in said
    assert "/experiment again E-1" in said


def test_totals_that_people_send_are_run_again_instead(typed: Play) -> None:
    said = typed.asks(typed.ana, "/experiment fixed E-1")

    assert "nobody can take the units before the fix out of them. Stop it and run it again" in said


def test_the_digest_keeps_what_was_done_in_view(typed: Play) -> None:
    typed.types(typed.ana, "/experiment record E-1 control=400/4000 photos=220/2000 photos_big=200/2000")
    typed.types(typed.ana, "/experiment drop E-1")
    typed.submits(typed.ana, treatment="photos_big", reason="It crashes on old phones.")

    preview = typed.asks(typed.ben, "/experiment digest preview")

    assert "E-1: photos_big was dropped on Thu 26 Nov: it crashes on old phones." in preview
