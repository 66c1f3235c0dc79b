"""Serves an application beside ours: one process, uvicorn with the loop and the protocol of `lambdesk serve`, until it is told to stop."""

from __future__ import annotations

import gc
import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from bench.server import START_LIMIT_S, end, free_port
from web.serve import BACKLOG, COLLECT_EVERY, SWITCH_INTERVAL_S
from web.settings import Settings
from web.wire import make_protocol


@contextmanager
def running(name: str, url: str, folder: Path) -> Iterator[tuple[int, int]]:
    """Serve `make_app(url)` of `bench/reads_NAME.py` until the block ends; lend its port and the id of its process."""
    port = free_port()
    command = [sys.executable, "-m", "bench.reads_peer", name, url, str(port)]
    with started(name, command, port, folder) as process:
        yield port, process


@contextmanager
def started(
    name: str, command: list[str], port: int, log_folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a server until the block ends; lend its process's id once its port is open."""
    path = log_folder / f"{name}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _wait(process, port, path)
            yield process.pid
        finally:
            end(process)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"{log.stem} ended with {process.returncode}:\n{log.read_text()[-2000:]}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"{log.stem} was not ready within {START_LIMIT_S} s:\n{log.read_text()[-2000:]}")


def main(name: str, url: str, port: str) -> None:
    """Serve with the settings of ours, as far as they touch speed."""
    settings = Settings()
    config = uvicorn.Config(
        importlib.import_module(f"bench.reads_{name}").make_app(url),
        port=int(port),
        http=make_protocol(settings.connections, settings.header_seconds),
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=round(settings.keep_alive_seconds),
        backlog=BACKLOG,
    )
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.set_threshold(*COLLECT_EVERY)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
