"""What a prototype, its evidence and its cap need."""

import pytest

from builders import NOW, OTHER, a_dossier, a_lead, a_member, a_prototype, refused, some_evidence
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind, EvidenceSource, Strength
from labcoat.domain.lifecycle import Stage
from labcoat.domain.member import Member
from labcoat.domain.refusal import Reason
from labcoat.domain.steps import prototype


def _begin(
    *, by: Member | None = None, cap_days: float = 3, stop_when: str = "nobody cares", guess: float | None = None
) -> Dossier:
    return prototype.begin(
        a_dossier(),
        by=by or a_member(),
        summary="Sort by hand",
        cap_days=cap_days,
        stop_when=stop_when,
        build_guess_days=guess,
        now=NOW,
    )


def test_only_the_owner_begins() -> None:
    with refused(Reason.NOT_OWNER):
        _begin(by=a_lead())


@pytest.mark.parametrize("cap", [0.0, -1.0, float("nan")])
def test_a_prototype_needs_a_cost_cap(cap: float) -> None:
    with refused(Reason.NOT_POSITIVE, "cap"):
        _begin(cap_days=cap)


def test_a_prototype_needs_what_would_make_us_stop() -> None:
    with refused(Reason.MISSING, "stop_when"):
        _begin(stop_when=" ")


def test_the_build_guess_may_be_unknown() -> None:
    assert _begin(guess=None).prototypes[0].build_guess_days is None


def test_the_day_counts_from_the_new_stage() -> None:
    after = _begin().hypothesis

    assert (after.stage, after.stage_since) == (Stage.PROTOTYPE, NOW)


def _add(
    *,
    by: Member | None = None,
    kind: EvidenceKind = EvidenceKind.INTERVIEW,
    count: int = 5,
    summary: str = "Four of five asked for it.",
    link: str | None = None,
    spent_days: float | None = None,
) -> Dossier:
    return prototype.add_evidence(
        a_dossier(prototypes=(a_prototype(spent_days=1),), evidence=(some_evidence(),)),
        by=by or a_member(OTHER),
        kind=kind,
        count=count,
        summary=summary,
        link=link,
        spent_days=spent_days,
        now=NOW,
    )


def test_anyone_in_the_channel_adds_evidence() -> None:
    added = _add(by=a_member(OTHER)).evidence[-1]

    assert (added.position, added.added_by) == (2, OTHER)


def test_people_outside_the_channel_add_none() -> None:
    with refused(Reason.NOT_IN_CHANNEL):
        _add(by=a_member(OTHER, is_in_channel=False))


@pytest.mark.parametrize("count", [0, -3])
def test_evidence_needs_a_count(count: int) -> None:
    with refused(Reason.NOT_POSITIVE, "count"):
        _add(count=count)


def test_evidence_needs_a_sentence_or_a_link() -> None:
    with refused(Reason.MISSING, "summary"):
        _add(summary="", link=" ")

    assert _add(summary="", link=" https://example.com ").evidence[-1].summary == "https://example.com"


def test_an_offline_evaluation_needs_its_details() -> None:
    with refused(Reason.MISSING, "offline"):
        _add(kind=EvidenceKind.OFFLINE)


def test_what_was_spent_is_kept_unless_told() -> None:
    assert _add(spent_days=None).prototypes[-1].spent_days == 1
    assert _add(spent_days=2.5).prototypes[-1].spent_days == 2.5


@pytest.mark.parametrize(
    ("kind", "source", "strength"),
    [
        (EvidenceKind.INTERVIEW, EvidenceSource.USERS, Strength.QUALITATIVE),
        (EvidenceKind.USABILITY, EvidenceSource.USERS, Strength.QUALITATIVE),
        (EvidenceKind.DOGFOOD, EvidenceSource.USERS, Strength.QUALITATIVE),
        (EvidenceKind.LIVE_USE, EvidenceSource.USERS, Strength.OBSERVATIONAL),
        (EvidenceKind.SQL, EvidenceSource.DATA, Strength.OBSERVATIONAL),
        (EvidenceKind.LOG_REPLAY, EvidenceSource.DATA, Strength.OFFLINE),
        (EvidenceKind.OFFLINE, EvidenceSource.DATA, Strength.OFFLINE),
    ],
)
def test_only_users_give_feedback(kind: EvidenceKind, source: EvidenceSource, strength: Strength) -> None:
    assert (kind.source, some_evidence(kind).strength) == (source, strength)


def test_only_the_owner_raises_the_cap() -> None:
    with refused(Reason.NOT_OWNER):
        prototype.raise_cap(a_dossier(prototypes=(a_prototype(),)), by=a_lead(), cap_days=9, reason="one more round")


@pytest.mark.parametrize("cap", [2.0, 3.0])
def test_a_cap_is_only_raised(cap: float) -> None:
    with refused(Reason.CAP_NOT_RAISED, "cap", cap=3):
        prototype.raise_cap(a_dossier(prototypes=(a_prototype(cap_days=3),)), by=a_member(), cap_days=cap, reason="x")


def test_raising_the_cap_needs_a_reason() -> None:
    with refused(Reason.REASON_NEEDED, "reason"):
        prototype.raise_cap(a_dossier(prototypes=(a_prototype(cap_days=3),)), by=a_member(), cap_days=9, reason="")


def test_a_raised_cap_releases_more() -> None:
    over = a_prototype(cap_days=3, spent_days=4)

    after = prototype.raise_cap(a_dossier(prototypes=(over,)), by=a_member(), cap_days=5, reason="nearly there")

    assert over.is_over_cap
    assert not after.prototypes[0].is_over_cap
