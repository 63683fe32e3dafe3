"""A source says how far its data are complete: people read what a look waits for, and then the result."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from journeys.playing import DAY, GROUP_SEQUENTIAL, START, Play, read
from slack_sandbox.wire import Json

GATES: Json = {"variants": "gate_30 50, gate_40 50"}
FILE = """\
sources:
  shop:
    engine: duckdb
    tables: {players: players.csv, loads: loads.csv}
    freshness: SELECT MAX(loaded_at) FROM loads
exposures: {players: {source: shop, table: players, unit: player, variant: version}}
metrics: {retained: {kind: proportion, direction: up, value: retained, complete_at_exposure: true}}
"""


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Two thousand players, of whom 10 % and 13 % came back."""
    rows = [
        f"{first + n},{version},{int(n < retained)}"
        for first, version, retained in ((0, "gate_30", 100), (1000, "gate_40", 130))
        for n in range(1000)
    ]
    (tmp_path / "players.csv").write_text("player,version,retained\n" + "\n".join(rows) + "\n")
    (tmp_path / "metrics.yml").write_text(FILE)
    return tmp_path


def _loaded(world: Path, at: datetime) -> None:
    (world / "loads.csv").write_text(f"loaded_at\n{at:%Y-%m-%d %H:%M}\n")


def test_a_person_reads_what_the_look_waits_for_and_then_the_result(
    world: Path, play_with: Callable[..., Play]
) -> None:
    _loaded(world, START)
    play = play_with(metrics=str(world / "metrics.yml"))
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)

    play.move_to(START + DAY)
    card, result = read(play.card()), play.asks(play.ben, "/experiment result E-1")
    thread = len(play.thread())
    _loaded(world, START + DAY)
    play.move_to(START + DAY + DAY / 48)
    card_after, result_after = read(play.card()), play.asks(play.ben, "/experiment result E-1")

    assert "Today's look waits for the data of shop (complete to " in card
    assert "at the latest." in card
    assert "No look yet. Today's look waits for the data of shop (complete to " in result
    assert "No numbers since" not in card
    assert not any("no numbers" in line for line in play.thread())
    assert "waits" not in card_after
    assert "as of" in result_after
    assert "Next look" in result_after
    assert len(play.thread()) == thread + 1


def test_a_request_before_the_final_look_is_told_what_that_waits_for(
    world: Path, play_with: Callable[..., Play]
) -> None:
    _loaded(world, START + DAY)
    play = play_with(metrics=str(world / "metrics.yml"))
    play.runs(play.ana, goal="retained", minimum_effect="1 point", design=GROUP_SEQUENTIAL, **GATES)
    play.move_to(START + DAY + DAY / 48)
    play.move_to(START + 1.5 * DAY)
    play.types(play.ana, "/experiment stop E-1")
    play.submits(play.ana, reason="enough")
    play.tick()
    card = read(play.card())

    play.move_to(START + 4.6 * DAY)
    after = read(play.card())

    assert "The final look waits for the data of shop (complete to " in card
    assert "this look was made without the rest" in after
    assert "waits for the data" not in after
    assert any("this look was made without the rest" in line for line in play.thread())
