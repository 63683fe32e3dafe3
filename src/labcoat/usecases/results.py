"""Results: totals that people type, and what is shown when someone asks; asking makes no look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from labcoat.db import looks
from labcoat.db.database import Transaction
from labcoat.domain import entering, schedule
from labcoat.domain.counting import UnitCounts
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.look import Entry, Look, SourceProblem, is_same, sample_of
from labcoat.domain.member import Member, Program
from labcoat.domain.plan import ResultSource
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.verdicts import verdict_of
from labcoat.stats import answers
from labcoat.stats.results import Moments, NoLook, NoLookReason, Readout, Role, Sample, SampleRatio, Verdict
from labcoat.usecases import counting, telling

NEAR_ENOUGH = timedelta(days=1)
"""People send totals and then stop, or stop and send yesterday's totals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What may be shown of an experiment now.

    look: the newest with a readout. sample, sample_as_of: the newest data, of which only units may be shown.
    counts: the newest count between looks. changed: metrics whose definition changed between the newest two looks.
    next_look: None where people send the numbers, or no look is to come. no_look: why the newest data made no look.
    missing: metrics whose typed totals up to the end the last look waits for.
    """

    dossier: Dossier
    experiment: Experiment
    look: Look | None
    sample: Sample | None
    sample_as_of: datetime | None
    counts: UnitCounts | None
    changed: tuple[str, ...]
    problem: SourceProblem | None
    next_look: datetime | None
    no_look: NoLookReason | None
    missing: tuple[str, ...]


def show(tx: Transaction, dossier: Dossier, experiment: Experiment, *, now: datetime) -> Result:
    """Return what may be shown of an experiment: its newest stored look, and what came since."""
    workspace = dossier.hypothesis.workspace
    newest = looks.newest_data(tx, workspace, experiment.number)
    is_read = newest is None or newest.readout is not None
    look = newest if is_read else looks.newest(tx, workspace, experiment.number)
    return Result(
        dossier=dossier,
        experiment=experiment,
        look=look,
        sample=newest.sample if newest else None,
        sample_as_of=newest.as_of if newest else None,
        counts=counting.newest(tx, workspace, experiment.number),
        changed=_changed(looks.newest_definitions(tx, workspace, experiment.number)),
        problem=looks.find_problem(tx, workspace, experiment.number),
        next_look=_next_look(experiment, now),
        no_look=newest.no_look if newest else None,
        missing=_missing(tx, dossier, experiment, now),
    )


def redefined(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Return the metrics that are not measured as before. before, after: definitions by metric, as in a look."""
    return tuple(name for name in after if before.get(name, after[name]) != after[name])


def _changed(newest: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return redefined(newest[1], newest[0]) if len(newest) > 1 else ()


def _missing(tx: Transaction, dossier: Dossier, experiment: Experiment, now: datetime) -> tuple[str, ...]:
    if experiment.plan.source is not ResultSource.TYPED or experiment.planned_end is None:
        return ()
    is_over = experiment.state is ExperimentState.STOPPED or now >= experiment.planned_end
    if not is_over:
        return ()
    workspace = dossier.hypothesis.workspace
    if any(readout.is_final for readout in looks.readouts(tx, workspace, experiment.number)):
        return ()
    return still_missing(experiment, looks.newest_entries(tx, workspace, experiment.number))


def _next_look(experiment: Experiment, now: datetime) -> datetime | None:
    plan = experiment.plan
    if experiment.state is not ExperimentState.RUNNING or plan.source is ResultSource.TYPED or plan.period is not None:
        return None
    assert experiment.since is not None
    return schedule.next_look_slot(now, since=experiment.since, zone=plan.zone, hour=plan.look_hour)


def newest_verdict(tx: Transaction, dossier: Dossier, treatment: str | None = None) -> Verdict | None:
    """Return what the newest look of the newest experiment says, None without one.

    treatment: of this one; None for the one that comes first.
    """
    readout = newest_readout(tx, dossier)
    return None if readout is None else verdict_of(readout, treatment).verdict


def proposing_verdict(tx: Transaction, dossier: Dossier) -> tuple[Verdict | None, str | None]:
    """Return the verdict that an ending is proposed from, and of which of several treatments it is.

    It is that of the treatment which a request names, else the one that comes first.
    """
    readout, experiment = newest_readout(tx, dossier), dossier.newest_experiment
    if readout is None or experiment is None:
        return None, None
    found = verdict_of(readout, dossier.named_treatment)
    has_several = len(experiment.plan.variants) > 2 and bool(readout.treatments)
    return found.verdict, found.treatment if has_several else None


def newest_readout(tx: Transaction, dossier: Dossier) -> Readout | None:
    """Return the newest readout of the newest experiment, None without one."""
    look = newest_look(tx, dossier)
    return None if look is None else look.readout


def is_decided(tx: Transaction, dossier: Dossier, number: ExperimentNumber) -> bool:
    """Whether an experiment's final look is made, so that its verdict stands."""
    look = looks.newest(tx, dossier.hypothesis.workspace, number)
    return look is not None and _is_decided(look)


def _is_decided(look: Look) -> bool:
    return look.readout is not None and look.readout.is_decided


def current_problem(tx: Transaction, dossier: Dossier) -> SourceProblem | None:
    """Return why the newest experiment's numbers cannot be read now."""
    experiment = dossier.newest_experiment
    return None if experiment is None else looks.find_problem(tx, dossier.hypothesis.workspace, experiment.number)


def current_counts(tx: Transaction, dossier: Dossier) -> UnitCounts | None:
    """Return the newest count of units of the newest experiment while it runs."""
    experiment = dossier.newest_experiment
    if experiment is None or experiment.state is not ExperimentState.RUNNING:
        return None
    return counting.newest(tx, dossier.hypothesis.workspace, experiment.number)


def newest_look(tx: Transaction, dossier: Dossier) -> Look | None:
    """Return the newest look with a readout of the hypothesis's newest experiment."""
    experiment = dossier.newest_experiment
    return None if experiment is None else looks.newest(tx, dossier.hypothesis.workspace, experiment.number)


def record(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    by: Member | Program,
    metric: str | None,
    totals: Mapping[str, Moments],
    as_of: datetime,
    is_correction: bool,
    now: datetime,
) -> Look | None:
    """Store totals since the start of one metric, None for the goal, and look at them; else as `record_all`."""
    name = metric or dossier.get_experiment(number).plan.goal.name
    return record_all(
        tx, dossier, number, by=by, totals={name: totals}, as_of=as_of, is_correction=is_correction, now=now
    )


def record_all(
    tx: Transaction,
    dossier: Dossier,
    number: ExperimentNumber,
    *,
    by: Member | Program,
    totals: Mapping[str, Mapping[str, Moments]],
    as_of: datetime,
    is_correction: bool,
    now: datetime,
    file: str | None = None,
) -> Look | None:
    """Store totals since the start that somebody sent, and make one look at them.

    totals: by metric and variant name. is_correction: smaller numbers than before are meant. file: that they came in.
    Returns the look, None while the goal has no numbers. Raises Refusal; then nothing is stored.
    """
    experiment = dossier.get_experiment(number)
    if isinstance(by, Member):
        dossier.require_in_channel(by)
    require_typed(dossier, experiment)
    require_while_it_ran(experiment, as_of, now)
    workspace = dossier.hypothesis.workspace
    looks.hold(tx, workspace, number)
    entries = looks.newest_entries(tx, workspace, number)
    sent = entering.entries_of(experiment, totals, by=by, as_of=as_of, now=now)
    for entry in sent:
        earlier = entries.get(entry.metric)
        if earlier is not None and entering.is_smaller(entry, earlier):
            if not is_correction:
                raise entering.smaller(entry, earlier, experiment.plan.variant_names)
            standing = looks.list_of(tx, workspace, number)
            looks.supersede(tx, workspace, number, [one.slot for one in standing if _rests_on(one, earlier, entry)])
    for entry in sent:
        looks.add_entry(tx, workspace, entry)
    names = ", ".join(entry.metric for entry in sent)
    sender = {"program": by.name} if isinstance(by, Program) else {"by": by.user}
    origin = {"file": file} if file else {}
    telling.tell_in_thread(tx, dossier, {"recorded": names, "experiment": number, **sender, **origin})
    all_entries = entries | {entry.metric: entry for entry in sent}
    return _look_at_entries(tx, dossier, experiment, all_entries, as_of=as_of, now=now)


def _rests_on(look: Look, earlier: Entry, correction: Entry) -> bool:
    """Whether a look is as of the corrected totals, or has more units than there were in truth: totals only grow."""
    seen = look.sample.moments.get(correction.metric, correction.moments)
    has_more = any(then.count > true.count for then, true in zip(seen, correction.moments, strict=True))
    return look.as_of >= earlier.as_of or has_more


def look_at_the_end(tx: Transaction, dossier: Dossier, number: ExperimentNumber, *, now: datetime) -> None:
    """Make the last look of a stopped experiment if all typed totals reach to its end; else it waits for them."""
    experiment = dossier.get_experiment(number)
    entries = looks.newest_entries(tx, dossier.hypothesis.workspace, number)
    if entries:
        as_of = max(entry.as_of for entry in entries.values())
        _look_at_entries(tx, dossier, experiment, entries, as_of=as_of, now=now)


def still_missing(experiment: Experiment, entries: Mapping[str, Entry]) -> tuple[str, ...]:
    """Return the goals and guardrails whose typed totals do not reach to the end of the experiment.

    The end is when traffic ended, or the planned end while it runs; totals of the day before it are near enough. The
    last look waits for all of them: made at the first to come, it would never see the others.
    """
    end = experiment.ended_at or experiment.planned_end
    assert end is not None
    decisive = [metric.name for metric in experiment.plan.metrics if metric.role is not Role.SECONDARY]
    return tuple(name for name in decisive if name not in entries or entries[name].as_of < end - NEAR_ENOUGH)


def require_typed(dossier: Dossier, experiment: Experiment) -> None:
    """Raise Refusal unless the experiment takes totals that people or programs send."""
    ending = dossier.hypothesis.ending
    if ending is not None:
        raise Refusal(Reason.CLOSED, hypothesis=dossier.hypothesis.number, decision=ending.decision, step="record")
    if experiment.state not in (ExperimentState.RUNNING, ExperimentState.STOPPED):
        raise Refusal(Reason.WRONG_STATE, experiment=experiment.number, state=experiment.state, step="record")
    if experiment.plan.source is not ResultSource.TYPED:
        raise Refusal(Reason.COUNTS_COME_FROM_WAREHOUSE, experiment=experiment.number)


def require_while_it_ran(experiment: Experiment, as_of: datetime, now: datetime) -> None:
    """Raise Refusal for a moment before the start, or still to come."""
    assert experiment.since is not None
    if as_of > now:
        raise Refusal(Reason.IN_THE_FUTURE, "as_of")
    if as_of <= experiment.since:
        raise Refusal(Reason.BEFORE_THE_START, "as_of")


def _look_at_entries(
    tx: Transaction,
    dossier: Dossier,
    experiment: Experiment,
    entries: Mapping[str, Entry],
    *,
    as_of: datetime,
    now: datetime,
) -> Look | None:
    """Make a look at typed totals and store it.

    None while the goal has none, or the last look waits for others, or nothing is new after it.
    """
    assert experiment.since is not None
    assert experiment.planned_end is not None
    is_stopped = experiment.state is ExperimentState.STOPPED
    is_closing = is_stopped or as_of >= experiment.planned_end
    if experiment.plan.goal.name not in entries or (is_closing and still_missing(experiment, entries)):
        return None
    workspace = dossier.hypothesis.workspace
    sample = sample_of(entries, experiment.plan.goal.name)
    newest = looks.newest(tx, workspace, experiment.number)
    if newest is not None and _is_decided(newest) and is_same(newest.sample, sample):
        return None
    past = looks.readouts(tx, workspace, experiment.number)
    day = schedule.days_between(experiment.since, as_of)
    answer = compute(experiment, sample, day=day, past=past, is_last=is_stopped)
    # People may correct totals, or add a metric's, as of the very same moment: what makes the look is the telling.
    look = look_of(experiment, sample, answer, slot=now, as_of=as_of, made_at=now)
    if looks.has_slot(tx, workspace, experiment.number, look.slot):
        return None
    looks.add(tx, workspace, look)
    if look.readout is not None:
        telling.tell_in_thread(tx, dossier, {"look": look.slot.isoformat(), "experiment": experiment.number})
        telling.refresh_card(tx, dossier)
    return look


def compute(
    experiment: Experiment,
    sample: Sample,
    *,
    day: float,
    past: tuple[Readout, ...],
    is_last: bool,
    split_between: SampleRatio | None = None,
) -> Readout | NoLook:
    """Return what the statistics say of a sample; no database and no clock.

    day: since the start, of the data. split_between: what the newest count between looks said of the split.
    """
    rule = experiment.rule()
    return answers.read(rule, sample, day=day, past=past, is_last=is_last, split_between=split_between)


def look_of(
    experiment: Experiment,
    sample: Sample,
    answer: Readout | NoLook,
    *,
    slot: datetime,
    as_of: datetime,
    made_at: datetime,
) -> Look:
    """Return the look that stores an answer of the statistics."""
    return Look(
        experiment=experiment.number,
        slot=slot,
        as_of=as_of,
        made_at=made_at,
        sample=sample,
        readout=answer if isinstance(answer, Readout) else None,
        no_look=answer.reason if isinstance(answer, NoLook) else None,
    )
