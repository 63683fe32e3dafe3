"""From a notice to the message it stands for, as the database is now; no effects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from labcoat.db import dossiers, history, looks, nudging
from labcoat.db.database import Transaction
from labcoat.db.nudging import SentNudge
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, UserId
from labcoat.domain.notice import Notice, NoticeKind
from labcoat.domain.nudge import Nudge
from labcoat.domain.stall import NudgeCase
from labcoat.slack.blocks import Block, Message, escape, section
from labcoat.slack.views.card import LABELS, card, next_buttons, running_verbs
from labcoat.slack.views.chart import chart_message, see_all
from labcoat.slack.views.corrected import corrected_message
from labcoat.slack.views.digest import digest_message
from labcoat.slack.views.files import file_message
from labcoat.slack.views.following import followed_message
from labcoat.slack.views.health import health_message, live_message
from labcoat.slack.views.home import home_view
from labcoat.slack.views.nudge import Item, nudge_message
from labcoat.slack.views.people import lead_message, mention, ownership_message, stand_in_message
from labcoat.slack.views.request import answer_message, request_message
from labcoat.slack.views.settings import channel_message, own_message
from labcoat.slack.views.welcome import welcome_message
from labcoat.stats.results import Readout
from labcoat.usecases.experiments import predictions, results
from labcoat.usecases.people import digests, home, settings
from labcoat.words import corrections, health, numbers, stories
from labcoat.words import nudges as words_of_nudges

if TYPE_CHECKING:
    from labcoat.slack.outgoing.charts import Chart


def render(tx: Transaction, notice: Notice, *, now: datetime, zone: str) -> Message:
    """Return the message of a notice."""
    return _RENDERERS[notice.kind](tx, notice, now, zone)


def render_home(tx: Transaction, notice: Notice, *, now: datetime, zone: str) -> Block:
    """Return the Home of a notice's person."""
    assert notice.person is not None
    return home_view(home.compose(tx, notice.workspace, notice.person, now=now), page=0, zone=zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawable:
    """What the picture of a message is drawn from, read in a transaction and drawn without one."""

    dossier: Dossier
    experiment: Experiment
    readout: Readout
    past: tuple[Readout, ...]

    def draw(self) -> "Chart":
        """Draw it."""
        # Matplotlib and its fonts take half a second to load: the first chart waits, not the start (decision 54).
        from labcoat.slack.outgoing import charts

        return charts.draw(self.readout, self.experiment.plan, past=self.past)

    def message(self, chart: "Chart | None", file_id: str | None) -> Message:
        """Return the message, with the picture if there is one."""
        alt_text = chart.alt_text if chart else None
        return chart_message(self.dossier, self.experiment, self.readout, alt_text=alt_text, file_id=file_id)


def find_drawable(tx: Transaction, notice: Notice) -> Drawable | None:
    """Return what a notice's picture shows; None for a notice without one, and for a look that was corrected since."""
    if notice.kind is not NoticeKind.CHART or "look" not in notice.details:
        return None
    dossier, number = _dossier(tx, notice), ExperimentNumber(_number(notice.details, "experiment"))
    slot = datetime.fromisoformat(str(notice.details["look"]))
    stood = [look for look in looks.list_of(tx, notice.workspace, number) if look.slot <= slot]
    past = tuple(look.readout for look in stood if look.readout is not None)
    if not past or stood[-1].slot != slot:
        return None
    experiment = dossier.get_experiment(number)
    past = (*(one for one in past[:-1] if not experiment.is_void(one)), past[-1])
    return Drawable(dossier=dossier, experiment=experiment, readout=past[-1], past=past)


def _chart(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    if "count" in notice.details:
        return see_all(_number(notice.details, "count"))
    drawable = find_drawable(tx, notice)
    if drawable is None:
        text = f"E-{notice.details['experiment']}: the totals of this look were corrected, so it says nothing any more."
        return Message(text=text, blocks=(section(text),))
    return drawable.message(None, None)


def _dossier(tx: Transaction, notice: Notice) -> Dossier:
    number = HypothesisNumber(_number(notice.details, "hypothesis"))
    found = dossiers.find(tx, notice.workspace, number)
    assert found is not None  # hypotheses are never deleted
    return found


def _number(details: Mapping[str, object], name: str) -> int:
    return int(str(details[name]))


def _card(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:
    dossier = _dossier(tx, notice)
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


def _story(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    if "live" in notice.details:
        dossier, number = _dossier(tx, notice), ExperimentNumber(_number(notice.details, "experiment"))
        return live_message(number, _live_words(notice.details, dossier, number, zone))
    text = _story_line(tx, notice, zone)
    return Message(text=text, blocks=(section(text),))


def _story_line(tx: Transaction, notice: Notice, zone: str) -> str:
    dossier, details = _dossier(tx, notice), notice.details
    if "entry" in details:
        return _step_line(tx, notice, dossier, _number(details, "entry"), zone)
    if "predicted" in details:
        chance = numbers.share(float(str(details["chance"])), decimals=0)
        return f":dart: Closest prediction: <@{details['predicted']}>, {chance} for a win"
    if "source" in details:
        author = f"<@{details['author']}>" if details["author"] else "someone"
        return f"It began with what {author} wrote: <{details['source']}|the message>"
    if "passed_on" in details:
        return _passed_on(details)
    number = ExperimentNumber(_number(details, "experiment"))
    if "look" in details:
        return _look_line(tx, notice, dossier, number)
    if {"problem", "split", "redefined"} & details.keys():
        return f":warning: {escape(_health_words(tx, details, dossier, number))}"
    if "corrected" in details:
        return f"{_corrected_line(details, dossier, number)} {escape(corrections.outcome(details))}"
    recorded = escape(str(details["recorded"]))
    if details.get("taken"):
        recorded += f"\n{escape(str(details['taken'])[:1000])}"
    if "program" in details:
        return f"{escape(str(details['program']))} sent totals for E-{number}: {recorded}"
    if "file" in details:
        return f"<@{details['by']}> gave totals for E-{number} in {escape(str(details['file']))}: {recorded}"
    return f"<@{details['by']}> typed in totals for E-{number}: {recorded}"


def _corrected_line(details: Mapping[str, Any], dossier: Dossier, number: ExperimentNumber) -> str:
    """Return who corrected what, in mrkdwn, without what the verdict was and is."""
    what = escape(corrections.what(details, dossier.get_experiment(number).plan.variant_names))
    if "program" in details:
        return f"{escape(str(details['program']))} {what}"
    file = f", with {escape(str(details['file']))}," if "file" in details else ""
    return f"<@{details['by']}>{file} {what}"


def _corrected(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    dossier, number = _dossier(tx, notice), ExperimentNumber(_number(notice.details, "experiment"))
    return corrected_message(dossier, notice.details, _corrected_line(notice.details, dossier, number))


def _step_line(tx: Transaction, notice: Notice, dossier: Dossier, entry_id: int, zone: str) -> str:
    entry = history.get(tx, notice.workspace, entry_id)
    line = escape(stories.line(entry, dossier, zone=zone))
    for person in stories.people(entry):
        line = line.replace(f"@{person}", mention(UserId(person)))
    return f"{mention(entry.by)} {line}" if entry.by else line


def _passed_on(details: Mapping[str, Any]) -> str:
    others = " and ".join(mention(UserId(person)) for person in details["to"])
    return f"{mention(UserId(details['passed_on']))} can't answer now, so the request went to {others} too."


def _look_line(tx: Transaction, notice: Notice, dossier: Dossier, number: ExperimentNumber) -> str:
    slot = datetime.fromisoformat(str(notice.details["look"]))
    look = looks.get(tx, notice.workspace, number, slot)
    return escape(stories.look_line(look, dossier.get_experiment(number)))


def _health_words(tx: Transaction, details: Mapping[str, Any], dossier: Dossier, number: ExperimentNumber) -> str:
    if "problem" in details:
        return health.no_numbers(number, str(details["problem"]), readout=results.newest_readout(tx, dossier))
    if "redefined" in details:
        return f"E-{number}: {health.redefined(details['redefined'])}"
    variants = dossier.get_experiment(number).plan.variant_names
    return health.uneven(number, p_value=float(details["split"]), variants=variants, exposed=details["exposed"])


def _live_words(details: Mapping[str, Any], dossier: Dossier, number: ExperimentNumber, zone: str) -> str:
    since = datetime.fromisoformat(details["live"]) if details["live"] else None
    variants = dossier.get_experiment(number).plan.variant_names
    return health.seems_live(number, since=since, variants=variants, exposed=details["exposed"], zone=zone)


def _health(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    dossier, number = _dossier(tx, notice), ExperimentNumber(_number(notice.details, "experiment"))
    if "live" in notice.details:
        return live_message(number, _live_words(notice.details, dossier, number, zone))
    return health_message(dossier, number, _health_words(tx, notice.details, dossier, number))


def _followed(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    return followed_message(_dossier(tx, notice), _story_line(tx, notice, zone))


def _request(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    dossier = _dossier(tx, notice)
    readout = results.newest_readout(tx, dossier)
    request = dossier.get_request(_number(notice.details, "position"))
    corrected_at = results.current_correction(tx, dossier)
    return request_message(dossier, request, readout=readout, corrected_at=corrected_at, zone=zone)


def _answer(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    dossier = _dossier(tx, notice)
    return answer_message(dossier, dossier.get_request(_number(notice.details, "position")), zone=zone)


def _digest(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    return digest_message(digests.from_details(notice.details["digest"]))


def _nudge(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    assert notice.subject is not None
    sent = nudging.in_message(tx, notice.workspace, notice.subject)
    return nudge_message([_nudge_item(tx, notice, one, zone) for one in sent], zone=zone)


def _nudge_item(tx: Transaction, notice: Notice, sent: SentNudge, zone: str) -> Item:
    dossier = dossiers.find(tx, notice.workspace, sent.nudge.hypothesis)
    assert dossier is not None
    if sent.entry is not None:
        return Item(nudge=sent.nudge, ended=_step_line(tx, notice, dossier, sent.entry, zone))
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


def _problem(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    text = _problem_text(notice.details)
    return Message(text=text, blocks=(section(text),))


def _problem_text(details: Mapping[str, object]) -> str:
    what = details["what"]
    if details.get("person"):
        return f"I could not reach <@{details['person']}> about {what}. Nothing is lost. Please ask them yourself."
    match details["problem"]:
        case "not_in_channel" | "channel_not_found":
            why = "I am not in that channel: invite me there with `/invite`."
        case "is_archived":
            why = "The channel is archived: unarchive it."
        case _:
            why = "Slack did not take it."
    after = "Then ask for it again." if what == "the digest" else "Its card appears with the next change."
    return f"I could not show {what} in <#{details['channel']}>. Nothing is lost. {why} {after}"


def _welcome(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    return welcome_message()


def _ownership(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    details = notice.details
    by = UserId(str(details["by"]))
    if details["role"] == "lead":
        return lead_message(by)
    if details["role"] == "stand-in":
        until = datetime.fromisoformat(str(details["until"]))
        return stand_in_message(by, numbers.day(until, zone))
    dossier = _dossier(tx, notice)
    return ownership_message(dossier, details, buttons=next_buttons(dossier))


def _settings(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    details = notice.details
    old, new = settings.from_details(details["old"]), settings.from_details(details["new"])
    next_digest = datetime.fromisoformat(str(details["next_digest"]))
    if notice.person is None:
        return channel_message(UserId(str(details["by"])), new, next_digest=next_digest, zone=zone)
    channel = ChannelId(str(details["channel"]))
    leads: Any = details["leads"]
    return own_message(channel, old, new, leads=leads, next_digest=next_digest, zone=zone)


def _file(tx: Transaction, notice: Notice, now: datetime, zone: str) -> Message:  # noqa: ARG001
    return file_message(notice.details, zone=zone)


_RENDERERS: Mapping[NoticeKind, Callable[[Transaction, Notice, datetime, str], Message]] = {
    NoticeKind.CARD: _card,
    NoticeKind.STORY: _story,
    NoticeKind.REQUEST: _request,
    NoticeKind.ANSWER: _answer,
    NoticeKind.DIGEST: _digest,
    NoticeKind.NUDGE: _nudge,
    NoticeKind.PROBLEM: _problem,
    NoticeKind.HEALTH: _health,
    NoticeKind.CORRECTED: _corrected,
    NoticeKind.WELCOME: _welcome,
    NoticeKind.CHART: _chart,
    NoticeKind.FOLLOWED: _followed,
    NoticeKind.OWNERSHIP: _ownership,
    NoticeKind.SETTINGS: _settings,
    NoticeKind.FILE: _file,
}
