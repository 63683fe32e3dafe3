"""What could not be delivered, in words: what it was, and why, with what to do."""

from collections.abc import Mapping

from labcoat.domain.notice import NoticeKind, Undelivered

KINDS: Mapping[NoticeKind, str] = {
    NoticeKind.CARD: "a card",
    NoticeKind.STORY: "a line in a card's thread",
    NoticeKind.REQUEST: "a request to a lead",
    NoticeKind.ANSWER: "the answer to a request",
    NoticeKind.DIGEST: "a digest",
    NoticeKind.NUDGE: "a nudge",
    NoticeKind.CHART: "a chart",
    NoticeKind.WELCOME: "the welcome of a channel",
    NoticeKind.OWNERSHIP: "who owns or leads what",
    NoticeKind.SETTINGS: "a change of settings",
    NoticeKind.FOLLOWED: "news of a followed hypothesis",
    NoticeKind.CORRECTED: "word of totals that were corrected",
    NoticeKind.HEALTH: "trouble with an experiment's numbers",
    NoticeKind.FILE: "what became of a file",
    NoticeKind.HOME: "a Home",
    NoticeKind.PROBLEM: "word of something else that did not arrive",
}

_WHY = {
    "unreadable": "Another version of Labcoat wrote it, and this one cannot read it: forget it, or try it with that one.",
    "not_in_channel": "Labcoat is not in the channel: invite it there with /invite.",
    "channel_not_found": "There is no such channel for Labcoat: if it is private, invite it there with /invite.",
    "is_archived": "The channel is archived: unarchive it.",
    "is_inactive": "The channel is archived: unarchive it.",
    "user_disabled": "The person's account is deactivated.",
    "user_not_found": "Slack does not know this person.",
    "users_not_found": "Slack does not know this person.",
    "user_not_visible": "Labcoat may not see this person.",
    "cannot_dm_bot": "This is a bot, and bots read no messages.",
    "messages_tab_disabled": "The app's messages tab is off: switch it on at the app's page, under App Home.",
    "missing_scope": "Labcoat may not do this: install the app anew with the scopes of its manifest.",
    "restricted_action": "A setting of the workspace or channel forbids Labcoat to post there.",
    "restricted_action_read_only_channel": "Only some may post in this channel: let Labcoat be one of them.",
    "restricted_action_thread_only_channel": "In this channel only threads may be written in.",
    "restricted_action_non_threadable_channel": "This channel has no threads.",
    "restricted_action_thread_locked": "The thread is locked.",
    "ratelimited": "Slack wanted fewer calls for a day: try again when less is to be told.",
    "invalid_auth": "Slack did not take the token for a day: give Labcoat a new one.",
    "account_inactive": "Slack did not take the token for a day: give Labcoat a new one.",
    "token_revoked": "Slack did not take the token for a day: give Labcoat a new one.",
    "token_expired": "Slack did not take the token for a day: give Labcoat a new one.",
}


def what(kind: NoticeKind) -> str:
    """Return what a notice was."""
    return KINDS[kind]


def why(problem: str) -> str:
    """Return why a notice was given up, and what mends it. problem: Slack's own word, or ours."""
    return _WHY.get(problem, f"Slack did not take it ({problem}).")


def where(one: Undelivered) -> str:
    """Return whose message it was, as Slack's id."""
    return one.channel or one.person or ""
