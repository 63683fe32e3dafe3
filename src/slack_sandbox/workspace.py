"""The workspace a sandbox plays: its people, channels, commands and the one app installed in it."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

SANDBOX_TOKEN_PREFIX = "xoxb-sandbox"  # noqa: S105  a prefix, not a secret
SANDBOX_APP_TOKEN_PREFIX = "xapp-sandbox"  # noqa: S105  the same


class Role(StrEnum):
    """What a person may do in the workspace."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    GUEST = "guest"


class Part(BaseModel):
    """What all parts of a workspace file share: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Team(Part):
    """The workspace's own name."""

    id: str = "T0SANDBOX"
    name: str = "Sandbox"
    domain: str = "sandbox"


class Bot(Part):
    """The installed app and what it may do."""

    user_id: str = "UBOT"
    bot_id: str = "BBOT"
    app_id: str = "A0SANDBOX"
    name: str = "labcoat"
    icon: str = "🤖"
    token: str = "xoxb-sandbox-token"  # noqa: S105  opens nothing but this sandbox
    app_token: str = "xapp-sandbox-token"  # noqa: S105  opens links of this sandbox
    scopes: tuple[str, ...] = ()


class User(Part):
    """A person."""

    id: str
    name: str
    real_name: str
    title: str = ""  # what the person does, shown beside the name
    tz: str = "Europe/Berlin"
    role: Role = Role.MEMBER
    deleted: bool = False


class Channel(Part):
    """A channel as it is when the sandbox starts."""

    id: str
    name: str
    members: tuple[str, ...] = ()
    is_archived: bool = False
    is_private: bool = False


class Command(Part):
    """A slash command the app has registered."""

    command: str
    hint: str = ""
    description: str = ""


class Shortcut(Part):
    """A shortcut the app has registered; `on_message` ones sit in a message's menu."""

    callback_id: str
    name: str
    on_message: bool = False


class Sign(Part):
    """How the page knows that a step was done: a call like this succeeded."""

    method: str
    holds: tuple[str, ...] = ()  # one of these texts is in what was sent


class GuideStep(Part):
    """One of the first things to try, shown on the page.

    user, channel: where its button leads. draft: what it puts into the message field. is_weekly: it moves time to the
    workspace's weekly moment, and is done when anything does.
    """

    title: str
    text: str
    sign: Sign | None = None
    action: str = "Show me"
    user: str = ""
    channel: str = ""
    draft: str = ""
    is_weekly: bool = False


class Guide(Part):
    """What a newcomer reads beside the messages."""

    welcome: str = ""
    steps: tuple[GuideStep, ...] = ()


class Workspace(Part):
    """Everything a sandbox knows before anyone acts.

    weekly: weekday (Monday is 0), hour and minute that the time machine leaps to.
    """

    team: Team = Team()
    bot: Bot = Bot()
    users: tuple[User, ...] = ()
    channels: tuple[Channel, ...] = ()
    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    events: tuple[str, ...] = ()
    guide: Guide = Guide()
    weekly: tuple[int, int, int] = (0, 9, 0)

    @model_validator(mode="after")
    def _is_a_sandbox(self) -> Self:
        """Refuse what could be a real installation: a real token must never reach this process."""
        if not self.bot.token.startswith(SANDBOX_TOKEN_PREFIX):
            message = f"The bot token must start with {SANDBOX_TOKEN_PREFIX}; never put a real token here."
            raise ValueError(message)
        if not self.bot.app_token.startswith(SANDBOX_APP_TOKEN_PREFIX):
            message = f"The app token must start with {SANDBOX_APP_TOKEN_PREFIX}; never put a real token here."
            raise ValueError(message)
        known = {user.id for user in self.users} | {self.bot.user_id}
        unknown = {member for channel in self.channels for member in channel.members} - known
        if unknown:
            message = f"These channel members are not users: {', '.join(sorted(unknown))}."
            raise ValueError(message)
        return self

    def find_user(self, user_id: str) -> User | None:
        """Return the person with this id."""
        return next((user for user in self.users if user.id == user_id), None)


DEFAULT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "im:history",
    "im:read",
    "im:write",
    "reactions:write",
    "team:read",
    "users:read",
)


def default_workspace() -> Workspace:
    """Return a small team: five people, one channel with the bot and one without."""
    people = ("UANA", "UBEN", "ULENA", "UOMAR", "UGIA")
    return Workspace(
        bot=Bot(scopes=DEFAULT_SCOPES),
        users=(
            User(id="UANA", name="ana", real_name="Ana", title="Owner", role=Role.OWNER),
            User(id="UBEN", name="ben", real_name="Ben", title="Data scientist"),
            User(id="ULENA", name="lena", real_name="Lena", title="Lead", role=Role.ADMIN),
            User(id="UOMAR", name="omar", real_name="Omar", title="Lead"),
            User(id="UGIA", name="gia", real_name="Gia", title="Guest", role=Role.GUEST),
        ),
        channels=(
            Channel(id="CSEARCH", name="search-experiments", members=(*people, "UBOT")),
            Channel(id="CGENERAL", name="general", members=people[:4]),
        ),
        commands=(
            Command(command="/hypothesis", hint="[what you believe] or help"),
            Command(command="/experiment", hint="help"),
        ),
        events=("app_home_opened", "app_mention", "member_joined_channel"),
    )


def load_workspace(path: Path) -> Workspace:
    """Return the workspace written in a JSON file.

    Raises pydantic's ValidationError, which names the field, for a file that does not fit.
    """
    return Workspace.model_validate_json(path.read_text())
