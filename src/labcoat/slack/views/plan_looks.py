"""The part of the plan form about repeated looks: a window that saves days, and the designs that are valid."""

from collections.abc import Mapping
from dataclasses import dataclass

from labcoat.domain.plan import ResultSource
from labcoat.slack.blocks import Block, escape, option, section, select_input, text_input
from labcoat.stats.rule import Design
from labcoat.words import numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What the form offers for repeated looks.

    designs: the valid ones, the default first. chosen: of these. replaced: what was chosen before the form chose for
    people, None if it did not. growing: goals and guardrails of the metrics file that have no window of their own, nor
    are complete at exposure. can_have_window: a window would close them all. saving: what it saves, "" if unknown.
    """

    source: ResultSource
    designs: tuple[Design, ...]
    chosen: Design
    replaced: Design | None = None
    growing: tuple[str, ...] = ()
    can_have_window: bool = False
    saving: str = ""


def looks_blocks(looks: Looks, texts: Mapping[str, str], *, unit: str) -> list[Block]:
    """Return the window, where it makes more designs valid, and the choice of a design."""
    blocks: list[Block] = []
    if looks.can_have_window:
        blocks.append(
            text_input(
                "window_days",
                f"Count each {unit}'s first … days",
                initial=texts["window_days"],
                hint=f"{_they_keep_growing(looks)}. After these days a {unit}'s value is final, so group sequential is "
                "possible. Leave it empty to count everything up to each look.",
                example="7",
                is_optional=True,
                is_live=True,
            )
        )
        if looks.saving:
            blocks.append(section(f":hourglass_flowing_sand: {escape(looks.saving)}"))
    blocks.append(
        select_input(
            "design",
            "How are repeated looks paid for?",
            [option(design, _LABELS[design]) for design in looks.designs],
            initial=looks.chosen,
            hint=_why(looks, unit),
            is_live=True,
            # Slack keeps a choice that is no option any more, unless the field is another one.
            key="" if Design.GROUP_SEQUENTIAL in looks.designs else "fewer",
        )
    )
    if looks.replaced is not None:
        blocks.append(section(f":arrows_counterclockwise: {escape(_replaced(looks, looks.replaced))}"))
    return blocks


_LABELS = {
    Design.GROUP_SEQUENTIAL: "group sequential: a look every day, a planned end",
    Design.CONFIDENCE_SEQUENCE: "confidence sequence: look whenever you like",
    Design.ONE_LOOK: "one look at the end",
}


def _why(looks: Looks, unit: str) -> str:
    """Return why group sequential is not offered, "" if it is."""
    if Design.GROUP_SEQUENTIAL in looks.designs:
        return ""
    if looks.source is ResultSource.TYPED:
        return "Totals that people type come at times they choose: not for group sequential."
    why = f"{_they_keep_growing(looks)} for {unit}s already counted, and group sequential can't pay for looks at that"
    return f"{why}." if looks.can_have_window else f"{why}; without times in the data, no window can end it."


def _they_keep_growing(looks: Looks) -> str:
    return f"{numbers.listed(looks.growing)} {'keep' if len(looks.growing) > 1 else 'keeps'} growing"


def _replaced(looks: Looks, before: Design) -> str:
    if before in looks.designs:
        return f"“{looks.chosen}” is possible now and needs fewer units, so it is chosen. Change it if you like."
    return f"“{before}” is not possible with this plan any more, so “{looks.chosen}” is chosen."
