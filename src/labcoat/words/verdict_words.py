"""The words of every verdict, of every reason for no look, and of every design."""

from collections.abc import Mapping
from dataclasses import dataclass

from labcoat.stats.results import NoLookReason, Verdict
from labcoat.stats.rule import Design


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictWords:
    """sign: an emoji's name, never the only carrier of the meaning. name: a few words.

    now: what to do while it runs. then: what to do once it is stopped or final, "" for the same.
    of_treatment: what a treatment does, after its name, "{metric}" being what decided; "" where `name` says it.
    """

    sign: str
    name: str
    now: str
    then: str = ""
    of_treatment: str = ""


_HARM_AVOIDED = "A costly mistake avoided is a result: close it with what was learned."

WORDS: Mapping[Verdict, VerdictWords] = {
    Verdict.DATA_ERROR: VerdictWords(
        sign="warning",
        name="Data error",
        now="The numbers can't be right. Check the metric and its data. If fewer units are right, correct the totals "
        "that were sent, or stop it and run it again.",
        then="The numbers can't be right. Check the metric and its data. If fewer units are right, correct the totals "
        "that were sent, or run it again.",
    ),
    Verdict.INVALID: VerdictWords(
        sign="warning",
        name="Not valid: traffic is not split as planned (SRM)",
        now="Effects mean nothing until that is understood. Find the cause and end it; then start over with “The cause "
        "is fixed”, where that is offered, or stop it and run it again.",
        then="Effects mean nothing. Find the cause, then run it again.",
    ),
    Verdict.GUARDRAIL_HARM: VerdictWords(
        sign="rotating_light",
        name="Harm on a guardrail",
        now="Consider stopping now: a costly mistake avoided is a result.",
        then=_HARM_AVOIDED,
        of_treatment="harms {metric}",
    ),
    Verdict.GOAL_HARM: VerdictWords(
        sign="rotating_light",
        name="The goal got worse",
        now="Consider stopping now: a costly mistake avoided is a result.",
        then=_HARM_AVOIDED,
        of_treatment="makes {metric} worse",
    ),
    Verdict.TOO_EARLY: VerdictWords(
        sign="hourglass_flowing_sand",
        name="Too early to tell",
        now="Keep it running.",
        then="It ended early. Say what was learned, or run it again.",
    ),
    Verdict.WIN: VerdictWords(
        sign="white_check_mark",
        name="Win",
        now="Stop it and ask a lead to release the investment.",
        then="Ask a lead to release the investment.",
        of_treatment="wins",
    ),
    Verdict.WIN_GUARDRAIL_OPEN: VerdictWords(
        sign="large_yellow_circle",
        name="Win, but a guardrail is not yet shown safe",
        now="Keep collecting; at the end, people decide.",
        then="The guardrail was not shown safe: people decide.",
        of_treatment="wins, but a guardrail is not yet shown safe",
    ),
    Verdict.WIN_EFFECT_MOVED: VerdictWords(
        sign="large_yellow_circle",
        name="It won, but the effect has moved since",
        now="Keep collecting; at the end, people decide.",
        then="The newest effect is not what the win rests on: people decide.",
        of_treatment="won, but the effect has moved since",
    ),
    Verdict.NO_EFFECT: VerdictWords(
        sign="heavy_minus_sign",
        name="No meaningful effect",
        now="Any effect is smaller than what was worth having. Close it with what was learned.",
    ),
    Verdict.NO_GAIN: VerdictWords(
        sign="heavy_minus_sign",
        name="No gain worth having; a loss is possible",
        now="A gain worth having is ruled out, a loss is not. Close it with what was learned.",
    ),
    Verdict.INCONCLUSIVE: VerdictWords(
        sign="grey_question",
        name="No clear effect",
        now="The planned end is reached. Say what was learned and choose.",
        then="It has ended. Say what was learned and choose.",
    ),
    Verdict.KEEP_COLLECTING: VerdictWords(
        sign="hourglass_flowing_sand", name="No clear effect yet", now="Keep it running until its planned end."
    ),
}

NO_GOAL_VALID = "Not valid: no goal was measured on evenly split units"

NO_LOOK: Mapping[NoLookReason, str] = {
    NoLookReason.BEFORE_THE_END: "The plan has one look, at its end.",
    NoLookReason.WINDOW_OPEN: "No unit's window has closed yet.",
    NoLookReason.NO_NEW_UNITS: "No new units since the last look, so nothing was spent.",
    NoLookReason.SLIGHTLY_FEWER: "There were slightly fewer units than at the last look, so nothing was spent.",
}

DESIGNS: Mapping[Design, str] = {
    Design.GROUP_SEQUENTIAL: "group sequential: looked at every day, alpha spent by the calendar",
    Design.CONFIDENCE_SEQUENCE: "confidence sequence: may be looked at whenever you like",
    Design.ONE_LOOK: "one look at the end",
}


def as_said(verdict: Verdict | None, *, when: str) -> str:
    """Return a verdict as the end of a sentence. when: "was", "is" or "is still".

    >>> as_said(Verdict.WIN, when="was"), as_said(Verdict.INCONCLUSIVE, when="is")
    ('it was a win', 'there is no clear effect')
    """
    if verdict is None:
        return f"there {when} no verdict"
    subject, rest = _AS_SAID[verdict]
    return f"{subject} {when} {rest}"


_AS_SAID: Mapping[Verdict, tuple[str, str]] = {
    Verdict.DATA_ERROR: ("there", "a data error"),
    Verdict.INVALID: ("it", "not valid"),
    Verdict.GUARDRAIL_HARM: ("there", "harm on a guardrail"),
    Verdict.GOAL_HARM: ("there", "harm on the goal"),
    Verdict.TOO_EARLY: ("it", "too early to tell"),
    Verdict.WIN: ("it", "a win"),
    Verdict.WIN_GUARDRAIL_OPEN: ("it", "a win with a guardrail not shown safe"),
    Verdict.WIN_EFFECT_MOVED: ("it", "a win whose effect has moved since"),
    Verdict.NO_EFFECT: ("there", "no meaningful effect"),
    Verdict.NO_GAIN: ("there", "no gain worth having"),
    Verdict.INCONCLUSIVE: ("there", "no clear effect"),
    Verdict.KEEP_COLLECTING: ("there", "no clear effect yet"),
}
