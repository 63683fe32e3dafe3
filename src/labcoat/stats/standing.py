"""A crossing stands: what earlier looks called is still called, unless a data error or an uneven split came after."""

import numpy as np

from labcoat.stats.results import Finding, Readout, Rule, Verdict
from labcoat.stats.verdict import Standing

_CALLED = (Verdict.GUARDRAIL_HARM, Verdict.GOAL_HARM, Verdict.WIN, Verdict.WIN_GUARDRAIL_OPEN)
_VOIDING = (Verdict.DATA_ERROR, Verdict.INVALID)


def find(rule: Rule, past: tuple[Readout, ...]) -> Standing:
    """Return the standing crossings of earlier looks, oldest first, as arrays for one experiment.

    Only what a look called stands: an interval on the good side of a look that was too early does not.
    """
    shape = (1, len(rule.metrics), len(rule.variants) - 1)
    bad, good = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    has_won = np.zeros(shape, dtype=np.bool_)
    metrics = [metric.name for metric in rule.metrics]
    for readout in _standing(past):
        for reason in readout.reasons:
            if reason.metric is None or reason.treatment is None:
                continue
            place = 0, metrics.index(reason.metric), rule.variants.index(reason.treatment) - 1
            for finding, looks in ((Finding.BAD_SIDE, bad), (Finding.GOOD_SIDE, good)):
                if reason.finding is finding and not looks[place]:
                    looks[place] = readout.look
            if reason.finding in (Finding.GOOD_SIDE, Finding.CROSSED_EARLIER):
                has_won[place] |= readout.verdict is Verdict.WIN
    return Standing(bad=bad, good=good, has_won=has_won)


def _standing(past: tuple[Readout, ...]) -> list[Readout]:
    voids = [index for index, readout in enumerate(past) if readout.verdict in _VOIDING]
    return [readout for readout in past[voids[-1] + 1 if voids else 0 :] if readout.verdict in _CALLED]
