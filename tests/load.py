"""Token requests from many connections at once, each answer kept with the moment it was asked for."""

import http.client
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode


@dataclass
class Seen:
    """One answer. status 0: there was none, and body says why."""

    asked: float
    answered: float
    status: int
    body: dict[str, Any] = field(repr=False)


class Load:
    """Asks over and over until told to stop: `with Load(port, parameters) as load: …`, then `load.seen`.

    kept: whether a thread keeps its connection, as most clients do, or opens another for each request, which reaches
    every worker. pause: seconds between two requests of a thread.
    """

    def __init__(
        self, port: int, *parameters: dict[str, str], threads: int = 6, kept: bool = False, pause: float = 0.01
    ) -> None:
        self._port, self._parameters, self._kept, self._pause = port, parameters, kept, pause
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(number,), daemon=True) for number in range(threads)]
        self.seen: list[Seen] = []

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)

    def answered(self, since: float) -> list[Seen]:
        """Return what was asked after this moment."""
        return [seen for seen in list(self.seen) if seen.asked > since]

    def _ask(self, number: int) -> None:
        connection = _connection(self._port)
        while not self._stopping.is_set():
            parameters = self._parameters[number % len(self._parameters)]
            self.seen.append(ask(connection, parameters, self._kept))
            if not self._kept or self.seen[-1].status == 0:
                connection.close()
                connection = _connection(self._port)
            self._stopping.wait(self._pause)
        connection.close()


def request_of(client_id: str, secret: str, audience: str) -> dict[str, str]:
    """Return a token request's parameters."""
    return {
        "grant_type": "client_credentials",
        "client_id": client_id,
        "client_secret": secret,
        "audience": audience,
    }


def ask(connection: http.client.HTTPConnection, parameters: dict[str, str], kept: bool = True) -> Seen:
    asked = time.monotonic()
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({} if kept else {"Connection": "close"})
    try:
        connection.request("POST", "/oauth/token", urlencode(parameters), headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        return Seen(asked, time.monotonic(), answer.status, body)
    except (OSError, http.client.HTTPException, ValueError) as problem:
        return Seen(asked, time.monotonic(), 0, {"problem": repr(problem)})


def once(port: int, parameters: dict[str, str]) -> Seen:
    """Return the answer to one request on a connection of its own."""
    connection = _connection(port)
    try:
        return ask(connection, parameters, kept=False)
    finally:
        connection.close()


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("localhost", port, timeout=30)
