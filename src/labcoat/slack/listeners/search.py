"""Search what was tried before."""

from collections.abc import Mapping

from labcoat.slack.blocks import Message, notice_view
from labcoat.slack.listeners.call import Asking, Call, RenewFormError, Submission
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import search as views


def search(call: Call, rest: str) -> None:
    """Answer with what is about these words; without any, open a form for them."""
    if not rest:
        call.open_form(views.search_form(metadata=call.metadata("")))
        return
    call.reply(_found(call, rest))


def submit_search(form: Submission) -> None:
    """Show what is about the words of the form, in its place."""
    raise RenewFormError(notice_view("Search", _found(form, form.answers.text("words"))))


def _found(asking: Asking, text: str) -> Message:
    with asking.reading() as (tx, _):
        found, count = asking.app_context.memory.search(tx, asking.workspace, text, limit=views.SHOWN)
    return views.search_results(found, count=count, text=text)


HANDLERS: Mapping[str, Handler] = {
    "search": Handler(run=search, submit=submit_search),
}
