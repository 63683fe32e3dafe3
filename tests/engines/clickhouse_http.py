"""ClickHouse's HTTP interface as far as we speak it, with chdb behind: no server of ClickHouse can be installed here.

What it proves is our side: address, password, settings as parameters, a query as the body, errors by their code.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

from chdb.session import Session

NOT_SETTINGS = ("database", "default_format", "wait_end_of_query")


@contextmanager
def serving(folder: Path, *, user: str, password: str) -> Iterator[int]:
    """Serve the folder's Parquet files as tables of the database shop; yield the port."""
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    with Session() as session:
        session.query("CREATE DATABASE shop ENGINE = Memory")
        for path in folder.glob("*.parquet"):
            session.query(f"CREATE VIEW shop.`{path.stem}` AS SELECT * FROM file('{path}', 'Parquet')")

        class Answering(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if self.headers["Authorization"] != expected:
                    self._send(403, f"Code: 516. DB::Exception: {user}: Authentication failed. (AUTHENTICATION_FAILED)")
                    return
                parameters = dict(parse_qsl(urlsplit(self.path).query))
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with Session() as one:
                    try:
                        one.query(f"USE {parameters['database']}")
                        # readonly last: nothing can be set after it
                        for name in sorted(parameters, key=lambda name: name == "readonly"):
                            if name not in NOT_SETTINGS:
                                one.query(f"SET {name} = '{parameters[name]}'")
                        self._send(200, str(one.query(text, parameters["default_format"])))
                    except RuntimeError as error:
                        self._send(500, str(error))

            def _send(self, code: int, body: str) -> None:
                self.send_response(code)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
            session.query("DROP DATABASE shop")
