"""Lines of a hypothesis's story about an experiment that runs or ran: stop, drop, fix the cause, cancel, run again."""

from pydantic import TypeAdapter

from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import DroppedTreatment, Experiment, WhileItRan
from labcoat.domain.history import Entity, HistoryEntry
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.plan import ResultSource
from labcoat.words import numbers

REASON_LENGTH = 200
_DROPPED = TypeAdapter(tuple[DroppedTreatment, ...])


def experiment_of(entry: HistoryEntry, dossier: Dossier) -> Experiment | None:
    """Return the experiment that a step was about, None if its history names none."""
    number = entry.key_of(Entity.EXPERIMENT)
    return None if number is None else dossier.get_experiment(ExperimentNumber(number))


def because(entry: HistoryEntry) -> str:
    """Return the reason of a step as a sentence, "" without one."""
    return f". Why: {entry.reason}" if entry.reason else ""


def stop(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:
    """Return what a stop did."""
    experiment = experiment_of(entry, dossier)
    assert experiment is not None
    assert experiment.ended_at is not None
    ended = numbers.day_and_time(experiment.ended_at, zone)
    what_now = "One last look follows."
    if experiment.plan.source is ResultSource.TYPED:
        what_now = "The last look is made at totals up to then."
    said = numbers.as_sentence(f"stopped E-{experiment.number}; traffic ended {ended}{because(entry)}")
    return f"{said} {what_now}"


def drop(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:
    """Return what dropping a treatment did."""
    experiment = experiment_of(entry, dossier)
    assert experiment is not None
    name = _dropped_name(entry)
    one = next(one for one in experiment.dropped if one.treatment == name)
    ended = numbers.day_and_time(one.at, zone)
    said = f"dropped {one.treatment} from E-{experiment.number}; its traffic ended {ended}{because(entry)}"
    return f"{numbers.as_sentence(said)} Its verdict stays, and the others go on."


def _dropped_name(entry: HistoryEntry) -> str:
    changed = entry.find(Entity.EXPERIMENT, "dropped")
    assert changed is not None
    return _DROPPED.validate_python(changed.new)[-1].treatment


def fix_cause(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:
    """Return what fixing the cause of an uneven split did."""
    experiment = experiment_of(entry, dossier)
    assert experiment is not None
    assert experiment.fixed_cause is not None
    since = numbers.day_and_time(experiment.fixed_cause.since, zone)
    said = f"fixed the cause of the uneven split of E-{experiment.number}, {since}{because(entry)}"
    return f"{numbers.as_sentence(said)} Only units exposed since then count; earlier looks say nothing any more."


def notes(ran: WhileItRan) -> list[str]:
    """Return what people did to an experiment while it ran, each with its day and reason, which stay in view."""
    label, fixed = f"E-{ran.number}", ran.fixed_cause
    found = [
        f"{label}: {one.treatment} was dropped on {numbers.day(one.at, ran.zone)}: {_reason(one.reason)}"
        for one in ran.dropped
    ]
    if fixed is not None:
        day, often = numbers.day(fixed.since, ran.zone), _often(ran.fixed_count)
        found.append(f"{label}: the cause of an uneven split was fixed on {day}: {_reason(fixed.reason)} ({often})")
    return found


def _reason(text: str) -> str:
    return numbers.shortened(numbers.in_sentence(text), REASON_LENGTH)


def _often(count: int) -> str:
    """Return how often something was done.

    >>> _often(1), _often(2), _often(3)
    ('once', 'twice', '3 times')
    """
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def without_dropped(experiment: Experiment) -> str:
    """Return what a plan that is run again lacks, "" if nothing was dropped."""
    if not experiment.dropped:
        return ""
    were = "which was" if len(experiment.dropped) == 1 else "which were"
    return f", without {' and '.join(experiment.dropped_treatments)}, {were} dropped"


def cancel(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    """Return what cancelling a draft did."""
    experiment = experiment_of(entry, dossier)
    return f"cancelled E-{experiment.number if experiment else '?'}{because(entry)}"


def again(entry: HistoryEntry, dossier: Dossier, zone: str) -> str:  # noqa: ARG001
    """Return what planning to run it again did."""
    experiment = experiment_of(entry, dossier)
    if experiment is None:
        return "planned to run it again"
    earlier = [one for one in dossier.experiments if one.number < experiment.number and one.ended_at is not None]
    without = without_dropped(earlier[-1]) if earlier else ""
    return f"planned to run it again as E-{experiment.number}, with the same plan{without}"
