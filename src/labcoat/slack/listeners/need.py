"""Needs: the list, and noting one more."""

from collections.abc import Mapping

from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.subject import find_subject
from labcoat.slack.listeners.call import Call, Submission
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import need as views
from labcoat.usecases import finding
from labcoat.usecases.hypotheses import hypotheses, needs, prototypes

NEW = "new"


def show_needs(call: Call, rest: str) -> None:
    """Answer with the needs; with words after it, open the form that notes them. "H-12" is where one was found."""
    if not rest:
        with call.reading() as (tx, _):
            found = needs.ranked(tx, call.workspace)
        call.reply(views.need_list(found))
        return
    subject = find_subject(rest)
    with call.reading() as (tx, _):
        mine = hypotheses.list_for(tx, call.workspace, owner=call.user, is_open=True, stage=None, limit=50)
        others = hypotheses.list_for(tx, call.workspace, owner=None, is_open=True, stage=None, limit=50)
        chosen = finding.get_dossier(tx, call.workspace, subject).hypothesis if subject else None
    choices = list(dict.fromkeys([*([chosen] if chosen else []), *mine, *others]))
    if not choices:
        raise Refusal(Reason.NOTHING_OPEN)
    text = "" if subject or rest == NEW else rest
    call.open_form(views.need_form(choices, text=text, chosen=chosen, metadata=call.metadata("")))


def submit_need(form: Submission) -> None:
    """Note a need."""
    subject = find_subject(form.answers.choice("found_in") or "")
    if subject is None:
        raise Refusal(Reason.MISSING, "found_in")
    with form.writing() as (tx, now):
        dossier = finding.get_dossier(tx, form.workspace, subject)
        by = form.member(tx, dossier)
        prototypes.add_need(tx, dossier, by=by, summary=form.answers.text("summary"), now=now)


HANDLERS: Mapping[str, Handler] = {
    "need": Handler(run=show_needs, submit=submit_need),
}
