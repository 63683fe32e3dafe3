"""Corrections: totals that replace earlier ones of their metric, and the looks that rested on those."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt

from labcoat.domain.experiment import Experiment
from labcoat.domain.look import Entry, Look, is_same_entry
from labcoat.domain.refusal import Reason, Refusal
from labcoat.stats.results import Readout
from labcoat.stats.rule import MetricKind, Moments

RECORD = "record"
"""The word of a refusal for sending totals, which is no step of the lifecycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """Totals of one metric in place of earlier ones.

    first, newest: of the entries that it replaces. new: what is true, with `wrong_since`.
    """

    kind: MetricKind
    first: Entry
    newest: Entry
    new: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """What was sent, but for what was stored already. plain: new totals. corrections: those in place of others."""

    plain: tuple[Entry, ...]
    corrections: tuple[Correction, ...]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is to be stored."""
        return (*self.plain, *(one.new for one in self.corrections))


def asks_to_correct(refusal: Refusal) -> bool:
    """Whether the totals would be taken if their sender says that they correct earlier ones."""
    if refusal.reason in (Reason.CLOSED, Reason.WRONG_STAGE):
        return refusal.facts.get("step") == RECORD
    return refusal.reason in (Reason.SMALLER_THAN_BEFORE, Reason.OTHERS_ALREADY_STORED)


def standing(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return the entries of one metric that no later one replaced, oldest first. entries: as they came."""
    kept: list[Entry] = []
    for entry in entries:
        kept = [one for one in kept if one.as_of < (entry.wrong_since or entry.as_of)]
        kept.append(entry)
    return tuple(kept)


def sort_out(
    experiment: Experiment,
    sent: Sequence[Entry],
    stored: Mapping[str, Sequence[Entry]],
    *,
    is_correction: bool,
    wrong_since: datetime | None,
) -> Sorted:
    """Return which totals are new and which replace earlier ones; raise Refusal for a correction that nobody declared.

    stored: by metric, the entries that stand. is_correction: the sender says so. wrong_since: as they say, None for
    the newest entry of each metric only. The same numbers as of the same or an earlier moment are no news.
    """
    plain: list[Entry] = []
    corrections: list[Correction] = []
    for entry in sent:
        kind, earlier = experiment.plan.metric(entry.metric).kind, stored.get(entry.metric, ())
        if not earlier:
            plain.append(entry)
            continue
        newest = earlier[-1]
        is_declared = is_correction
        if is_same_entry(entry, newest):
            is_declared = is_correction and wrong_since is not None and _reaches_back(earlier, wrong_since)
            if not is_declared and entry.as_of <= newest.as_of:
                continue
        elif not is_correction:
            _require_no_correction(entry, newest, kind, experiment)
        if is_declared:
            corrections.append(_correction(entry, earlier, kind, wrong_since))
        else:
            plain.append(entry)
    return Sorted(plain=tuple(plain), corrections=tuple(corrections))


def _reaches_back(earlier: Sequence[Entry], wrong_since: datetime) -> bool:
    return any(one.as_of >= wrong_since for one in earlier[:-1])


def _correction(entry: Entry, earlier: Sequence[Entry], kind: MetricKind, wrong_since: datetime | None) -> Correction:
    newest = earlier[-1]
    # What is true as of a moment also replaces all that was said of later ones.
    since = min(entry.as_of, newest.as_of, wrong_since or newest.as_of)
    first = next(one for one in earlier if one.as_of >= since)
    return Correction(kind=kind, first=first, newest=newest, new=replace(entry, wrong_since=since))


def _require_no_correction(entry: Entry, newest: Entry, kind: MetricKind, experiment: Experiment) -> None:
    """Raise Refusal for totals that can only be right if the newest ones are wrong."""
    names = experiment.plan.variant_names
    number, as_of = experiment.number, newest.as_of.isoformat()
    if _has_fewer_units(entry, newest):
        before = ", ".join(f"{name} {old.count:,}" for name, old in zip(names, newest.moments, strict=True))
        is_smaller = True
    else:
        before = "; ".join(f"{name} {said(old, kind)}" for name, old in zip(names, newest.moments, strict=True))
        is_smaller = kind is MetricKind.PROPORTION and any(
            successes(new) < successes(old) for new, old in zip(entry.moments, newest.moments, strict=True)
        )
    if is_smaller:
        raise Refusal(
            Reason.SMALLER_THAN_BEFORE, "correct", experiment=number, metric=entry.metric, before=before, as_of=as_of
        )
    if entry.as_of <= newest.as_of:
        raise Refusal(
            Reason.OTHERS_ALREADY_STORED, "correct", experiment=number, metric=entry.metric, before=before, as_of=as_of
        )


def said(moments: Moments, kind: MetricKind) -> str:
    """Return a variant's totals as people type them."""
    if kind is MetricKind.PROPORTION:
        return f"{successes(moments):,}/{moments.count:,}"
    return f"n {moments.count:,}, mean {moments.mean:,.6g}, sd {sqrt(max(moments.variance, 0)):,.6g}"


def successes(moments: Moments) -> int:
    """Return how many units of a proportion did it."""
    return round(moments.count * moments.mean)


def _has_fewer_units(entry: Entry, earlier: Entry) -> bool:
    return any(new.count < old.count for new, old in zip(entry.moments, earlier.moments, strict=True))


def rests_on(look: Look, correction: Correction) -> bool:
    """Whether a look used totals that were corrected, or counted more than there was in truth.

    Sums may fall honestly, as refunds do; units and the successes of a proportion only grow.
    """
    seen = look.sample.moments.get(correction.new.metric)
    if seen is None:
        return False
    if look.made_at >= correction.first.sent_at or look.as_of >= correction.first.as_of:
        return True
    pairs = list(zip(seen, correction.new.moments, strict=True))
    if any(then.count > true.count for then, true in pairs):
        return True
    is_share = correction.kind is MetricKind.PROPORTION
    return is_share and any(successes(then) > successes(true) for then, true in pairs)


def with_looks_left(experiment: Experiment, readouts: Collection[Readout]) -> Experiment:
    """Return the experiment with each dropped treatment keeping the verdict of a look that still stands.

    readouts: those that stand. A treatment whose looks are all gone keeps none until they are made again.
    """
    left = [readout.look for readout in readouts]
    dropped = tuple(
        replace(one, after_look=max((number for number in left if number <= one.after_look), default=0))
        for one in experiment.dropped
    )
    return replace(experiment, dropped=dropped)


def as_if_before_drops(experiment: Experiment, as_of: datetime) -> Experiment:
    """Return the experiment as it was then: data as of before a treatment was dropped are read with all of them."""
    return replace(experiment, dropped=tuple(one for one in experiment.dropped if one.at < as_of))


def verdicts_made_again(experiment: Experiment, readout: Readout, as_of: datetime) -> Experiment:
    """Return the experiment whose treatments that were dropped later keep the verdict of a look that was made again."""
    dropped = tuple(replace(one, after_look=readout.look) if one.at >= as_of else one for one in experiment.dropped)
    return replace(experiment, dropped=dropped)
