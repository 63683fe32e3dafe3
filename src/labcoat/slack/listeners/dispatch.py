"""From what Slack sends to what a verb needs: commands, buttons, forms; each answered in its own HTTP response."""

import json
import re
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from labcoat.db import dossiers
from labcoat.db.deliveries import AlreadyHandledError
from labcoat.db.dossiers import ChangedMeanwhileError
from labcoat.domain.ids import ChannelId, ExperimentNumber, HypothesisNumber, UserId, WorkspaceId
from labcoat.domain.refusal import Reason, Refusal
from labcoat.domain.subject import Subject, find_subject
from labcoat.slack import errors, grammar, web_client
from labcoat.slack.app_context import AppContext
from labcoat.slack.blocks import Block, Message, notice_view, section, unescape
from labcoat.slack.commands import BY_VERB, EXPERIMENT, HYPOTHESIS, Scope
from labcoat.slack.form_values import Answers
from labcoat.slack.incoming import membership
from labcoat.slack.listeners import home, registry
from labcoat.slack.listeners.call import Call, RenewFormError, Submission, Target, writing_once
from labcoat.slack.listeners.registry import SHORTCUTS, form_ids, handler_of
from labcoat.slack.views import lists
from labcoat.usecases.people import welcoming

DELIVERY_KEY = "labcoat_delivery_key"
MORE = "more"
"""The "…" menu of a message: its choices say what they do."""
_TRIES = 3
_LATE_TRIGGER = ("expired_trigger_id", "trigger_expired", "exchanged_trigger_id")


def register(app: App, app_context: AppContext) -> None:
    """Register every listener. Raises registry.RegistryError."""
    registry.check()

    def on_command(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        answers: list[Message] = []
        call = _call(app_context, body, context, client, channel=body["channel_id"], reply=answers.append)
        _answered(call, client, lambda: _command(call, body["command"], unescape(body.get("text") or "")))
        if answers:
            ack(response_type="ephemeral", **answers[-1].arguments())
        else:
            ack()

    def on_button(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        def reply(message: Message) -> None:
            if "response_url" in body:
                web_client.answer_privately(body["response_url"], message, replaces=_is_used_up(body))
            else:  # in a form or in Home nothing can be said in private but by a form of its own
                open_view(client, body, notice_view("Labcoat", message))

        channel = body.get("channel", {}).get("id") or app_context.home_channel or ""
        call = _call(app_context, body, context, client, channel=channel, reply=reply)
        _answered(call, client, lambda: _button(call, body["actions"][0]))
        ack()

    def on_shortcut(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        def reply(message: Message) -> None:
            open_view(client, body, notice_view("Labcoat", message))

        channel = body.get("channel", {}).get("id") or app_context.home_channel or ""
        call = _call(app_context, body, context, client, channel=channel, reply=reply)
        _answered(call, client, lambda: SHORTCUTS[body["callback_id"]](call, body))
        ack()

    def on_home_opened(event: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        if event.get("tab") == "home":
            home.publish(app_context, client, WorkspaceId(str(context.team_id)), UserId(event["user"]))

    def on_joined(event: dict[str, Any], context: BoltContext) -> None:
        if event["user"] != context.bot_user_id:
            return
        try:
            with writing_once(app_context, context[DELIVERY_KEY]) as tx:
                welcoming.welcome(tx, WorkspaceId(str(context.team_id)), ChannelId(event["channel"]))
        except AlreadyHandledError:
            return  # Slack sends an event again when our answer came late

    def on_form(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        form = _submission(app_context, body, context)
        try:
            refusal = _find_refusal(form, client, body["view"]["callback_id"])
        except RenewFormError as renewed:
            ack(response_action="update", view=renewed.view)
            return
        if refusal is None:
            ack()
        elif refusal.reason is Reason.ALREADY_DECIDED or not form.answers.input_blocks:
            # No answer in the form can mend it; in place of its questions there is room to say who was first.
            said = errors.refusal_message(refusal, zone=app_context.zone)
            ack(response_action="update", view=notice_view(body["view"]["title"]["text"], said))
        else:
            ack(response_action="errors", errors=_problems(form, refusal))

    def on_choice(ack: Ack, body: dict[str, Any], client: WebClient, context: BoltContext) -> None:
        view = body["view"]
        renew = handler_of(view["callback_id"]).renew
        assert renew is not None
        renewed = renew(_submission(app_context, body, context), view)
        try:
            # Without its hash: fields keep their ids, so what is typed meanwhile stays, and the newest choice wins.
            client.views_update(view_id=view["id"], view=renewed)
        except SlackApiError as error:
            if error.response["error"] != "not_found":  # closed meanwhile
                raise
        ack()

    # Bolt asks one after the other whether a request is theirs, so the most frequent come first.
    app.command(re.compile(rf"^({HYPOTHESIS}|{EXPERIMENT})$"))(on_command)
    app.view(re.compile(rf"^({'|'.join(form_ids())})$"))(on_form)
    app.action(re.compile(rf"^({'|'.join([*BY_VERB, MORE])})(:.+)?$"))(on_button)
    app.action(re.compile(r"^live:"))(on_choice)
    app.shortcut(re.compile(rf"^({'|'.join(SHORTCUTS)})$"))(on_shortcut)
    app.event("app_home_opened")(on_home_opened)
    app.event("member_joined_channel")(on_joined)


def _is_used_up(body: dict[str, Any]) -> bool:
    """Whether a private message has nothing more to do once this button of it was pressed."""
    verb, _, key = body["actions"][0]["action_id"].partition(":")
    is_private = bool(body.get("container", {}).get("is_ephemeral"))
    is_answered = verb in BY_VERB and BY_VERB[verb].answers_in_place
    return is_private and (is_answered or key.startswith(lists.CHOICE))


def open_view(client: WebClient, body: dict[str, Any], view: Block) -> None:
    """Open a modal; on top of the one that was clicked in, if there is one."""
    if body.get("view", {}).get("type") == "modal":
        client.views_push(trigger_id=body["trigger_id"], view=view)
    else:
        client.views_open(trigger_id=body["trigger_id"], view=view)


def _call(
    app_context: AppContext,
    body: dict[str, Any],
    context: BoltContext,
    client: WebClient,
    *,
    channel: str,
    reply: Callable[[Message], None],
) -> Call:
    def open_form(view: Block) -> None:
        open_view(client, body, view)

    def publish_home(view: Block) -> None:
        client.views_publish(user_id=str(context.user_id), view=view)

    return Call(
        app_context=app_context,
        workspace=WorkspaceId(str(context.team_id)),
        user=UserId(str(context.user_id)),
        channel=ChannelId(channel),
        delivery_key=context[DELIVERY_KEY],
        reply=reply,
        open_form=open_form,
        publish_home=publish_home,
        is_in_view="view" in body,
    )


def _submission(app_context: AppContext, body: dict[str, Any], context: BoltContext) -> Submission:
    metadata = json.loads(body["view"]["private_metadata"])
    return Submission(
        app_context=app_context,
        workspace=WorkspaceId(str(context.team_id)),
        user=UserId(str(context.user_id)),
        channel=ChannelId(metadata["channel"]),
        # A form is done once: whoever saw Slack's "try again" because our answer was late has been heard already.
        delivery_key=f"form {body['view']['id']}",
        answers=Answers(body["view"]),
        metadata=metadata,
    )


def _answered(call: Call, client: WebClient, act: Callable[[], None]) -> None:
    """Carry out what was asked; a rule that says no is a private answer."""
    try:
        membership.require_member(call.app_context, client, call.workspace, call.user)
        _again_if_changed(act)
    except Refusal as refusal:
        call.reply(errors.refusal_message(refusal, zone=call.app_context.zone))
    except AlreadyHandledError:
        return  # the first delivery had its effect and its answer
    except SlackApiError as error:
        if error.response["error"] not in _LATE_TRIGGER:
            raise
        text = "That took too long, so Slack would not open the form. Nothing was changed; please try again."
        call.reply(Message(text=text, blocks=(section(text),)))


def _find_refusal(form: Submission, client: WebClient, callback: str) -> Refusal | None:
    """Run the use case of a form; return what speaks against it, None if it is done. Raises RenewFormError."""
    try:
        membership.require_member(form.app_context, client, form.workspace, form.user)
        _again_if_changed(lambda: _submit(callback, form))
    except Refusal as refusal:
        return refusal
    except AlreadyHandledError:
        return None
    return None


def _problems(form: Submission, refusal: Refusal) -> dict[str, str]:
    """Return what is wrong by block id; what belongs to no field stands under the first."""
    shown = form.answers.input_blocks
    field = refusal.field if refusal.field in shown else shown[0]
    return {str(field): errors.refusal_for_form(refusal, zone=form.app_context.zone)}


def _again_if_changed(act: Callable[[], None]) -> None:
    for attempt in range(1, _TRIES + 1):
        try:
            return act()
        except ChangedMeanwhileError:  # someone was quicker; decide anew on what is true now
            if attempt == _TRIES:
                raise
    return None


def _command(call: Call, root: str, text: str) -> None:
    meant = grammar.parse(root, text)
    match meant:
        case grammar.FreeText():
            _run("file", call, meant.text)
        case grammar.Unclear(suggestion=str() as suggestion):
            call.reply(lists.did_you_mean(root, suggestion))
        case grammar.Unclear():
            hint = f"`{root} help` shows what I know."
            raise Refusal(Reason.UNKNOWN_COMMAND, text=f"{root} {meant.text[:60]}", hint=hint)
        case grammar.Intent():
            _intent(call, root, meant)


def _intent(call: Call, root: str, intent: grammar.Intent) -> None:
    if BY_VERB[intent.verb].scope is Scope.GLOBAL:
        _run(intent.verb, call, intent.rest)
        return
    subject = intent.subject or _subject_of_number(call, intent, root)
    if subject is not None:
        _open(intent.verb, call, Target(subject=subject, rest=intent.rest))


def _subject_of_number(call: Call, intent: grammar.Intent, root: str) -> Subject | None:
    """Return what a bare number means; None after asking, where it could be both."""
    number = intent.number
    if number is None:
        raise Refusal(Reason.ID_NEEDED, command=f"{root} {intent.verb}")
    with call.reading() as (tx, _):
        is_hypothesis = dossiers.find(tx, call.workspace, HypothesisNumber(number)) is not None
        is_experiment = dossiers.find_of_experiment(tx, call.workspace, ExperimentNumber(number)) is not None
    if is_hypothesis and is_experiment:
        call.reply(lists.which_of_two(intent.verb, number, rest=intent.rest))
        return None
    if is_experiment:
        return Subject(experiment=ExperimentNumber(number))
    return Subject(hypothesis=HypothesisNumber(number))


def _button(call: Call, action: dict[str, Any]) -> None:
    verb = action["action_id"].partition(":")[0]
    value = str(action.get("value") or action.get("selected_option", {}).get("value") or "")
    if verb == MORE:
        verb, _, value = value.partition(" ")
    if BY_VERB[verb].scope is Scope.GLOBAL:
        _run(verb, call, value)
        return
    word, _, rest = value.partition(" ")
    subject = find_subject(word)
    if subject is None:
        raise Refusal(Reason.UNKNOWN_ID, id=word[:20])
    _open(verb, call, Target(subject=subject, rest=rest))


def _open(name: str, call: Call, target: Target) -> None:
    handle = handler_of(name).open
    assert handle is not None  # the registry is checked
    handle(call, target)


def _run(name: str, call: Call, rest: str) -> None:
    handle = handler_of(name).run
    assert handle is not None
    handle(call, rest)


def _submit(name: str, form: Submission) -> None:
    handle = handler_of(name).submit
    assert handle is not None
    handle(form)
