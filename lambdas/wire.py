"""What goes over the socket between the server and a worker: a length, a line for the worker or from it, and a frame of a job.

Nobody takes more than a frame may have, and looks at the length before anything else.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from lambdas.errors import BadFrame
from lambdas.limits import FRAME_LIMIT_BYTES

LENGTH = struct.Struct("!I")
HEAD_LIMIT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Message:
    """`head` is the worker's or about it; `frame` passes it unread."""

    head: Mapping[str, Any]
    frame: bytes = b""


def pack(message: Message) -> bytes:
    """Return a message as bytes."""
    content = orjson.dumps(message.head) + b"\n" + message.frame
    return LENGTH.pack(len(content)) + content


def unpack(content: bytes) -> Message:
    """Return the message that stands in these bytes, without its length.

    Raises BadFrame.
    """
    line, _, frame = content.partition(b"\n")
    try:
        head = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise BadFrame("A message's head is no JSON.") from None
    if not isinstance(head, dict):
        raise BadFrame("A message's head is no object.")
    return Message(head, frame)


def read_length(prefix: bytes) -> int:
    """Return the length that a message announces.

    Raises BadFrame where that is more than may cross.
    """
    (length,) = LENGTH.unpack(prefix)
    if length > FRAME_LIMIT_BYTES + HEAD_LIMIT_BYTES:
        raise BadFrame(f"A message of {length} bytes is announced.")
    return int(length)


def receive(end: socket.socket) -> Message | None:
    """Wait for a message; None when the other side is gone.

    Raises BadFrame, OSError.
    """
    prefix = _receive_exactly(end, LENGTH.size)
    content = None if prefix is None else _receive_exactly(end, read_length(prefix))
    return None if content is None else unpack(content)


def _receive_exactly(end: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = end.recv(size - len(parts))
        if not part:
            return None
        parts += part
    return bytes(parts)
