"""Numbers from a metrics file: data of the past, and everything that can be wrong with a source."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from journeys.playing import DAY, GROUP_SEQUENTIAL, ONE_LOOK, START, Play, read
from labcoat.domain.lifecycle import ExperimentState
from labcoat.stats.results import Verdict
from slack_sandbox.wire import Json

SOURCE = """\
sources:
  app:
    engine: duckdb
    tables:
      players: players.csv
exposures:
  players:
    source: app
    table: players
    unit: player
    variant: version
  strays:
    source: app
    sql: SELECT player AS unit, version || '_b' AS variant, retained FROM players
  nobody:
    source: app
    sql: SELECT player AS unit, version AS variant, retained FROM players WHERE player < 0
  arriving:
    source: app
    sql: >
      SELECT player AS unit, version AS variant, TIMESTAMP '2026-11-24 06:00' AS exposed_at, 'E-1' AS experiment,
      retained FROM players
metrics:
  kept: {exposures: arriving, kind: proportion, direction: up, value: retained, complete_at_exposure: true}
  retained:
    exposures: players
    kind: proportion
    direction: up
    value: retained
    complete_at_exposure: true
    description: Share of players who came back.
    owner: the growth team
  rounds: {exposures: players, kind: mean, direction: up, value: rounds, complete_at_exposure: true}
  stray: {exposures: strays, kind: proportion, direction: up, value: retained, complete_at_exposure: true}
  none yet: {exposures: nobody, kind: proportion, direction: up, value: retained, complete_at_exposure: true}
  not a number:
    exposures: players
    kind: mean
    direction: up
    complete_at_exposure: true
    sql: SELECT player AS unit, if(player = 7, 'NaN'::DOUBLE, rounds) AS value FROM players
  fails:
    exposures: players
    kind: mean
    direction: up
    complete_at_exposure: true
    sql: SELECT player AS unit, no_such_column AS value FROM players
"""
PAST: Json = {"starts_on": "2026-10-01", "ends_on": "2026-10-14", "design": ONE_LOOK}
GATES: Json = {"variants": "gate_30 50, gate_40 50"}


def _file(*metrics: str) -> str:
    """Return the metrics file with no more than these: each that is there is measured every night."""
    whole = yaml.safe_load(SOURCE)
    whole["metrics"] = {name: whole["metrics"][name] for name in metrics}
    used = {metric["exposures"] for metric in whole["metrics"].values()}
    whole["exposures"] = {name: whole["exposures"][name] for name in used}
    return yaml.safe_dump(whole)


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A CSV of 1,000 players an arm: of gate_30 100 come back, of gate_40 130; each plays 10 or 20 rounds."""
    rows = ["player,version,retained,rounds"]
    for version, first, retained in (("gate_30", 0, 100), ("gate_40", 1000, 130)):
        rows += [f"{first + n},{version},{int(n < retained)},{10 + 10 * (n % 2)}" for n in range(1000)]
    (tmp_path / "players.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "metrics.yml").write_text(_file("retained", "rounds"))
    return tmp_path


@pytest.fixture
def play(world: Path, play_with: Callable[..., Play]) -> Play:
    return play_with(metrics=str(world / "metrics.yml"))


def test_past_data_are_read_once_and_quoted_the_same_everywhere(play: Play) -> None:
    play.files(play.ana, "Move the gate to level 40", metric="retained")
    play.plans(play.ana, goal="retained", minimum_effect="1 point", guardrails="secondary rounds", **GATES, **PAST)
    play.starts(play.ana)

    play.tick()
    result = play.asks(play.ben, "/experiment result E-1")
    preview = play.asks(play.ben, "/experiment digest preview")

    # By hand: 10 % and 13 %; se = sqrt(.1*.9/1000 + .13*.87/1000) = 1.4251 points, t(.975, 1970 df) = 1.9612, so
    # +3.0 points (0.2 to 5.8). Fieller with the same multiplier: the roots of .0096538 r^2 - .026 r + .0164650 are
    # 1.01824 and 1.67499, so +30 % (2 to 67).
    assert "retained (goal): +30 % (2 to 67)" in result, result
    assert "+3.0 points (0.2 to 5.8)" in result
    assert "10.00 % to 13.00 %, n 1,000 / 1,000" in result
    assert "rounds (exploratory)" in result
    assert "Win" in result
    assert "final" in result
    assert "Win: +30 % retained (2 to 67)." in preview
    assert "+30 % retained (2 to 67)" in play.thread()[-1]
    assert "Win" in read(play.card())


def test_what_a_metric_means_and_whom_to_ask_is_shown_where_it_is_chosen_and_planned(play: Play) -> None:
    meaning = "Share of players who came back. Ask the growth team."
    filing = play.types(play.ana, "/hypothesis Move the gate")
    play.ana.close()
    play.files(play.ana, metric="retained")
    planning = play.types(play.ana, "/experiment plan H-1")
    play.ana.close()
    play.plans(play.ana, goal="retained", minimum_effect="1 point", guardrails="secondary rounds", **GATES, **PAST)
    starting = play.types(play.ana, "/experiment start E-1")

    for view in (filing, planning, starting):
        assert view is not None
        assert f"retained: {meaning}" in read(view)
        assert "rounds: " not in read(view)  # the file does not say
    assert f"retained, up\n{meaning}" in read(play.card())


def test_end_of_past_data_is_no_reason_for_a_nudge_at_once(play: Play) -> None:
    play.files(play.ana, metric="retained")
    play.plans(play.ana, goal="retained", **GATES, **PAST)
    play.starts(play.ana)

    play.move_to(START + DAY - DAY / 24)

    for person in (play.ana, play.lena, play.omar):
        assert not any("planned end" in read(message) for message in play.direct(person))


def test_past_data_are_stopped_asked_for_and_closed_with_their_verdict(play: Play) -> None:
    play.files(play.ana, metric="retained")
    play.plans(play.ana, goal="retained", **GATES, **PAST)
    play.starts(play.ana)
    play.tick()
    play.types(play.ana, "/experiment stop E-1")
    play.submits(play.ana)
    play.tick()

    form = play.types(play.ana, "/hypothesis close H-1")

    assert form is not None
    assert "The verdict “win” proposes “supported”" in read(form)
    assert sum("Win" in line for line in play.thread()) == 1  # stopping looks at nothing a second time


def test_past_data_that_are_not_past_are_refused(play: Play) -> None:
    play.files(play.ana, metric="retained")
    form = play.types(play.ana, "/experiment plan H-1")
    assert form is not None

    refused = play.is_refused(
        play.ana,
        goal="retained",
        minimum_effect="1 point",
        evidence_reason="The data are there",
        starts_on="2026-11-20",
        ends_on="2026-11-24",  # today is not over
        design=ONE_LOOK,
        **GATES,
    )

    assert list(refused) == ["ends_on"]
    assert "still to come" in refused["ends_on"]


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("stray", "a variant that is not in the plan: gate_30_b"),
        ("not a number", "1 value that is not a number"),
        ("fails", "no_such_column"),
        ("none yet", "no exposures of E-1 yet"),
    ],
)
def test_source_that_cannot_be_used_is_told_once_in_words(
    world: Path, play_with: Callable[..., Play], metric: str, said: str
) -> None:
    (world / "metrics.yml").write_text(_file(metric))
    play = play_with(metrics=str(world / "metrics.yml"))
    play.runs(play.ana, goal=metric, minimum_effect="0.5", design=GROUP_SEQUENTIAL, baseline="", **GATES)

    play.move_to(START + 2 * DAY)
    result = play.asks(play.ana, "/experiment result E-1")

    told = [line for line in play.thread() if "no numbers" in line]
    assert len(told) == 1
    assert said in told[0]
    assert said in result
    assert "No numbers since" in read(play.card())
    assert "E-1 running" in read(play.card())


def test_missing_file_keeps_the_last_look_and_recovers_by_itself(play: Play, world: Path) -> None:
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)
    play.move_to(START + 2 * DAY)
    good = play.asks(play.ana, "/experiment result E-1")
    (world / "players.csv").rename(world / "elsewhere.csv")

    play.move_to(START + 3 * DAY)
    without = play.asks(play.ana, "/experiment result E-1")
    card_without = read(play.card())
    (world / "elsewhere.csv").rename(world / "players.csv")
    play.move_to(START + 4 * DAY)

    line = "10.00 % to 13.00 %, n 1,000 / 1,000"
    assert line in good
    assert line in without
    assert "The file players.csv is not there" in without
    assert str(world) not in without
    assert "The last good look stays" in card_without
    assert "No numbers" not in read(play.card())
    assert "No numbers" not in play.asks(play.ana, "/experiment result E-1")
    assert sum("is not there" in told for told in play.thread()) == 1


def test_problem_is_in_the_digest_under_health(play: Play, world: Path) -> None:
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)
    (world / "players.csv").unlink()

    play.move_to(START + 7 * DAY, step=DAY / 2)

    assert "Health" in play.digests()[-1]
    assert "The file players.csv is not there" in play.digests()[-1]


def test_asking_makes_no_look(play: Play) -> None:
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)

    first = play.asks(play.ana, "/experiment result E-1")
    play.asks(play.ana, "/experiment result E-1")

    assert "The next one is on Wed 25 Nov 08:00" in first
    assert "10.00 %" not in first


def test_stopped_experiment_has_its_last_look_and_no_more(play: Play) -> None:
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)
    play.move_to(START + 3 * DAY)
    play.stops(play.ana)
    last = play.asks(play.ana, "/experiment result E-1")

    play.move_to(START + 6 * DAY, step=DAY)

    dossier = play.dossier()
    assert dossier is not None
    assert dossier.experiments[0].state is ExperimentState.STOPPED
    assert ", final" in last
    assert play.asks(play.ana, "/experiment result E-1") == last


def test_uneven_split_shows_no_effect_and_closes_without_a_proposal(play: Play, world: Path) -> None:
    with (world / "players.csv").open("a") as csv:
        csv.writelines(f"{n},gate_40,0,10\n" for n in range(2000, 4000))
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)

    play.move_to(START + 2 * DAY)
    result = play.asks(play.ana, "/experiment result E-1")
    play.stops(play.ana)
    form = play.types(play.ana, "/hypothesis close H-1")

    assert "SRM" in result
    assert "points" not in result
    assert form is not None
    assert f"The verdict is “{Verdict.INVALID}”, so the numbers say nothing" in read(form)


def test_goal_of_the_file_needs_guardrails_of_the_file(play: Play) -> None:
    play.files(play.ana, metric="retained")
    play.types(play.ana, "/experiment plan H-1")

    refused = play.is_refused(
        play.ana,
        goal="retained",
        minimum_effect="1 point",
        evidence_reason="It is one line",
        guardrails="refund rate down",
        design=GROUP_SEQUENTIAL,
        **GATES,
    )

    assert "“refund rate” is not in the metrics file" in refused["guardrails"]


def test_totals_of_the_file_are_not_typed(play: Play) -> None:
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)
    play.set_clock(START + DAY / 24)

    assert "reads its numbers from the metrics file" in play.asks(
        play.ana, "/experiment record E-1 gate_30=1/2 gate_40=1/2"
    )


def test_draft_whose_exposures_arrive_is_told_once_with_a_button(world: Path, play_with: Callable[..., Play]) -> None:
    (world / "metrics.yml").write_text(_file("kept"))
    play = play_with(metrics=str(world / "metrics.yml"))
    play.files(play.ana, "Move the gate to level 40", metric="kept")
    play.plans(play.ana, goal="kept", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)

    play.tick()
    play.move_to(START + DAY / 4, step=DAY / 8)

    said = "E-1 seems to be live since Tue 24 Nov 07:00: gate_30 1,000 / gate_40 1,000 units. Start it?"
    assert [said in line for line in play.thread()].count(True) == 1
    told = play.direct(play.ana)[-1]
    assert said in read(told)
    form = play.presses(play.ana, told, "start")
    assert form is not None
