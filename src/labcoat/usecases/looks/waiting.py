"""Which looks have their data and which wait for them; a source is asked once for all of its looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from labcoat.domain import late_data, schedule
from labcoat.domain.experiment import Experiment
from labcoat.domain.late_data import Short, Wait
from labcoat.usecases.looks import measuring
from labcoat.usecases.looks.looks import DueLook
from labcoat.warehouse import freshness
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.metrics_file import MetricsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Looks that are due, by what becomes of them.

    others: each with why not, or what it waits for; None to leave it to the next slot, as no unit can count before.
    """

    ready: tuple[DueLook, ...]
    others: tuple[tuple[DueLook, SourceError | Wait | None], ...]


def sort_out(looks: Sequence[DueLook], metrics: MetricsFile | None, *, now: datetime) -> Sorted:
    """Return which of these looks can be made now, and as of when; no transaction is open."""
    sources = [sorted(measuring.sources_of(one.experiment, metrics)) for one in looks]
    asked = {name for names in sources for name in names}
    answers = freshness.ask(metrics, sorted(asked), now=now) if metrics is not None else {}
    ready: list[DueLook] = []
    others: list[tuple[DueLook, SourceError | Wait | None]] = []
    for look, names in zip(looks, sources, strict=True):
        errors = [answer for name in names if isinstance(answer := answers.get(name), SourceError)]
        if errors:
            others.append((look, errors[0]))
            continue
        ends = _ends(look, names, metrics, answers, now=now)
        short = tuple(end for end, needed in ends if end.complete_to < needed)
        wait = late_data.wait_for(short, slot=look.slot, is_final=look.closes, known=look.waits)
        if short and not look.is_late and now < wait.until:
            others.append((look, wait))
            continue
        made = _cut(look, [end for end, _ in ends], short)
        if _has_units(made):
            ready.append(made)
        elif short:
            others.append((look, _too_early(look, short)))
        else:
            others.append((look, None))
    return Sorted(ready=tuple(ready), others=tuple(others))


def next_look(experiment: Experiment, slot: datetime, metrics: MetricsFile | None) -> datetime:
    """Return when the look of a slot is made at the earliest, by the hours at which its sources are ready."""
    zone = experiment.plan.zone
    found = [slot]
    for name in measuring.sources_of(experiment, metrics):
        ready = metrics.sources[name].ready_after if metrics is not None else None
        if ready is not None:
            own = ready.zone or zone
            found.append(schedule.at_local(schedule.local_date(slot, own), ready.clock, own))
    return max(found)


def _ends(
    look: DueLook,
    names: Sequence[str],
    metrics: MetricsFile | None,
    answers: Mapping[str, datetime | SourceError],
    *,
    now: datetime,
) -> list[tuple[Short, datetime]]:
    """Return how far each source that says it is complete, and how far the look needs it."""
    zone = look.experiment.plan.zone
    found: list[tuple[Short, datetime]] = []
    for name in names if metrics is not None else ():
        ready, answer = metrics.sources[name].ready_after if metrics is not None else None, answers.get(name)
        if ready is not None:
            own = ready.zone or zone
            day = schedule.midnight(schedule.local_date(look.slot, own), own)
            needed = _end(look) if look.closes or look.is_last else day
            found.append((late_data.promised(ready, source=name, needed=needed, zone=zone, now=now), needed))
        elif isinstance(answer, datetime):
            needed = _end(look) if look.closes or look.is_last else late_data.start_of_day(look.slot, zone)
            found.append((Short(source=name, complete_to=answer), needed))
    return found


def _end(look: DueLook) -> datetime:
    """Return how far the final look needs its data: to the end of the experiment."""
    if look.is_last:
        return look.until
    assert look.experiment.planned_end is not None
    return min(look.slot, look.experiment.planned_end)


def _cut(look: DueLook, ends: Sequence[Short], short: tuple[Short, ...]) -> DueLook:
    """Return the look as of where all its sources are complete: what came after is half there.

    Never before an earlier look, which has seen these units already.
    """
    complete_to = min((end.complete_to for end in ends), default=look.until)
    seen = max((one.as_of for one in look.past), default=complete_to)
    return replace(look, until=min(look.until, max(complete_to, seen)), short=short)


def _has_units(look: DueLook) -> bool:
    since = look.experiment.exposed_since
    return since is None or look.until > since


def _too_early(look: DueLook, short: Sequence[Short]) -> SourceError:
    names = " and ".join(one.source for one in short)
    message = (
        f"The data of {names} end before E-{look.experiment.number} began, and were waited for in vain. "
        "Check the job that loads them."
    )
    return SourceError(message, permanent=False)
