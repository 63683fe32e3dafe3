"""Data that are read otherwise than at the first look: people read why, and the last result stays meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb
import psycopg
import pytest

import postgres
from journeys.playing import DAY, START, Play, playing, read
from slack_sandbox.wire import Json

VARIANTS: Json = {"variants": "old 50, new 50"}
FILE = """\
sources: {{shop: {source}}}
exposures: {{users: {{source: shop, table: seen, unit: user_id, variant: variant, exposed_at: seen_at}}}}
metrics: {{bought: {{kind: proportion, direction: up, table: orders, time: ordered_at}}}}
"""
TABLES = """
CREATE TABLE seen (user_id BIGINT, variant TEXT, seen_at TIMESTAMP);
CREATE TABLE orders (user_id BIGINT, ordered_at TIMESTAMP);
"""
SAID = "Exposures users: seen_at had times of day at the first look, and has days only now. Put it back as it was"


@dataclass(frozen=True)
class Story:
    """A play, and the tables that it reads."""

    play: Play
    folder: Path
    url: str | None

    def run(self, statements: str) -> None:
        """Do what the team does to its tables."""
        if self.url is None:
            with duckdb.connect(self.folder / "shop.duckdb") as writer:
                writer.execute(statements)
        else:
            with psycopg.connect(self.url) as there, there.cursor() as cursor:
                cursor.execute(statements.encode())

    def fill(self, day: int) -> None:
        """Let 600 users come on a day of the experiment; 60 of the old and 90 of the new arm buy an hour later."""
        for first, variant, bought in ((1000 * day, "old", 60), (1000 * day + 300, "new", 90)):
            at = START + day * DAY + timedelta(hours=1)
            seen = ", ".join(f"({first + n}, '{variant}', '{at:%Y-%m-%d %H:%M}')" for n in range(300))
            later = at + timedelta(hours=1)
            orders = ", ".join(f"({first + n}, '{later:%Y-%m-%d %H:%M}')" for n in range(bought))
            self.run(f"INSERT INTO seen (user_id, variant, seen_at) VALUES {seen}; INSERT INTO orders VALUES {orders}")


@pytest.fixture(params=["sqlite and duckdb", "postgresql"])
def story(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, postgres_server: postgres.Server
) -> Iterator[Story]:
    """Yield a bot on one database that reads the other, on PostgreSQL or not."""
    path = tmp_path / "metrics.yml"
    if request.param != "postgresql":
        path.write_text(FILE.format(source="{engine: duckdb, database: shop.duckdb}"))
        with playing(database_url, metrics=str(path)) as play:
            yield Story(play, tmp_path, None)
        return
    with postgres_server.fresh_database() as url, postgres_server.fresh_database(is_migrated=False) as shop:
        path.write_text(FILE.format(source="{engine: postgresql, url: '${SHOP}'}"))
        with playing(url, metrics=str(path), environment={"SHOP": shop}) as play:
            yield Story(play, tmp_path, shop)


def test_times_that_become_days_are_told_and_the_last_result_stays_until_they_are_back(story: Story) -> None:
    play = story.play
    story.run(TABLES)
    story.fill(0)
    play.runs(play.ana, goal="bought", minimum_effect="5 points", **VARIANTS)
    play.move_to(START + DAY)
    first = play.asks(play.ben, "/experiment result E-1")

    story.fill(1)
    story.run("CREATE TABLE seen_before AS SELECT * FROM seen")
    story.run("ALTER TABLE seen ALTER COLUMN seen_at TYPE DATE USING CAST(seen_at AS DATE)")
    play.move_to(START + 2 * DAY)
    card, refused = read(play.card()), play.asks(play.ben, "/experiment result E-1")
    told = [line for line in play.thread() if SAID in line]
    to_owner = [text for message in play.direct(play.ana) if SAID in (text := read(message))]
    play.move_to(START + 2.5 * DAY)
    again = [line for line in play.thread() if SAID in line]

    story.run("DROP TABLE seen; ALTER TABLE seen_before RENAME TO seen")
    play.move_to(START + 3 * DAY)
    mended, card_after = play.asks(play.ben, "/experiment result E-1"), read(play.card())

    assert "300 / 300" in first
    assert "300 / 300" in refused
    assert SAID in card
    assert SAID in refused
    assert (len(told), len(again), len(to_owner)) == (1, 1, 1)
    assert "600 / 600" in mended
    assert SAID not in mended
    assert SAID not in card_after


def test_who_runs_it_again_starts_with_the_data_as_they_are(story: Story) -> None:
    play = story.play
    story.run(TABLES)
    story.fill(0)
    play.runs(play.ana, goal="bought", minimum_effect="5 points", **VARIANTS)
    play.move_to(START + DAY)
    story.run("ALTER TABLE seen ADD COLUMN experiment TEXT; UPDATE seen SET experiment = 'E-1'")
    play.move_to(START + 2 * DAY)
    refused = read(play.card())

    play.stops(play.ana)
    play.types(play.ana, "/experiment again E-1")
    play.starts(play.ana, "E-2")
    story.fill(2)
    story.run("UPDATE seen SET experiment = 'E-2' WHERE user_id >= 2000")
    play.move_to(START + 3 * DAY)
    card, result = read(play.card()), play.asks(play.ben, "/experiment result E-2")

    assert "`experiment` is the column experiment now".replace("`", "") in refused
    assert "Write experiment: null to go on as before" in refused
    assert "is the column experiment now" not in card
    assert "300 / 300" in result
