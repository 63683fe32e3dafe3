"""Who works in the demo's Slack, and what a newcomer reads first: a marketplace's search and recommendation team."""

from slack_sandbox.workspace import (
    Bot,
    Channel,
    Command,
    Guide,
    GuideStep,
    Role,
    Shortcut,
    Sign,
    Team,
    User,
    Workspace,
)

ANA, BEN, LENA, OMAR, GIA = "UANA", "UBEN", "ULENA", "UOMAR", "UGIA"
CHANNEL, GENERAL = "CSEARCH", "CGENERAL"
LENAS_MESSAGES = "DLENA"
ZONE = "Europe/Berlin"
LEADS = (LENA, OMAR)
ANSWERS = ("approve", "send_back", "decline")
NAMES = {ANA: "Ana", BEN: "Ben", LENA: "Lena", OMAR: "Omar", GIA: "Gia"}

GUIDE = Guide(
    welcome="This team searches for what really helps the people who use its marketplace. You can be anyone here, and "
    "move time. Three things to try first:",
    steps=(
        GuideStep(
            title="File a hypothesis",
            text="Type /hypothesis and what you would change, as Ana. A form asks for the metric and for your reason.",
            sign=Sign(method="view_submission", holds=('"callback_id":"file"',)),
            action="Type it for me",
            user=ANA,
            channel=CHANNEL,
            draft="/hypothesis Show the delivery day on every offer, for people on phones",
        ),
        GuideStep(
            title="Read Monday's digest",
            text="Experiments gather data while time passes, and every Monday the channel reads what was learned.",
            action="Go to Monday, 09:30",
            channel=CHANNEL,
            is_weekly=True,
        ),
        GuideStep(
            title="Decide as Lena",
            text="Lena is a lead, and Ben waits for her answer. Press Approve, Send back or Decline.",
            sign=Sign(method="view_submission", holds=tuple(f'"callback_id":"{answer}"' for answer in ANSWERS)),
            action="Be Lena",
            user=LENA,
            channel=LENAS_MESSAGES,
        ),
    ),
)


def workspace() -> Workspace:
    """Return the workspace that the sandbox plays, with the scopes of manifest.yml and the optional history scopes."""
    return Workspace(
        team=Team(id="T0LABCOAT", name="Marketplace"),
        bot=Bot(
            name="Labcoat",
            icon="🥼",
            scopes=(
                "chat:write",
                "commands",
                "channels:read",
                "groups:read",
                "files:read",
                "files:write",
                "im:write",
                "users:read",
                "channels:history",
                "im:history",
            ),
        ),
        users=(
            User(id=ANA, name="ana", real_name=NAMES[ANA], title="Product owner", tz=ZONE),
            User(id=BEN, name="ben", real_name=NAMES[BEN], title="Data scientist", tz=ZONE),
            User(id=LENA, name="lena", real_name=NAMES[LENA], title="Lead", tz=ZONE, role=Role.ADMIN),
            User(id=OMAR, name="omar", real_name=NAMES[OMAR], title="Lead", tz=ZONE),
            User(id=GIA, name="gia", real_name=NAMES[GIA], title="Guest", tz=ZONE, role=Role.GUEST),
        ),
        channels=(
            Channel(id=CHANNEL, name="search-experiments", members=("UBOT", ANA, BEN, LENA, OMAR, GIA)),
            Channel(id=GENERAL, name="general", members=(ANA, BEN, LENA, OMAR)),
        ),
        commands=(
            Command(
                command="/hypothesis",
                hint="what we change, for whom | list | show H-12 | help",
                description="File a hypothesis, and take it further",
            ),
            Command(
                command="/experiment",
                hint="plan H-12 | result E-7 | ask E-7 | digest | help",
                description="Plan, run and decide an experiment",
            ),
        ),
        shortcuts=(
            Shortcut(callback_id="new_hypothesis", name="New hypothesis"),
            Shortcut(callback_id="turn_into_hypothesis", name="Turn into hypothesis", on_message=True),
        ),
        events=("app_home_opened", "member_joined_channel"),
        guide=GUIDE,
        weekly=(0, 9, 30),  # when the digest is due
    )
