"""Verdicts read from a warehouse: a bad day heals, a fixed cause starts anew, and an early stop takes no win back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import log, sqrt
from pathlib import Path

import pytest

from journeys.playing import CONFIDENCE_SEQUENCE, DAY, GROUP_SEQUENTIAL, START, TEAM, Play, read
from journeys.test_verdict_stories import exported
from journeys.witness import Witness
from labcoat.db import looks
from labcoat.domain.ids import ExperimentNumber
from labcoat.stats.results import Readout, Verdict

HOUR = timedelta(hours=1)
SOURCE = """\
sources:
  app: {engine: duckdb, tables: {players: players.csv}}
exposures:
  players: {source: app, table: players, unit: player, variant: version, exposed_at: seen_at}
metrics:
  retained: {exposures: players, kind: proportion, direction: up, value: retained, complete_at_exposure: true}
"""
REASON = "A redirect lost users; it is gone."


@dataclass(slots=True, kw_only=True)
class World:
    """A CSV of players, to which every day adds."""

    folder: Path
    rows: list[tuple[str, str]] = field(default_factory=list)

    def adds(self, at: datetime, **arms: tuple[int, int]) -> None:
        """Add units to arms, each as (units, how many of them came back)."""
        for arm, (units, events) in arms.items():
            self.rows += [(arm, f"{arm},{at:%Y-%m-%d %H:%M:%S},{int(unit < events)}") for unit in range(units)]
        self.is_written()

    def is_written(self, *, without: str = "") -> None:
        """Write the file, all rows of an arm missing if one is named."""
        lines = [f"{number},{row}\n" for number, (arm, row) in enumerate(self.rows) if arm != without]
        (self.folder / "players.csv").write_text(f"player,version,seen_at,retained\n{''.join(lines)}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "metrics.yml").write_text(SOURCE)
    made = World(folder=tmp_path)
    made.is_written()
    return made


@pytest.fixture
def play(world: World, play_with: Callable[..., Play]) -> Play:
    return play_with(metrics=str(world.folder / "metrics.yml"))


def _runs(play: Play, design: str) -> None:
    play.files(play.ana, "Move the gate to level 40", metric="retained")
    play.tries(play.ana)
    plan = {"goal": "retained", "minimum_effect": "1 point", "variants": "gate_30 50, gate_40 50"}
    play.plans(play.ana, design=design, **plan)
    play.starts(play.ana)


def _day(play: Play, world: World, day: int, **arms: tuple[int, int]) -> None:
    """Let a day pass, on which these units come in its second hour, until after its look."""
    world.adds(START + day * DAY + HOUR, **arms)
    play.move_to(START + (day + 1) * DAY, step=DAY)


def _readouts(play: Play) -> list[Readout]:
    with play.bot.database.reading() as tx:
        return list(looks.readouts(tx, TEAM, ExperimentNumber(1)))


def test_a_bad_day_is_a_data_error_alone_and_heals(play: Play, world: World) -> None:
    witness = Witness(play=play)
    _runs(play, GROUP_SEQUENTIAL)
    for day in range(3):
        _day(play, world, day, gate_30=(500, 50), gate_40=(500, 50))
    world.adds(START + 3 * DAY + HOUR, gate_30=(500, 50), gate_40=(500, 50))
    world.is_written(without="gate_40")

    play.move_to(START + 4 * DAY)
    witness.reads()

    assert ":warning: Data error" in read(play.card())
    thread = "\n".join(play.thread())
    assert "gate_40 has 0 units, and had 1,500 at the last good look. Check the data." in thread
    assert "E-1 · Data error. gate_40 has no units; 100.0 % of a variant's units disappeared" in thread
    assert "not split as planned" not in "\n".join(witness.heard)  # nobody is sent to look for a redirect
    said = play.asks(play.ana, "/experiment fixed E-1")
    assert "The newest numbers of E-1 show no uneven split" in said  # the one new start is kept

    _day(play, world, 4, gate_30=(500, 50), gate_40=(500, 50))
    witness.reads()

    assert "Too early to tell" in read(play.card())
    assert "Data error" not in read(play.card())
    assert "No numbers" not in read(play.card())
    assert "SRM p 1.00" in play.asks(play.ben, "/experiment result E-1")
    assert play.thread()[-1].startswith("E-1 · Too early to tell")
    assert [one.verdict for one in _readouts(play)][-2:] == [Verdict.DATA_ERROR, Verdict.TOO_EARLY]


def _multiplier(units: int, *, alpha: float) -> float:
    """Return the confidence sequence's multiplier of STATISTICS.md, 5, with N* = 5,000."""
    big_l = -2 * log(alpha)
    v = units * (big_l + log(1 + big_l)) / 5000
    return sqrt((v + 1) / v * (log(v + 1) + big_l))


def test_after_a_cause_is_fixed_only_units_since_then_are_read_and_the_reason_stays(play: Play, world: World) -> None:
    witness = Witness(play=play)
    _runs(play, CONFIDENCE_SEQUENCE)
    for day in range(2):
        _day(play, world, day, gate_30=(1500, 150), gate_40=(1000, 300))  # lost users are those who stay away
    witness.reads()
    for said in (read(play.card()), play.asks(play.ben, "/experiment result E-1")):
        assert "Not valid: traffic is not split as planned (SRM)" in said
        assert "%" not in said.partition("Not valid")[2].partition("[")[0]  # no effect beside it
    alarm = play.direct(play.ana)[-1]

    play.presses(play.ana, alarm, "fixed:1")
    fixed_at = START + 2 * DAY
    play.submits(play.ana, reason=REASON, since=int(fixed_at.timestamp()) - 60)
    play.tick()
    witness.reads()
    result = play.asks(play.ben, "/experiment result E-1")
    for said in (read(play.card()), result, play.thread()[-1]):
        assert "The last good look stays" not in said  # there is none any more
    assert "gate_30 3,000" not in result  # nor are units from before
    assert f"Why: {REASON} Only units exposed since then count" in "\n".join(play.thread())

    for day in range(2, 16):
        _day(play, world, day, gate_30=(700, 70), gate_40=(700, 98))
    witness.reads()

    # 14 days of 700 units an arm since the fix: 10 % and 14 %; alpha starts anew at half.
    units, p, q = 14 * 700, 0.10, 0.14
    half = 100 * _multiplier(2 * units, alpha=0.05 / 2) * sqrt((p * (1 - p) + q * (1 - q)) / units)
    result = play.asks(play.ben, "/experiment result E-1")
    assert f"+4.0 points ({4 - half:.1f} to {4 + half:.1f}); 10.00 % to 14.00 %, n 9,800 / 9,800" in result
    assert "Units: gate_30 9,800 / gate_40 9,800" in result
    note = "E-1: the cause of an uneven split was fixed on Thu 26 Nov: A redirect lost users; it is gone (once)"
    play.move_to(START + 20 * DAY + 2 * HOUR, step=DAY)
    play.stops(play.ana)
    play.asks_lead(play.ana)
    witness.reads()
    request = read(play.direct(play.lena)[-1])
    for said in (result, read(play.card()), play.digests()[-1], request):
        assert "Win: +40 % retained" in said
        assert note in said
    (row,) = exported(play)["experiments"]
    assert row["cause_fixed_because"] == REASON


def test_an_early_stop_takes_no_win_back_and_shows_no_wider_interval(play: Play, world: World) -> None:
    witness = Witness(play=play)
    _runs(play, GROUP_SEQUENTIAL)
    for day in range(14):
        _day(play, world, day, gate_30=(300, 30), gate_40=(300, 45))
    world.adds(START + 14 * DAY + HOUR, gate_30=(300, 30), gate_40=(300, 45))
    look_at = START + 15 * DAY - HOUR  # 8:00 in Berlin, an hour before the start's
    play.move_to(look_at + HOUR / 12, step=DAY)
    witness.reads()
    assert "Win: +50 % retained" in play.thread()[-1]
    world.adds(look_at + HOUR / 6, gate_30=(100, 20), gate_40=(100, 7))  # a bad last half hour

    play.move_to(look_at + HOUR / 2)
    play.stops(play.ana, reason="It won")
    play.asks_lead(play.ana)
    request = read(play.direct(play.lena)[-1])
    play.move_to(START + 20 * DAY + 2 * HOUR, step=DAY)
    witness.reads()

    *_, before, last = _readouts(play)
    assert last.is_final
    assert last.spent == before.spent  # it has no alpha of its own: its bound is the cap of 8 standard errors
    (estimate,) = last.estimates
    assert estimate.low is not None
    assert estimate.low < 0  # of this look alone, which people never see
    for said in (
        read(play.card()),
        play.thread()[-2],
        play.asks(play.ben, "/experiment result E-1"),
        request,
        play.digests()[-1],
    ):
        assert "Win: " in said
    assert len(witness.calls()) > 5
