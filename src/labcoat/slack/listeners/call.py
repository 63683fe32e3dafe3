"""What a listener is given: who asks, from where, and how to answer; and what a submitted form carries."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labcoat.db import channels, clock, deliveries, people
from labcoat.db.database import Transaction
from labcoat.db.people import Acting
from labcoat.domain.dossier import Dossier
from labcoat.domain.experiment import Experiment
from labcoat.domain.ids import ChannelId, UserId, WorkspaceId
from labcoat.domain.lifecycle import Step
from labcoat.domain.member import Member
from labcoat.domain.person import Standing
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.subject import Subject, find_subject
from labcoat.slack.app_context import AppContext
from labcoat.slack.blocks import Block, Message
from labcoat.slack.form_values import Answers
from labcoat.usecases import finding

PUBLIC_OR_PRIVATE = ("C", "G")
"""What the ids of channels begin with; a DM's begins with D."""


class RenewFormError(Exception):  # not an error: the form needs another look
    """Raised when a form is shown anew instead of taken; what was typed must be in the new one. Nothing was changed."""

    def __init__(self, view: Block) -> None:
        super().__init__(view.get("callback_id", view["type"]))
        self.view = view


@contextmanager
def writing_once(app_context: AppContext, delivery_key: str) -> Iterator[Transaction]:
    """Open a transaction for one use case; an exact replay of this delivery raises AlreadyHandledError."""
    with app_context.database.writing() as tx:
        deliveries.accept(tx, delivery_key, at=clock.machine_now())
        yield tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks for something, and from where. delivery_key: names this delivery, so that a replay is known.

    acting, members: what was read of them, once for each transaction.
    """

    app_context: AppContext
    workspace: WorkspaceId
    user: UserId
    channel: ChannelId
    delivery_key: str
    acting: dict[Transaction, Acting] = field(default_factory=dict, repr=False, compare=False)
    members: dict[tuple[Transaction, int | None], Member] = field(default_factory=dict, repr=False, compare=False)

    @contextmanager
    def reading(self) -> Iterator[tuple[Transaction, datetime]]:
        """Open a transaction that reads, with business now."""
        with self.app_context.database.reading() as tx:
            yield tx, clock.business_now(tx)

    @contextmanager
    def writing(self, *, keeps_leads: bool = True) -> Iterator[tuple[Transaction, datetime]]:
        """Open a transaction for one use case; an exact replay of this delivery raises AlreadyHandledError.

        keeps_leads: as of `people.acting`; False for what changes them.
        """
        with writing_once(self.app_context, self.delivery_key) as tx:
            self.acting[tx] = people.acting(tx, self.workspace, self.user, keeps_leads=keeps_leads)
            standing = self.acting[tx].standing
            if standing is not Standing.MEMBER:
                raise Refusal(Reason.NOT_MEMBER, standing=standing)
            yield tx, clock.business_now(tx)

    def member(self, tx: Transaction, dossier: Dossier | None = None) -> Member:
        """Return the person who asks, with what they may do."""
        acting = self._acting(tx)
        key = tx, None if dossier is None else dossier.hypothesis.number
        if key not in self.members:
            self.members[key] = finding.get_member(
                tx,
                self.workspace,
                self.user,
                now=clock.business_now(tx),
                acting=acting,
                channel=self.channel,
                of=dossier,
            )
        return self.members[key]

    def _acting(self, tx: Transaction) -> Acting:
        if tx not in self.acting:
            self.acting[tx] = people.acting(tx, self.workspace, self.user)
        return self.acting[tx]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Asking):
    """A command or a click. reply: answers in private. open_form: opens a modal; both once at most.

    publish_home: shows the person another Home.
    is_in_view: it was clicked in a form or in Home, so that the channel is the home channel at best.
    """

    reply: Callable[[Message], None]
    open_form: Callable[[Block], None]
    publish_home: Callable[[Block], None]
    is_in_view: bool = False

    def home_channel(self) -> ChannelId:
        """Return where hypotheses filed from here live; raise Refusal without any channel."""
        here = self.here()
        with self.reading() as (tx, _):
            return channels.settings(tx, self.workspace, here).home or here

    def here(self) -> ChannelId:
        """Return the channel that the person is in, or the home channel from a DM; raise Refusal without either."""
        if self.channel.startswith(PUBLIC_OR_PRIVATE):
            return self.channel
        if self.app_context.home_channel is None:
            raise Refusal(Reason.NO_CHANNEL)
        return self.app_context.home_channel

    def metadata(self, subject: object, **more: object) -> str:
        """Return what a form must know when it is submitted."""
        return json.dumps({"subject": str(subject), "channel": self.channel, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a verb is about. rest: what was typed after it."""

    subject: Subject
    rest: str = ""

    def dossier(self, tx: Transaction, call: Call) -> Dossier:
        """Return the hypothesis; raise Refusal if this workspace has none of that id."""
        return finding.get_dossier(tx, call.workspace, self.subject)

    def owned(self, tx: Transaction, call: Call, step: Step) -> Dossier:
        """Return the hypothesis; raise Refusal unless the step is allowed at its stage, and to its owner who asks."""
        dossier = self.dossier(tx, call)
        dossier.require(step)
        dossier.require_owner(call.member(tx, dossier))
        return dossier

    def experiment(self, tx: Transaction, call: Call, step: Step) -> tuple[Dossier, Experiment]:
        """Return the experiment with its hypothesis; raise Refusal unless the step is allowed in its state."""
        dossier = self.dossier(tx, call)
        dossier.require(step)
        experiment = finding.get_experiment(dossier, self.subject)
        dossier.require_state(step, experiment)
        return dossier, experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Asking):
    """A submitted form. channel: where it was opened from. metadata: what `Call.metadata` gave it."""

    answers: Answers
    metadata: dict[str, Any]

    @property
    def subject(self) -> Subject:
        """What the form is about."""
        found = find_subject(self.metadata["subject"])
        if found is None:
            raise Refusal(Reason.UNKNOWN_ID, id=str(self.metadata["subject"]))
        return found

    def dossier(self, tx: Transaction) -> Dossier:
        """Return the hypothesis that the form is about."""
        return finding.get_dossier(tx, self.workspace, self.subject)
