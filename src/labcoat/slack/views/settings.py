"""The form of a channel's settings, and the messages about what was changed."""

from collections.abc import Sequence
from datetime import datetime

from labcoat.domain.channel import ChannelSettings
from labcoat.domain.ids import ChannelId, UserId
from labcoat.slack.blocks import (
    Block,
    Message,
    actions,
    anew,
    button,
    channel_input,
    clock_input,
    context,
    escape,
    form,
    header,
    option,
    people_input,
    radio_input,
    section,
    select_input,
    text_input,
)
from labcoat.slack.views.people import mention
from labcoat.usecases.people.settings import Shown
from labcoat.words import numbers, settings

_HOURS = [option(str(hour), f"{hour:02}:00") for hour in range(24)]
_SIZES = [option("compact", "Compact: five items a group"), option("detailed", "Detailed: every item")]
_NUDGES = [option("on", "On: about what has stalled"), option("off", "Off")]
_WEEKDAYS = [option(str(day), name) for day, name in enumerate(settings.WEEKDAYS)]


def settings_form(
    shown: Shown,
    *,
    zone: str,
    metadata: str,
    is_picked: bool = False,
    typed: ChannelSettings | None = None,
    typed_leads: Sequence[UserId] | None = None,
    changed: Sequence[str] = (),
) -> Block:
    """Return the form of a channel's settings.

    is_picked: it was not opened from a channel, so that the channel is a question too. typed, typed_leads: what
    somebody had filled in when `changed` became true: lines of what others have changed meanwhile, as plain text.
    """
    chosen = typed or shown.settings
    blocks: list[Block] = [section(_meanwhile(changed))] if changed else []
    if is_picked:
        blocks.append(channel_input("channel", "Which channel?", initial=shown.channel, is_live=True))
    else:
        blocks.append(section(f"Settings of <#{shown.channel}>. Everybody here may change them."))
    fields = [
        header("Digest"),
        select_input("weekday", "Weekday", _WEEKDAYS, initial=str(chosen.digest_weekday)),
        clock_input("time", "Time", initial=f"{chosen.digest_time:%H:%M}"),
        text_input("zone", "Time zone", initial=chosen.zone or zone, hint="A city will do.", example="Europe/Berlin"),
        radio_input("size", "How much it says", _SIZES, initial="detailed" if chosen.is_detailed else "compact"),
        header("Nudges"),
        radio_input(
            "nudges",
            "Reminders to owners",
            _NUDGES,
            initial="on" if chosen.has_nudges else "off",
            hint="Requests for approval come all the same.",
        ),
        _hour("quiet_from", "Quiet from", chosen.quiet_from, ""),
        _hour(
            "quiet_until",
            "Quiet until",
            chosen.quiet_until,
            "On the clock of whoever is nudged. A nudge comes afterwards.",
        ),
        header("Hypotheses"),
        channel_input(
            "home",
            "Where those filed from here live",
            initial=chosen.home or shown.channel,
            hint="Their cards, stories and digest are there.",
        ),
        text_input(
            "tags",
            "Tags to offer",
            initial=", ".join(chosen.tags),
            example="search, ranking, checkout",
            is_optional=True,
        ),
        header("People"),
        *_leads(shown, shown.leads if typed_leads is None else typed_leads),
        actions([button("I am away …", verb="away", value="")]),
    ]
    blocks += [anew(block, f"{shown.channel}:{shown.version}") for block in fields]
    return form("settings", title="Settings", submit="Save", metadata=metadata, blocks=blocks)


def channel_form(*, metadata: str) -> Block:
    """Return the form that asks whose settings are meant, where no channel is at hand."""
    picker = channel_input("channel", "Which channel?", is_live=True)
    return form("settings", title="Settings", submit="Save", metadata=metadata, blocks=[picker])


def _meanwhile(changed: Sequence[str]) -> str:
    lines = "\n".join(f"• {line}" for line in changed)
    return f":eyes: *Somebody changed this while you were typing:*\n{lines}\nWhat you typed is kept. Save once more."


def _hour(block_id: str, label: str, hour: int | None, hint: str) -> Block:
    initial = None if hour is None else str(hour)
    return select_input(block_id, label, _HOURS, initial=initial, hint=hint, is_optional=True)


def _leads(shown: Shown, chosen: Sequence[UserId]) -> list[Block]:
    fixed = _names(shown.fixed_leads)
    if shown.may_manage_leads:
        always = f"Always leads, by Labcoat's own settings: {fixed}." if shown.fixed_leads else "Only admins see this."
        hint = "Leads decide about approvals, in every channel."
        return [people_input("leads", "Leads", initial=chosen, hint=hint), context(always)]
    everybody = _names((*shown.fixed_leads, *shown.leads))
    return [context(f"Leads: {everybody}. Admins of this workspace say who leads, in this form.")]


def _names(people: Sequence[UserId]) -> str:
    return ", ".join(mention(person) for person in people) or "nobody yet"


def own_message(
    channel: ChannelId,
    old: ChannelSettings,
    new: ChannelSettings,
    *,
    leads: Sequence[UserId] | None,
    next_digest: datetime,
    zone: str,
) -> Message:
    """Return what somebody changed, for themselves. leads: everybody who leads now, None if that stayed."""
    lines = settings.changes(old, new, zone=zone, escape=escape)
    lines += [f"Leads: {_names(leads)}"] if leads is not None else []
    when = numbers.day_and_time(next_digest, new.zone or zone)
    moved = f"\nThe next digest comes on {when}." if new.digest_slot != old.digest_slot else ""
    text = f"Saved for <#{channel}>:\n" + "\n".join(f"• {line}" for line in lines) + moved
    buttons = [button("Settings", verb="settings", value=channel)]
    return Message(text=text, blocks=(section(text), actions(buttons)))


def channel_message(by: UserId, new: ChannelSettings, *, next_digest: datetime, zone: str) -> Message:
    """Return what the channel hears: when its digest comes from now on."""
    when = settings.digest_time(new, zone=zone)
    first = numbers.day_and_time(next_digest, new.zone or zone)
    text = f":calendar: {mention(by)} moved the digest to {when}. The next one comes on {first}."
    return Message(text=text, blocks=(section(text),))
