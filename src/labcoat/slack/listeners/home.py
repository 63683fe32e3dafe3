"""App Home: published anew whenever somebody opens it."""

from slack_sdk import WebClient

from labcoat.domain.ids import UserId, WorkspaceId
from labcoat.slack.house import House
from labcoat.slack.views import home as views


def publish(house: House, client: WebClient, workspace: WorkspaceId, user: UserId) -> None:  # noqa: ARG001
    """Show a person their Home."""
    client.views_publish(user_id=user, view=views.home())
