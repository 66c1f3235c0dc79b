"""A browser without scripts: it signs in, follows links and sends the forms that pages show, as HTML says they are sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urlencode, urljoin

import httpx

from identity.first_agent import LOGIN
from tests.web.real import PASSWORD, Desk

OWN = "http://localhost:8000"
VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


@dataclass
class Element:
    """An element of a page."""

    name: str
    attributes: Mapping[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, with single spaces."""
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(parts).split())

    def all(self, name: str = "", /, **wanted: str) -> list[Element]:
        """Find elements below by name and attributes; `class_` has the class among others."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if (not name or child.name == name) and child.fits(wanted):
                    found.append(child)
                found += child.all(name, **wanted)
        return found

    def one(self, name: str = "", /, **wanted: str) -> Element:
        """Find the one element that fits."""
        found = self.all(name, **wanted)
        assert len(found) == 1, (name, wanted, [item.attributes for item in found])
        return found[0]

    def form(self, action: str) -> Element:
        """Find a form by the end of its action's path."""
        found = [
            item for item in self.all("form") if item.attributes.get("action", "").partition("?")[0].endswith(action)
        ]
        assert found, (action, [item.attributes for item in self.all("form")])
        return found[0]

    def form_named(self, name: str) -> Element:
        """Find the form that has a field of this name."""
        found = [form for form in self.all("form") if form.all(name=name)]
        assert len(found) == 1, (name, [form.attributes for form in found])
        return found[0]

    def fits(self, wanted: Mapping[str, str]) -> bool:
        """Whether the attributes are these."""
        for key, value in wanted.items():
            if key == "class_":
                if value not in self.attributes.get("class", "").split():
                    return False
            elif self.attributes.get(key.rstrip("_").replace("_", "-")) != value:
                return False
        return True


class Tree(HTMLParser):
    """Reads a page, and notes every tag that is not closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.wrong: list[str] = []
        self._open = [self.root]
        self.feed(text)
        self.close()
        self.wrong += [f"<{item.name}> is never closed" for item in self._open[1:]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.wrong.append(f"<{tag}> has an attribute twice: {names}")
        made = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(made)
        if tag not in VOID:
            self._open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1].name != tag:
            self.wrong.append(f"</{tag}> closes <{self._open[-1].name}>")
        elif len(self._open) > 1:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


class Shown(Element):
    """A page that was answered."""

    def __init__(self, response: httpx.Response) -> None:
        tree = Tree(response.text)
        assert tree.wrong == [], (tree.wrong, response.text[:2000])
        super().__init__("", {}, tree.root.children)
        assert len(self.all("h1")) <= 1, "one page, one heading"
        self.response = response
        self.status = response.status_code
        self.url = str(response.request.url)

    @property
    def main(self) -> Element:
        """What the page is about."""
        return self.one("main")


def fields_of(form: Element) -> list[tuple[str, str]]:
    """Return what a browser would send for a form that nobody touched."""
    found: list[tuple[str, str]] = []
    for item in form.all():
        name = item.attributes.get("name")
        if not name or "disabled" in item.attributes:
            continue
        kind = item.attributes.get("type", "text")
        if item.name == "select":
            found += [(name, option.attributes.get("value", option.text)) for option in _chosen(item)]
        elif item.name == "textarea":
            found.append((name, "".join(child for child in item.children if isinstance(child, str)).removeprefix("\n")))
        elif item.name == "input" and (
            "checked" in item.attributes or kind not in {"checkbox", "radio", "submit", "file"}
        ):
            found.append((name, item.attributes.get("value", "on")))
    return found


def _chosen(select: Element) -> list[Element]:
    options = select.all("option")
    chosen = [option for option in options if "selected" in option.attributes]
    return chosen if chosen or "multiple" in select.attributes else options[:1]


class Browser:
    """A browser that is signed in."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> Shown:
        """Fetch a page, also after redirects."""
        return Shown(await self.client.get(path, headers=headers, follow_redirects=True))

    async def send(
        self, page: Shown, form: Element, changed: Mapping[str, str | Sequence[str]] | None = None, button: str = ""
    ) -> Shown:
        """Send a form with some fields changed, and go where it leads. `button` is `name=value` of the one pressed."""
        pairs = [(name, value) for name, value in fields_of(form) if name not in (changed or {})]
        for name, value in (changed or {}).items():
            pairs += [(name, value)] if isinstance(value, str) else [(name, item) for item in value]
        if button:
            name, _, value = button.partition("=")
            pairs.append((name, value))
        target = urljoin(page.url, form.attributes.get("action", page.url))
        if form.attributes.get("method", "get") == "get":
            path = urldefrag(target).url.partition("?")[0]
            answer = await self.client.get(f"{path}?{urlencode(pairs)}", follow_redirects=True)
        else:
            body: dict[str, list[str]] = {}
            for name, value in pairs:
                body.setdefault(name, []).append(value)
            headers = {"origin": OWN}
            answer = await self.client.post(target, data=body, headers=headers, follow_redirects=True)
        return Shown(answer)

    async def send_files(
        self, page: Shown, form: Element, changed: Mapping[str, str | Sequence[str]], **files: tuple[str, bytes]
    ) -> Shown:
        """Send a form as `multipart/form-data`, its fields in their order; inputs for files that nobody used are sent empty."""
        parts: list[tuple[str, Any]] = []
        for name, value in fields_of(form):
            if name not in changed:
                parts.append((name, (None, value)))
            elif name not in {known for known, _ in parts}:
                given = changed[name]
                parts += [(name, (None, item)) for item in _several(given)]
        known = {name for name, _ in parts}
        for name, told in changed.items():
            if name not in known:
                parts += [(name, (None, item)) for item in _several(told)]
        for item in form.all("input", type="file"):
            parts.append((item.attributes["name"], files.get(item.attributes["name"], ("", b""))))
        target = urljoin(page.url, form.attributes.get("action", page.url))
        answer = await self.client.post(target, files=parts, headers={"origin": OWN}, follow_redirects=True)
        return Shown(answer)


@asynccontextmanager
async def browsing(desk: Desk, login: str = LOGIN, password: str = PASSWORD, **headers: str) -> AsyncIterator[Browser]:
    """Sign somebody in."""
    async with desk.connect(**{"sec-fetch-site": "same-origin", **headers}) as client:
        browser = Browser(client)
        page = await browser.get("/login")
        home = await browser.send(page, page.form("/login"), {"login": login, "password": password})
        assert home.status == 200, home.text
        yield browser


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def nonces(response: httpx.Response) -> set[str]:
    """Return every nonce of a page."""
    found: Any = Shown(response).all()
    return {value for item in found for name, value in item.attributes.items() if name in {"nonce", "hx-nonce"}}
