"""Help."""

from labcoat.slack.listeners.call import Call
from labcoat.slack.views import lists as views


def show_help(call: Call, rest: str) -> None:
    """Answer with the six words, or with everything."""
    call.reply(views.help_message(is_all=rest == "all"))
