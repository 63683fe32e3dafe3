"""One look at an experiment: the single entry the rest of Labcoat uses.

Who asks when is not decided here, only what an asking costs and what it may say.
"""

from dataclasses import replace
from math import ceil

import numpy as np

from labcoat.stats import batch, estimates, multipliers, reasons, sample_ratio, standing
from labcoat.stats.arrays import FloatArray
from labcoat.stats.data_errors import arm_errors, find_data_errors, lost_share, newest_sound
from labcoat.stats.results import (
    Design,
    Estimate,
    NoLook,
    NoLookReason,
    Readout,
    Reason,
    Rule,
    Sample,
    SampleRatio,
    Verdict,
)
from labcoat.stats.sequential import has_grown
from labcoat.stats.verdict import VERDICTS, Moment

_GO_ON = (Verdict.TOO_EARLY, Verdict.WIN_GUARDRAIL_OPEN, Verdict.KEEP_COLLECTING)


def read(
    rule: Rule,
    sample: Sample,
    *,
    day: float,
    past: tuple[Readout, ...],
    is_last: bool = False,
    split_between: SampleRatio | None = None,
) -> Readout | NoLook:
    """Return what this look says, or why there is none now.

    day: days since the start, of the data. past: all earlier readouts, oldest first.
    is_last: the experiment is being stopped; before its planned end this is one last look at what is spent by now.
    After the final look it is one at data that came late, with new units or without.
    split_between: the newest check of the split between looks; what it found stays found.
    A readout with a data error is never final: it shows no numbers and spends nothing, and the next look may repair it.
    """
    codes = arm_errors(
        estimates.moment_arrays(rule, sample), is_proportion=estimates.metric_arrays(rule).is_proportion
    )[0]
    blanks = estimates.blank_estimates(rule, sample, codes)
    errors = find_data_errors(rule, sample, codes, last=newest_sound(past))
    final = next((readout for readout in past if readout.is_final), None)
    spent = final.spent if final else calendar_share(rule, day=day)
    is_closing = final is None and (spent >= 1 or is_last)
    is_due = is_closing or is_last or bool(errors)
    why_not = _why_no_look(rule, sample, blanks, day=day, past=past, is_due=is_due)
    if why_not is not None:
        return NoLook(reason=why_not)
    readout = Readout(
        look=len(past) + 1,
        day=day,
        spent=spent,
        is_final=is_closing and not errors,
        is_after_final=final is not None,
        sample_ratio=sample_ratio.check(sample.exposed, rule.weights, past=_strongest(past, split_between)),
        estimates=tuple(replace(blank, missing=blank.missing or errors[0].finding) for blank in blanks)
        if errors
        else blanks,
        verdict=Verdict.DATA_ERROR,
        reasons=errors,
    )
    read_now = _decided(rule, sample, readout, past=past)
    return _kept(read_now, final, errors) if final else read_now


def _strongest(past: tuple[Readout, ...], between: SampleRatio | None) -> SampleRatio | None:
    checks = [check for check in (past[-1].sample_ratio if past else None, between) if check is not None]
    return max(checks, key=lambda check: check.log_bayes_factor, default=None)


def calendar_share(rule: Rule, *, day: float) -> float:
    """Return u, the share of the planned calendar that is over, 0-1; units count once their window has closed."""
    span = rule.planned_days - rule.window_days
    if span <= 0:
        return float(day >= rule.planned_days)
    return min(max((day - rule.window_days) / span, 0.0), 1.0)


def _why_no_look(
    rule: Rule,
    sample: Sample,
    blanks: tuple[Estimate, ...],
    *,
    day: float,
    past: tuple[Readout, ...],
    is_due: bool,
) -> NoLookReason | None:
    if calendar_share(rule, day=day) == 0:
        return NoLookReason.WINDOW_OPEN
    is_over = any(readout.is_final for readout in past)
    if rule.design is Design.ONE_LOOK and not is_due and not is_over:
        return NoLookReason.BEFORE_THE_END
    if is_due:
        # The last look is not put off: without new units it spends what is left on the numbers there are.
        return None
    if lost_share(rule, sample, last=newest_sound(past)) > 0:
        return NoLookReason.SLIGHTLY_FEWER
    if (rule.design is Design.GROUP_SEQUENTIAL or is_over) and not _has_new_units(blanks, past=past):
        return NoLookReason.NO_NEW_UNITS
    return None


def _has_new_units(blanks: tuple[Estimate, ...], *, past: tuple[Readout, ...]) -> bool:
    reached: dict[tuple[str, str], float] = {}
    for readout in past:
        if readout.verdict is not Verdict.DATA_ERROR:
            for estimate in readout.estimates:
                pair = (estimate.metric, estimate.treatment)
                reached[pair] = max(reached.get(pair, 0.0), estimate.information)
    return any(has_grown(now.information, reached=reached.get((now.metric, now.treatment), 0.0)) for now in blanks)


def _decided(rule: Rule, sample: Sample, readout: Readout, *, past: tuple[Readout, ...]) -> Readout:
    """Return the readout with its numbers and verdict, as a batch of one."""
    errors = readout.reasons
    stands = standing.find(rule, past)
    analysis = batch.analyse(
        batch.Batch(
            moments=estimates.moment_arrays(rule, sample),
            metrics=estimates.metric_arrays(rule),
            multipliers=_multipliers(rule, readout, past=past),
            is_student=np.array([rule.design is not Design.CONFIDENCE_SEQUENCE]),
            exposed=np.array([sample.exposed], dtype=np.float64),
            weights=np.array([rule.weights]),
            past_evidence=np.array([readout.sample_ratio.log_bayes_factor]),
            has_error=np.array([bool(errors)]),
            moment=Moment(
                day=np.array([readout.day]),
                planned_days=np.array([rule.planned_days]),
                is_final=np.array([readout.is_final]),
                minimum_units=np.array([float(rule.minimum_units)]),
                minimum_events=np.array([float(rule.minimum_events)]),
            ),
            standing=stands,
        )
    )
    shown = readout.estimates
    if not errors:
        is_only_look = readout.spent >= 1 and not any(one.verdict is not Verdict.DATA_ERROR for one in past)
        shown = estimates.fill(rule, shown, analysis.estimates, is_only_look=is_only_look)
    called = VERDICTS[analysis.table.verdicts[0]]
    case = reasons.Case(
        rule=rule,
        table=analysis.table,
        standing=stands,
        index=0,
        estimates=shown,
        split=readout.sample_ratio,
        errors=errors,
        is_final=readout.is_final,
    )
    goes_on = called in _GO_ON and not readout.is_final
    return replace(
        readout,
        estimates=shown,
        verdict=called,
        reasons=reasons.give_reasons(case, called),
        days_left=max(0, ceil(rule.planned_days - readout.day)) if goes_on else None,
    )


def _multipliers(rule: Rule, readout: Readout, *, past: tuple[Readout, ...]) -> FloatArray:
    """Return k of every pair, (1, n_metrics, n_treatments); NaN where it has no number, which then costs it nothing."""
    looks = tuple(one for one in past if not one.is_after_final)
    ks = [
        np.nan if blank.missing else multipliers.multiplier(rule, blank, spent=readout.spent, looks=looks)
        for blank in readout.estimates
    ]
    return np.array(ks, dtype=np.float64).reshape(1, len(rule.metrics), -1)


def _kept(readout: Readout, final: Readout, errors: tuple[Reason, ...]) -> Readout:
    """Return the readout with the final look's verdict; what is wrong with later data is told and changes nothing."""
    news = (*errors, *reasons.split_reasons(readout.sample_ratio))
    return replace(
        readout,
        verdict=final.verdict,
        reasons=tuple(dict.fromkeys((*final.reasons, *news))),
        days_left=None,
    )
