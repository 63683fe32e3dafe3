"""From a notice to the message it stands for, as the database is now; no effects."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from labcoat.db import dossiers, looks, nudging
from labcoat.db.database import Transaction
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.facts import (
    BotInvited,
    CardChanged,
    ChartDue,
    ChartsLeftOut,
    DefinitionsChanged,
    DigestMade,
    DraftLive,
    ExportFailed,
    FileRefused,
    FileStored,
    HomeChanged,
    LeadNamed,
    NotDelivered,
    NudgesChanged,
    OwnershipGiven,
    RequestAnswered,
    RequestChanged,
    SettingsChanged,
    SourceFailed,
    SplitUneven,
    StandInNamed,
)
from labcoat.domain.ids import ExperimentNumber
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.nudge import Nudge, SentNudge
from labcoat.domain.stall import NudgeCase
from labcoat.domain.totals_facts import DecisionQuestioned
from labcoat.slack.blocks import Block, Message, escape, section
from labcoat.slack.outgoing import thread_lines
from labcoat.slack.outgoing.thread_lines import get_dossier
from labcoat.slack.views.card import LABELS, card, next_buttons, running_verbs
from labcoat.slack.views.chart import chart_message, see_all
from labcoat.slack.views.corrected import corrected_message
from labcoat.slack.views.digest import digest_message
from labcoat.slack.views.files import file_message
from labcoat.slack.views.following import followed_message
from labcoat.slack.views.health import health_message, live_message
from labcoat.slack.views.home import home_view
from labcoat.slack.views.nudge import Item, nudge_message
from labcoat.slack.views.people import lead_message, ownership_message, stand_in_message
from labcoat.slack.views.request import answer_message, request_message
from labcoat.slack.views.settings import channel_message, own_message
from labcoat.slack.views.welcome import welcome_message
from labcoat.stats.results import Readout
from labcoat.usecases.experiments import predictions, results
from labcoat.usecases.people import home
from labcoat.words import health, numbers
from labcoat.words import nudges as words_of_nudges

if TYPE_CHECKING:
    from labcoat.slack.outgoing.charts import Chart


def render(tx: Transaction, notice: Notice, *, now: datetime, zone: str) -> Message:
    """Return the message of a notice."""
    workspace = notice.workspace
    match notice.fact:
        case CardChanged(hypothesis=number):
            return _card(tx, get_dossier(tx, workspace, number), now, zone)
        case RequestChanged(hypothesis=number, position=position):
            return _request(tx, get_dossier(tx, workspace, number), position, zone)
        case RequestAnswered(hypothesis=number, position=position):
            dossier = get_dossier(tx, workspace, number)
            return answer_message(dossier, dossier.get_request(position), zone=zone)
        case DigestMade(digest=digest):
            return digest_message(digest)
        case ChartDue(experiment=experiment):
            return _chart(find_drawable(tx, notice), experiment)
        case ChartsLeftOut(count=count):
            return see_all(count)
        case NudgesChanged():
            return _nudge(tx, notice, zone)
        case BotInvited():
            return welcome_message()
        case OwnershipGiven() as given:
            dossier = get_dossier(tx, workspace, given.hypothesis)
            return ownership_message(dossier, given, buttons=next_buttons(dossier))
        case StandInNamed(by=by, until=until):
            return stand_in_message(by, numbers.day(until, zone))
        case LeadNamed(by=by):
            return lead_message(by)
        case SettingsChanged() as changed:
            return _settings(changed, zone, is_private=notice.person is not None)
        case FileStored() | FileRefused() | ExportFailed() as done:
            return file_message(done, zone=zone)
        case NotDelivered() as problem:
            return _plain(_not_delivered(problem))
        case DecisionQuestioned(correction=correction) as questioned:
            dossier = get_dossier(tx, workspace, correction.hypothesis)
            return corrected_message(dossier, questioned, thread_lines.corrected(correction, dossier))
        case DraftLive() as live:
            return live_message(live.experiment, thread_lines.seems_live(tx, workspace, live, zone=zone))
        case HomeChanged():
            raise AssertionError("Home is no message")
        case story:
            return _story(tx, notice, story, zone)


def _plain(text: str) -> Message:
    return Message(text=text, blocks=(section(text),))


def _story(tx: Transaction, notice: Notice, fact: thread_lines.Story, zone: str) -> Message:
    """Return a line of the card's thread; the same fact in private has more around it."""
    workspace = notice.workspace
    match notice.kind, fact:
        case NoticeKind.HEALTH, SourceFailed() | SplitUneven() | DefinitionsChanged():
            dossier = get_dossier(tx, workspace, fact.hypothesis)
            return health_message(dossier, fact.experiment, thread_lines.trouble(tx, dossier, fact))
        case NoticeKind.FOLLOWED, _:
            dossier = get_dossier(tx, workspace, fact.hypothesis)
            return followed_message(dossier, thread_lines.line(tx, workspace, fact, zone=zone))
        case _:
            return _plain(thread_lines.line(tx, workspace, fact, zone=zone))


def render_home(tx: Transaction, notice: Notice, *, now: datetime, zone: str) -> Block:
    """Return the Home of a notice's person."""
    assert notice.person is not None
    return home_view(home.compose(tx, notice.workspace, notice.person, now=now), page=0, zone=zone)


class Drawable(Protocol):
    """What the picture of a message is drawn from, of however many experiments: read in a transaction, drawn without.

    A new kind of picture is a fact, a class like `LookPicture`, and a case in `find_drawable`.
    """

    @property
    def name(self) -> str:
        """What the file is called in Slack."""

    def draw(self) -> "Chart":
        """Draw it; this takes a while."""

    def message(self, chart: "Chart | None", file_id: str | None) -> Message:
        """Return the message, with the picture if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPicture:
    """The picture of a look: all effects, and the goal's path up to it."""

    dossier: Dossier
    experiment: Experiment
    readout: Readout
    past: tuple[Readout, ...]

    @property
    def name(self) -> str:
        """What the file is called in Slack."""
        return f"E-{self.experiment.number}"

    def draw(self) -> "Chart":
        """Draw it; this takes a while."""
        # Matplotlib and its fonts take half a second to load: the first chart waits, not the start (decision 54).
        from labcoat.slack.outgoing import charts

        return charts.draw(self.readout, self.experiment.plan, past=self.past)

    def message(self, chart: "Chart | None", file_id: str | None) -> Message:
        """Return the message, with the picture if there is one."""
        alt_text = chart.alt_text if chart else None
        return chart_message(self.dossier, self.experiment, self.readout, alt_text=alt_text, file_id=file_id)


def find_drawable(tx: Transaction, notice: Notice) -> Drawable | None:
    """Return what a notice's picture shows; None for a notice without one, and for a look that was corrected since."""
    fact = notice.fact
    if not isinstance(fact, ChartDue):
        return None
    dossier, number, slot = get_dossier(tx, notice.workspace, fact.hypothesis), fact.experiment, fact.slot
    stood = [look for look in looks.list_of(tx, notice.workspace, number) if look.slot <= slot]
    past = tuple(look.readout for look in stood if look.readout is not None)
    if not past or stood[-1].slot != slot:
        return None
    experiment = dossier.get_experiment(number)
    past = (*(one for one in past[:-1] if not experiment.is_void(one)), past[-1])
    return LookPicture(dossier=dossier, experiment=experiment, readout=past[-1], past=past)


def _chart(drawable: Drawable | None, number: ExperimentNumber) -> Message:
    if drawable is None:
        return _plain(f"E-{number}: the totals of this look were corrected, so it says nothing any more.")
    return drawable.message(None, None)


def _card(tx: Transaction, dossier: Dossier, now: datetime, zone: str) -> Message:
    look = results.newest_look(tx, dossier)
    problem = results.current_problem(tx, dossier)
    made = predictions.of_newest(tx, dossier)
    counts = results.current_counts(tx, dossier)
    corrected_at = results.correction_shown(tx, dossier)
    return card(
        dossier,
        look=look,
        problem=problem,
        counts=counts,
        predictions=made,
        corrected_at=corrected_at,
        wait=results.current_wait(tx, dossier),
        now=now,
        zone=zone,
    )


def _request(tx: Transaction, dossier: Dossier, position: int, zone: str) -> Message:
    readout = results.newest_readout(tx, dossier)
    corrected_at = results.current_correction(tx, dossier)
    return request_message(
        dossier, dossier.get_request(position), readout=readout, corrected_at=corrected_at, zone=zone
    )


def _nudge(tx: Transaction, notice: Notice, zone: str) -> Message:
    assert notice.subject is not None
    sent = nudging.in_message(tx, notice.workspace, notice.subject)
    return nudge_message([_nudge_item(tx, notice, one, zone) for one in sent], zone=zone)


def _nudge_item(tx: Transaction, notice: Notice, sent: SentNudge, zone: str) -> Item:
    dossier = dossiers.find(tx, notice.workspace, sent.nudge.hypothesis)
    assert dossier is not None
    if sent.entry is not None:
        return Item(nudge=sent.nudge, ended=thread_lines.step(tx, dossier, sent.entry, zone=zone))
    if sent.snoozed_until is not None:
        return Item(nudge=sent.nudge, ended=escape(words_of_nudges.snoozed(sent.snoozed_until, zone=zone)))
    return Item(nudge=sent.nudge, detail=_nudge_detail(tx, dossier, sent.nudge), more=_more(dossier, sent.nudge))


def _more(dossier: Dossier, nudge: Nudge) -> tuple[tuple[str, str], ...]:
    """Return what ends trouble without ending the experiment: only a treatment is dropped, or a cause was fixed."""
    wanted = {NudgeCase.HARM: "drop", NudgeCase.SPLIT: "fixed"}.get(nudge.case)
    possible = running_verbs(dossier, nudge.case is NudgeCase.SPLIT)
    return ((wanted, LABELS[wanted]),) if wanted is not None and wanted in possible else ()


def _nudge_detail(tx: Transaction, dossier: Dossier, nudge: Nudge) -> str:
    """Return the figures that a nudge rests on, as they are now."""
    experiment, readout = dossier.newest_experiment, results.newest_readout(tx, dossier)
    if experiment is None:
        return ""
    if nudge.case is NudgeCase.SPLIT:
        counts = results.current_counts(tx, dossier)
        split = counts.split if counts is not None else readout.sample_ratio if readout is not None else None
        return "" if split is None else health.split_figures(split, experiment.variants_of(split))
    if nudge.case is NudgeCase.HARM:
        return "" if readout is None else words_of_nudges.harm(readout, experiment, role=nudge.role)
    problem = results.current_problem(tx, dossier) if nudge.case is NudgeCase.NO_NUMBERS else None
    return "" if problem is None else problem.message


def _not_delivered(fact: NotDelivered) -> str:
    if fact.person is not None:
        return f"I could not reach <@{fact.person}> about {fact.what}. Nothing is lost. Please ask them yourself."
    match fact.problem:
        case "not_in_channel" | "channel_not_found":
            why = "I am not in that channel: invite me there with `/invite`."
        case "is_archived":
            why = "The channel is archived: unarchive it."
        case _:
            why = "Slack did not take it."
    after = "Then ask for it again." if fact.what == "the digest" else "Its card appears with the next change."
    return f"I could not show {fact.what} in <#{fact.channel}>. Nothing is lost. {why} {after}"


def _settings(fact: SettingsChanged, zone: str, *, is_private: bool) -> Message:
    if not is_private:
        return channel_message(fact.by, fact.new, next_digest=fact.next_digest, zone=zone)
    return own_message(fact.channel, fact.old, fact.new, leads=fact.leads, next_digest=fact.next_digest, zone=zone)
