"""What the digests of a workspace's channels are composed of, read for all of them at once.

On a Monday thousands of digests are due in the same minute; a few queries a workspace instead of a dozen a channel.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from labcoat.db import channels, dossiers, looks, periods
from labcoat.db.database import Transaction
from labcoat.db.periods import MadeDigest
from labcoat.domain import schedule
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.dossier import Dossier
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.stall import Stall
from labcoat.stats.results import Verdict
from labcoat.usecases import stalling

_DEFAULTS = ChannelSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One channel's week.

    monday, slot: of the newest week that is due. since: when the last digest was made, or seven days ago without one.
    dossiers: what is open, or was closed since then. looks: by hypothesis, the newest of its newest experiment.
    stalled: the most urgent first. problems, verdicts_before: by experiment; the verdict that stood at the last digest.
    """

    monday: date
    slot: datetime
    since: datetime
    newest: MadeDigest | None
    settings: ChannelSettings
    last_filed_at: datetime | None
    dossiers: tuple[Dossier, ...]
    looks: Mapping[HypothesisNumber, Look]
    problems: Mapping[ExperimentNumber, SourceProblem]
    verdicts_before: Mapping[ExperimentNumber, Verdict]
    stalled: tuple[tuple[Dossier, Stall], ...]


def read(
    tx: Transaction, workspace: WorkspaceId, of: Collection[ChannelId], *, zone: str, now: datetime
) -> dict[ChannelId, Week]:
    """Return the week of each of these channels. zone: for a channel that chose none."""
    if not of:
        return {}
    chosen = channels.all_settings(tx, workspace)
    newest = periods.newest_digests(tx, workspace, of)
    since = {one: newest[one].made_at if one in newest else now - timedelta(days=7) for one in of}
    numbers = dossiers.open_or_ended_since(tx, workspace, since)
    every = [number for mine in numbers.values() for number in mine]
    found = {one.hypothesis.number: one for one in dossiers.read_many(tx, workspace, every)}
    tested = {
        experiment.number: since[one.hypothesis.channel]
        for one in found.values()
        if (experiment := one.newest_experiment) is not None
    }
    newest_looks = looks.newest_many(tx, workspace, tested)
    problems = looks.find_problems(tx, workspace, tested)
    fresh = {number: tested[number] for number, look in newest_looks.items() if look.made_at > tested[number]}
    before = looks.verdicts_before(tx, workspace, fresh)
    last_filed = dossiers.last_filed_at(tx, workspace, of)
    stalled = stalling.stalled(
        tx,
        workspace,
        list(found.values()),
        newest_looks,
        zone_of=lambda channel: chosen.get(channel, _DEFAULTS).zone or zone,
        now=now,
    )
    weeks = {}
    for channel in of:
        settings = chosen.get(channel, _DEFAULTS)
        monday, slot = latest_slot(settings.digest_slot, zone=zone, now=now)
        mine = tuple(found[number] for number in sorted(numbers[channel]))
        weeks[channel] = Week(
            monday=monday,
            slot=slot,
            since=since[channel],
            newest=newest.get(channel),
            settings=settings,
            last_filed_at=last_filed.get(channel),
            dossiers=mine,
            looks={
                one.hypothesis.number: newest_looks[experiment.number]
                for one in mine
                if (experiment := one.newest_experiment) is not None and experiment.number in newest_looks
            },
            problems=problems,
            verdicts_before=before,
            stalled=tuple(
                (one, stall)
                for number, stall in stalled.items()
                if (one := found[number]).hypothesis.channel == channel
            ),
        )
    return weeks


def latest_slot(chosen: tuple[int, time, str | None], *, zone: str, now: datetime) -> tuple[date, datetime]:
    """Return the newest week that is due: its Monday and its instant.

    chosen: weekday, time and zone, as in the channel's settings. zone: for a channel that chose none.
    """
    weekday, clock, own = chosen
    return schedule.latest_digest_slot(now, zone=own or zone, weekday=weekday, clock=clock)
