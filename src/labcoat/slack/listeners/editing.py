"""Edit the words of a hypothesis; who saves second is told what the first changed, and loses nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace

from labcoat.domain.dossier import Dossier
from labcoat.domain.hypothesis import Statement
from labcoat.domain.lifecycle import Step
from labcoat.domain.steps.hypothesis import statement_of
from labcoat.slack.form_values import Answers
from labcoat.slack.listeners.call import Call, RenewFormError, Submission, Target
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import editing as views
from labcoat.stats.rule import Direction
from labcoat.usecases.hypotheses import hypotheses


def open_edit_form(call: Call, target: Target) -> None:
    """Open the form with the words as they are."""
    with call.reading() as (tx, _):
        dossier = target.owned(tx, call, Step.EDIT)
        seen = hypotheses.newest_entry(tx, dossier)
    view = views.edit_form(
        dossier,
        statement_of(dossier.hypothesis),
        reason="",
        meanwhile=(),
        zone=call.app_context.zone,
        metadata=call.metadata(f"H-{dossier.hypothesis.number}", seen=seen),
    )
    call.open_form(view)


def submit_edit(form: Submission) -> None:
    """Change the words, unless somebody did since the form was opened: then it is shown anew with both."""
    with form.writing() as (tx, now):
        dossier = form.dossier(tx)
        statement = read_statement(form.answers, dossier)
        reason = form.answers.text("reason")
        meanwhile = hypotheses.edits_since(tx, dossier, int(form.metadata["seen"]))
        if meanwhile:
            raise RenewFormError(
                views.edit_form(
                    dossier,
                    statement,
                    reason=reason,
                    meanwhile=meanwhile,
                    zone=form.app_context.zone,
                    metadata=json.dumps({**form.metadata, "seen": meanwhile[-1].id}),
                )
            )
        hypotheses.edit(tx, dossier, statement, by=form.member(tx, dossier), reason=reason or None, now=now)


def read_statement(answers: Answers, dossier: Dossier) -> Statement:
    """Return the words of a form that may show only some of them; what it does not show stays."""
    words = statement_of(dossier.hypothesis)
    if "change" in answers.input_blocks:
        words = replace(
            words,
            change=answers.text("change"),
            metric=answers.text("metric"),
            direction=answers.required_word("direction", Direction),
            because=answers.text("because"),
            smallest_effect=answers.text("smallest_effect"),
            refuted_by=answers.text("refuted_by"),
            different_because=answers.text("different_because"),
        )
    return replace(words, tags=tuple(answers.text("tags").split(",")))


HANDLERS: Mapping[str, Handler] = {
    "edit": Handler(open=open_edit_form, submit=submit_edit),
}
