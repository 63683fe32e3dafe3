"""Lines of a card's thread: what a fact says there, in mrkdwn, as the database is now."""

from labcoat.db import dossiers, history, looks
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.facts import (
    BegunWithMessage,
    DefinitionsChanged,
    DraftLive,
    LookMade,
    PredictionClosest,
    RequestPassedOn,
    SourceFailed,
    SplitUneven,
    StepTaken,
)
from labcoat.domain.ids import HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.totals_facts import TotalsCorrected, TotalsOrigin, TotalsRecorded
from labcoat.slack.blocks import escape
from labcoat.slack.views.people import mention
from labcoat.usecases.experiments import results
from labcoat.words import corrections, health, numbers, stories

TAKEN_LENGTH = 1000

Trouble = SourceFailed | SplitUneven | DefinitionsChanged
"""What is wrong with the numbers of an experiment."""

Story = (
    StepTaken
    | LookMade
    | TotalsRecorded
    | TotalsCorrected
    | BegunWithMessage
    | PredictionClosest
    | RequestPassedOn
    | Trouble
)
"""What is told in a line."""


def get_dossier(tx: Transaction, workspace: WorkspaceId, number: HypothesisNumber) -> Dossier:
    """Return a hypothesis that a fact names."""
    found = dossiers.find(tx, workspace, number)
    assert found is not None  # hypotheses are never deleted
    return found


def line(tx: Transaction, workspace: WorkspaceId, fact: Story, *, zone: str) -> str:
    """Return the line of a fact."""
    dossier = get_dossier(tx, workspace, fact.hypothesis)
    match fact:
        case StepTaken(entry=entry):
            return step(tx, dossier, entry, zone=zone)
        case LookMade():
            look = looks.get(tx, workspace, fact.experiment, fact.slot)
            return escape(stories.look_line(look, dossier.get_experiment(fact.experiment)))
        case TotalsRecorded():
            return _recorded(fact)
        case TotalsCorrected():
            return f"{corrected(fact, dossier)} {escape(corrections.outcome(fact))}"
        case BegunWithMessage():
            author = f"<@{fact.author}>" if fact.author else "someone"
            return f"It began with what {author} wrote: <{fact.link}|the message>"
        case PredictionClosest():
            chance = numbers.share(fact.chance, decimals=0)
            return f":dart: Closest prediction: {mention(fact.person)}, {chance} for a win"
        case RequestPassedOn():
            others = " and ".join(mention(person) for person in fact.to)
            return f"{mention(fact.asked_of)} can't answer now, so the request went to {others} too."
        case SourceFailed() | SplitUneven() | DefinitionsChanged():
            return f":warning: {escape(trouble(tx, dossier, fact))}"


def step(tx: Transaction, dossier: Dossier, entry_id: int, *, zone: str) -> str:
    """Return the line of a step of the history, with who took it."""
    entry = history.get(tx, dossier.hypothesis.workspace, entry_id)
    said = escape(stories.line(entry, dossier, zone=zone))
    for person in stories.people(entry):
        said = said.replace(f"@{person}", mention(UserId(person)))
    return f"{mention(entry.by)} {said}" if entry.by else said


def corrected(fact: TotalsCorrected, dossier: Dossier) -> str:
    """Return who corrected what, without what the verdict was and is."""
    what = escape(corrections.what(fact, dossier.get_experiment(fact.experiment).plan.variant_names))
    file = f", with {escape(fact.origin.file)}," if fact.origin.file and fact.origin.program is None else ""
    return f"{_sender(fact.origin)}{file} {what}"


def trouble(tx: Transaction, dossier: Dossier, fact: Trouble) -> str:
    """Return what is wrong with an experiment's numbers, as plain text."""
    number = fact.experiment
    match fact:
        case SourceFailed(problem=problem):
            return health.no_numbers(number, problem, readout=results.newest_readout(tx, dossier))
        case DefinitionsChanged(metrics=metrics):
            return f"E-{number}: {health.redefined(metrics)}"
        case SplitUneven(p_value=p_value, exposed=exposed):
            variants = dossier.get_experiment(number).plan.variant_names
            return health.uneven(number, p_value=p_value, variants=variants, exposed=exposed)


def seems_live(tx: Transaction, workspace: WorkspaceId, fact: DraftLive, *, zone: str) -> str:
    """Return that exposures arrive for a draft, as plain text."""
    dossier = get_dossier(tx, workspace, fact.hypothesis)
    variants = dossier.get_experiment(fact.experiment).plan.variant_names
    return health.seems_live(fact.experiment, since=fact.since, variants=variants, exposed=fact.exposed, zone=zone)


def _recorded(fact: TotalsRecorded) -> str:
    recorded = escape(fact.metrics) + (f"\n{escape(fact.taken[:TAKEN_LENGTH])}" if fact.taken else "")
    who, of = _sender(fact.origin), f"totals for E-{fact.experiment}"
    if fact.origin.program is not None:
        return f"{who} sent {of}: {recorded}"
    if fact.origin.file:
        return f"{who} gave {of} in {escape(fact.origin.file)}: {recorded}"
    return f"{who} typed in {of}: {recorded}"


def _sender(origin: TotalsOrigin) -> str:
    return escape(origin.program) if origin.program is not None else mention(origin.by)
