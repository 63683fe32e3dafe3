"""A readout in words: who wins or is harmed, by how much, and what to do now; one value for every surface."""

from collections.abc import Iterable, Sequence

from labcoat.domain import verdicts
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.plan import Plan
from labcoat.stats.results import Finding, Readout, TreatmentVerdict, Verdict
from labcoat.stats.rule import Role, Rule
from labcoat.words import effects, numbers
from labcoat.words.verdict_words import NO_GOAL_VALID, WORDS

ARMS_SHOWN = 5
"""Other treatments in one message; the rest are counted."""
_NAMES_SHOWN = 3
_AT_THE_FINAL_LOOK = " (decided at the final look)"


def headline(readout: Readout, plan: Plan | Rule | None = None, one: TreatmentVerdict | None = None) -> str:
    """Return a verdict with the effect that decided, as "photos_big wins: +4.1 % orders per user (1.2 to 7.0)".

    one: of this treatment, None for the one that comes first. plan: its margins and smallest effects, and how values
    read; None to go without.
    """
    lead, effect = parts(readout, plan, one)
    return f"{lead}{effect}"


def parts(readout: Readout, plan: Plan | Rule | None = None, one: TreatmentVerdict | None = None) -> tuple[str, str]:
    """Return a headline in two parts: what is so, and the effect with what goes before it, "" for none."""
    one = one or verdicts.leading(readout)
    lead = name(readout, one)
    effect = effects.effect(readout, one, plan, names_metric=not _names_metric(readout, one))
    return lead, f"{', ' if ': ' in lead else ': '}{effect}" if effect else ""


def name(readout: Readout, one: TreatmentVerdict | None = None) -> str:
    """Return a verdict in a few words, with its treatment if there are several."""
    said = _name(readout, one or verdicts.leading(readout))
    return f"{said}{_AT_THE_FINAL_LOOK}" if readout.is_after_final else said


def _name(readout: Readout, one: TreatmentVerdict) -> str:
    words = WORDS[one.verdict]
    said = NO_GOAL_VALID if _lacks_a_goal(one) else words.name
    if len(readout.treatments) < 2 or _is_of_all(readout):
        return said
    who = f"{one.treatment} (dropped)" if one.is_dropped else one.treatment
    estimate = verdicts.deciding(readout, one)
    clause = words.of_treatment.format(metric=estimate.metric if estimate else "a metric")
    return f"{who} {clause}" if clause else f"{who}: {said[0].lower()}{said[1:]}"


def _lacks_a_goal(one: TreatmentVerdict) -> bool:
    found = {why.finding for why in one.reasons}
    return one.verdict is Verdict.INVALID and Finding.NO_VALID_GOAL in found and Finding.UNEVEN_SPLIT not in found


def _names_metric(readout: Readout, one: TreatmentVerdict) -> bool:
    """Whether the name of a verdict says the metric, so that the effect need not."""
    return one.verdict.is_harm and len(readout.treatments) > 1


def _is_of_all(readout: Readout) -> bool:
    """Whether nothing can be read of any treatment, which is no treatment's own verdict."""
    return all(not one.verdict.is_valid for one in readout.treatments if not one.is_dropped)


def arms(
    readout: Readout,
    plan: Plan | Rule | None = None,
    *,
    beside: TreatmentVerdict | None = None,
    most: int = ARMS_SHOWN,
) -> list[str]:
    """Return one line for each other treatment, as "photos_small: no clear effect yet, +0.4 % (-2.1 to 2.9)".

    beside: whose headline stands above, None for the one that comes first. most: lines, then "and 6 more".
    """
    if _is_of_all(readout):
        return []
    first = beside or verdicts.leading(readout)
    told, rest = verdicts.deciding(readout, first), verdicts.others(readout, first)
    lines = [_arm(readout, one, plan, told=told.metric if told else None) for one in rest[:most]]
    return [*lines, f"and {len(rest) - most} more"] if len(rest) > most else lines


def _arm(readout: Readout, one: TreatmentVerdict, plan: Plan | Rule | None, *, told: str | None) -> str:
    estimate = verdicts.deciding(readout, one)
    is_told = estimate is not None and estimate.metric == told
    effect = effects.effect(readout, one, plan, names_metric=not is_told and not _names_metric(readout, one))
    lead = _name(readout, one)
    return f"{lead}, {effect}" if effect else lead


def counted_arms(readout: Readout) -> str:
    """Return how many treatments there are beside the first, as "+2 arms"; "" for none."""
    rest = () if _is_of_all(readout) else verdicts.others(readout, verdicts.leading(readout))
    return f"+{numbers.counted(len(rest), 'arm')}" if rest else ""


def harm_lines(readout: Readout, plan: Plan | Rule | None = None) -> list[str]:
    """Return a headline for each treatment that does harm."""
    return [headline(readout, plan, one) for one in verdicts.harmed(readout)]


def next_step(readout: Readout, *, is_running: bool, experiment: ExperimentNumber | None = None) -> str:
    """Return what to do now. experiment: to name the command that drops one of several treatments."""
    first = verdicts.leading(readout)
    words = WORDS[first.verdict]
    if not is_running:
        return _named(readout, first, words.then or words.now)
    bad, going = verdicts.harmed(readout), [one for one in readout.treatments if not one.is_dropped]
    if bad and len(bad) < len(going):
        return _drop_or_stop(first, bad, experiment)
    if first.verdict is Verdict.KEEP_COLLECTING and readout.days_left:
        return f"{words.now} About {numbers.days(readout.days_left)} left."
    return _named(readout, first, words.now)


def _named(readout: Readout, first: TreatmentVerdict, said: str) -> str:
    has_several = len(readout.treatments) > 1
    return said.replace("release the investment", f"release {first.treatment}") if has_several else said


def _drop_or_stop(first: TreatmentVerdict, bad: Sequence[TreatmentVerdict], experiment: ExperimentNumber | None) -> str:
    command = f" (`/experiment drop E-{experiment}`)" if experiment is not None else ""
    drop = f"Drop {_listed(one.treatment for one in bad)}{command}"
    if first.verdict is Verdict.WIN:
        return f"{drop}, or stop it and ask a lead to release {first.treatment}."
    if first.verdict.is_win:
        return f"{drop}, and keep collecting; at the end, people decide about {first.treatment}."
    return f"{drop}, and the others go on. Or stop now: a costly mistake avoided is a result."


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    if len(every) > _NAMES_SHOWN:
        return f"{', '.join(every[:_NAMES_SHOWN])} and {len(every) - _NAMES_SHOWN} more"
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def split_line(readout: Readout, variants: Sequence[str]) -> str:
    """Return units per variant and whether they are split as planned; variants: names, control first."""
    split = readout.sample_ratio
    arms = " / ".join(f"{name} {numbers.count(units)}" for name, units in zip(variants, split.exposed, strict=True))
    checked = f"SRM p {numbers.probability(split.p_value)} (chi-square {numbers.probability(split.chi_square_p)})"
    return f"Units: {arms} · {checked}"


def look_line(readout: Readout, plan: Plan) -> str:
    """Return where this look stands, as "Look 3, day 14 of 28, final"."""
    said = [f"Look {readout.look}, {day(readout, plan)}"]
    if readout.is_after_final:
        said.append("after the final look")
    elif readout.is_final:
        said.append("final")
    if any(one.is_approximate for one in readout.estimates if one.role is Role.GOAL):
        said.append("approximate: values of units already seen may still grow")
    return ", ".join(said)


def day(readout: Readout, plan: Plan) -> str:
    """Return the day of a look among the planned ones."""
    planned = numbers.plain(round(plan.planned_days, 1))
    between = ", planned" if readout.day > plan.planned_days else " of"
    return f"day {readout.day:.0f}{between} {planned}"


def alt_text(readout: Readout, plan: Plan) -> str:
    """Return what a chart of a look says, for whoever does not see it."""
    lead = f"{name(readout)}, {day(readout, plan)}."
    if not verdicts.may_show_effects(readout):
        return f"{lead} {split_line(readout, plan.variant_names)}."
    said = (
        f"{one.metric}, {one.treatment}: "
        f"{numbers.effect(one.shown, note=effects.as_of(readout, one)) or 'no number yet'}"
        for one in effects.readable(readout)
    )
    return f"{lead} Change to {plan.variant_names[0]} with intervals: {'; '.join(said)}."
