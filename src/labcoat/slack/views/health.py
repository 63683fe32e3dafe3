"""What an owner reads in private when an experiment's numbers need them."""

from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ExperimentNumber
from labcoat.slack.blocks import Message, actions, button, escape, section


def health_message(dossier: Dossier, number: ExperimentNumber, said: str) -> Message:
    """Return the message, with what to do about it."""
    value = f"E-{number}"
    buttons = [button("Result", verb="result", value=value), button("Stop", verb="stop", value=value)]
    lead = f":warning: {escape(said)}"
    about = escape(dossier.hypothesis.change.strip())
    return Message(text=escape(said), blocks=(section(lead), section(f"> {about}"), actions(buttons)))


def live_message(number: ExperimentNumber, said: str) -> Message:
    """Return that exposures arrive for a draft, with the button that starts it."""
    start = button("Start", verb="start", value=f"E-{number}")
    return Message(text=escape(said), blocks=(section(f":satellite_antenna: {escape(said)}"), actions([start])))
