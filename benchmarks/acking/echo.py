"""A bare sync Bolt app on our stack: /echo answers with its text, /insert stores it as a row first."""

import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from benchmarks.acking.requests import SECRET
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy import Column, Integer, MetaData, String, Table, insert
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from labcoat.db.database import Database

metadata = MetaData()
rows = Table("echoes", metadata, Column("id", Integer, primary_key=True), Column("text", String(200), nullable=False))


def serve(port: int, database_url: str) -> None:
    """Serve it until the process ends. The database is opened as ours is, so that a commit costs the same."""
    database = Database(database_url)
    with database.writing() as tx:
        metadata.create_all(tx)
    app = App(
        signing_secret=SECRET,
        authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T", bot_token="xoxb-echo", bot_user_id="U"),
        process_before_response=True,
    )

    @app.command("/echo")
    def echo(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        ack(body["text"])

    @app.command("/insert")
    def store(ack: Callable[..., Any], body: dict[str, Any]) -> None:
        with database.writing() as tx:
            tx.execute(insert(rows).values(text=body["text"]))
        ack(body["text"])

    async def events(request: Request) -> Response:
        body = (await request.body()).decode()
        answer = await run_in_threadpool(app.dispatch, BoltRequest(body=body, headers=dict(request.headers)))
        return Response(answer.body, status_code=answer.status, headers=dict(answer.first_headers()))

    routes = [Route("/slack/events", events, methods=["POST"])]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])
