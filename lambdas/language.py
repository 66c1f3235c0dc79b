"""JavaScript for one module inside a worker: an isolate with the prelude, the functions of lambdas, and one call a job."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Self

import orjson

from lambdas.contract import Script
from lambdas.engine import Engine
from lambdas.errors import BadFrame, EngineRefusal, ParseError, ScriptError
from lambdas.frames import join_frame, key_of, split_frame
from lambdas.limits import DEEDS_LIMIT, NESTING_LIMIT, QUESTION_LIMIT_BYTES, QUESTIONS_LIMIT

TIDY_CHARS = 128 * 1024  # of jobs; what they leave behind is about four times as large
FUNCTIONS_KEPT = 256  # of one module; an older one is compiled again when it is needed

# Read when this file is imported, because a worker can open no files.
_PARTS = ("clock", "texts", "values", "dates", "rows", "jobs", "freeze")
_FOLDER = Path(__file__).parent / "prelude"
# What both sides hold lambdas to stands in `lambdas.limits` alone.
_SHARED = {
    "QUESTIONS_LIMIT": QUESTIONS_LIMIT,
    "QUESTION_LIMIT_BYTES": QUESTION_LIMIT_BYTES,
    "DEEDS_LIMIT": DEEDS_LIMIT,
    "NESTING": NESTING_LIMIT,
}
PRELUDE = "\n".join(
    [f"const {name} = {value};" for name, value in _SHARED.items()]
    + [(_FOLDER / f"{part}.js").read_text(encoding="utf-8") for part in _PARTS]
)

_PARAMETERS = "item, args, me, now, before"
# What is parsed and never run, because its first name is taken. Neither can be left early by a body that the other accepts:
# after `}` an arrow function in brackets goes on with `,` or `)`, and what may follow a method and a comma there cannot
# stand in brackets.
_CHECKS = ("let {name};(() => {{\n{source}\n}})", "let {name};({{m() {{\n{source}\n}}}})")

# [message, line, column] of a source that does not compile.
Broken = tuple[str, int | None, int | None]


class Isolate:
    """V8 with the prelude, for the lambdas of one module. Must be closed."""

    def __init__(self) -> None:
        self._engine = Engine()
        # A variable that no lambda can name or find: it is no property of the global object.
        self._name = f"_{secrets.token_hex(16)}"
        self._known: dict[str, Broken | None] = {}
        self._untidy_chars = 0
        try:
            self._engine.eval(f'const {self._name} = (() => {{ "use strict";\n{PRELUDE}\n}})();\n//# sourceURL=prelude')
        except ScriptError as error:
            self.close()
            raise EngineRefusal(f"The prelude does not run: {_said(error)}") from None

    def answer(self, frame: bytes) -> bytes:
        """Do what a frame asks for: compile its scripts, and run its job if there is one."""
        head, body = split_frame(frame)
        broken = {}
        for key, source in head["scripts"]:
            reason = self._define(key, source)
            if reason is not None:
                broken[key] = reason
        return join_frame({"broken": broken}, self.run(body.decode()).encode() if body else b"")

    def define(self, script: Script) -> Broken | None:
        """Compile a lambda and keep it; say why it does not compile."""
        return self._define(key_of(script), script.source)

    def run(self, job: str) -> str:
        """Run a job, in one crossing into V8 and a short one."""
        result = self._engine.eval(f"{self._name}.run({orjson.dumps(job).decode()})")
        # V8 hands over the value before it runs what promises left; this waits for the end of that, and a job's timers with it.
        self._engine.eval("0")
        self._untidy_chars += len(job)
        if not isinstance(result, str):
            raise BadFrame("A job returned no text.")
        return result

    def limit_heap(self, megabytes: int) -> None:
        """Stop lambdas, from now on, when the heap grows beyond this."""
        self._engine.limit_heap(megabytes)

    def tidy(self) -> None:
        """Collect garbage if there is much of it. V8 alone waits until its limit is near; call this when nobody waits."""
        if self._untidy_chars > TIDY_CHARS:
            self._untidy_chars = 0
            self._engine.collect()

    def heap_bytes(self) -> int:
        """Return how much memory V8 uses for what lives here."""
        return self._engine.heap_bytes()

    def close(self) -> None:
        """Free V8's memory. One that is left open can hang the interpreter at its end."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _define(self, key: str, source: str) -> Broken | None:
        if key not in self._known:
            while len(self._known) >= FUNCTIONS_KEPT:
                oldest = next(iter(self._known))
                del self._known[oldest]
                self._engine.eval(f'{self._name}.forget("{oldest}")')
            self._known[key] = self._compile(key, source)
        return self._known[key]

    def _compile(self, key: str, source: str) -> Broken | None:
        for check in _CHECKS:
            try:
                self._engine.eval(check.format(name=self._name, source=source))
            except ParseError as error:
                return _why(error, source)
            except ScriptError:
                continue  # the name was taken: it was parsed
        text = f"function ({_PARAMETERS}) {{\n{source}\n}}"
        quoted = orjson.dumps(text).decode()
        try:
            taken = self._engine.eval(f'{self._name}.define("{key}",{quoted},({text}))\n//# sourceURL=lambda')
        except ScriptError as error:
            return _why(error, source)
        return None if taken is True else ("SyntaxError: The source is not the body of a function.", None, None)


_PLACE = re.compile(r"^[^\n]*?:(\d+): ([^\n]*)(?:\n[^\n]*\n([ \t]*)\^)?")
_MESSAGE_LIMIT = 500


def _why(error: ScriptError, source: str) -> Broken:
    """Read a message of V8: `name:line: what`, the line of code, and a caret under the place."""
    lines = source.split("\n")
    found = _PLACE.match(str(error))
    if found is None:
        return _said(error), None, None
    line, message, before = found.groups()
    if int(line) - 1 > len(lines):  # in what stands around it
        return "SyntaxError: The source ends too early", len(lines), len(lines[-1]) + 1
    return message[:_MESSAGE_LIMIT], max(int(line) - 1, 1), None if before is None else len(before) + 1


def _said(error: ScriptError) -> str:
    return str(error).partition("\n")[0][:_MESSAGE_LIMIT]
