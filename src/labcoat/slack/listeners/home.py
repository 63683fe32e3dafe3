"""App Home: published when somebody opens it, and when they turn its pages."""

from collections.abc import Mapping

from slack_sdk import WebClient

from labcoat.db import clock
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.slack.app_context import AppContext
from labcoat.slack.listeners.call import Call
from labcoat.slack.listeners.command_handler import Handler
from labcoat.slack.views import home as views
from labcoat.usecases.people import home, undelivered


def publish(app_context: AppContext, client: WebClient, workspace: WorkspaceId, user: UserId) -> None:
    """Show a person their Home, and remember that they use it."""
    with app_context.database.reading() as tx:
        shown = home.compose(tx, workspace, user, now=clock.business_now(tx))
    client.views_publish(user_id=user, view=views.home_view(shown, page=0, zone=app_context.zone))
    with app_context.database.writing() as tx:
        home.remember_opened(tx, workspace, user)


def turn_page(call: Call, rest: str) -> None:
    """Show another page of the person's own hypotheses."""
    with call.reading() as (tx, now):
        shown = home.compose(tx, call.workspace, call.user, now=now)
    page = int(rest) if rest.isdecimal() else 0
    call.publish_home(views.home_view(shown, page=page, zone=call.app_context.zone))


def try_again(call: Call, _rest: str) -> None:
    """Have everything tried again that could not be delivered, for admins; their Home then shows what is left."""
    with call.writing() as (tx, now):
        undelivered.try_again(tx, call.workspace, by=call.user)
        shown = home.compose(tx, call.workspace, call.user, now=now)
    call.publish_home(views.home_view(shown, page=0, zone=call.app_context.zone))


HANDLERS: Mapping[str, Handler] = {
    "home": Handler(run=turn_page),
    "redeliver": Handler(run=try_again),
}
