"""What the team did in its past year, before any visitor or tour: hypotheses filed, tried, tested and closed.

Played through the same use cases as clicks in Slack: every rule was kept, and the statistics gave every verdict.
"""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from heapq import merge

from labcoat.db import clock, outbox, workspaces
from labcoat.db.database import Database, Transaction
from labcoat.demo.people import ANA, BEN, LEADS, LENA, OMAR, ZONE
from labcoat.domain import schedule
from labcoat.domain.amounts import Amount
from labcoat.domain.dossier import Dossier
from labcoat.domain.evidence import EvidenceKind, OfflineEvaluation
from labcoat.domain.hypothesis import Outcome, Statement
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.member import Member
from labcoat.domain.need import Tenfold
from labcoat.domain.plan import Plan, PlannedMetric, ResultSource, Variant
from labcoat.domain.request import NoExperimentReason
from labcoat.stats.rule import Design, Direction, MetricKind, Moments, Role
from labcoat.usecases.experiments import experiments, recording
from labcoat.usecases.hypotheses import hypotheses, prototypes, requests
from labcoat.usecases.people import digests

ORDERS, EMPTY, CONTACTS = "orders per user", "empty searches", "contacts per user"
SQL, REPLAY, OFFLINE = EvidenceKind.SQL, EvidenceKind.LOG_REPLAY, EvidenceKind.OFFLINE
TALKS, WATCHED, LIVE = EvidenceKind.INTERVIEW, EvidenceKind.USABILITY, EvidenceKind.LIVE_USE
SUPPORTED, REFUTED, INCONCLUSIVE, ABANDONED = tuple(Outcome)
CAP_DAYS = 3.0
HALVES = (Variant(name="control", weight=0.5), Variant(name="treatment", weight=0.5))

_Lived = Generator[datetime, None, tuple[Dossier, datetime]]
"""The moments of some steps, and after them the dossier and when the last step was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """An experiment in two arms, control first. least: the minimum effect, relative. cut: the day it stopped, and why.

    guards: shares that should not rise, their absolute margins and events.
    """

    units: tuple[int, int]
    events: tuple[int, int]
    least: float = 0.05
    days: int = 21
    guards: tuple[tuple[str, float, tuple[int, int]], ...] = ()
    cut: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Story:
    """One hypothesis. ago: days before now that it was filed. build, spent: person-days, guessed and true.

    tried: its prototype, "" without one; until: what would have stopped it. seen: kind, count and summary of evidence.
    why: no user was asked before the plan. overrides: why the outcome is not the verdict's. link: of what was shipped;
    without: why it needed no experiment; lacks: what did not hold of the 10x list.
    """

    ago: int
    owner: str
    tags: tuple[str, ...]
    change: str
    because: str
    metric: str = ORDERS
    tried: str = ""
    until: str = ""
    build: float = 20
    seen: tuple[tuple[EvidenceKind, int, str], ...] = ()
    offline: OfflineEvaluation | None = None
    why: str = ""
    runs: tuple[_Run, ...] = ()
    outcome: Outcome = Outcome.REFUTED
    learning: str
    spent: float
    overrides: str | None = None
    link: str = ""
    without: NoExperimentReason | None = None
    lacks: tuple[Tenfold, ...] = ()


# A story is read in five lines, not in twenty.
# fmt: off
_STORIES = (
    _Story(ago=358, owner=ANA, tags=("search",), change="Forgive one wrong letter in words of five letters or more",
        because="7 % of searches find nothing, half of those are one letter away from a word of sellers", metric=EMPTY,
        tried="Last week's searches, one letter forgiven", build=15, outcome=SUPPORTED, spent=18, link="typos",
        until="Fewer than a third find any", runs=(_Run(units=(41180, 40932), events=(2842, 2528), least=.08),),
        seen=((REPLAY, 2000, "1,240 would find offers, 31 wrong ones"), (WATCHED, 5, "None saw their mistake")),
        learning="Forgive in silence: people who were asked “did you mean” stopped, doubted their words and left"),
    _Story(ago=344, owner=OMAR, tags=("trust", "prices"), change="Show “good price” badges on used cars", build=30,
        because="Buyers ask us whether prices are fair", metric=CONTACTS, until="A dealer complains", spent=2.5,
        tried="Badges drawn on 60 cars", seen=((TALKS, 8, "6 of 8 dealers: it ignores the state of the car"),),
        learning="A fair price hangs on the state of a car, which its seller knows; without it a badge costs dealers"),
    _Story(ago=335, owner=ANA, tags=("mobile", "filters"), change="Ask for the category before searching, on phones",
        because="Filters are used in 30 % of searches on desktops, 4 % on phones", until="2 of 5 give up", spent=9,
        tried="Three screens to click on", seen=((WATCHED, 5, "All found their category, two sighed at one more tap"),),
        runs=(_Run(units=(38410, 38655), events=(3919, 3421), days=28, cut=(15, "Orders fall, and not by chance")),),
        learning="Each question before the first result costs orders; put filters beside results, never before them"),
    _Story(ago=327, owner=BEN, tags=("recommendations",), change="Choose similar items by what people open next",
        because="Titles share “new” and “size M”, so a lamp is like a coat", tried="Next opens of a month, in SQL",
        until="Worse offline", build=25, runs=(_Run(units=(72105, 71894), events=(7354, 7837)),), outcome=SUPPORTED,
        seen=((OFFLINE, 1200000, "Better in all categories but cars"), (WATCHED, 5, "4 of 5 preferred the new row")),
        offline=OfflineEvaluation(metric="recall@10", baseline=.118, candidate=.163,
            data_set="four weeks", split="last week held out", was_tuned_on_it=False), spent=31, link="similar-items",
        learning="What people open next beats what titles say, from 30 views on; fresh offers still need their titles"),
    _Story(ago=318, owner=LENA, tags=("notifications",), change="Push new offers of saved searches at once, not at 8",
        because="Half of the good ones are gone by noon", tried="140 sent by hand", until="Ten switch it off", spent=7,
        metric="returns within a week", build=12, seen=((LIVE, 140, "61 came back the same day, 6 switched it off"),),
        runs=(_Run(units=(30215, 30088), events=(9307, 9517), days=28, cut=(16, "People switch all notifications off"),
            guards=(("notifications off", .003, (423, 661)),)),),
        learning="At once is right for rare things only; where three offers a day match, people switch everything off"),
    _Story(ago=302, owner=BEN, tags=("ranking", "trust"), change="Rank sellers who reply within an hour higher",
        because="A third of first messages is never answered", runs=(_Run(units=(19820, 20011), events=(2417, 2526)),),
        metric=CONTACTS, tried="A month's replies, in SQL", until="It moves few offers", outcome=INCONCLUSIVE, spent=8,
        seen=((SQL, 84000, "Every sixth offer would move"),), why="People cannot feel replies they have not got",
        learning="Replies differ more between sellers than between arms: randomise sellers, and plan six weeks"),
    _Story(ago=295, owner=OMAR, tags=("delivery", "trust"), change="Promise the day of delivery on offers that ship",
        because="“When does it come?” people ask every seller", until="3 of 10 cannot", tried="By hand on 50 offers",
        build=40, seen=((TALKS, 10, "8 of 10 would promise a day, 2 laughed"),), spent=14,
        runs=(_Run(units=(52300, 52514), events=(5241, 5516), guards=(("refund rate", .003, (1046, 1437)),)),),
        learning="A promised day sells, and a broken one comes back: promise for sellers whose last ten came in time"),
    _Story(ago=288, owner=ANA, tags=("search", "suggestions"), change="Suggest eight searches instead of five",
        because="Every tenth person scrolls the list of suggestions", why="A switch of one line; a drawing costs more",
        metric=EMPTY, runs=(_Run(units=(47020, 47203), events=(3291, 3327), least=.07, days=14),), spent=1.5,
        learning="People read three suggestions at most: better words matter, more words do not"),
    _Story(ago=280, owner=BEN, tags=("photos",), change="Read the size of clothes from photos", spent=3,
        because="Every third offer names no size", tried="A vendor's model on 400 photos", build=45, outcome=ABANDONED,
        until="Fewer than half are right", seen=((SQL, 400, "Sizes of shoes are right, those of coats are guesses"),),
        learning="Nothing of people, because the vendor withdrew the model; 400 labelled photos are kept for the next"),
    _Story(ago=263, owner=OMAR, tags=("trust", "safety"), change="Hide recalled child seats and batteries from results",
        because="31 recalled models were on sale", tried="The list in SQL", until="More than 1 in 10 is wrong", build=6,
        metric="reports of unsafe offers", spent=7, link="recalls",
        seen=((SQL, 212, "190 of 212 matches are right"), (TALKS, 12, "11 of 12 sellers had not known, and were glad")),
        outcome=SUPPORTED, without=NoExperimentReason.LEGAL_OR_SAFETY, lacks=(Tenfold.UNDERSTOOD, Tenfold.WATCHED),
        learning="Names of models find nine of ten; tell sellers why, and they look for the tenth themselves"),
    _Story(ago=256, owner=BEN, tags=("ranking", "personal"), change="Rank first what someone's last visits were about",
        because="2 of 3 visits begin where the last one ended", build=35, why="Five people show no one's past",
        tried="A week, replayed", spent=15, until="Few rows move", seen=((REPLAY, 5000, "What was opened moves up"),),
        runs=(_Run(units=(31040, 28655), events=(3010, 2837)), _Run(units=(60480, 60711), events=(6012, 6056))),
        learning="In search the words are the wish, and last week says little of it; try it on the home page instead"),
    _Story(ago=247, owner=ANA, tags=("mobile", "photos"), change="Let people search with their camera", spent=2,
        because="“What is this called?” people ask", tried="We answer photos by hand for two days", build=60,
        until="Fewer than 1 in 3 sends a second", seen=((LIVE, 43, "9 of 43 sent a second photo, the rest typed"),),
        learning="Two typed words beat a photo for all but plants and patterns; that is too little for a model"),
    _Story(ago=239, owner=BEN, tags=("cold start", "ranking"), change="Show each new offer once among the first twenty",
        because="No view on the first day is no view later", tried="50 offers, moved by hand", lacks=(Tenfold.TRAFFIC,),
        metric=CONTACTS, until="Nobody notices", build=18, outcome=SUPPORTED, spent=22, link="first-day",
        seen=((LIVE, 50, "34 of 50 were opened, 9 of 50 usually are"), (TALKS, 6, "5 of 6 sellers listed again")),
        runs=(_Run(units=(66420, 66207), events=(8103, 8434), guards=(("refund rate", .002, (1307, 1296)),)),),
        learning="One day in sight is enough to learn from; a second day only took contacts from older offers"),
    _Story(ago=221, owner=ANA, tags=("mobile", "photos"), change="Crop photos to squares on phones",
        because="Squares show six offers on a screen, not three", why="A style sheet does it; a drawing costs more",
        runs=(_Run(units=(55230, 55071), events=(5634, 5297)),), spent=4,
        learning="Squares cut the handlebars off bikes: people opened more and ordered less, so never judge by opens"),
    _Story(ago=204, owner=LENA, tags=("search", "mobile"), change="Let people draw the area that they search in",
        because="Circles cross rivers without bridges", tried="A map to draw on", outcome=ABANDONED, spent=2,
        until="3 of 5 cannot draw it", build=30, seen=((WATCHED, 3, "Two drew at once, one pinched and zoomed"),),
        learning="Nothing, because we were called to the broken payments; three recordings wait for whoever goes on"),
    _Story(ago=195, owner=ANA, tags=("search", "filters"), change="Keep the filters when people change their words",
        because="4 of 10 set the same filter again within a minute", seen=((SQL, 9100, "41 % set the same one again"),),
        tried="Filters set again, in SQL", until="Few do so", build=8, outcome=SUPPORTED, spent=11, link="kept-filters",
        why="The log shows the very people who set it twice", runs=(_Run(units=(63015, 63240), events=(6364, 6773)),),
        learning="People refine and do not begin again; only the name of another category should clear the filters"),
    _Story(ago=178, owner=BEN, tags=("ranking",), change="Order the first twenty results with a much larger model",
        because="It reads titles as people do", tried="On a rented machine", until="No gain", build=50, spent=16,
        seen=((OFFLINE, 800000, "Best at long searches"), (WATCHED, 5, "3 of 5 chose its pages, 2 saw no difference")),
        offline=OfflineEvaluation(metric="NDCG@20", baseline=.402, candidate=.418,
            data_set="clicks of two months", split="by user", was_tuned_on_it=True),
        runs=(_Run(units=(60890, 60702), events=(6119, 6111), guards=(("slow searches", .02, (1240, 1873)),)),),
        learning="4 % more NDCG, no more orders, 180 ms more to wait: the wait eats what the order gains"),
    _Story(ago=168, owner=ANA, tags=("delivery", "prices"), change="Show the price of delivery beside the price",
        because="Baskets are left where delivery is first named", until="3 of 5 call it dear", link="delivery-price",
        tried="30 result pages with both prices", seen=((WATCHED, 5, "4 of 5 compared totals, one went for pick-up"),),
        build=12, outcome=SUPPORTED, spent=15, lacks=(Tenfold.DATA,),
        runs=(_Run(units=(64870, 65033), events=(6438, 6875), guards=(("refund rate", .002, (1291, 1224)),)),),
        learning="Said early, the price of delivery loses clicks and wins orders: judge it by orders, never by clicks"),
    _Story(ago=146, owner=BEN, tags=("trust", "photos"), change="Find photos that were stolen from another offer",
        because="Support sees ten cases a week", tried="Hashes of 90,000 photos", outcome=INCONCLUSIVE, spent=3,
        until="Fewer than 1 in 5 pairs is theft", build=25, seen=((SQL, 300, "140 of 300 pairs are one person twice"),),
        learning="Two accounts with one photo: theft or a couple? The photo cannot tell, so ask twenty sellers next"),
    _Story(ago=134, owner=BEN, tags=("search",), change="Read measures such as 140x200 as one word, however written",
        because="Sizes of mattresses are written in seven ways", tried="Last month's, replayed", link="measures",
        metric=EMPTY, until="Fewer than 10 % find more", outcome=SUPPORTED, spent=9, build=7,
        runs=(_Run(units=(39760, 39911), events=(2664, 2455), least=.08),),
        seen=((REPLAY, 3400, "1,105 would find three times as much"), (TALKS, 5, "All five had tried two spellings")),
        learning="Measures are words with many spellings; next are volumes and voltages, which the log shows as often"),
    _Story(ago=120, owner=ANA, tags=("notifications",), change="Remind people of a full basket by a push after a day",
        because="A fifth of all baskets is never paid", runs=(_Run(units=(33150, 33390), events=(3341, 3412)),),
        overrides="6 % more orders, the upper end, would not pay for it", why="The vendor's switch is there", spent=3,
        learning="People who leave a basket are still comparing; a lower price calls them back, a reminder does not"),
    _Story(ago=105, owner=OMAR, tags=("trust",), change="Show beside their name that a bank has verified a seller",
        because="“Is this a real person?” buyers ask", runs=(_Run(units=(24410, 24533), events=(2990, 3085)),),
        metric=CONTACTS, why="The bank's badge is drawn already", outcome=INCONCLUSIVE, spent=4,
        learning="8 % of sellers are verified, so few buyers met a badge: verify many first, then measure who met one"),
    _Story(ago=88, owner=ANA, tags=("mobile",), change="Show one offer a screen, to swipe through, on phones",
        because="Young people call lists old", tried="40 offers to swipe through, by hand", build=40, spent=3,
        until="3 of 5 ask for the list", seen=((WATCHED, 5, "All five went back to the list to compare prices"),),
        learning="People compare before they choose, the young ones too; one a screen hides what they compare with"),
    _Story(ago=66, owner=BEN, change="Rank offers lower that someone saw five times and never opened",
        tags=("ranking",), because="Every fourth place shows what was passed by before", until="They miss an offer",
        tried="Ten colleagues' pages", seen=((TALKS, 10, "7 of 10 saw more that was new, none missed any"),), spent=7,
        runs=(_Run(units=(62880, 62795), events=(6301, 6261)),),
        learning="Below the fold “shown” is not “seen”: log what was on the screen before judging what was passed by"),
    _Story(ago=34, owner=OMAR, tags=("prices",), change="Suggest a lower price to sellers after a week without contact",
        because="Cheaper offers sell in three days", seen=((LIVE, 25, "3 of 25 lowered it, 6 asked us to stop"),),
        metric=CONTACTS, tried="We write to 25 sellers", until="Fewer than 5 lower it", build=11, spent=1.5,
        learning="Sellers know their price and resent ours; show what the same thing sold for, and let them decide"),
)
# fmt: on

HYPOTHESES = len(_STORIES)
"""How many hypotheses the past has; they are H-1 and up."""

EXPERIMENTS = sum(len(story.runs) for story in _STORIES)
"""How many experiments the past has; they are E-1 and up."""


def write(database: Database, *, workspace: WorkspaceId, channel: ChannelId, now: datetime) -> int:
    """Write the team's past year into a database where nothing happened yet; return how many hypotheses.

    All are closed by 10 days before now, and everything was told: nothing of it waits, and no digest is due at now.
    """
    with database.writing() as tx:
        workspaces.set_leads(tx, workspace, [UserId(lead) for lead in LEADS], from_settings=True)
        lives = [_live(tx, story, workspace=workspace, channel=channel, now=now) for story in _STORIES]
        deque(merge(*lives), maxlen=0)  # side by side, each step in its turn
        digests.send_due(tx, workspace, [channel], zone=ZONE, now=now)
        settle_all(tx, channel)
    return HYPOTHESES


def settle_all(tx: Transaction, channel: ChannelId) -> None:
    """Take everything in the outbox as told; no message is there to be edited."""
    while (claim := outbox.claim(tx, at=clock.lease_now(tx), lease=timedelta(minutes=1))) is not None:
        outbox.settle(tx, claim, channel=channel, ts="")
        if claim.notice.subject is not None:
            outbox.forget_post(tx, claim.notice.workspace, claim.notice.subject)


def _live(
    tx: Transaction, story: _Story, *, workspace: WorkspaceId, channel: ChannelId, now: datetime
) -> Iterator[datetime]:
    """Yield when the next step is, and take it when asked for the one after; so lives can be merged by time."""
    by = Member(user=UserId(story.owner), is_lead=story.owner in LEADS)
    day = schedule.local_date(now, ZONE) - timedelta(days=story.ago)
    at = _later(schedule.at_local(day, time(9 + story.ago % 6, story.ago * 7 % 60), ZONE), 0)
    direction = Direction.DOWN if story.metric.startswith((EMPTY, "reports")) else Direction.UP
    words = partial(Statement, change=story.change, metric=story.metric, because=story.because, tags=story.tags)
    yield at
    filed = hypotheses.file(tx, workspace, words(direction=direction), by=by, owner=by.user, channel=channel, now=at)
    tried, at = yield from _try(tx, filed, story, by=by, at=at)
    tested, at = yield from _test(tx, tried, story, by=by, at=at)
    yield from _end(tx, tested, story, by=by, at=at)


def _later(at: datetime, days: int) -> datetime:
    return schedule.add_working_days(at, days, zone=ZONE) + timedelta(minutes=13)


def _try(tx: Transaction, one: Dossier, story: _Story, *, by: Member, at: datetime) -> _Lived:
    if story.tried:
        yield (at := _later(at, 3))
        begin = partial(prototypes.begin, summary=story.tried, stop_when=story.until)
        one = begin(tx, one, by=by, cap_days=CAP_DAYS, build_guess_days=story.build, now=at)
    for kind, count, summary in story.seen:
        yield (at := _later(at, 3))
        add = partial(prototypes.add_evidence, link=None, spent_days=min(CAP_DAYS, story.spent))
        offline = story.offline if kind is OFFLINE else None
        one = add(tx, one, by=by, kind=kind, count=count, summary=summary, offline=offline, now=at)
    return one, at


def _test(tx: Transaction, one: Dossier, story: _Story, *, by: Member, at: datetime) -> _Lived:
    for run in story.runs:
        yield (at := _later(at, 2))
        if one.newest_experiment is None:
            one = experiments.plan(tx, one, _plan(one, run), by=by, reason=story.why, now=at)
        else:
            one = experiments.run_again(tx, one, one.newest_experiment.number, by=by, now=at)
        yield (since := _later(at, 1))
        number = one.experiments[-1].number
        one = experiments.start(tx, one, number, by=by, since=since, now=since)
        days, why = run.cut or (run.days, None)
        ended_at = since + timedelta(days=days)
        yield (at := _later(ended_at, 0))
        one = experiments.stop(tx, one, number, by=by, ended_at=ended_at, reason=why, now=at)
        for metric, events in ((None, run.events), *((name, counts) for name, _, counts in run.guards)):
            totals = {arm.name: _moments(n, x) for arm, n, x in zip(HALVES, run.units, events, strict=True)}
            record = partial(recording.record, tx, one, number, is_correction=False)
            record(by=by, metric=metric, totals=totals, as_of=ended_at, now=at)
    return one, at


def _moments(units: int, events: int) -> Moments:
    return Moments(count=units, mean=events / units, variance=events / units * (1 - events / units))


def _plan(one: Dossier, run: _Run) -> Plan:
    share = partial(PlannedMetric, kind=MetricKind.PROPORTION)
    least, baseline = Amount(size=run.least, is_relative=True), round(run.events[0] / run.units[0], 3)
    name, direction = one.hypothesis.metric, one.hypothesis.direction
    goal = share(name=name, role=Role.GOAL, direction=direction, baseline=baseline, minimum_effect=least)
    margins = [(name, Amount(size=margin, is_relative=False)) for name, margin, _ in run.guards]
    down = partial(share, role=Role.GUARDRAIL, direction=Direction.DOWN)
    metrics = (goal, *(down(name=name, margin=margin) for name, margin in margins))
    design = Design.CONFIDENCE_SEQUENCE if run.cut else Design.ONE_LOOK
    typed = partial(Plan, unit="user", source=ResultSource.TYPED, zone=ZONE)
    return typed(variants=HALVES, metrics=metrics, design=design, planned_days=run.days)


def _end(tx: Transaction, one: Dossier, story: _Story, *, by: Member, at: datetime) -> Iterator[datetime]:
    yield (at := _later(at, 2))
    if not story.link:
        close = partial(hypotheses.close, outcome=story.outcome, learning=story.learning, overrides=story.overrides)
        close(tx, one, by=by, days_spent=story.spent, now=at)
        return
    lead = requests.candidates(tx, one, by=by, now=at).leads[0]
    ask = partial(requests.ask, amount_days=story.build, conclusion=story.outcome, learning=story.learning)
    one = ask(tx, one, by=by, of=lead, no_experiment_reason=story.without, no_experiment_note="", zone=ZONE, now=at)
    yield (at := _later(at, 1))
    approve = partial(requests.approve, reason=None, seen_version=one.hypothesis.version)
    one = approve(tx, one, 1, by=Member(user=lead, is_lead=True), now=at)
    yield (at := _later(at, round(story.build)))
    link, holds = f"https://example.org/releases/{story.link}", {line: line not in story.lacks for line in Tenfold}
    hypotheses.ship(tx, one, by=by, link=link, holds=holds, days_spent=story.spent, now=at)
