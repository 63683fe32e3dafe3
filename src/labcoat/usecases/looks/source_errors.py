"""A source that cannot be read: tried again ever less often, shown on the card, told to its owner once."""

from dataclasses import replace
from datetime import datetime, timedelta

from labcoat.db import looks
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import SourceFailed
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.look import SourceProblem
from labcoat.usecases import publish

FIRST_WAIT, FIRST_WAIT_IF_PERMANENT = timedelta(minutes=15), timedelta(hours=1)
"""Each further wait is twice as long. What only a person can mend is asked for less often."""
LONGEST_WAIT = timedelta(hours=6)
TOLD_AFTER_ATTEMPTS = 3
"""A source that is down for a moment mends itself; what is wrong in the metrics file is told at once."""


def after(known: SourceProblem | None, message: str, *, now: datetime, is_of_count: bool = False) -> SourceProblem:
    """Return what to remember of one more failure."""
    if known is None:
        return SourceProblem(message=message, since=now, is_of_count=is_of_count)
    return replace(known, message=message, attempts=known.attempts + 1, is_of_count=is_of_count)


def wait(problem: SourceProblem, *, is_permanent: bool) -> timedelta:
    """Return how long to wait before the next try."""
    first = FIRST_WAIT_IF_PERMANENT if is_permanent else FIRST_WAIT
    doubled: timedelta = first * 2 ** min(problem.attempts - 1, 10)
    return min(doubled, LONGEST_WAIT)


def tell(
    tx: Transaction, dossier: Dossier, number: ExperimentNumber, problem: SourceProblem, *, is_permanent: bool
) -> None:
    """Store a problem; say it once in the thread and once to the owner, and keep the card true."""
    workspace = dossier.hypothesis.workspace
    known = looks.find_problem(tx, workspace, number)
    failed = SourceFailed(hypothesis=dossier.hypothesis.number, experiment=number, problem=problem.message)
    lasts = is_permanent or problem.attempts >= TOLD_AFTER_ATTEMPTS
    to_owner = [failed] if lasts and not problem.is_owner_told else []
    looks.set_problem(tx, workspace, number, replace(problem, is_owner_told=problem.is_owner_told or lasts))
    in_thread = [failed] if known is None else []
    is_new = known is None or known.message != problem.message
    publish.publish(tx, dossier, *in_thread, to_owner=to_owner, shows=is_new)
