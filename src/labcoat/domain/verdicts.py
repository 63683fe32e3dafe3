"""A readout's verdicts, one a treatment, as surfaces ask about them: which comes first, who is harmed, what is new."""

from collections.abc import Mapping
from dataclasses import dataclass

from labcoat.stats.results import Estimate, Finding, Readout, TreatmentVerdict, Verdict
from labcoat.stats.rule import Role

_CALLING = frozenset({Finding.BAD_SIDE, Finding.GOOD_SIDE, Finding.CROSSED_EARLIER, Finding.EFFECT_MOVED})
_UNHEALTHY = frozenset({Verdict.INVALID, Verdict.DATA_ERROR, Verdict.GOAL_HARM, Verdict.GUARDRAIL_HARM})


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What a look called. by_treatment: empty in a look of an earlier version, which had one verdict for all."""

    headline: Verdict
    by_treatment: Mapping[str, Verdict]

    @property
    def is_unhealthy(self) -> bool:
        """Whether any of it needs a person."""
        return self.headline in _UNHEALTHY or any(verdict.is_harm for verdict in self.by_treatment.values())


def called(readout: Readout) -> Called:
    """Return what a look called."""
    return Called(headline=readout.verdict, by_treatment={one.treatment: one.verdict for one in readout.treatments})


def has_changed(before: Called, now: Called) -> bool:
    """Whether any treatment's verdict is another than before."""
    if before.by_treatment and now.by_treatment:
        return before.by_treatment != now.by_treatment
    return before.headline is not now.headline


def leading(readout: Readout) -> TreatmentVerdict:
    """Return the verdict that comes first; of no treatment, "", where nothing names one."""
    found = readout.headline
    return found or TreatmentVerdict(treatment="", verdict=readout.verdict, reasons=readout.reasons)


def verdict_of(readout: Readout, treatment: str | None) -> TreatmentVerdict:
    """Return a treatment's verdict. treatment: None for the first.

    Where the readout says nothing of it, as one of an earlier version that named another, nothing is clear.
    """
    found = readout.find(treatment)
    if found is not None:
        return found
    if treatment is None or not readout.by_treatment:
        return leading(readout)
    unclear = Verdict.INCONCLUSIVE if readout.is_decided else Verdict.KEEP_COLLECTING
    return TreatmentVerdict(treatment=treatment, verdict=unclear, reasons=())


def others(readout: Readout, one: TreatmentVerdict) -> tuple[TreatmentVerdict, ...]:
    """Return the verdicts of the other treatments; none where one verdict stands for all, as in earlier versions."""
    return tuple(other for other in readout.treatments if other.treatment != one.treatment)


def deciding(readout: Readout, one: TreatmentVerdict) -> Estimate | None:
    """Return the estimate that a verdict is about: of the metric that decided, else of the first goal."""
    called = next((why for why in one.reasons if why.metric and why.finding in _CALLING), None)
    metric = one.metric or (called.metric if called else None)
    # One verdict of an earlier version stood for all treatments; only its reasons name the one that decided.
    is_of_all = not readout.treatments
    treatment = (called.treatment if called else None) if is_of_all else one.treatment
    mine = [each for each in readout.as_decided.estimates if treatment in (None, "", each.treatment)]
    about = [each for each in mine if each.metric == metric]
    about += [each for each in mine if each.role is Role.GOAL]
    return about[0] if about else None


def harmed(readout: Readout) -> tuple[TreatmentVerdict, ...]:
    """Return the treatments that do harm and were not dropped."""
    by_treatment = readout.treatments or (leading(readout),)
    return tuple(one for one in by_treatment if one.verdict.is_harm and not one.is_dropped)


def is_unhealthy(readout: Readout) -> bool:
    """Whether the numbers need a person: a treatment does harm, or nothing can be read."""
    return not leading(readout).verdict.is_valid or bool(harmed(readout))


def may_show_effects(readout: Readout) -> bool:
    """Whether effects may be read: not on a split that is not valid, nor on wrong data."""
    return leading(readout).verdict.is_valid
