"""What `labcoat analyse` prints: the words of every readout, for a terminal."""

from labcoat.domain.verdicts import may_show_effects
from labcoat.stats.results import Adjustment, Chances, Estimate, Explored, Readout, Reason
from labcoat.stats.rule import Design
from labcoat.usecases.experiments.analysis import Analysis
from labcoat.words import effects, findings, numbers, verdicts

_ADJUSTMENTS = {
    Adjustment.HOLM: "Holm (no false discovery in 95 of 100 such files, at alpha .05)",
    Adjustment.BENJAMINI_HOCHBERG: "Benjamini-Hochberg (of the discoveries, one in twenty is false at alpha .05)",
    Adjustment.E_BENJAMINI_HOCHBERG: "e-BH (as Benjamini-Hochberg, however the metrics hang together)",
}


def page(analysis: Analysis, *, is_detailed: bool = False) -> str:
    """Return the verdicts, why, every effect, and what they rest on. is_detailed: with the intervals' widths too."""
    readout, rule = analysis.readout, analysis.rule
    lines = [verdicts.headline(readout, rule)]
    lines += [why] if (why := findings.reasons(readout)) else []
    lines += verdicts.arms(readout, rule, most=len(rule.variants))
    lines.append("")
    if may_show_effects(readout):
        lines += [f"  {effects.line(readout, one, rule)}{_more(one)}" for one in effects.readable(readout)]
        lines.append("")
    lines += [verdicts.split_line(readout, rule.variants), *_basis(analysis)]
    lines += [widths] if is_detailed and (widths := _widths(readout)) else []
    return "\n".join(lines)


def _more(one: Estimate) -> str:
    parts = [f"p {numbers.probability(one.p_value)}"] if one.p_value is not None else []
    if one.variance_reduction is not None:
        parts.append(f"the covariate takes away {numbers.share(one.variance_reduction, decimals=0)} of the variance")
    return f"; {'; '.join(parts)}" if parts else ""


def _basis(analysis: Analysis) -> list[str]:
    rule = analysis.rule
    matched = " (matched by name)" if analysis.is_control_guessed else ""
    looks = {
        Design.ONE_LOOK: "One look: valid once, at the end that was planned.",
        Design.CONFIDENCE_SEQUENCE: "Confidence sequence: valid however often you come back with a newer file.",
    }
    return [
        f"Control: `{rule.variants[0]}`{matched}. {analysis.taken.text}",
        f"{looks[rule.design]} Alpha {rule.alpha:g}.",
    ]


def _widths(readout: Readout) -> str:
    ks = {one.role: one.multiplier for one in reversed(readout.estimates) if one.multiplier is not None}
    widths = ", ".join(f"{role} {k:.2f}" for role, k in reversed(ks.items()))
    return f"Details: intervals reach so many standard errors to each side: {widths}." if widths else ""


def explored(analysis: Analysis, adjustment: Adjustment, found: tuple[Explored, ...]) -> str:
    """Return which metrics are discoveries among all of them."""
    lines = ["", f"Explored with {_ADJUSTMENTS[adjustment]}; no part of the verdict:"]
    for one, result in zip(analysis.readout.estimates, found, strict=True):
        p = f", adjusted p {numbers.probability(result.p_value)}" if result.p_value is not None else ""
        lines.append(f"  {_name(analysis, one)}: {'a discovery' if result.is_discovery else 'no discovery'}{p}")
    return "\n".join(lines)


def bayesian(analysis: Analysis, views: tuple[Chances | None, ...], *, prior_deviation: float) -> str:
    """Return chances and losses; None where a metric has no relative effect."""
    prior = numbers.share(prior_deviation, decimals=1)
    lines = [
        "",
        f"Bayesian view, true lifts around 0 with a standard deviation of {prior}; never a decision under peeking:",
    ]
    for one, view in zip(analysis.readout.estimates, views, strict=True):
        if view is None:
            why = (
                findings.reason(Reason(finding=one.missing, metric=one.metric)) if one.missing else "no relative effect"
            )
            lines.append(f"  {_name(analysis, one)}: {why}")
            continue
        lines.append(
            f"  {_name(analysis, one)}: treatment is higher with chance {view.chance:.3f}, lift {numbers.share(view.low)} to "
            f"{numbers.share(view.high)}; expected loss of treatment {numbers.share(view.loss_of_treatment)}, of control "
            f"{numbers.share(view.loss_of_control)}"
        )
    return "\n".join(lines)


def _name(analysis: Analysis, one: Estimate) -> str:
    return one.metric if len(analysis.rule.variants) == 2 else f"{one.metric}, {one.treatment}"
