"""The shapes of what Slack sends, as far as anything of ours looks at it."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Address = Annotated[str, StringConstraints(pattern=r"^(https?://[^/\s]+/\S*)?$")]


class Part(BaseModel):
    """What all parts of a payload share: strings are strings, and what else there is does no harm."""

    model_config = ConfigDict(strict=True)


class Named(Part):
    """Somebody or something with an id."""

    id: Id
    team_id: Id | None = None


class Team(Part):
    """The workspace."""

    id: Id
    domain: str
    enterprise_id: Id | None = None


class Option(Part):
    """A choice."""

    value: str = ""


class Answer(Part):
    """What was typed or chosen in one field."""

    value: str | None = None
    selected_option: Option | None = None
    selected_options: list[Option] | None = None
    selected_user: Id | None = None
    selected_users: list[Id] | None = None
    selected_conversation: Id | None = None
    selected_time: str | None = None
    selected_date: str | None = None
    selected_date_time: int | None = None
    files: list[dict[str, Any]] | None = None


class State(Part):
    """All fields of a form, by block and action."""

    values: dict[str, dict[str, Answer]] = {}


class Block(Part):
    """A block, of which only these are looked at."""

    type: str
    block_id: str


class Title(Part):
    """A form's title."""

    text: str


class Shown(Part):
    """What every view has."""

    id: Id
    type: str
    callback_id: str = ""
    blocks: list[Block] = []
    state: State | None = None
    app_installed_team_id: Id | None = None


class View(Shown):
    """A form or Home, in which somebody clicked."""

    title: Title | None = None
    private_metadata: str = ""


class Modal(Shown):
    """A form that was submitted."""

    title: Title
    private_metadata: str


class Message(Part):
    """A message in which somebody clicked."""

    ts: str
    text: str | None = None
    user: Id | None = None
    thread_ts: str | None = None


class Action(Part):
    """What was pressed or chosen."""

    type: str
    action_id: str
    block_id: str = ""
    value: str | None = None
    selected_option: Option | None = None


class Container(Part):
    """Where it was pressed."""

    type: str = ""
    is_ephemeral: bool = False


class Sent(Part):
    """What every request of Slack may carry."""

    type: str = ""
    token: str = ""
    api_app_id: str = ""


class Command(Sent):
    """A slash command."""

    command: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    text: str = ""
    team_id: Id
    user_id: Id
    channel_id: Id
    response_url: Address = ""
    trigger_id: str = ""


class Interaction(Sent):
    """What everything but commands and events has."""

    user: Named
    team: Team | None = None


class Click(Interaction):
    """A button, or a choice."""

    trigger_id: str
    actions: Annotated[list[Action], Field(min_length=1)]
    channel: Named | None = None
    container: Container = Container()
    view: View | None = None
    message: Message | None = None
    response_url: Address = ""


class Form(Interaction):
    """A submitted form."""

    view: Modal


class FormClosed(Interaction):
    """A form that was closed."""

    view: View


class Shortcut(Interaction):
    """A shortcut from anywhere."""

    trigger_id: str
    callback_id: str


class MessageShortcut(Shortcut):
    """A shortcut from a message's menu."""

    team: Team
    channel: Named
    message: Message
    response_url: Address = ""


class Options(Interaction):
    """A field that asks for its choices."""

    action_id: str
    block_id: str = ""
    value: str = ""


class Happened(Part):
    """What an event tells."""

    type: str
    user: Id
    channel: Id | None = None
    tab: str | None = None


class Joined(Happened):
    """Somebody came into a channel."""

    channel: Id


class Event(Sent):
    """An event."""

    event: Happened
    event_id: Id
    team_id: Id


class JoinedEvent(Event):
    """The event that somebody came into a channel."""

    event: Joined


class Challenge(Sent):
    """Slack's question whether the address is ours."""

    challenge: str
