"""Everything the bot says and asks, at its largest: every message and every form, by name."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from pydantic_core import to_jsonable_python

import builders
import largest_corrections
import largest_files
import largest_running
from builders import E7, LEAD, NOW, OWNER
from labcoat.db.history_rows import of_pairs
from labcoat.domain.channel import MOST_TAGS, ChannelSettings
from labcoat.domain.digest import ClosedItem, DecideItem, Digest, HealthItem, ResultItem, StalledItem
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind
from labcoat.domain.experiment import Experiment
from labcoat.domain.facts import OwnershipGiven, OwnershipRole
from labcoat.domain.history import HistoryEntry
from labcoat.domain.hypothesis import Decision, Outcome, Statement
from labcoat.domain.ids import ChannelId, HypothesisNumber, UserId
from labcoat.domain.importing import PastWork, Reading
from labcoat.domain.left_out import LeftOut
from labcoat.domain.lifecycle import ExperimentState, RequestState, Stage, Step
from labcoat.domain.look import Look
from labcoat.domain.person import Person
from labcoat.domain.request import NoExperimentReason, Request
from labcoat.domain.steps.hypothesis import statement_of
from labcoat.domain.waiting import Waiting, WaitingCase
from labcoat.slack.blocks import Block, Message, escape, section
from labcoat.slack.listeners import settings as settings_listener
from labcoat.slack.views import (
    asking,
    card,
    digest,
    editing,
    ending,
    experiment,
    filing,
    following,
    health,
    home,
    hypothesis,
    importing,
    lists,
    need,
    nudge,
    people,
    plan_texts,
    planning,
    prediction,
    prototype,
    request,
    result,
    running,
    search,
    settings,
    sizing,
    welcome,
)
from labcoat.slack.views.plan_measured import Measured
from labcoat.stats.results import NoLookReason, Verdict
from labcoat.stats.rule import Design, Direction, MetricKind, Role, Sample
from labcoat.usecases.experiments.results import Result
from labcoat.usecases.experiments.sizing import Asked
from labcoat.usecases.hypotheses.needs import RankedNeed
from labcoat.usecases.hypotheses.requests import Candidates
from labcoat.usecases.hypotheses.similar import Found
from labcoat.usecases.people.home import MOST_RUNNING, Home, RunningItem
from labcoat.usecases.people.settings import Shown
from labcoat.warehouse.reading import MetricDescription
from labcoat.words import health as health_words
from labcoat.words import linting, stories
from labcoat.words import settings as settings_words
from largest_looks import ZONE, a_plan, a_readout, an_estimate
from largest_words import COUNTS, METRICS, NAMES, PROBLEM, UNITS, looks, text_of

METADATA = "{}"


def a_dossier(
    state: ExperimentState | None = None,
    *,
    stage: Stage | None = None,
    request: Request | None = None,
    is_closed: bool = False,
) -> Dossier:
    """A hypothesis with texts as long as they may be."""
    experiments = () if state is None else (an_experiment(state),)
    implied = Stage.EXPERIMENT if experiments else Stage.PROTOTYPE
    ending = replace(builders.an_ending(), learning=text_of(1000), overrides=text_of(2000), link=text_of(500))
    words = replace(
        builders.a_hypothesis(number=999_999_999, stage=stage or implied, ending=ending if is_closed else None),
        change=text_of(600),
        metric=METRICS[0],
        because=text_of(1000),
        smallest_effect=text_of(80),
        refuted_by=text_of(600),
        tags=tuple(text_of(50) + str(n) for n in range(60)),
    )
    tried = replace(builders.a_prototype(spent_days=12.5, cap_days=2), summary=text_of(600), stop_when=text_of(600))
    evidence = replace(builders.some_evidence(EvidenceKind.OFFLINE), summary=text_of(2000), link=text_of(2000))
    begins = stage is Stage.HYPOTHESIZE
    return Dossier(
        hypothesis=words,
        prototypes=() if begins else (tried,),
        evidence=() if begins else (evidence,) * 30,
        experiments=experiments,
        requests=(request,) if request else (),
    )


def an_experiment(state: ExperimentState) -> Experiment:
    return replace(
        builders.an_experiment(state, plan=a_plan()), skip_reason=text_of(2000), no_feedback_reason=text_of(2000)
    )


def a_request(state: RequestState = RequestState.WAITING) -> Request:
    return replace(
        builders.a_request(state),
        learning=text_of(1000),
        amount_days=99_999.5,
        no_experiment_reason=NoExperimentReason.OTHER,
        no_experiment_note=text_of(2000),
        answer=text_of(2000) if state is not RequestState.WAITING else None,
        treatment=NAMES[1],
        is_member_confirmation=True,
    )


def a_look() -> Look:
    moments = builders.events(1, of=10**12)
    return Look(
        experiment=E7,
        slot=NOW,
        as_of=NOW - timedelta(hours=1),
        made_at=NOW,
        sample=Sample(exposed=(10**12,) * len(NAMES), moments={name: (moments,) * len(NAMES) for name in METRICS}),
        readout=a_readout(),
        crossed=10**9,
        left_out=LeftOut(
            no_unit=10**9,
            no_variant=10**9,
            no_time=10**9,
            no_experiment=10**9,
            nameless={name: 10**9 + place for place, name in enumerate(METRICS)},
            unplanned={text_of(70 + n): 10**9 for n in range(9)},
            respelled={text_of(70 + n): 10**9 for n in range(9)},
        ),
    )


MANY_PEOPLE = tuple(UserId(f"U{n:020}") for n in range(50))
AWAY = Person(user=MANY_PEOPLE[0], away_until=NOW, stand_in=MANY_PEOPLE[1])
SETTINGS = ChannelSettings(
    home=ChannelId("C" + "9" * 20),
    digest_weekday=6,
    zone="America/Argentina/ComodRivadavia",
    is_detailed=True,
    has_nudges=False,
    quiet_from=18,
    quiet_until=9,
    tags=tuple(f"{text_of(38).strip()}{n:02}" for n in range(MOST_TAGS)),
)


def messages() -> Iterator[tuple[str, Message]]:
    """Yield every message, in each of its shapes."""
    yield from largest_files.messages()
    shapes = {
        "hypothesize": a_dossier(stage=Stage.HYPOTHESIZE),
        "prototype": a_dossier(),
        "prototype without evidence": replace(a_dossier(), evidence=()),
        "draft": a_dossier(ExperimentState.DRAFT),
        "running": a_dossier(ExperimentState.RUNNING),
        "running anew": largest_running.running_anew(a_dossier(ExperimentState.RUNNING)),
        "not valid": largest_running.not_valid(a_dossier(ExperimentState.RUNNING)),
        "stopped": a_dossier(ExperimentState.STOPPED),
        "waiting": a_dossier(ExperimentState.STOPPED, request=a_request()),
        "sent back": a_dossier(ExperimentState.STOPPED, request=a_request(RequestState.SENT_BACK)),
        "productionize": a_dossier(
            ExperimentState.STOPPED, stage=Stage.PRODUCTIONIZE, request=a_request(RequestState.APPROVED)
        ),
        "closed": a_dossier(ExperimentState.STOPPED, is_closed=True),
        "over its cap": _over_its_cap(),
    }
    for name, dossier in shapes.items():
        shown = card.card(dossier, look=a_look(), problem=PROBLEM, counts=COUNTS, now=NOW, zone=ZONE)
        yield f"card {name}", shown
    yield from _results(shapes["running"])
    said = health_words.uneven(E7, p_value=1e-9, variants=NAMES, exposed=UNITS)
    for words in (said, health_words.no_numbers(E7, PROBLEM.message, readout=None)):
        yield "health", health.health_message(shapes["running"], E7, words)
    for state in RequestState:
        asked = a_request(state)
        dossier = a_dossier(ExperimentState.STOPPED, request=asked)
        for verdict in (Verdict.GUARDRAIL_HARM, Verdict.WIN_GUARDRAIL_OPEN, Verdict.INVALID):
            readout = a_readout(verdict)
            name = f"request {state}, {verdict}"
            yield name, request.request_message(dossier, asked, readout=readout, zone=ZONE)
        if state is RequestState.WAITING:
            for reader in request.Reader:
                read_by = request.request_message(dossier, asked, readout=a_readout(), zone=ZONE, reader=reader)
                yield f"request read by {reader}", read_by
            yield "request that nobody can answer", request.answer_message(dossier, asked, zone=ZONE)
        else:
            yield f"answer {state}", request.answer_message(dossier, asked, zone=ZONE)
    yield "card without an owner", _card_without_owner(shapes["hypothesize"])
    yield from _people(shapes["running"])
    yield "digest", digest.digest_message(a_digest())
    yield "digest preview", digest.digest_message(a_digest(), is_preview=True)
    yield "digest without requests", digest.digest_message(replace(a_digest(), decide=()))
    yield "digest with nothing", digest.digest_message(_an_empty_digest())
    yield from largest_running.nudges()
    many = [replace(shapes["prototype"].hypothesis, number=HypothesisNumber(n)) for n in range(21)]
    yield "list", lists.hypothesis_list(many, title="Open", words="open", offset=40)
    yield "search", search.search_results(_found() * 3, count=10_000, text=text_of(3000))
    yield "nothing found", search.search_results((), count=0, text=text_of(3000))
    yield "followed", following.followed_message(shapes["running"], escape(text_of(2000)))
    yield "empty list", lists.hypothesis_list([], title="Open")
    needs = [RankedNeed(summary=text_of(300), hypotheses=tuple(map(HypothesisNumber, range(40))))] * 40
    effect = builders.a_goal("x").minimum_effect
    assert effect is not None
    sized = Asked(kind=MetricKind.PROPORTION, baseline=0.2, deviation=None, effect=effect, power=0.8, alpha=0.05)
    yield "size", sizing.size_message(sized)
    yield "imported", importing.imported_message(500)
    yield "welcome", welcome.welcome_message()
    yield "needs", need.need_list(needs)
    yield "no needs", need.need_list([])
    for name, view in (("menu", _a_home()), ("empty menu", replace(_a_home(), waiting=(), mine=(), running=()))):
        yield name, lists.menu(view, zone=ZONE)
    yield "help", lists.help_message(is_all=False)
    yield "help all", lists.help_message(is_all=True)
    yield "which of two", lists.which_of_two("record", 999_999_999, rest=text_of(1900))
    yield "did you mean", lists.did_you_mean("/experiment", "prototype H-999999999")
    yield from largest_corrections.messages(shapes["stopped"])
    ended = shapes["stopped"].with_experiment(
        replace(shapes["running anew"].experiments[0], state=ExperimentState.STOPPED, ended_at=NOW, stopped_at=NOW)
    )
    for entry in _stories(ended):
        said = escape(stories.line(entry, ended, zone=ZONE))
        yield f"story {entry.step}", Message(text=said, blocks=(section(said),))


def _over_its_cap() -> Dossier:
    dossier = a_dossier()
    return dossier.with_prototype(replace(dossier.prototypes[-1], spent_days=99_999.0))


def _results(dossier: Dossier) -> Iterator[tuple[str, Message]]:
    shown = Result(
        dossier=dossier,
        experiment=dossier.experiments[0],
        look=a_look(),
        sample=a_look().sample,
        sample_as_of=NOW,
        counts=COUNTS,
        changed=tuple(metric.name for metric in dossier.experiments[0].plan.metrics),
        problem=PROBLEM,
        next_look=NOW,
        no_look=None,
        missing=tuple(metric.name for metric in dossier.experiments[0].plan.metrics),
    )
    yield "result", result.result(shown, zone=ZONE)
    yield "result without a look", result.result(replace(shown, look=None), zone=ZONE)
    yield "result without totals", result.result(replace(shown, look=None, sample=None), zone=ZONE)
    for reason in NoLookReason:
        yield f"result {reason}", result.result(replace(shown, look=None, no_look=reason), zone=ZONE)
    cancelled = replace(an_experiment(ExperimentState.CANCELLED), cancel_reason=text_of(2000))
    yield "result cancelled", result.result(replace(shown, experiment=cancelled, look=None), zone=ZONE)
    invalid = replace(a_look(), readout=a_readout(Verdict.INVALID))
    yield "result not valid", result.result(replace(shown, look=invalid), zone=ZONE)


def _card_without_owner(dossier: Dossier) -> Message:
    nobodys = dossier.with_hypothesis(replace(dossier.hypothesis, owner=None))
    return card.card(nobodys, look=None, problem=None, now=NOW, zone=ZONE)


def _people(dossier: Dossier) -> Iterator[tuple[str, Message]]:
    buttons = card.next_buttons(dossier)
    yield "taken", people.taken_message(dossier, buttons=buttons)
    for role in OwnershipRole:
        given = OwnershipGiven(hypothesis=dossier.hypothesis.number, role=role, by=LEAD, reason=text_of(2000))
        yield f"{role} now", people.ownership_message(dossier, given, buttons=buttons)
    yield "stands in", people.stand_in_message(LEAD, "Mon 7 Dec")
    yield "leads now", people.lead_message(LEAD)
    yield "back", people.back_message()
    channel, old = ChannelId("C" + "0" * 20), replace(SETTINGS, tags=(), home=None, digest_weekday=0)
    mine = settings.own_message(channel, old, SETTINGS, leads=MANY_PEOPLE, next_digest=NOW, zone=ZONE)
    yield "own settings", mine
    yield "channel's settings", settings.channel_message(LEAD, SETTINGS, next_digest=NOW, zone=ZONE)


def _stories(dossier: Dossier) -> Iterator[HistoryEntry]:
    changes = {"E-7 state": (None, "running"), "evidence 1 summary": (None, "x"), "cap_days": (None, 4)}
    changes["E-7 dropped"] = (None, to_jsonable_python(dossier.experiments[0].dropped))
    for step in (
        Step.PROTOTYPE,
        Step.ADD_EVIDENCE,
        Step.PLAN,
        Step.START,
        Step.STOP,
        Step.CANCEL,
        Step.DROP,
        Step.FIX_CAUSE,
    ):
        yield HistoryEntry(
            id=1,
            hypothesis=dossier.hypothesis.number,
            step=step,
            by=OWNER,
            at=NOW,
            reason=text_of(2000),
            changes=of_pairs(changes),
        )


def a_digest() -> Digest:
    change, number, tested = text_of(600), HypothesisNumber(999_999_999), E7
    estimate = an_estimate(a_plan().goal, NAMES[1])
    anew = largest_running.running_anew(a_dossier(ExperimentState.RUNNING))
    ran = anew.while_it_ran(anew.experiments[0])
    return Digest(
        monday=NOW.date(),
        is_late=True,
        closed_count=20,
        learned_by_experiment=10,
        learned_by_prototype=10,
        open_count=100,
        waiting_count=20,
        oldest_waiting=number,
        oldest_waiting_change=change,
        oldest_waiting_days=400,
        decide=tuple(
            DecideItem(hypothesis=HypothesisNumber(n), change=change, asked_of=LEAD, asked_at=NOW) for n in range(20)
        ),
        health=(
            HealthItem(
                hypothesis=number,
                experiment=tested,
                change=change,
                readout=a_readout(),
                problem=text_of(3000),
                ran=ran,
                plan=a_plan(),
            ),
        )
        * 20,
        results=(
            ResultItem(
                hypothesis=number,
                experiment=tested,
                change=change,
                metric=METRICS[0],
                kind=MetricKind.PROPORTION,
                direction=Direction.UP,
                estimate=estimate,
                readout=a_readout(Verdict.TOO_EARLY),
                as_of=NOW,
                ran=ran,
                plan=a_plan(),
            ),
        )
        * 20,
        closed=(
            ClosedItem(
                hypothesis=number,
                change=change,
                outcome=Outcome.INCONCLUSIVE,
                decision=Decision.NOT_BUILT,
                learning=text_of(1000),
                days_not_spent=99_999.5,
                ran=ran,
            ),
        )
        * 20,
        stalled=(StalledItem(hypothesis=number, change=change, why="stopped, not decided", days=400),) * 20,
    )


def _an_empty_digest() -> Digest:
    return Digest(
        monday=NOW.date(),
        is_late=False,
        closed_count=0,
        learned_by_experiment=0,
        learned_by_prototype=0,
        open_count=0,
        waiting_count=0,
        oldest_waiting=None,
        oldest_waiting_change="",
        oldest_waiting_days=0,
    )


def forms() -> Iterator[tuple[str, Block]]:
    """Yield every form, in each of its shapes."""
    begun, tried = a_dossier(stage=Stage.HYPOTHESIZE), a_dossier()
    draft, stopped = a_dossier(ExperimentState.DRAFT), a_dossier(ExperimentState.STOPPED)
    tested = stopped.experiments[0]
    asked = a_request(RequestState.SENT_BACK)
    leads = Candidates(leads=MANY_PEOPLE, away=(AWAY,) * 60, may_release_alone=True, default=LEAD)
    nobody = Candidates(leads=(), default=None)
    owner = UserId("U" + "0" * 20)
    yield from _file_forms(owner)
    yield from _import_forms()
    yield "search", search.search_form(metadata=METADATA)
    yield "close", hypothesis.close_form(stopped, verdict=Verdict.WIN, metadata=METADATA)
    yield "close not valid", hypothesis.close_form(stopped, verdict=Verdict.INVALID, metadata=METADATA)
    yield "close untested", hypothesis.close_form(begun, verdict=None, metadata=METADATA)
    words = statement_of(tried.hypothesis)
    edited = HistoryEntry(
        id=1,
        hypothesis=HypothesisNumber(1),
        step=Step.EDIT,
        by=OWNER,
        at=NOW,
        reason=None,
        changes=of_pairs(
            dict.fromkeys(("change", "metric", "because", "refuted_by", "tags"), (text_of(1000), text_of(999)))
        ),
    )
    for name, one, meanwhile in (("edit", tried, ()), ("edit again", tried, (edited,) * 5), ("edit tags", stopped, ())):
        yield (
            name,
            editing.edit_form(one, words, reason=text_of(2000), meanwhile=meanwhile, zone=ZONE, metadata=METADATA),
        )
    yield "pivot", ending.pivot_form(stopped, words, verdict=Verdict.WIN, metadata=METADATA)
    closed = a_dossier(ExperimentState.STOPPED, is_closed=True)
    yield "reopen", ending.reopen_form(closed, metadata=METADATA)
    yield "cap", prototype.cap_form(tried, metadata=METADATA)
    many = [replace(tried.hypothesis, number=HypothesisNumber(10**9 - n)) for n in range(150)]
    yield "need", need.need_form(many, text=text_of(3000), chosen=None, metadata=METADATA)
    yield "ship", hypothesis.ship_form(stopped, metadata=METADATA)
    yield "prototype", prototype.prototype_form(begun, metadata=METADATA)
    yield "evidence", prototype.evidence_form(tried, kind=None, metadata=METADATA)
    for kind in EvidenceKind:
        yield f"evidence {kind}", prototype.evidence_form(tried, kind=kind, metadata=METADATA)
    predicted = draft.experiments[0]
    yield "predict", prediction.prediction_form(draft, predicted, earlier=None, metadata=METADATA)
    yield "size", sizing.size_form(metadata=METADATA)
    yield from _plan_forms(draft, begun, tried)
    yield "start", experiment.start_form(draft.experiments[0], now=NOW, metadata=METADATA)
    yield "drop", running.drop_form(tested, readout=None, now=NOW, metadata=METADATA)
    yield "fixed", running.fixed_form(tested, now=NOW, metadata=METADATA)
    yield "stop", experiment.stop_form(tested, now=NOW, metadata=METADATA)
    yield "cancel", experiment.cancel_form(draft.experiments[0], metadata=METADATA)
    for metric in (tested.plan.goal, replace(tested.plan.goal, kind=MetricKind.MEAN, role=Role.GOAL)):
        yield f"record {metric.kind}", experiment.record_form(tested, metric=metric, now=NOW, metadata=METADATA)
    ask = partial(asking.ask_form, zone=ZONE, metadata=METADATA)
    yield "ask", ask(stopped, candidates=leads, readout=a_readout(), earlier=asked)
    yield "ask from a prototype", ask(tried, candidates=nobody, readout=None, earlier=None)
    yield "ask someone else", ask(stopped, candidates=leads, readout=a_readout(), earlier=a_request(), is_instead=True)
    decide = partial(asking.decision_form, metadata=METADATA)
    for verb in ("approve", "send_back", "decline"):
        yield verb, decide(verb, stopped, asked, verdict=Verdict.NO_EFFECT)
        again = decide(verb, stopped, asked, verdict=None, changed=[escape(text_of(200))] * 4, typed=text_of(3000))
        yield f"{verb} again", again
    yield "withdraw", asking.withdraw_form(stopped, a_request(), metadata=METADATA)
    for name, dossier in (("hand over", begun), ("hand over what is tried", tried)):
        yield name, people.handover_form(dossier, metadata=METADATA)
    yield (
        "hand over again",
        people.handover_form(tried, metadata=METADATA, typed=tried.hypothesis, reason=text_of(3000)),
    )
    yield "snooze", nudge.snooze_form(12, first_day="2026-11-30", metadata=METADATA)
    yield "away", people.away_form(Person(user=owner), zone=ZONE, metadata=METADATA)
    yield "away already", people.away_form(AWAY, zone=ZONE, metadata=METADATA)
    yield from _settings_forms()


def _settings_forms() -> Iterator[tuple[str, Block]]:
    shown = Shown(
        channel=ChannelId("C" + "0" * 20),
        settings=SETTINGS,
        version=999,
        fixed_leads=MANY_PEOPLE,
        leads=MANY_PEOPLE,
        person=Person(user=MANY_PEOPLE[0], is_admin=True),
    )
    metadata = settings_listener._metadata(shown, opened_from=shown.channel, is_picked=True)
    form = partial(settings.settings_form, zone=ZONE, metadata=metadata)
    yield "settings", form(replace(shown, person=Person(user=MANY_PEOPLE[0])))
    yield "settings of a picked channel", form(shown, is_picked=True)
    changed = settings_words.changes(ChannelSettings(), SETTINGS, zone=ZONE, escape=escape)
    yield "settings that others changed", form(shown, typed=ChannelSettings(), typed_leads=(), changed=changed)
    yield "settings of no channel yet", settings.channel_form(metadata=METADATA)


def _found() -> tuple[Found, ...]:
    ended = replace(builders.an_ending(), learning=text_of(3000))
    one = Found(number=HypothesisNumber(10**9 - 1), change=text_of(600), stage=Stage.PROTOTYPE, ending=None, score=1.0)
    return one, replace(one, number=HypothesisNumber(1), ending=ended), replace(one, number=HypothesisNumber(2))


def _file_forms(owner: UserId) -> Iterator[tuple[str, Block]]:
    empty = Statement(change="", metric="", direction=Direction.UP, because="")
    words = replace(
        empty,
        change=f"As a user I want {text_of(8000)}",
        metric=text_of(3000),
        because="why not",
        smallest_effect=text_of(3000),
        refuted_by=text_of(3000),
        different_because=text_of(3000),
        tags=(text_of(3000),) * 9,
    )
    shapes = (("empty file", empty, (), ()), ("file", words, METRICS, _found()))
    for name, statement, known, similar in shapes:
        yield (
            name,
            filing.file_form(
                statement,
                metrics=known,
                described=_described(known),
                tags=known,
                owner=owner,
                channel=ChannelId("C1") if known else None,
                similar=similar,
                warnings=linting.warnings(words) if known else (),
                is_review=bool(known),
                metadata=METADATA,
            ),
        )


def _described(names: Sequence[str]) -> tuple[MetricDescription, ...]:
    return tuple(
        MetricDescription(
            name=name,
            kind=MetricKind.MEAN,
            direction=Direction.UP,
            description=text_of(3000),
            owner=text_of(3000),
            format=None,
            window_days=7,
            source="shop",
        )
        for name in names
    )


def _import_forms() -> Iterator[tuple[str, Block]]:
    works = [
        PastWork(
            line=n, change=f"{n} {text_of(590)}", outcome=Outcome.REFUTED if n % 2 else None, learning=text_of(900)
        )
        for n in range(500)
    ]
    unclear = tuple(f"line {n}: “{text_of(40)}” is no outcome, so it is taken as inconclusive" for n in range(500))
    read = Reading(found=tuple(works), twice=tuple(works), unclear=unclear)
    for name, reading in (("import", None), ("import preview", read)):
        yield (
            name,
            importing.import_form(
                paste=text_of(3000),
                channel=ChannelId("C1"),
                reading=reading,
                has_file=False,
                metadata=METADATA,
            ),
        )


def _a_home() -> Home:
    stages = list(Stage)
    mine = [
        replace(a_dossier().hypothesis, number=HypothesisNumber(10**9 - n), stage=stages[n % 4]) for n in range(200)
    ]
    waiting = [
        Waiting(
            case=list(WaitingCase)[n % len(WaitingCase)],
            hypothesis=HypothesisNumber(10**9 - n),
            experiment=E7,
            change=text_of(600),
            since=NOW,
            answer=RequestState.SENT_BACK,
        )
        for n in range(60)
    ]
    running = a_dossier(ExperimentState.RUNNING).experiments[0]
    items = [RunningItem(experiment=running, change=text_of(600), readout=a_readout()) for _ in range(MOST_RUNNING)]
    return Home(
        waiting=tuple(waiting),
        mine=tuple(mine),
        running=(*items[1:], replace(items[0], readout=None)),
        running_count=999,
        closed=999,
        learned=998,
        inflow=1,
        inflow_before=999,
        is_first_run=False,
        given_up=999,
        undelivered=(builders.an_undelivered(text_of(600)),) * 3,
    )


def homes() -> Iterator[tuple[str, Block]]:
    """Yield Home in each of its shapes."""
    full = _a_home()
    for page in (0, 5, 19, 99):
        yield f"home {page}", home.home_view(full, page=page, zone=ZONE)
    empty = replace(full, waiting=(), mine=(), running=(), running_count=0, closed=0, given_up=0, undelivered=())
    yield "home with nothing", home.home_view(empty, page=0, zone=ZONE)
    yield "first home", home.home_view(replace(empty, is_first_run=True), page=0, zone=ZONE)


def _plan_forms(draft: Dossier, begun: Dossier, tried: Dossier) -> Iterator[tuple[str, Block]]:
    changed = HistoryEntry(
        id=1,
        hypothesis=HypothesisNumber(1),
        step=Step.PLAN,
        by=OWNER,
        at=NOW,
        reason=None,
        changes=of_pairs({"E-7 plan": tuple(map(to_jsonable_python, (builders.a_plan(), a_plan())))}),
    )
    shapes = {
        "plan": (draft, METRICS, None),
        "plan without prototype": (begun, (), None),
        "plan without users": (tried, METRICS, None),
        "adopt": (tried, (), NOW),
    }
    for name, (dossier, known, since) in shapes.items():
        texts = plan_texts.texts_of(dossier, metrics=_described(known))
        mean = {**dict.fromkeys(texts, text_of(3000)), "kind": MetricKind.MEAN, "design": Design.ONE_LOOK}
        for more, filled in (("", texts), (" filled in", {**mean, "starts_on": "", "ends_on": ""})):
            yield (
                f"{name}{more}",
                planning.plan_form(
                    dossier,
                    filled,
                    metrics=_described(known),
                    looks=looks(can_have_window=bool(known)),
                    measured=Measured(goal=text_of(3000), others=text_of(3000), turn=99, has_replaced=True)
                    if more
                    else Measured(),
                    line=text_of(3000) if more else "",
                    meanwhile=(changed,) * 4 if more else (),
                    zone=ZONE,
                    since=since,
                    metadata=METADATA,
                ),
            )
