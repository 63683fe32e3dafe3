"""A channel's settings: the form, shown for the channel it was opened from or for a picked one, and saving it."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import time
from typing import Any

from labcoat.domain.channel import ChannelSettings, read_zone
from labcoat.domain.ids import ChannelId, UserId
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack.blocks import Block
from labcoat.slack.listeners.call import PUBLIC_OR_PRIVATE, Call, RenewFormError, Submission
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import settings as views
from labcoat.usecases.people import settings
from labcoat.usecases.people.settings import Shown
from labcoat.words import settings as words


def open_settings_form(call: Call, rest: str) -> None:
    """Open the settings of the channel; from elsewhere a channel can be picked. rest: a channel that a button names."""
    is_from_channel = call.channel.startswith(PUBLIC_OR_PRIVATE) and not call.is_in_view
    channel = ChannelId(rest) if rest.startswith(PUBLIC_OR_PRIVATE) else _channel_of(call)
    if channel is None:
        call.open_form(views.channel_form(metadata=call.metadata("", of=None)))
        return
    with call.reading() as (tx, _):
        shown = settings.show(tx, call.workspace, channel, by=call.user)
    is_picked = not is_from_channel and not rest
    metadata = _metadata(shown, opened_from=call.channel, is_picked=is_picked)
    call.open_form(views.settings_form(shown, zone=call.app_context.zone, metadata=metadata, is_picked=is_picked))


def _channel_of(call: Call) -> ChannelId | None:
    return call.channel if call.channel.startswith(PUBLIC_OR_PRIVATE) else call.app_context.home_channel


def settings_form_for(form: Submission, view: Block) -> Block:  # noqa: ARG001
    """Return the form for the channel that was picked."""
    channel = form.answers.channel("channel") or ChannelId(form.metadata["of"])
    with form.reading() as (tx, _):
        shown = settings.show(tx, form.workspace, channel, by=form.user)
    metadata = _metadata(shown, opened_from=form.channel, is_picked=True)
    return views.settings_form(shown, zone=form.app_context.zone, metadata=metadata, is_picked=True)


def submit_settings(form: Submission) -> None:
    """Save what was chosen; after somebody else's change the form is shown anew."""
    if form.metadata["of"] is None:
        raise Refusal(Reason.MISSING, "channel")
    typed, leads = _typed(form), form.answers.people("leads")
    with form.writing(keeps_leads=False) as (tx, now):
        shown = settings.show(tx, form.workspace, ChannelId(form.metadata["of"]), by=form.user)
        typed = typed if typed.zone != form.app_context.zone or shown.settings.zone else replace(typed, zone=None)
        typed = typed if typed.home != shown.channel else replace(typed, home=None)
        _require_still_so(form, shown, typed, leads)
        chosen = leads if shown.may_manage_leads and _was_asked_for_leads(form) else None
        settings.save(tx, form.workspace, shown, typed, leads=chosen, zone=form.app_context.zone, now=now)


def _was_asked_for_leads(form: Submission) -> bool:
    return "leads" in form.answers.input_blocks


def _typed(form: Submission) -> ChannelSettings:
    answers = form.answers
    weekday, clock = answers.choice("weekday"), answers.clock("time")
    if weekday is None or clock is None:
        raise Refusal(Reason.MISSING, "weekday" if weekday is None else "time")
    start, end = answers.choice("quiet_from"), answers.choice("quiet_until")
    return ChannelSettings(
        home=answers.channel("home"),
        digest_weekday=int(weekday),
        digest_time=clock,
        zone=read_zone(answers.text("zone")),
        is_detailed=answers.choice("size") == "detailed",
        has_nudges=answers.choice("nudges") != "off",
        quiet_from=None if start is None else int(start),
        quiet_until=None if end is None else int(end),
        tags=tuple(answers.text("tags").split(",")),
    )


def _metadata(shown: Shown, *, opened_from: str, is_picked: bool) -> str:
    """Return what the form must know when it is submitted: the settings as they were seen."""
    seen = {field.name: _short(getattr(shown.settings, field.name)) for field in fields(ChannelSettings)}
    return json.dumps(
        {
            "channel": opened_from,
            "subject": "",
            "of": shown.channel,
            "version": shown.version,
            "is_picked": is_picked,
            "seen": seen,
            "leads": shown.leads,
        },
        ensure_ascii=False,
    )


def _short(value: Any) -> Any:
    return f"{value:%H:%M}" if isinstance(value, time) else value


def _require_still_so(form: Submission, shown: Shown, typed: ChannelSettings, typed_leads: tuple[UserId, ...]) -> None:
    """Raise RenewFormError if somebody changed the settings since the form was made; what was typed here is kept."""
    seen, seen_leads = _seen(form.metadata["seen"]), tuple(form.metadata["leads"])
    have_leads_moved = shown.may_manage_leads and set(seen_leads) != set(shown.leads)
    if int(form.metadata["version"]) == shown.version and not have_leads_moved:
        return
    mine = {
        field.name: getattr(typed, field.name)
        for field in fields(ChannelSettings)
        if getattr(typed, field.name) != getattr(seen, field.name)
    }
    changed = words.changes(seen, shown.settings, zone=form.app_context.zone)
    raise RenewFormError(
        views.settings_form(
            shown,
            zone=form.app_context.zone,
            metadata=_metadata(shown, opened_from=form.channel, is_picked=bool(form.metadata["is_picked"])),
            is_picked=bool(form.metadata["is_picked"]),
            typed=replace(shown.settings, **mine),
            typed_leads=typed_leads if set(typed_leads) != set(seen_leads) else None,
            changed=[*changed, *(["Leads"] if have_leads_moved else [])],
        )
    )


def _seen(stored: dict[str, Any]) -> ChannelSettings:
    return ChannelSettings(
        **{**stored, "digest_time": time.fromisoformat(stored["digest_time"]), "tags": tuple(stored["tags"])}
    )


HANDLERS: Mapping[str, Handler] = {
    "settings": Handler(run=open_settings_form, submit=submit_settings, renew=settings_form_for),
}
