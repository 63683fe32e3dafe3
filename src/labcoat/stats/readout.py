"""One look at an experiment: the single entry the rest of Labcoat uses.

Who asks when is not decided here, only what an asking costs and what it may say.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import ceil
from types import MappingProxyType

import numpy as np

from labcoat.stats import (
    batch,
    dropping,
    estimates,
    headline,
    intersection,
    multipliers,
    reasons,
    sample_ratio,
    since_look,
)
from labcoat.stats.arrays import FloatArray
from labcoat.stats.data_errors import arm_errors, deciding, find_data_errors, have_vanished, lost_share, sound
from labcoat.stats.results import (
    AnalysedSplit,
    Estimate,
    NoLook,
    NoLookReason,
    Readout,
    Reason,
    SampleRatio,
    TreatmentVerdict,
    Verdict,
)
from labcoat.stats.rule import Design, Rule, Sample
from labcoat.stats.sequential import has_grown
from labcoat.stats.verdict import VERDICTS, Moment

_GO_ON = (Verdict.TOO_EARLY, Verdict.WIN_GUARDRAIL_OPEN, Verdict.WIN_EFFECT_MOVED, Verdict.KEEP_COLLECTING)
_NO_SAMPLES: Mapping[int, Sample] = MappingProxyType({})


def read(
    rule: Rule,
    sample: Sample,
    *,
    day: float,
    past: tuple[Readout, ...],
    is_last: bool = False,
    split_between: SampleRatio | None = None,
    past_samples: Mapping[int, Sample] = _NO_SAMPLES,
) -> Readout | NoLook:
    """Return what this look says, or why there is none now.

    day: days since the start, of the data. past: all earlier readouts that stand, oldest first.
    is_last: the experiment is being stopped; before its planned end this is one last look at what is spent by now.
    After the final look it is one at data that came late, with new units or without.
    split_between: the newest check of the split between looks; what it found stays found.
    past_samples: what earlier looks saw, by their number, to say what came after one from which the effect has moved.
    A readout with a data error is never final: it shows no numbers and spends nothing, and the next look may repair it.
    Of dropped treatments nothing is read; before a fixed cause nothing counts.
    """
    everything, number = past, max((one.look for one in past), default=0) + 1
    if rule.fixed_cause is not None:
        past = tuple(one for one in past if one.look > rule.fixed_cause.after_look)
    remaining, seen = dropping.without_dropped(rule, sample)
    usable = sound(rule, past, sample.exposed)
    last = dropping.only_remaining(rule, usable[-1]) if usable else None
    codes = arm_errors(
        estimates.moment_arrays(remaining, seen), is_proportion=estimates.metric_arrays(remaining).is_proportion
    )[0]
    blanks = estimates.blank_estimates(remaining, seen, codes)
    errors = find_data_errors(remaining, seen, codes, last=last)
    final = next((readout for readout in past if readout.is_final), None)
    spent = final.spent if final else calendar_share(rule, day=day)
    is_closing = final is None and (spent >= 1 or is_last)
    is_due = is_closing or is_last or bool(errors)
    is_over = final is not None
    why_not = _why_no_look(remaining, seen, blanks, day=day, usable=usable, last=last, is_due=is_due, is_over=is_over)
    if why_not is not None:
        return NoLook(reason=why_not)
    readout = Readout(
        look=number,
        day=day,
        spent=spent,
        is_final=is_closing and not errors,
        is_after_final=is_over,
        sample_ratio=_split(rule, sample, usable=usable, between=split_between),
        estimates=tuple(replace(blank, missing=blank.missing or errors[0].finding) for blank in blanks)
        if errors
        else blanks,
        verdict=Verdict.DATA_ERROR,
        reasons=errors,
    )
    samples = {look: dropping.without_dropped(rule, one)[1] for look, one in past_samples.items()}
    decided = _decided(remaining, seen, readout, past=usable, past_samples=samples)
    made = dropping.with_dropped(rule, decided, past=everything)
    return _kept(rule, made, final, errors) if final else made


def _split(rule: Rule, sample: Sample, *, usable: tuple[Readout, ...], between: SampleRatio | None) -> SampleRatio:
    """Return the check of the split, with the evidence of all usable looks: what wrong data showed is not carried."""
    before = [one.sample_ratio.exposed for one in usable]
    exposed, weights = dropping.counted(rule, [*before, sample.exposed])
    evidence = sample_ratio.log_bayes_factor(exposed, weights)
    found = max(0.0, float(evidence.max()))
    # A count of units that are not there any more was of wrong data.
    if between is not None and not (
        len(between.exposed) == exposed.shape[1] and have_vanished(between.exposed, exposed[-1].tolist())
    ):
        found = max(found, between.log_bayes_factor)
    return SampleRatio(
        exposed=sample.exposed,
        weights=rule.weights,
        p_value=float(np.exp(-found)),
        log_bayes_factor=found,
        chi_square_p=float(sample_ratio.chi_square_p(exposed, weights)[-1]),
    )


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
    usable: tuple[Readout, ...],
    last: Readout | None,
    is_due: bool,
    is_over: bool,
) -> NoLookReason | None:
    if calendar_share(rule, day=day) == 0:
        return NoLookReason.WINDOW_OPEN
    if rule.design is Design.ONE_LOOK and not is_due and not is_over:
        return NoLookReason.BEFORE_THE_END
    if is_due:
        # The last look is not put off: without new units it spends what is left on the numbers there are.
        return None
    if lost_share(rule, sample, last=last) > 0:
        return NoLookReason.SLIGHTLY_FEWER
    if (rule.design is Design.GROUP_SEQUENTIAL or is_over) and not _has_new_units(blanks, past=usable):
        return NoLookReason.NO_NEW_UNITS
    return None


def _has_new_units(blanks: tuple[Estimate, ...], *, past: tuple[Readout, ...]) -> bool:
    reached: dict[tuple[str, str], float] = {}
    for readout in past:
        for estimate in readout.estimates:
            pair = (estimate.metric, estimate.treatment)
            reached[pair] = max(reached.get(pair, 0.0), estimate.information)
    return any(has_grown(now.information, reached=reached.get((now.metric, now.treatment), 0.0)) for now in blanks)


def _decided(
    rule: Rule,
    sample: Sample,
    readout: Readout,
    *,
    past: tuple[Readout, ...],
    past_samples: Mapping[int, Sample],
) -> Readout:
    """Return the readout with its numbers and verdicts, as a batch of one."""
    errors = readout.reasons
    paths = intersection.paths(rule, past)
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
            earlier=intersection.as_arrays(rule, paths),
        )
    )
    analysed_splits = () if errors else _analysed_splits(rule, analysis.analysed_evidence[0])
    shown = readout.estimates
    if not errors:
        is_only_look = readout.spent >= 1 and not past
        shown = estimates.fill(rule, shown, analysis.estimates, is_only_look=is_only_look)
        early = set(np.array(rule.treatments)[analysis.table.is_early[0]])
        shown = tuple(
            _in_context(rule, one, paths, is_early=one.treatment in early, sample=sample, past_samples=past_samples)
            for one in estimates.with_states(shown, analysis.table)
        )
    verdicts = []
    for column, treatment in enumerate(rule.treatments):
        called = VERDICTS[analysis.table.verdicts[0, column]]
        case = reasons.Case(
            rule=rule,
            table=analysis.table,
            index=0,
            treatment=treatment,
            estimates=shown,
            paths=paths,
            split=readout.sample_ratio,
            analysed_splits=analysed_splits,
            errors=errors,
            is_final=readout.is_final,
        )
        one = TreatmentVerdict(treatment=treatment, verdict=called, reasons=reasons.give_reasons(case, called))
        verdicts.append(replace(one, metric=headline.deciding_metric(rule, one, shown)))
    ordered = headline.in_order(rule, tuple(verdicts), shown)
    goes_on = ordered[0].verdict in _GO_ON and not readout.is_final
    return replace(
        readout,
        estimates=shown,
        verdict=ordered[0].verdict,
        reasons=ordered[0].reasons,
        treatments=ordered,
        analysed_splits=analysed_splits,
        days_left=max(0, ceil(rule.planned_days - readout.day)) if goes_on else None,
    )


def _in_context(
    rule: Rule,
    estimate: Estimate,
    paths: intersection.Paths,
    *,
    is_early: bool,
    sample: Sample,
    past_samples: Mapping[int, Sample],
) -> Estimate:
    """Return an estimate with what earlier looks say of it."""
    path = paths[estimate.metric, estimate.treatment]
    metric = next(one for one in rule.metrics if one.name == estimate.metric)
    if multipliers.is_growing(rule, metric):
        return replace(estimate, crossing=intersection.crossing(metric, estimate, path))
    behind = intersection.left_behind(estimate, path)
    held = intersection.held(estimate, path)
    if is_early:
        return estimate
    if behind is None:
        return replace(estimate, held=held)
    since = since_look.effect_since(rule, estimate, sample, past_samples.get(behind.look), behind)
    return replace(estimate, held=held, has_moved=True, since=since)


def _multipliers(rule: Rule, readout: Readout, *, past: tuple[Readout, ...]) -> FloatArray:
    """Return k of every pair, (1, n_metrics, n_treatments); NaN where it has no number, which then costs it nothing."""
    looks = tuple(one for one in past if not one.is_after_final)
    ks = [
        np.nan if blank.missing else multipliers.multiplier(rule, blank, spent=readout.spent, looks=looks)
        for blank in readout.estimates
    ]
    return np.array(ks, dtype=np.float64).reshape(1, len(rule.metrics), -1)


def _analysed_splits(rule: Rule, evidence: FloatArray) -> tuple[AnalysedSplit, ...]:
    """Return the checks with any evidence, p-values times the metrics that share them."""
    metrics = len(deciding(rule))
    return tuple(
        AnalysedSplit(
            metric=metric.name,
            p_value=min(1.0, float(np.exp(-found)) * metrics),
            log_bayes_factor=float(found),
        )
        for metric, found in zip(rule.metrics, evidence, strict=True)
        if found > 0
    )


def _kept(rule: Rule, readout: Readout, final: Readout, errors: tuple[Reason, ...]) -> Readout:
    """Return the readout with the final look's verdicts; what is wrong with later data is told and changes nothing."""
    news = (*errors, *reasons.split_reasons(readout.sample_ratio))
    dropped = {one.treatment for one in rule.dropped}
    ordered = headline.in_order(
        rule,
        tuple(
            replace(one, reasons=tuple(dict.fromkeys((*one.reasons, *news))), is_dropped=one.treatment in dropped)
            for one in final.by_treatment
        ),
        final.estimates,
    )
    by_pair = {(one.metric, one.treatment): one for one in final.estimates}
    return replace(
        readout,
        verdict=ordered[0].verdict if ordered else final.verdict,
        reasons=ordered[0].reasons if ordered else tuple(dict.fromkeys((*final.reasons, *news))),
        treatments=ordered if final.treatments else (),
        estimates=tuple(_beside(one, by_pair.get((one.metric, one.treatment))) for one in readout.estimates),
        days_left=None,
    )


def _beside(late: Estimate, decided: Estimate | None) -> Estimate:
    """Return an estimate of late data, which alone is compared with nothing, beside that of the final look."""
    alone = replace(late, held=None, has_moved=False, since=None, crossing=None, is_harmed=None, is_open=None)
    return replace(alone, decided=decided)
