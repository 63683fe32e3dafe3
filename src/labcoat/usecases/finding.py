"""Finding what a command or button is about, and who is acting."""

from datetime import datetime

from labcoat.db import dossiers, people, workspaces
from labcoat.db.database import Transaction
from labcoat.db.people import Acting
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.member import Member
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.subject import Subject


def get_dossier(tx: Transaction, workspace: WorkspaceId, subject: Subject) -> Dossier:
    """Return the hypothesis that H-12 names, or that E-7 tests; raise Refusal if this workspace has none."""
    if subject.hypothesis is not None:
        found = dossiers.find(tx, workspace, subject.hypothesis)
    else:
        assert subject.experiment is not None
        found = dossiers.find_of_experiment(tx, workspace, subject.experiment)
    if found is None:
        raise Refusal(Reason.UNKNOWN_ID, id=str(subject))
    return found


def get_experiment(dossier: Dossier, subject: Subject) -> Experiment:
    """Return the experiment that E-7 names, or H-12's newest; raise Refusal if there is none."""
    if subject.experiment is not None:
        return dossier.get_experiment(subject.experiment)
    newest = dossier.newest_experiment
    if newest is None:
        raise Refusal(Reason.NO_EXPERIMENT, hypothesis=dossier.hypothesis.number)
    return newest


def get_member(
    tx: Transaction,
    workspace: WorkspaceId,
    user: UserId,
    *,
    now: datetime,
    acting: Acting | None = None,
    channel: ChannelId | None = None,
    of: Dossier | None = None,
) -> Member:
    """Return the person with what they may do.

    acting: if it was read already. channel: where they act from. They count as in the
    hypothesis's channel if they act from it or were ever involved; asking Slack for the channel's members would be a
    call inside a click.
    """
    acting = acting or people.acting(tx, workspace, user)
    presence = acting.presence(now)
    leads = [lead for lead in acting.leads if lead not in presence.gone]
    is_lead = user in leads
    is_here = of is None or channel == of.hypothesis.channel or user in of.hypothesis.involved or is_lead
    return Member(
        user=user,
        is_lead=is_lead,
        is_only_lead=leads == [user],
        is_in_channel=is_here,
        stands_in_for=frozenset(who for who, person in presence.away.items() if person.stand_in == user),
        is_met=acting.is_met,
        leads=acting.leads,
        presence=presence,
    )


def get_workspace(tx: Transaction, named: str | None) -> WorkspaceId:
    """Return the workspace that a command names, None for the only one there is; raise Refusal without one."""
    known = workspaces.list_all(tx)
    if not known:
        raise Refusal(Reason.NO_WORKSPACE)
    if named is None and len(known) > 1:
        raise Refusal(Reason.WHICH_WORKSPACE, known=", ".join(known))
    if named is not None and named not in known:
        raise Refusal(Reason.UNKNOWN_WORKSPACE, text=named[:40], known=", ".join(known))
    return WorkspaceId(named or known[0])
