"""The scopes that the manifest asks for, and what is missed without each; tests hold both to be the same."""

WITHOUT = {
    "chat:write": "no card, digest or answer can be posted",
    "commands": "/hypothesis and /experiment do not work",
    "im:write": "no request, answer or nudge reaches anybody in private",
    "users:read": "guests are not known, and everybody's zone is LABCOAT_TIMEZONE",
    "channels:read": "a public channel that invites the bot is not welcomed",
    "groups:read": "a private channel that invites the bot is not welcomed",
    "files:read": "digests have numbers without charts",
    "files:write": "digests have numbers without charts",
    "channels:history": "a message in a public channel may come twice after a crash",
    "groups:history": "a message in a private channel may come twice after a crash",
    "im:history": "a direct message may come twice after a crash",
}

OPTIONAL = frozenset({"channels:history", "groups:history", "im:history"})


def missing(granted: frozenset[str]) -> list[str]:
    """Return the scopes that an installation lacks, needed ones first."""
    return sorted(WITHOUT.keys() - granted, key=lambda scope: (scope in OPTIONAL, scope))
