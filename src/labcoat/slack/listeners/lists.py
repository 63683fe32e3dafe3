"""Help."""

from collections.abc import Mapping

from labcoat.slack.listeners.call import Call
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import lists as views


def show_help(call: Call, rest: str) -> None:
    """Answer with the six words, or with everything."""
    call.reply(views.help_message(is_all=rest == "all"))


HANDLERS: Mapping[str, Handler] = {
    "help": Handler(run=show_help),
}
