"""Running the server: what must hold before it listens, the socket, and the end."""

from __future__ import annotations

import asyncio
import errno
import gc
import importlib.util
import logging
import signal
import socket
import sys

from uvicorn import Config

from storage.errors import StorageError
from web.app import create_app
from web.live import Live
from web.logs import start_logging
from web.settings import PREFIX, Settings, find_unknown, is_weak_key, require_modules
from web.wire import CalmServer, make_protocol

BACKLOG = 512
# Objects, young collections, middle collections between two collections of each kind. A collection holds all requests:
# middle ones stay short when they come often, and full ones can wait, because snapshots and requests die without them.
COLLECT_EVERY = (5_000, 4, 100)
# Modules are loaded in a thread beside the event loop. At Python's 5 ms every hop of a request waits that long for it.
SWITCH_INTERVAL_S = 0.002
WEAK_KEY = (
    f"{PREFIX}HOST is {{host}}, which other machines can reach, but {PREFIX}SECRET_KEY looks like an example or like one key "
    f"pressed many times: whoever guesses it is anybody.\nSet a random one (openssl rand -hex 32), or none: then the first "
    f"start makes one."
)
IN_USE = "Port {port} of {host} is in use, perhaps by another Lambdesk. Stop it, or set {prefix}PORT to a free one."
CANNOT_LISTEN = "Cannot listen on {host}:{port}: {reason}. Check {prefix}HOST and {prefix}PORT."

_log = logging.getLogger("lambdesk.start")


class CannotStart(Exception):
    """The server cannot start; the text says why and what to do."""


def serve(settings: Settings, live: Live | None = None) -> None:
    """Serve until a signal says stop. Raises `CannotStart`, or what the settings or the database room find wrong."""
    if not settings.is_loopback and settings.secret_key and is_weak_key(settings.secret_key):
        raise CannotStart(WEAK_KEY.format(host=settings.host))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the server takes over
    start_logging(settings.log_format, settings.log_level)
    for mistake in find_unknown():
        _log.warning(mistake)
    if live is None and not settings.is_loopback:
        _check_reach(settings)
    listener = listen(settings)
    try:
        if live is None:
            for folder in require_modules(settings):  # the default names `site`, which need not be there
                _log.info("a module folder is not there yet", extra={"fields": {"folder": str(folder)}})
            from web.lifecycle import make_live  # noqa: PLC0415 - a port in use is told before anything heavy is loaded

            live = make_live(settings)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gc.set_threshold(*COLLECT_EVERY)
        gc.enable()
        server = CalmServer(configure(settings, live), live.stopping.set)
        with live.claim():
            host, port = listener.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            _log.info("listening", extra={"fields": {"url": f"http://{shown}:{port}/"}})
            server.run(sockets=[listener])
    finally:
        listener.close()
    if not server.started:
        sys.exit(1)


def _check_reach(settings: Settings) -> None:
    """Refuse to listen for other machines with a password that everybody knows. A database that is away is asked later."""
    from web.first_passwords import KnownPassword, check_reach  # noqa: PLC0415 - not needed on loopback
    from web.lifecycle import open_database  # noqa: PLC0415 - the same

    async def ask() -> None:
        database = open_database(settings)
        try:
            await check_reach(settings, database)
        except StorageError:
            return  # it is away, or has no tables yet; the server looks again before anybody can sign in
        finally:
            await database.close()

    try:
        asyncio.run(ask())
    except KnownPassword as error:
        raise CannotStart(str(error)) from None


def configure(settings: Settings, live: Live) -> Config:
    """Make uvicorn's configuration."""
    trusted = list(settings.trusted_proxies)
    return Config(
        create_app(settings, live),
        http=make_protocol(settings.connections, settings.header_seconds),
        ws="websockets-sansio",
        ws_max_size=settings.socket_bytes,
        ws_per_message_deflate=False,  # a small message must not become a large one
        loop="uvloop" if importlib.util.find_spec("uvloop") else "asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        timeout_keep_alive=max(1, round(settings.keep_alive_seconds)),
        timeout_graceful_shutdown=max(1, round(settings.stop_seconds)),
        backlog=BACKLOG,
    )


def listen(settings: Settings) -> socket.socket:
    """Take the port. Raises `CannotStart` when somebody else has it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)  # now, so that of two servers that start at once one is told
    except OSError as error:
        listener.close()
        text = IN_USE if error.errno == errno.EADDRINUSE else CANNOT_LISTEN
        told = text.format(host=settings.host, port=settings.port, prefix=PREFIX, reason=error.strerror or error)
        raise CannotStart(told) from None
    listener.set_inheritable(False)
    return listener
