"""Two desks that stand as one: whatever a form does to the first, its operations sent to `/graphql` must do to the second."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse
from graphql.language import FieldNode, OperationDefinitionNode, OperationType

from schema.loading import VANISH_GRACE_S
from tests.databases import fresh_url
from tests.web.browsing import OWN, Browser, Element, Shown
from tests.web.desk_at_work import signed_in
from tests.web.every_form import Form, Furnishing, Step, fill_in
from tests.web.every_page import FILES
from tests.web.real import Desk, open_desk, sign_in
from web.errors import Refused
from web.pages.visit import Answer, Visit

MODULES = Path(__file__).parent.parent.parent / "modules"
KEY = "a secret key of tests, long enough for everybody"  # one for both: versions and cursors are digests with it
WAIT_S = 20.0
LOGOUT = "/logout"  # a form on every page

# What cannot be the same on both, by table and column. Moments are no exceptions of this list: see `Now`.
DIFFERENT: Mapping[tuple[str, str], str] = {
    ("lambdesk_change", "request_id"): "each request over HTTP has a number of its own",
    ("lambdesk_outbox", "delivery"): "a number of its own, made by chance",
    ("lambdesk_outbox", "request_id"): "as in lambdesk_change",
    ("lambdesk_api_token", "digest"): "the digest of a secret made by chance",
    ("lambdesk_credential", "hash"): "a password's hash has a salt",
    ("lambdesk_credential", "fingerprint"): "the digest of what stands in the column of OTRS",
    ("users", "pw"): "a password's hash has a salt",
    (
        "lambdesk_session",
        "seen",
    ): "a session is seen by what comes with it: the form with the browser's, the operation with the token's",
    ("lambdesk_session", "id"): "a new session has a number made by chance",
    ("lambdesk_session", "expires"): "so long after its beginning",
    ("lambdesk_session", "cookie_digest"): "the digest of a secret made by chance",
    ("lambdesk_session", "stamp"): "how the account stood: with the hash of its password",
    ("article_data_mime", "a_message_id"): "each mail has a name of its own, made by chance",
    ("article_data_mime", "a_message_id_md5"): "its digest",
    ("ticket_number_counter", "counter_uid"): "who reserved the number, made by chance",
}
# What cannot be the same in answers, by the name in the answer.
UNEQUAL: Mapping[str, str] = {
    "secret": "of a token, made by chance",
    "cpuMs": "measured",
    "wallMs": "measured",
    "heapBytes": "measured",
    "version": "a digest of the row with the moment of its change",
}


@dataclass
class Sent:
    """An operation that a form sent: by whom, and what came of it."""

    document: str
    variables: Mapping[str, Any]
    once: str | None
    language: str
    login: str
    data: Any = None
    problem: str = ""  # the first error, if there is one

    @property
    def mutations(self) -> list[str]:
        """Name the mutations of the API that it carries out."""
        (operation,) = (item for item in parse(self.document).definitions if isinstance(item, OperationDefinitionNode))
        if operation.operation is not OperationType.MUTATION:
            return []
        return [item.name.value for item in operation.selection_set.selections if isinstance(item, FieldNode)]


@dataclass(frozen=True)
class Now:
    """The time in which a form is sent and sent again. A moment within it may be another one on the other desk."""

    since: float
    until: float

    def blur(self, value: Any) -> Any:
        """Return the value with `now` in place of all moments of this time."""
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            return "now" if any(self._has(value / unit) for unit in (1, 1_000, 1_000_000)) else value
        if isinstance(value, str):
            return _MOMENT.sub(lambda found: "now" if self._has(_seconds(found[0])) else found[0], value)
        if isinstance(value, Mapping):
            return {key: self.blur(item) for key, item in value.items()}
        return [self.blur(item) for item in value] if isinstance(value, list) else value

    def _has(self, seconds: float) -> bool:
        return self.since <= seconds <= self.until


_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?|(?<![\w.-])1[6-9]\d{8}(\d{3}){0,2}(?![\w.-])"
)


def _seconds(text: str) -> float:
    if "-" in text:
        return datetime.fromisoformat(text.removesuffix("Z").removesuffix("+00:00")).replace(tzinfo=UTC).timestamp()
    return float(int(text) / 10 ** (len(text) - 10))


SITE = {f"{name}.yaml": text for name, text in FILES.items()}
Rows = list[tuple[Any, ...]]


class Side:
    """One of the two desks: its database and its folder of modules can be put back to how they were."""

    def __init__(self, desk: Desk, file: Path) -> None:
        self.desk = desk
        self.file = file

    async def become(self, file: Path, site: Mapping[str, str]) -> None:
        """Stand as a database and a folder of modules say."""
        await copy(file, self.file)
        before = self.files()
        if site == before:
            return
        for name in before.keys() - site.keys():
            (self.desk.site / name).unlink()
        for name, text in site.items():
            (self.desk.site / name).write_text(text)
        registry: Any = self.desk.live.registry  # the real one
        await registry.reload()
        if before.keys() - site.keys():
            await asyncio.sleep(VANISH_GRACE_S)
            await registry.reload()
        await copy(file, self.file)  # without what the modules of before have left there

    def files(self) -> Mapping[str, str]:
        """Return the files of its own modules."""
        return {path.name: path.read_text() for path in sorted(self.desk.site.iterdir())}

    def rows(self) -> Mapping[str, Rows]:
        """Return all rows of all tables, with the names of their columns before them."""
        with closing(sqlite3.connect(self.file)) as database:
            found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
            return {name: _rows_of(database, name) for (name,) in found}

    async def settle(self) -> None:
        """Wait for what goes on after an answer: imports, and what hooks asked for."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            with closing(sqlite3.connect(self.file)) as database:
                jobs = database.execute("SELECT count(*) FROM lambdesk_job WHERE state = 'RUNNING'").fetchone()
            if jobs == (0,):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("It does not come to an end.")


def _rows_of(database: sqlite3.Connection, table: str) -> Rows:
    cursor = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the database's own name
    names = tuple(column for column, *_ in cursor.description)
    return [names, *cursor]


async def copy(source: Path, target: Path) -> None:
    """Copy a database beside the event loop: a task that is writing into one of them has to come to its end."""

    def copy_all() -> None:
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(target)) as there:
            there.execute("PRAGMA synchronous = OFF")
            here.backup(there, sleep=0.01)

    await asyncio.to_thread(copy_all)


@dataclass
class Worlds:
    """Both desks, everybody's browser at the first, and everybody's token for the second."""

    one: Side
    other: Side
    base: Path  # the database as every form finds it
    browsers: Mapping[str, Browser]
    tokens: Mapping[str, str]
    secrets: Mapping[str, str]  # of their sessions at the first
    places: Mapping[str, str]
    sent: list[Sent] = field(default_factory=list)
    uploads: dict[str, str] = field(default_factory=dict)  # ids of files that came with forms, and their names

    async def begin(self, form: Form) -> None:
        """Let both stand as at the beginning, with what the form needs."""
        await self.one.become(self.base, SITE)
        self.browsers[form.who].client.cookies.set("lambdesk", self.secrets[form.who])
        for document in form.before:
            found = await self.one.desk.data(fill_in(document, self.places))
            assert not any(part["errors"] for part in found.values()), found
        await self.one.settle()

    async def submit(self, form: Form) -> list[Shown]:
        """Fill the form in at the first desk and send it, after the second was made its copy. Return the answers."""
        browser = self.browsers[form.who]
        page = await browser.get(self.fill(form.page))
        assert page.status == 200, page.text
        await self.other.become(self.one.file, self.one.files())
        self.sent.clear()
        self.uploads.clear()
        answers = []
        for place, step in enumerate((form, *form.then)):
            page = await browser.get(self.fill(step.page)) if place and step.page else page
            page = await self._send(browser, page, step)
            assert page.status == step.status, (page.url, page.status, page.main.text)
            answers.append(page)
        await self.one.settle()
        return answers

    async def _send(self, browser: Browser, page: Shown, step: Step) -> Shown:
        action = self.fill(step.action)
        typed = {name: self.given(value) for name, value in step.typed.items()}
        pressed = tuple(self.fill(step.button).partition("=")[::2])
        forms = [
            item
            for item in page.all("form")
            if item.attributes.get("method") == "post"
            and item.attributes.get("action", page.url).partition("?")[0].endswith(action)
            and item.attributes.get("action") != LOGOUT
            and (set(typed) <= _names(item) or step.to)
        ]
        assert forms, (action, [(item.attributes, _names(item)) for item in page.all("form")])
        found = next((item for item in forms if pressed in _buttons(item)), forms[0])
        if step.to:
            found.attributes = {**found.attributes, "action": step.to, "enctype": ""}
        if step.files or found.attributes.get("enctype"):
            button = dict([step.button.partition("=")[::2]]) if step.button else {}
            return await browser.send_files(page, found, {**typed, **button}, **step.files)
        return await browser.send(page, found, typed, self.fill(step.button))

    def fill(self, text: str) -> str:
        """Fill the places of an address or a value."""
        return fill_in(text, self.places)

    def given(self, value: str | Sequence[str]) -> str | Sequence[str]:
        """Fill the places of what is typed."""
        return self.fill(value) if isinstance(value, str) else [self.fill(item) for item in value]

    async def replay(self, form: Form) -> list[tuple[Sent, Any]]:
        """Send what the form sent to `/graphql` of the second desk; return what is answered beside it."""
        async with self.other.desk.connect() as client:
            await self._upload(client, form)
            answers = []
            for item in self.sent:
                body = {"query": item.document, "variables": item.variables}
                headers = {**self._credentials(form), "accept-language": item.language}
                headers |= {"idempotency-key": item.once} if item.once else {}
                answers.append((item, (await client.post("/graphql", json=body, headers=headers)).json()))
        await self.other.settle()
        return answers

    def _credentials(self, form: Form) -> Mapping[str, str]:
        if not form.of_session:
            return {"authorization": f"Bearer {self.tokens[form.who]}"}
        secret = self.secrets[form.who]
        token = self.other.desk.live.guard.form_token(secret)
        return {"cookie": f"lambdesk={self.secrets[form.who]}", "x-csrf-token": token, "origin": OWN}

    async def _upload(self, client: httpx.AsyncClient, form: Form) -> None:
        """Give the second desk the files that came with the form, as programs do; then they are called as at the first."""
        contents = {name: data for step in (form, *form.then) for name, data in step.files.values()}
        for here, name in self.uploads.items():
            answer = await client.post(
                "/files", params={"name": name}, content=contents[name], headers=self._credentials(form)
            )
            there = answer.json()["id"]
            with closing(sqlite3.connect(self.other.file)) as database, database:
                database.execute("UPDATE lambdesk_file SET id = ? WHERE id = ?", (here, there))
                database.execute("UPDATE lambdesk_file_part SET file_id = ? WHERE file_id = ?", (here, there))

    def differences(self, now: Now) -> list[str]:
        """Compare both desks, row for row."""
        here, there = self.one.rows(), self.other.rows()
        wrong = [] if here.keys() == there.keys() else [f"tables: {here.keys() ^ there.keys()}"]
        for table in here.keys() & there.keys():
            wrong += [f"{table}: {told}" for told in _unequal(table, here[table], there[table], now)]
        if self.one.files() != self.other.files():
            wrong.append("the files of modules")
        return wrong


def _unequal(table: str, ours: Rows, theirs: Rows, now: Now) -> list[str]:
    """Tell which rows differ in more than they must."""
    if len(ours) != len(theirs):
        return [f"{len(ours)} rows here, {len(theirs)} there: {set(ours) ^ set(theirs)}"]
    if ours[0] != theirs[0]:
        return [f"columns {ours[0]} here, {theirs[0]} there"]
    return [
        f"{name} of row {place} is {mine!r} here, {yours!r} there"
        for place, (row, other) in enumerate(zip(ours, theirs, strict=True))
        if row != other
        for name, mine, yours in zip(ours[0], row, other, strict=True)
        if mine != yours and (table, name) not in DIFFERENT and now.blur(mine) != now.blur(yours)
    ]


def _names(form: Element) -> set[str]:
    return {item.attributes.get("name", "") for item in form.all()}


def _buttons(form: Element) -> set[tuple[str, ...]]:
    return {(item.attributes.get("name", ""), item.attributes.get("value", "")) for item in form.all("button")}


def answer_of(data: Any, now: Now) -> Any:
    """Return an answer without what cannot be the same."""
    if isinstance(data, Mapping):
        return {name: answer_of(item, now) for name, item in data.items() if name not in UNEQUAL}
    return [answer_of(item, now) for item in data] if isinstance(data, list) else now.blur(data)


@asynccontextmanager
async def open_worlds(folder: Path, monkeypatch: pytest.MonkeyPatch, furnishing: Furnishing) -> AsyncIterator[Worlds]:
    """Open both desks, and furnish the first; what forms send there is written down."""
    # What a server does by itself, now and then, no form has a part in: the words of the search follow the ledger (and would
    # read one database and write into what has become another meanwhile), and what is not needed any more is swept away.
    for work in ("keep_texts", "keep_swept"):
        monkeypatch.setattr(f"web.lifecycle.{work}", _rest)
    async with AsyncExitStack() as stack:
        sides, base = [], folder / "base.db"
        for name in ("one", "other"):
            own = folder / name
            own.mkdir()
            url = stack.enter_context(fresh_url("sqlite"))
            modules = (*((MODULES,) if furnishing.ships else ()), own / "site")
            opening = open_desk(url, own, FILES, modules_dir=modules, lambda_workers=1, secret_key=KEY)
            sides.append(Side(await stack.enter_async_context(opening), Path(url.removeprefix("sqlite:///"))))
        one, other = sides
        for document in furnishing.operations:
            found = await one.desk.data(document)
            assert not any(part.get("errors") for part in found.values()), found
        places = _named(await one.desk.data(furnishing.named))
        browsers, tokens = {}, {}
        for login, kind in furnishing.people.items():
            browsers[login] = await stack.enter_async_context(signed_in(one.desk, login, kind))
            tokens[login] = (await sign_in(one.desk.live, login, kind)).access_token
        secrets = {login: browser.client.cookies["lambdesk"] for login, browser in browsers.items()}
        await copy(one.file, base)
        worlds = Worlds(one, other, base, browsers, tokens, secrets, places)
        _record(worlds, monkeypatch)
        yield worlds


async def _rest(*given: Any) -> None:
    await given[-1].wait()  # until the server stops


def _named(data: Mapping[str, Any]) -> Mapping[str, str]:
    return {name: _first(found) for name, found in data.items()}


def _first(found: Any) -> str:
    """Return the first value in an answer."""
    while isinstance(found, Mapping | list):
        found = next(iter(found.values() if isinstance(found, Mapping) else found))
    return str(found)


def _record(worlds: Worlds, monkeypatch: pytest.MonkeyPatch) -> None:
    asking: Callable[..., Any] = Visit.ask

    async def recording(
        visit: Visit, document: str, variables: Any = None, once: Any = None, cookies: Any = None
    ) -> Answer:
        is_ours = visit.request.method == "POST" and visit.live is worlds.one.desk.live
        if not is_ours:
            found: Answer = await asking(visit, document, variables, once, cookies)
            return found
        worlds.uploads |= {id_: visit.form.names[id_] for id_ in visit.form.files.values()}
        who = visit.caller.principal
        sent = Sent(document, json.loads(json.dumps(variables or {})), once, visit.look.lang, getattr(who, "login", ""))
        worlds.sent.append(sent)
        try:
            answer: Answer = await asking(visit, document, variables, once, cookies)
        except Refused as refused:
            sent.problem = refused.message
            raise
        sent.data = answer.data
        sent.problem = str(answer.errors[0]["message"]) if answer.errors else ""
        return answer

    monkeypatch.setattr(Visit, "ask", recording)
