"""What is said of corrections, as large as it can be."""

from collections.abc import Iterator

from builders import E7, H12, OWNER
from labcoat.domain.dossier import Dossier
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.totals_facts import (
    ArmTotals,
    Decided,
    DecisionQuestioned,
    MetricCorrected,
    TotalsCorrected,
    TotalsOrigin,
    VerdictChange,
)
from labcoat.slack.blocks import Message, escape, section
from labcoat.slack.listeners import result as result_listener
from labcoat.slack.views import corrected
from labcoat.stats.results import Verdict
from labcoat.stats.rule import MetricKind
from labcoat.words import corrections
from largest_words import METRICS, NAMES, text_of

ZONE = "America/Argentina/ComodRivadavia"


def messages(dossier: Dossier) -> Iterator[tuple[str, Message]]:
    """Yield every message of a correction."""
    before = ", ".join(f"{name} {10**12:,}" for name in NAMES)
    for reason in (Reason.SMALLER_THAN_BEFORE, Reason.OTHERS_ALREADY_STORED):
        refusal = Refusal(reason, "correct", experiment=7, metric=METRICS[0], before=before)
        yield f"correction of {reason}", result_listener._offer_correction(refusal, text_of(3000), zone=ZONE)
    old = (ArmTotals(count=10**12, mean=0.123456789, variance=0.9),) * len(NAMES)
    new = (ArmTotals(count=10**11, mean=0.987654321, variance=0.1),) * len(NAMES)
    told = TotalsCorrected(
        hypothesis=H12,
        experiment=E7,
        corrected=tuple(MetricCorrected(metric=name, kind=MetricKind.MEAN, old=old, new=new) for name in METRICS),
        gone=10**6,
        verdicts=tuple(VerdictChange(treatment=name, before=Verdict.WIN_GUARDRAIL_OPEN, after=None) for name in NAMES),
        origin=TotalsOrigin(by=OWNER),
    )
    line = escape(corrections.what(told, NAMES))
    said = f"<@{OWNER}> {line} {escape(corrections.outcome(told))}"
    yield "story of a correction", Message(text=said, blocks=(section(said),))
    for decision in Decided:
        questioned = DecisionQuestioned(
            correction=told,
            decision=decision,
            treatment=NAMES[1],
            before=Verdict.WIN_GUARDRAIL_OPEN,
            after=None,
            is_changed=True,
        )
        yield f"corrected after it was {decision}", corrected.corrected_message(dossier, questioned, line)
