"""What has changed under a request since somebody read it."""

from labcoat.domain.plan import Plan
from labcoat.stats.results import Readout, TreatmentVerdict, Verdict
from labcoat.usecases.hypotheses.requests import Seen
from labcoat.words import effects, numbers
from labcoat.words.verdict_words import WORDS


def changes(before: Seen, now: Seen, newest: tuple[Readout, TreatmentVerdict, Plan] | None) -> list[str]:
    """Return what changed of what a decision rests on, a sentence each.

    newest: the newest look, the verdict of what is asked for in it, and its plan; None without one.
    """
    said = []
    if before.plan != now.plan:
        said.append("The plan is another one now.")
    if before.verdict is not now.verdict:
        said.append(f"The verdict was “{_name(before.verdict)}”, and is “{_name(now.verdict)}” now.")
    if before.corrected_at != now.corrected_at:
        said.append("The totals were corrected.")
    is_newer = now.look is not None and (before.look is None or now.look > before.look)
    if is_newer and newest is not None:
        effect = effects.newest(*newest)
        said.append(f"There is a newer look: {effect}." if effect else "There is a newer look.")
    more = now.evidence_count - before.evidence_count
    if more > 0:
        added = numbers.counted(more, "piece of evidence was", "pieces of evidence were")
        said.append(f"{added} added.")
    return said


def _name(verdict: Verdict | None) -> str:
    return "none yet" if verdict is None else WORDS[verdict].name
