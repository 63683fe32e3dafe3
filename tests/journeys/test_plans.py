"""What a step, a tick and a delivery cost does not grow with what is finished: SQLite finds all they need by an index.

SQLite has no statistics here, as in production, and takes an index that gives an order for free over one that is short.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from journeys.playing import CLOSE, DAY, START, Play
from labcoat.db import backlog
from labcoat.usecases.looks import counting, live_drafts, looks

GROWING = (
    "hypotheses|prototypes|evidence|experiments|requests|needs|history|looks|entries|predictions|followers|unit_counts"
    "|file_jobs|digests|nudges|nudge_days|snoozes|stalls|outbox|due|earlier|posts|deliveries|api_answers"
)
READS_MUCH = re.compile(rf"SCAN ({GROWING})\b|SEARCH ({GROWING})\b.*\(workspace=\?( AND channel=\?)?\)")
OF_WHAT_WAITS = "INDEX ix_outbox_unfinished"
"""However it is read, it has nothing that is finished."""
READS_ALL = (
    r"sum\(hypotheses\.version\)|SELECT hypotheses\.number, hypotheses\.change",  # filing compares the words
    r"SELECT DISTINCT hypotheses\.metric",  # metrics that the plan form proposes
    r"^UPDATE hypotheses SET next_nudge_at.*hypotheses\.owner = \?",  # Slack said something new about a person
    r"SELECT requests\.asked_of, requests\.asked_at",  # whom the form asks for an approval
    r"max\(hypotheses\.filed_at\)|hypotheses\.channel IN .*hypotheses\.ended_at",  # a channel's digest, once a week
    r"SELECT hypotheses\.number \nFROM hypotheses \nWHERE hypotheses\.workspace = \?\n LIMIT",  # whether there is any
)
"""What has to, or happens seldom."""


@contextmanager
def plans_of_sqlite() -> Iterator[dict[str, list[str]]]:
    """Yield how each statement was carried out, by its text."""
    plans: dict[str, list[str]] = {}

    def explain(connection: Connection, _cursor: Any, said: str, values: Any, _context: Any, is_many: bool) -> None:
        if said not in plans and not is_many and said.split(None, 1)[0] in ("SELECT", "UPDATE", "DELETE"):
            cursor = connection.connection.cursor()
            plans[said] = [row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {said}", values)]
            cursor.close()

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(Engine, "before_cursor_execute", explain)


def test_no_step_and_no_tick_reads_all_that_is_finished(play: Play) -> None:
    with plans_of_sqlite() as plans:
        assert play.ana.open_home().ok
        play.files(play.ana)
        play.tries(play.ana)
        play.types(play.ana, "/hypothesis edit H-1")
        play.submits(play.ana, tags="search")
        play.plans(play.ana)
        play.starts(play.ana)
        play.move_to(START + 15 * DAY)
        play.asks(play.ana, "/experiment record E-1 control=1200/24000 treatment=1310/24100")
        play.stops(play.ana)
        play.asks_lead(play.ana)
        play.presses(play.lena, play.direct(play.lena)[-1], "approve")
        play.submits(play.lena, reason="Cheap enough to try")
        play.move_to(START + 40 * DAY)
        play.types(play.ana, "/hypothesis close H-1")
        play.submits(play.ana, **CLOSE, overrides="Nobody asked for it")
        with play.bot.database.reading() as tx:
            for what_readers_ask in (counting.due, live_drafts.due, looks.due):
                what_readers_ask(tx, now=play.now())
            backlog.measure(tx)

    found = {
        said: plan
        for said, plan in plans.items()
        if any(READS_MUCH.match(line) and OF_WHAT_WAITS not in line for line in plan)
        and not any(re.search(known, said) for known in READS_ALL)
    }
    assert len(plans) > 50
    assert found == {}
