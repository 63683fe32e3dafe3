"""Pivot, reopen, a higher cap: what ends a hypothesis or lets it go on."""

from journeys.playing import ASK, CLOSE, DAY, PROTOTYPE, START, Play, read
from journeys.test_editing import form_text

PIVOT = {
    **CLOSE,
    "change": "Show cheap offers first",
    "metric": "orders per user",
    "because": "Testers only talked about prices",
}


def test_a_pivot_closes_one_and_files_the_next_linked_both_ways(play: Play) -> None:
    play.files(play.ana)

    play.types(play.ana, "/hypothesis pivot H-1")
    play.submits(play.ana, **PIVOT)

    assert "Closed: refuted, replaced" in read(play.card("H-1"))
    assert "Goes on as H-2" in read(play.card("H-1"))
    assert "Goes on from H-1" in read(play.card("H-2"))
    assert "replaced by H-2. Learned: Age matters less than price" in play.thread("H-1")[-1]


def test_a_running_experiment_is_stopped_before_a_pivot(play: Play) -> None:
    play.runs(play.ana)

    assert "Stop it first" in play.asks(play.ana, "/hypothesis pivot H-1")


def test_a_closed_hypothesis_is_reopened_at_its_stage_with_a_reason(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, **CLOSE)

    view = play.presses(play.ana, play.card(), "reopen")
    play.submits(play.ana, reason="Twice as many people see the page")

    assert "Age matters less than price" in form_text(view)
    assert "H-1 · Prototype" in read(play.card())
    assert "reopened H-1. Why: Twice as many people see the page" in play.thread()[-1]


def test_only_the_owner_or_a_lead_reopens(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis close H-1")
    play.submits(play.ana, **CLOSE)

    assert "Only the owner of H-1" in play.asks(play.ben, "/hypothesis reopen H-1")
    assert play.types(play.lena, "/hypothesis reopen H-1") is not None


def test_an_open_hypothesis_is_not_reopened(play: Play) -> None:
    play.files(play.ana)

    assert "is still open" in play.asks(play.ana, "/hypothesis reopen H-1")


def test_a_cap_is_raised_with_a_reason_and_told_as_old_and_new(play: Play) -> None:
    play.files(play.ana)
    play.types(play.ana, "/hypothesis prototype H-1")
    play.submits(play.ana, **PROTOTYPE)
    play.types(play.ana, "/hypothesis evidence H-1")
    play.submits(play.ana, count="5", summary="4 of 5 asked for it", spent="3")

    play.presses(play.ana, play.card(), "cap")
    refused = play.is_refused(play.ana, cap="1", reason="One more round")
    play.submits(play.ana, cap="4", reason="One more round")

    assert "The cap is 2 person-days already" in refused["cap"]
    assert "raised the cap: 2 person-days → 4 person-days. Why: One more round" in play.thread()[-1]
    assert "3 of 4 person-days" in read(play.card())


def test_the_menu_of_a_card_does_what_its_commands_do(play: Play) -> None:
    play.files(play.ana)

    play.ana.click(play.card(), action_id="more", option="edit H-1")

    assert play.ana.view["callback_id"] == "edit"


def test_a_change_of_a_draft_is_told_part_by_part(play: Play) -> None:
    play.files(play.ana)
    play.plans(play.ana)

    play.types(play.ana, "/experiment plan E-1")
    play.submits(play.ana, planned_days="14", guardrails="refund rate down")

    line = play.thread()[-1]
    assert "changed the plan of E-1" in line
    assert "planned days: 28 days → 14 days" in line
    assert "guardrails: nothing → refund rate (down is good)" in line
    assert "variants" not in line


def test_one_treatment_of_several_is_asked_for_approved_and_shipped_by_name(play: Play) -> None:
    play.files(play.ana)
    play.tries(play.ana)
    play.plans(play.ana, variants="control 34, photos_big 33, photos_small 33")
    play.starts(play.ana)
    play.set_clock(START + 15 * DAY)
    play.stops(play.ana)
    play.types(play.ana, "/experiment record E-1 control=1200/24000 photos_big=1500/24000 photos_small=1480/24000")

    form = play.types(play.ana, "/experiment ask H-1")
    assert form is not None
    assert "Which treatment?" in read(form)
    play.submits(play.ana, **ASK, treatment="photos_big")
    request = play.direct(play.lena)[-1]
    play.presses(play.lena, request, "approve")
    approving = read(play.lena.view)
    play.submits(play.lena, reason="Go all in")
    play.presses(play.ana, play.direct(play.ana)[-1], "ship")
    shipping = read(play.ana.view)
    play.submits(play.ana, link="https://example.com/release", tenfold=[], days_spent="12")

    dossier = play.dossier()
    assert dossier is not None
    assert dossier.hypothesis.ending is not None
    assert dossier.hypothesis.ending.treatment == "photos_big"
    assert "H-1: 20 person-days to productionize photos_big?" in read(request)
    assert "20 person-days to productionize photos_big" in approving
    assert "Approved to be built: photos_big" in shipping
    thread = "\n".join(play.thread())
    assert "asked for approval: 20 person-days to productionize photos_big." in thread
    assert "shipped H-1: supported, shipped (photos_big)." in thread
