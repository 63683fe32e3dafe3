"""What a channel chose, and who leads: read for the form, and saved if nobody was quicker."""

from dataclasses import dataclass
from datetime import datetime

from labcoat.db import channels, outbox, people, periods, workspaces
from labcoat.db.database import Transaction
from labcoat.domain import schedule
from labcoat.domain.channel import ChannelSettings, checked
from labcoat.domain.facts import SettingsChanged
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.person import Person
from labcoat.domain.refusal import Reason, Refusal
from labcoat.usecases.people import team

MOST_LEADS = 50
"""As many as the form can remember to have shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the form shows of a channel.

    version: how often the settings were changed. fixed_leads: of LABCOAT_LEADS; leads: managed in Slack by admins.
    person: who asks, as far as Slack was asked about them.
    """

    channel: ChannelId
    settings: ChannelSettings
    version: int
    fixed_leads: tuple[UserId, ...]
    leads: tuple[UserId, ...]
    person: Person

    @property
    def may_manage_leads(self) -> bool:
        """Whether the person may say who leads."""
        return self.person.is_admin


def show(tx: Transaction, workspace: WorkspaceId, channel: ChannelId, *, by: UserId) -> Shown:
    """Return what the form shows."""
    settings, version = channels.versioned(tx, workspace, channel)
    return Shown(
        channel=channel,
        settings=settings,
        version=version,
        fixed_leads=tuple(workspaces.leads(tx, workspace, from_settings=True)),
        leads=tuple(workspaces.leads(tx, workspace, from_settings=False)),
        person=people.find(tx, workspace, by) or Person(user=by),
    )


def save(
    tx: Transaction,
    workspace: WorkspaceId,
    shown: Shown,
    new: ChannelSettings,
    *,
    leads: tuple[UserId, ...] | None,
    zone: str,
    now: datetime,
) -> ChannelSettings:
    """Store what was chosen, and tell who chose it; the channel hears when its digest moves. Raises dossiers.Changed.

    shown: as it is now. leads: None where the person may not say who leads. zone: for a channel that chose none.
    """
    if leads is not None and len(leads) > MOST_LEADS:
        raise Refusal(Reason.TOO_MANY, "leads", count=len(leads), most=MOST_LEADS)
    by, old, new = shown.person.user, shown.settings, checked(new)
    changed_leads = leads is not None and shown.may_manage_leads and set(leads) != set(shown.leads)
    if changed_leads and leads is not None:
        team.set_leads(tx, workspace, leads, by=by)
    if new != old:
        channels.save(tx, workspace, shown.channel, new, version=shown.version)
    if new == old and not changed_leads:
        return new
    changed = SettingsChanged(
        channel=shown.channel,
        by=by,
        old=old,
        new=new,
        next_digest=_next_digest(tx, workspace, shown.channel, new, zone=zone, now=now),
        leads=tuple(dict.fromkeys((*shown.fixed_leads, *(leads or ())))) if changed_leads else None,
    )
    outbox.put(tx, Notice(kind=NoticeKind.SETTINGS, workspace=workspace, person=by, fact=changed))
    if new.digest_slot != old.digest_slot:
        told = Notice(kind=NoticeKind.SETTINGS, workspace=workspace, channel=shown.channel, fact=changed)
        outbox.put(tx, told)
    return new


def _next_digest(
    tx: Transaction, workspace: WorkspaceId, channel: ChannelId, settings: ChannelSettings, *, zone: str, now: datetime
) -> datetime:
    newest = periods.newest_digests(tx, workspace, [channel]).get(channel)
    weekday, clock, chosen = settings.digest_slot
    made = newest.monday if newest is not None else None
    return schedule.next_digest_slot(now, zone=chosen or zone, weekday=weekday, clock=clock, made=made)
