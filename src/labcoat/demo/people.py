"""Who works in the demo's Slack: a marketplace's search and recommendation team."""

from labcoat.sandbox.workspace import Bot, Channel, Command, Role, Team, User, Workspace

ANA, BEN, LENA, OMAR, GIA = "UANA", "UBEN", "ULENA", "UOMAR", "UGIA"
CHANNEL = "CSEARCH"
ZONE = "Europe/Berlin"
LEADS = (LENA, OMAR)


def workspace() -> Workspace:
    """Return the workspace that the sandbox plays, with the scopes of manifest.yml and the optional history scopes."""
    return Workspace(
        team=Team(id="T0LABCOAT", name="Marketplace"),
        bot=Bot(
            name="Labcoat",
            scopes=("chat:write", "commands", "im:write", "users:read", "channels:history", "im:history"),
        ),
        users=(
            User(id=ANA, name="ana", real_name="Ana", tz=ZONE),
            User(id=BEN, name="ben", real_name="Ben", tz=ZONE),
            User(id=LENA, name="lena", real_name="Lena", tz=ZONE, role=Role.ADMIN),
            User(id=OMAR, name="omar", real_name="Omar", tz=ZONE),
            User(id=GIA, name="gia", real_name="Gia", tz=ZONE, role=Role.GUEST),
        ),
        channels=(
            Channel(id=CHANNEL, name="search-experiments", members=("UBOT", ANA, BEN, LENA, OMAR, GIA)),
            Channel(id="CGENERAL", name="general", members=(ANA, BEN, LENA, OMAR)),
        ),
        commands=(
            Command(command="/hypothesis", hint="what we change, for whom | list | show H-12 | help"),
            Command(command="/experiment", hint="plan H-12 | result E-7 | ask E-7 | digest | help"),
        ),
    )
