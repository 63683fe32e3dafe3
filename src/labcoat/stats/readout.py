"""One look at an experiment: the single entry the rest of Labcoat uses.

Who asks when is not decided here, only what an asking costs and what it may say.
"""

from dataclasses import replace
from math import ceil

from labcoat.stats import sample_ratio, verdict
from labcoat.stats.data_errors import find_data_errors, lost_share
from labcoat.stats.estimates import estimate_all, without_numbers
from labcoat.stats.results import (
    Design,
    NoLook,
    NoLookReason,
    Readout,
    Rule,
    Sample,
    Verdict,
)
from labcoat.stats.sequential import has_grown

_GO_ON = (Verdict.TOO_EARLY, Verdict.WIN_GUARDRAIL_OPEN, Verdict.KEEP_COLLECTING)


def read(
    rule: Rule, sample: Sample, *, day: float, past: tuple[Readout, ...], is_last: bool = False
) -> Readout | NoLook:
    """Return what this look says, or why there is none now.

    day: days since the start, of the data. past: all earlier readouts, oldest first.
    is_last: the experiment is being stopped; before its planned end this is one last look at what is spent by now.
    A readout with a data error is never final: it shows no numbers and spends nothing, and the next look may repair it.
    """
    errors = find_data_errors(rule, sample, last=past[-1] if past else None)
    final = next((readout for readout in past if readout.is_final), None)
    spent = final.spent if final else calendar_share(rule, day=day)
    is_closing = final is None and (spent >= 1 or is_last)
    why_not = _why_no_look(rule, sample, day=day, past=past, is_closing=is_closing, has_errors=bool(errors))
    if why_not is not None:
        return NoLook(reason=why_not)
    looks = tuple(readout for readout in past if not readout.is_after_final)
    estimates = (
        without_numbers(rule, sample, why=errors[0].finding)
        if errors
        else estimate_all(rule, sample, spent=spent, looks=looks)
    )
    readout = Readout(
        look=len(past) + 1,
        day=day,
        spent=spent,
        is_final=is_closing and not errors,
        is_after_final=final is not None,
        sample_ratio=sample_ratio.check(sample.exposed, rule.weights, past=past[-1].sample_ratio if past else None),
        estimates=estimates,
        verdict=Verdict.DATA_ERROR,
        reasons=errors,
    )
    return _kept(readout, final) if final else _decided(rule, readout, past=past)


def calendar_share(rule: Rule, *, day: float) -> float:
    """Return u, the share of the planned calendar that is over, 0-1; units count once their window has closed."""
    span = rule.planned_days - rule.window_days
    if span <= 0:
        return float(day >= rule.planned_days)
    return min(max((day - rule.window_days) / span, 0.0), 1.0)


def _why_no_look(
    rule: Rule, sample: Sample, *, day: float, past: tuple[Readout, ...], is_closing: bool, has_errors: bool
) -> NoLookReason | None:
    if calendar_share(rule, day=day) == 0:
        return NoLookReason.WINDOW_OPEN
    is_over = any(readout.is_final for readout in past)
    if rule.design is Design.ONE_LOOK and not is_closing and not is_over:
        return NoLookReason.BEFORE_THE_END
    if has_errors or is_closing:
        # The last look is not put off: without new units it spends what is left on the numbers there are.
        return None
    if lost_share(rule, sample, last=past[-1] if past else None) > 0:
        return NoLookReason.SLIGHTLY_FEWER
    if (rule.design is Design.GROUP_SEQUENTIAL or is_over) and not _has_new_units(rule, sample, past=past):
        return NoLookReason.NO_NEW_UNITS
    return None


def _has_new_units(rule: Rule, sample: Sample, *, past: tuple[Readout, ...]) -> bool:
    reached: dict[tuple[str, str], float] = {}
    for readout in past:
        if readout.verdict is not Verdict.DATA_ERROR:
            for estimate in readout.estimates:
                pair = (estimate.metric, estimate.treatment)
                reached[pair] = max(reached.get(pair, 0.0), estimate.information)
    return any(
        has_grown(now.information, reached=reached.get((now.metric, now.treatment), 0.0))
        for now in without_numbers(rule, sample)
    )


def _decided(rule: Rule, readout: Readout, *, past: tuple[Readout, ...]) -> Readout:
    called, reasons = verdict.decide(
        verdict.Case(
            rule=rule,
            estimates=readout.estimates,
            sample_ratio=readout.sample_ratio,
            data_errors=readout.reasons,
            day=readout.day,
            is_final=readout.is_final,
            past=past,
        )
    )
    goes_on = called in _GO_ON and not readout.is_final
    days_left = max(0, ceil(rule.planned_days - readout.day)) if goes_on else None
    return replace(readout, verdict=called, reasons=reasons, days_left=days_left)


def _kept(readout: Readout, final: Readout) -> Readout:
    """Return the readout with the final look's verdict; what is wrong with later data is told and changes nothing."""
    news = (*readout.reasons, *verdict.split_reasons(readout.sample_ratio))
    return replace(
        readout,
        verdict=final.verdict,
        reasons=(*final.reasons, *(reason for reason in news if reason not in final.reasons)),
    )
