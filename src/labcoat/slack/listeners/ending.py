"""Ends and new beginnings of hypotheses: pivot and reopen."""

from collections.abc import Mapping

from labcoat.domain.amounts import read_days
from labcoat.domain.hypothesis import Outcome, Statement
from labcoat.domain.lifecycle import Step
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.steps import hypothesis as steps
from labcoat.slack.listeners.call import Call, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import ending as views
from labcoat.stats.rule import Direction
from labcoat.usecases.experiments import results
from labcoat.usecases.hypotheses import hypotheses


def open_pivot_form(call: Call, target: Target) -> None:
    """Open the form that closes a hypothesis and goes on from it."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.PIVOT)
        if dossier.running is not None:
            raise Refusal(Reason.RUNNING, experiment=dossier.running.number, hypothesis=dossier.hypothesis.number)
        verdict, treatment = results.proposing_verdict(tx, dossier)
    metadata = call.metadata(f"H-{dossier.hypothesis.number}")
    call.open_form(
        views.pivot_form(
            dossier, steps.statement_of(dossier.hypothesis), verdict=verdict, treatment=treatment, metadata=metadata
        )
    )


def submit_pivot(form: Submission) -> None:
    """Close a hypothesis as replaced, and file the new one."""
    answers = form.answers
    outcome = answers.required_word("outcome", Outcome)
    days_spent = read_days(answers.text("days_spent"), field="days_spent")
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        statement = Statement(
            change=answers.text("change"),
            metric=answers.text("metric"),
            direction=answers.required_word("direction", Direction),
            because=answers.text("because"),
            tags=dossier.hypothesis.tags,
        )
        hypotheses.pivot(
            tx,
            dossier,
            statement,
            by=form.member(tx, dossier),
            outcome=outcome,
            learning=answers.text("learning"),
            days_spent=days_spent,
            overrides=answers.text("overrides") or None,
            now=now,
        )


def open_reopen_form(call: Call, target: Target) -> None:
    """Open the form that opens a hypothesis again that is closed or approved."""
    with call.reading() as (tx, _):
        dossier = target.dossier(tx, call)
        steps.require_reopenable(dossier, by=call.member(tx, dossier))
    call.open_form(views.reopen_form(dossier, metadata=call.metadata(f"H-{dossier.hypothesis.number}")))


def submit_reopen(form: Submission) -> None:
    """Open a hypothesis again that is closed or approved."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        reason = form.answers.text("reason")
        hypotheses.reopen(tx, dossier, by=form.member(tx, dossier), reason=reason, now=now)


HANDLERS: Mapping[str, Handler] = {
    "pivot": Handler(open=open_pivot_form, submit=submit_pivot),
    "reopen": Handler(open=open_reopen_form, submit=submit_reopen),
}
