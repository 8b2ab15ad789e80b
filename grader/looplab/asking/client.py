"""What a client of a world does, step by step: the "do" of World.client()."""

from __future__ import annotations

import base64
from typing import Mapping, Optional

from ..plain.duration import exact
from .world import WorldError

VANISHING = ("fin", "rst", "silence")


def _step(kind: str, value: object, times: int = 1, every: int = 0, **more: object) -> dict:
    if times < 1 or every < 0:
        raise WorldError(f"{kind}: times {times!r}, every {every!r}: expected at least 1, and a time")
    repeated = {"times": times, "every": exact(every)} if times > 1 else {}
    return {kind: value, **repeated, **{name: said for name, said in more.items() if said is not None}}


def _bytes(kind: str, message: bytes) -> tuple:
    return kind, base64.b64encode(message).decode()


class Do:
    """One step each; times are ns."""

    @staticmethod
    def wait(ns: int) -> dict:
        """Does nothing for so long."""
        return _step("wait", exact(ns))

    @staticmethod
    def request(path: str, method: Optional[str] = None, body: Optional[str] = None, *, size: Optional[int] = None,
                headers: Optional[Mapping[str, str]] = None, stream: bool = False, times: int = 1,
                every: int = 0) -> dict:
        """Asks for a path, and waits for the whole answer (stream: for its beginning). size: of a body of any bytes."""
        if body is not None and size is not None:
            raise WorldError("request: a body, or its size, not both")
        return _step("request", path, times, every, method=method, body=body, body_size=size,
                     headers=dict(headers) if headers else None, stream=True if stream else None)

    @staticmethod
    def websocket(path: str, headers: Optional[Mapping[str, str]] = None) -> dict:
        """Opens a WebSocket."""
        return _step("websocket", path, headers=dict(headers) if headers else None)

    @staticmethod
    def text(message: str, times: int = 1, every: int = 0) -> dict:
        """Sends a message."""
        return _step("text", message, times, every)

    @staticmethod
    def binary(message: bytes, times: int = 1, every: int = 0) -> dict:
        """Sends a message of bytes."""
        return _step(*_bytes("binary", message), times, every)

    @staticmethod
    def ping(text: str = "") -> dict:
        """Sends a ping."""
        return _step("ping", text)

    @staticmethod
    def close(code: int = 1000, reason: Optional[str] = None) -> dict:
        """Closes its WebSocket, and waits for that."""
        return _step("close", code, reason=reason)

    @staticmethod
    def send(raw: bytes) -> dict:
        """Sends bytes as they are: frames that are wrong, half a request."""
        return _step(*_bytes("send_base64", raw))

    @staticmethod
    def receive(messages: int = 1) -> dict:
        """Waits until so many more messages have come."""
        return _step("receive", messages)

    @staticmethod
    def stall(ns: int) -> dict:
        """Reads nothing for so long, from now on; the next step begins at once."""
        return _step("stall", exact(ns))

    @staticmethod
    def vanish(how: str) -> dict:
        """Ends its connection: "fin", "rst", or "silence" (nobody is told)."""
        if how not in VANISHING:
            raise WorldError(f"vanish: {how!r}: expected one of {', '.join(VANISHING)}")
        return _step("vanish", how)

    @staticmethod
    def stay() -> dict:
        """Stays until the server ends the connection."""
        return _step("stay", True)
