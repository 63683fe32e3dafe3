"""What a command is about, and who is acting; never another workspace's."""

import pytest

from builders import (
    CHANNEL,
    E7,
    E8,
    H12,
    LEAD,
    NOW,
    OTHER,
    OWNER,
    WORKSPACE,
    a_dossier,
    an_experiment,
    refused,
)
from labcoat.db.database import Transaction
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.lifecycle import ExperimentState
from labcoat.domain.refusal import Reason
from labcoat.domain.subject import Subject, find_subject
from labcoat.usecases import finding
from usecases.storing import stored

H_12, E_7 = Subject(hypothesis=H12), Subject(experiment=E7)
ELSEWHERE = WorkspaceId("T2")


def test_both_kinds_of_id_lead_to_the_hypothesis(tx: Transaction) -> None:
    dossier = stored(tx, a_dossier(an_experiment()))

    assert finding.get_dossier(tx, WORKSPACE, H_12) == dossier
    assert finding.get_dossier(tx, WORKSPACE, E_7) == dossier


@pytest.mark.parametrize("subject", [H_12, E_7])
def test_an_id_of_another_workspace_is_unknown_here(tx: Transaction, subject: Subject) -> None:
    stored(tx, a_dossier(an_experiment()))

    with refused(Reason.UNKNOWN_ID, id=str(subject)):
        finding.get_dossier(tx, ELSEWHERE, subject)


def test_a_hypothesis_stands_for_its_newest_experiment_that_was_not_cancelled() -> None:
    dossier = a_dossier(an_experiment(ExperimentState.STOPPED), an_experiment(ExperimentState.CANCELLED, number=E8))

    assert finding.get_experiment(dossier, H_12).number == E7
    assert finding.get_experiment(dossier, Subject(experiment=E8)).number == E8
    with refused(Reason.NO_EXPERIMENT, hypothesis=H12):
        finding.get_experiment(a_dossier(), H_12)


@pytest.mark.parametrize(
    ("user", "channel", "is_in_channel"),
    [
        (OTHER, CHANNEL, True),
        (OTHER, ChannelId("C2"), False),
        (OWNER, ChannelId("C2"), True),  # was involved
        (LEAD, ChannelId("C2"), True),
    ],
)
def test_who_counts_as_in_the_channel(
    tx: Transaction, user: UserId, channel: ChannelId, *, is_in_channel: bool
) -> None:
    member = finding.get_member(tx, WORKSPACE, user, now=NOW, channel=channel, of=stored(tx, a_dossier()))

    assert (member.is_in_channel, member.is_lead) == (is_in_channel, user == LEAD)


def test_a_lead_leads_only_in_their_workspace(tx: Transaction) -> None:
    assert finding.get_member(tx, WORKSPACE, LEAD, now=NOW).is_lead
    assert not finding.get_member(tx, ELSEWHERE, LEAD, now=NOW).is_lead


@pytest.mark.parametrize("word", ["h12", "H-12", "h-12", " H–12 "])
def test_ids_are_read_in_any_case_with_or_without_dash(word: str) -> None:
    assert find_subject(word) == H_12


@pytest.mark.parametrize("word", ["12", "H", "H-", "X-12", "H-1.5", "H--12", "H-1234567890", "list"])
def test_other_words_are_no_ids(word: str) -> None:
    assert find_subject(word) is None
