"""What the digests of a workspace's channels are composed of, read for all of them at once.

On a Monday thousands of digests are due in the same minute; a few queries a workspace instead of a dozen a channel.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from labcoat.db import channels, dossiers, looks, periods
from labcoat.db.database import Transaction
from labcoat.db.periods import MadeDigest
from labcoat.domain import schedule
from labcoat.domain.channel import ChannelSettings
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, WorkspaceId
from labcoat.domain.look import Look, SourceProblem
from labcoat.domain.stall import Stall
from labcoat.domain.verdicts import Called
from labcoat.usecases.people import stall_signals

_DEFAULTS = ChannelSettings()

COMMITTED_WITHIN = timedelta(hours=1)
"""What has a time is committed later: a step after a moment, a look after the warehouse was read. A digest may not see
it yet, so the next one begins so much earlier, and leaves out what was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One channel's week.

    monday, slot: of the newest week that is due. since: where it begins, which is some time before the last digest was
    made, or seven days ago without one. told: what the last digest told of the time since then, by `key_of_ending` and
    `key_of_look`. dossiers: what is open, or was closed and not told. looks: by hypothesis, the newest of its newest
    experiment. stalled: the most urgent first. problems, verdicts_before: by experiment; what stood at the last digest.
    """

    monday: date
    slot: datetime
    since: datetime
    told: frozenset[str]
    newest: MadeDigest | None
    settings: ChannelSettings
    last_filed_at: datetime | None
    dossiers: tuple[Dossier, ...]
    looks: Mapping[HypothesisNumber, Look]
    problems: Mapping[ExperimentNumber, SourceProblem]
    verdicts_before: Mapping[ExperimentNumber, Called]
    stalled: tuple[tuple[Dossier, Stall], ...]


def read(
    tx: Transaction, workspace: WorkspaceId, of: Collection[ChannelId], *, zone: str, now: datetime
) -> dict[ChannelId, Week]:
    """Return the week of each of these channels. zone: for a channel that chose none."""
    if not of:
        return {}
    chosen = channels.all_settings(tx, workspace)
    newest = periods.newest_digests(tx, workspace, of)
    since = {one: _since(newest.get(one), now) for one in of}
    told = {one: frozenset(newest[one].told or () if one in newest else ()) for one in of}
    numbers = dossiers.open_or_ended_since(tx, workspace, since)
    every = [number for mine in numbers.values() for number in mine]
    found = {one.hypothesis.number: one for one in dossiers.read_many(tx, workspace, every)}
    newest_tested = [(one, experiment) for one in found.values() if (experiment := one.newest_experiment) is not None]
    tested = {experiment.number: one.hypothesis.channel for one, experiment in newest_tested}
    newest_looks = _that_stand(
        looks.newest_many(tx, workspace, tested), [experiment for _, experiment in newest_tested]
    )
    problems = looks.find_problems(tx, workspace, tested)
    fresh = {
        number: _standing_at(newest.get(tested[number]), look, since[tested[number]])
        for number, look in newest_looks.items()
        if is_news(look, since[tested[number]], told[tested[number]])
    }
    before = looks.verdicts_before(tx, workspace, fresh)
    last_filed = dossiers.last_filed_at(tx, workspace, of)
    stalled = stall_signals.stalled(
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
        its = (found[number] for number in sorted(numbers[channel]))
        mine = tuple(one for one in its if key_of_ending(one) not in told[channel])
        weeks[channel] = Week(
            monday=monday,
            slot=slot,
            since=since[channel],
            told=told[channel],
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


def _that_stand(newest: Mapping[ExperimentNumber, Look], tested: Iterable[Experiment]) -> dict[ExperimentNumber, Look]:
    """Return the looks that say something still: not those before the cause of an uneven split was fixed."""
    found = ((experiment, newest.get(experiment.number)) for experiment in tested)
    return {
        experiment.number: look
        for experiment, look in found
        if look is not None and experiment.standing(look.readout) is not None
    }


def _since(newest: MadeDigest | None, now: datetime) -> datetime:
    if newest is None:
        return now - timedelta(days=7)
    return newest.made_at if newest.told is None else newest.made_at - COMMITTED_WITHIN


def _standing_at(newest: MadeDigest | None, look: Look, since: datetime) -> datetime:
    """Return when the verdict stood that a look is compared with: at the last digest, or before one that it missed."""
    return newest.made_at if newest is not None and look.made_at > newest.made_at else since


def is_news(look: Look, since: datetime, told: Collection[str]) -> bool:
    """Whether a look was made since a week began, and not told."""
    return look.made_at > since and key_of_look(look) not in told


def told_by(week: Week, *, now: datetime) -> tuple[str, ...]:
    """Return what the digest of a week that is made now tells of the last hour, and what the one before told of it."""
    begin = now - COMMITTED_WITHIN
    ended = {
        key_of_ending(one)
        for one in week.dossiers
        if one.hypothesis.ending is not None and one.hypothesis.ending.at > begin
    }
    seen = {key_of_look(look) for look in week.looks.values() if look.made_at > begin}
    is_hour_shared = week.newest is not None and week.newest.made_at > begin
    before = week.told if is_hour_shared else frozenset()
    return tuple(sorted(ended | seen | before))


def key_of_ending(dossier: Dossier) -> str:
    """Return what names the ending of a hypothesis; one that was reopened ends anew. "" while it is open."""
    ending = dossier.hypothesis.ending
    return "" if ending is None else f"H-{dossier.hypothesis.number} {ending.at.isoformat()}"


def key_of_look(look: Look) -> str:
    """Return what names a look."""
    return f"E-{look.experiment} {look.slot.isoformat()} {look.made_at.isoformat()}"


def latest_slot(chosen: tuple[int, time, str | None], *, zone: str, now: datetime) -> tuple[date, datetime]:
    """Return the newest week that is due: its Monday and its instant.

    chosen: weekday, time and zone, as in the channel's settings. zone: for a channel that chose none.
    """
    weekday, clock, own = chosen
    return schedule.latest_digest_slot(now, zone=own or zone, weekday=weekday, clock=clock)
