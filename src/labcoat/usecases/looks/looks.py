"""Daily looks in three parts: read what is due, ask the warehouse with no transaction open, record the look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from labcoat.db import dossiers, looks, waiting_looks
from labcoat.db.database import Transaction
from labcoat.domain import late_data, schedule
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.facts import DefinitionsChanged, Fact, LookMade
from labcoat.domain.findings import Findings
from labcoat.domain.hypothesis import Hypothesis
from labcoat.domain.ids import HypothesisNumber, WorkspaceId
from labcoat.domain.late_data import Short, Wait
from labcoat.domain.lifecycle import ExperimentState, Stage
from labcoat.domain.look import Look, is_same
from labcoat.domain.verdicts import called, has_changed
from labcoat.stats.results import NoLook, Readout, SampleRatio, Verdict
from labcoat.stats.rule import Sample
from labcoat.usecases import publish
from labcoat.usecases.experiments import results
from labcoat.usecases.looks import counting, source_errors
from labcoat.warehouse import freshness
from labcoat.warehouse.errors import SourceError
from labcoat.warehouse.reading import Reading

LATE_FOR = timedelta(days=7)
"""How long after the end rows may still arrive; most warehouses are a day or two behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLook:
    """A look to make.

    due_at: what the look is taken by. until: later data do not count. day: of the experiment, for what it spends.
    past: the looks that stand. is_last: the last one of a stopped experiment. late_until: until when data that came
    late are looked for after it, None for never. split_between: what the newest count between looks said of the split.
    waits: what it has waited for so far. short: what its data lack all the same. findings: what the data were found to
    be at earlier looks.
    """

    workspace: WorkspaceId
    hypothesis: HypothesisNumber
    experiment: Experiment
    due_at: datetime
    slot: datetime
    until: datetime
    day: float
    past: tuple[Look, ...]
    is_last: bool
    late_until: datetime | None = None
    split_between: SampleRatio | None = None
    waits: Wait | None = None
    short: tuple[Short, ...] = ()
    findings: Findings = field(default_factory=Findings)

    @property
    def closes(self) -> bool:
        """Whether it is the final look, by a stop or by the planned end."""
        is_at_end = self.is_last or self.day >= self.experiment.plan.planned_days
        return is_at_end and not any(one.is_final for one in _standing(self.experiment, self.past))

    @property
    def is_late(self) -> bool:
        """Whether the last look is made, so that only data that came late are news."""
        return self.is_last and any(readout.is_final for readout in _standing(self.experiment, self.past))


def _standing(experiment: Experiment, past: Iterable[Look]) -> list[Readout]:
    return [one.readout for one in past if one.readout is not None and not experiment.is_void(one.readout)]


def due(tx: Transaction, *, now: datetime) -> list[DueLook]:
    """Return the looks that are due, with all that making them needs."""
    found = []
    for one in looks.due(tx, now):
        dossier = dossiers.find(tx, one.workspace, one.hypothesis)
        assert dossier is not None
        look = _due_look(tx, dossier, dossier.get_experiment(one.number), due_at=one.next_look_at, now=now)
        if look is not None:
            found.append(look)
    return found


def _due_look(
    tx: Transaction, dossier: Dossier, experiment: Experiment, *, due_at: datetime, now: datetime
) -> DueLook | None:
    plan, is_stopped = experiment.plan, experiment.state is ExperimentState.STOPPED
    past = tuple(looks.list_of(tx, dossier.hypothesis.workspace, experiment.number))
    assert experiment.since is not None
    if plan.period is not None:
        slot, until, day = now, plan.period.ends_at, plan.planned_days
    elif is_stopped:
        assert experiment.ended_at is not None
        # People may say late that traffic ended earlier. What was read since then was read, and what it spent is spent.
        slot, until = now, max([experiment.ended_at, *(look.as_of for look in past)])
        spent_days = (look.readout.day for look in past if look.readout is not None)
        day = max(schedule.days_between(experiment.since, until), *spent_days, 0.0)
    else:
        latest = schedule.latest_look_slot(now, since=experiment.since, zone=plan.zone, hour=plan.look_hour)
        if latest is None:
            return None
        slot, until = latest, now
        day = float(schedule.day_of_slot(slot, since=experiment.since))
    return DueLook(
        workspace=dossier.hypothesis.workspace,
        hypothesis=dossier.hypothesis.number,
        experiment=experiment,
        due_at=due_at,
        slot=slot,
        until=until,
        day=day,
        past=past,
        is_last=is_stopped or plan.period is not None,
        late_until=_late_until(dossier.hypothesis, experiment),
        split_between=counting.evidence(tx, dossier.hypothesis.workspace, experiment),
        waits=waiting_looks.find(tx, dossier.hypothesis.workspace, experiment.number),
        findings=looks.findings(tx, dossier.hypothesis.workspace, experiment),
    )


def _late_until(hypothesis: Hypothesis, experiment: Experiment) -> datetime | None:
    is_decided = hypothesis.stage is Stage.PRODUCTIONIZE or not hypothesis.is_open
    if is_decided or experiment.plan.period is not None or experiment.ended_at is None:
        return None
    return experiment.ended_at + LATE_FOR


def is_finished(look: DueLook) -> bool:
    """Whether there is nothing left to look at: the last look is made, and no data are waited for."""
    return look.is_late and (look.late_until is None or look.slot > look.late_until)


def answer(look: DueLook, sample: Sample) -> Readout | NoLook:
    """Return what the statistics say of a sample; no transaction is open."""
    return results.compute(
        look.experiment,
        sample,
        day=look.day,
        past=look.past,
        is_last=look.is_last,
        split_between=look.split_between,
    )


def settle(
    tx: Transaction,
    look: DueLook,
    found: Reading | SourceError | Wait | None,
    answer: Readout | NoLook | None,
    *,
    now: datetime,
) -> None:
    """Store what became of a look: its readout, why it can't be read, or what it waits for. answer: of a reading."""
    if isinstance(found, SourceError):
        record_problem(tx, look, found.message, is_permanent=found.permanent, now=now)
    elif isinstance(found, Reading):
        assert answer is not None
        record(tx, look, found, answer, now=now)
    else:
        put_off(tx, look, found, now=now)


def record(tx: Transaction, look: DueLook, reading: Reading, answer: Readout | NoLook, *, now: datetime) -> Look | None:
    """Store a look with its notices; None if somebody took it, or the plan moved, or nothing came late meanwhile."""
    dossier = _taken(tx, look, then=_next_time(look, answer, now))
    if dossier is None:
        return None
    experiment = dossier.get_experiment(look.experiment.number)
    had_problem = looks.clear_problem(tx, look.workspace, experiment.number)
    if not _is_wrong_at_the_end(look, answer):  # what is wrong at the end is looked at again, and has waited
        had_problem = waiting_looks.clear(tx, look.workspace, experiment.number) or had_problem
    if look.is_late and is_same(look.past[-1].sample, reading.sample):
        if had_problem:
            publish.publish(tx, dossier, shows=True)
        return None
    made = results.look_of(experiment, reading.sample, answer, slot=look.slot, as_of=look.until, made_at=now)
    made = replace(made, crossed=reading.crossed, left_out=reading.left_out, definitions=reading.definitions)
    is_wrong = isinstance(answer, Readout) and answer.verdict is Verdict.DATA_ERROR
    is_found = not is_wrong and reading.findings != look.findings
    made = replace(made, short=look.short, findings=reading.findings if is_found else None)
    looks.add(tx, look.workspace, made)
    before = look.past[-1].definitions if look.past else None
    hypothesis = dossier.hypothesis.number
    changed = results.redefined(before or {}, made.definitions or {})
    facts: list[Fact] = []
    if changed:
        facts.append(DefinitionsChanged(hypothesis=hypothesis, experiment=experiment.number, metrics=changed))
    if made.readout is not None and (look.is_late or _is_news(made.readout, _standing(experiment, look.past))):
        facts.append(LookMade(hypothesis=hypothesis, experiment=experiment.number, slot=made.slot))
    publish.publish(tx, dossier, *facts, shows=made.readout is not None or had_problem)
    return made


def finish(tx: Transaction, look: DueLook) -> None:
    """Remember that no look of this experiment is to come, and forget why late data could not be read."""
    number = look.experiment.number
    is_taken = looks.take(tx, look.workspace, number, due_at=look.due_at, then=None)
    waiting_looks.clear(tx, look.workspace, number)
    if is_taken and looks.clear_problem(tx, look.workspace, number):
        dossier = dossiers.find(tx, look.workspace, look.hypothesis)
        assert dossier is not None
        publish.publish(tx, dossier, shows=True)


def record_problem(tx: Transaction, look: DueLook, message: str, *, is_permanent: bool, now: datetime) -> None:
    """Remember why the numbers could not be read, say so once until they can be, and try again later."""
    workspace, number = look.workspace, look.experiment.number
    problem = source_errors.after(looks.find_problem(tx, workspace, number), message, now=now)
    dossier = _taken(tx, look, then=now + source_errors.wait(problem, is_permanent=is_permanent))
    if dossier is not None:
        source_errors.tell(tx, dossier, number, problem, is_permanent=is_permanent)


def put_off(tx: Transaction, look: DueLook, wait: Wait | None, *, now: datetime) -> None:
    """Remember what a look waits for and ask again later; nobody is nudged, the card says it.

    wait: None to go on to the next slot, because the data of this one end before any unit can count.
    """
    workspace, number = look.workspace, look.experiment.number
    dossier = _taken(tx, look, then=late_data.next_try(wait, now) if wait is not None else _next_slot(look, now))
    if dossier is None:
        return
    is_new = wait is not None and wait != look.waits
    if wait is None:
        waiting_looks.clear(tx, workspace, number)
    elif is_new:
        waiting_looks.put(tx, workspace, number, wait)
    known = looks.find_problem(tx, workspace, number)
    is_readable_again = known is not None and known.message.startswith(freshness.ASKED_OF)
    if is_readable_again:
        looks.clear_problem(tx, workspace, number)
    if is_new or is_readable_again:
        publish.publish(tx, dossier, shows=True)


def _taken(tx: Transaction, look: DueLook, *, then: datetime | None) -> Dossier | None:
    dossier = dossiers.find(tx, look.workspace, look.hypothesis)
    assert dossier is not None
    then = then if dossier.hypothesis.is_open else None
    if not looks.take(tx, look.workspace, look.experiment.number, due_at=look.due_at, then=then):
        return None
    experiment = dossier.get_experiment(look.experiment.number)
    return (
        None
        if counting.has_moved(look.experiment, experiment)
        or looks.has_slot(tx, look.workspace, experiment.number, look.slot)
        else dossier
    )


def _next_time(look: DueLook, answer: Readout | NoLook, now: datetime) -> datetime | None:
    if _is_wrong_at_the_end(look, answer):
        return now + source_errors.LONGEST_WAIT
    slot = _next_slot(look, now)
    is_over = look.is_last and (look.late_until is None or slot > look.late_until)
    return None if is_over else slot


def _next_slot(look: DueLook, now: datetime) -> datetime:
    plan, since = look.experiment.plan, look.experiment.since
    assert since is not None
    return schedule.next_look_slot(now, since=since, zone=plan.zone, hour=plan.look_hour)


def _is_wrong_at_the_end(look: DueLook, answer: Readout | NoLook) -> bool:
    return look.is_last and isinstance(answer, Readout) and answer.verdict is Verdict.DATA_ERROR


def _is_news(readout: Readout, earlier: Sequence[Readout]) -> bool:
    if not earlier:
        return True
    is_another = has_changed(called(earlier[-1]), called(readout))
    return is_another or (readout.is_final and not earlier[-1].is_final)
