"""Who may take part: members of this workspace. Slack is asked once about each person, and by the tick once a day."""

from slack_sdk import WebClient

from labcoat.db import people
from labcoat.db.clock import machine_now
from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.domain.person import Standing
from labcoat.domain.refusal import Reason, Refusal
from labcoat.slack import web_client
from labcoat.slack.app_context import AppContext


def require_member(app_context: AppContext, client: WebClient, workspace: WorkspaceId, user: UserId) -> None:
    """Raise Refusal for guests, bots, and people who are gone or from elsewhere.

    Who was a member a minute ago may read without asking the database again; what changes anything asks it anew.
    """
    if app_context.members.knows(workspace, user):
        return
    with app_context.database.reading() as tx:
        person = people.find(tx, workspace, user)
    if person is None:
        person = web_client.describe(app_context.database, client, user, workspace=workspace, zone=app_context.zone)
        if person is None:  # Slack, who signed this request, does not answer now; the tick asks again
            return
        with app_context.database.writing() as tx:
            people.know(tx, workspace, person, at=machine_now())
    if person.standing is not Standing.MEMBER:
        raise Refusal(Reason.NOT_MEMBER, standing=person.standing)
    app_context.members.add(workspace, user)
