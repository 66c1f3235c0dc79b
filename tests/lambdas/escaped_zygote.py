"""A zygote whose workers run Python that they are sent, as if code had broken out of V8. Only tests start it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120

import socket
from collections.abc import Mapping
from typing import Any

import ctypes  # isort: skip - what code that broke out would have at hand

from lambdas import lockdown, wire, zygote


def work(end: socket.socket, settings: Mapping[str, Any]) -> None:
    held = {**settings["held"], **lockdown.lock_down()}
    end.sendall(wire.pack(wire.Message({"held": held})))
    while (message := wire.receive(end)) is not None:
        known: dict[str, Any] = {"os": os, "sys": sys, "socket": socket, "ctypes": ctypes}
        try:
            exec(message.head["python"], known)  # noqa: S102 - it is what broke out
            told = repr(known.get("told"))
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            told = f"{type(error).__name__} {getattr(error, 'errno', None)}"
        end.sendall(wire.pack(wire.Message({"told": told})))


if __name__ == "__main__":
    zygote.main(work)
