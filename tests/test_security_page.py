"""`docs/security.md` has a line for every requirement, and says nothing that the program or a test does not."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from identity import access_tokens, api_tokens, keys, passwords, refresh, sessions, sign_in, throttle
from identity.argon import Argon
from resolvers.context import COST_LIMIT
from resolvers.cursors import SIGNATURE_BYTES
from storage.own_tables import CHANGE, CREDENTIAL, OUTBOX, SECRET, SESSION, SIGN_IN, THROTTLE
from web.recognition import WATCH_S
from web.settings import Settings
from web.sweeping import DELIVERED_S, FAILED_S, SESSIONS_S

HOUSE = Path(__file__).parent.parent
PAGE = HOUSE / "docs" / "security.md"
ROOMS = ("schema", "storage", "identity", "resolvers", "desk", "web")
DAY_S, HOUR_S = 86_400, 3_600

# Sections of OWASP ASVS 5.0.0: how many requirements of level 1, and of levels 1 and 2, begin each. Those of level 3 come last.
SECTIONS = {
    "1.1": (0, 2), "1.2": (5, 9), "1.3": (2, 11), "1.4": (0, 3), "1.5": (1, 2),
    "2.1": (1, 3), "2.2": (2, 3), "2.3": (1, 4), "2.4": (0, 1),
    "3.2": (2, 2), "3.3": (1, 4), "3.4": (2, 6), "3.5": (3, 5), "3.7": (0, 2),
    "4.1": (1, 3), "4.2": (0, 1), "4.3": (0, 2), "4.4": (1, 4),
    "5.1": (0, 1), "5.2": (2, 3), "5.3": (2, 2), "5.4": (0, 3),
    "6.1": (1, 3), "6.2": (8, 12), "6.3": (2, 4), "6.4": (2, 4), "6.5": (0, 5), "6.6": (0, 3), "6.8": (0, 4),
    "7.1": (0, 3), "7.2": (4, 4), "7.3": (0, 2), "7.4": (2, 5), "7.5": (0, 2), "7.6": (0, 2),
    "8.1": (1, 2), "8.2": (2, 3), "8.3": (1, 1), "8.4": (0, 1),
    "9.1": (3, 3), "9.2": (1, 4),
    "10.1": (0, 2), "10.2": (0, 2), "10.3": (0, 4), "10.4": (5, 11), "10.5": (0, 5), "10.6": (0, 2), "10.7": (0, 3),
    "11.1": (0, 2), "11.2": (0, 3), "11.3": (2, 3), "11.4": (1, 4), "11.5": (0, 1), "11.6": (0, 1),
    "12.1": (1, 3), "12.2": (2, 2), "12.3": (0, 4),
    "13.1": (0, 1), "13.2": (0, 5), "13.3": (0, 2), "13.4": (1, 5),
    "14.1": (0, 2), "14.2": (1, 4), "14.3": (1, 3),
    "15.1": (1, 3), "15.2": (1, 3), "15.3": (1, 7),
    "16.1": (0, 1), "16.2": (0, 5), "16.3": (0, 4), "16.4": (0, 3), "16.5": (0, 3),
    "17.1": (0, 1), "17.2": (0, 4), "17.3": (0, 2),
}  # fmt: skip
FIRST, BOTH = 70, 253
LINE = re.compile(
    r"^\| V(?P<number>[\d.]+) \| (?P<level>\d) \| (?P<asks>[^|]+) \| (?P<does>[^|]+) \| (?P<shown>[^|]+) \|$"
)
TEST = re.compile(r"`(?P<file>tests/[\w/]+\.py)::(?P<name>test_\w+)`")
NOT_SHOWN = ("no", "not applicable")


@cache
def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def lines() -> list[re.Match[str]]:
    return [found for line in text().splitlines() if (found := LINE.match(line))]


@cache
def names_in(file: str) -> frozenset[str]:
    path = HOUSE / file
    if not path.is_file():
        return frozenset()
    made = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return frozenset(node.name for node in made if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_the_list_of_requirements_is_whole() -> None:
    assert sum(first for first, _ in SECTIONS.values()) == FIRST
    assert sum(both for _, both in SECTIONS.values()) == BOTH


def test_every_requirement_has_one_line_with_its_level_and_none_is_invented() -> None:
    wanted = {
        f"{section}.{number}": 1 if number <= first else 2
        for section, (first, both) in SECTIONS.items()
        for number in range(1, both + 1)
    }
    told = [line["number"] for line in lines()]

    assert len(re.findall(r"^\| V", text(), re.MULTILINE)) == len(told), "a line has another form"
    assert [number for number, count in Counter(told).items() if count > 1] == []
    assert {line["number"]: int(line["level"]) for line in lines()} == wanted


def test_every_line_names_tests_or_says_no() -> None:
    wrong = [
        line["number"]
        for line in lines()
        if line["shown"] not in NOT_SHOWN
        and ", ".join(found[0] for found in TEST.finditer(line["shown"])) != line["shown"]
    ]

    assert wrong == []


def test_every_test_that_the_page_names_is_there() -> None:
    named = {(found["file"], found["name"]) for found in TEST.finditer(text())}

    assert len(named) > 100
    assert sorted(f"{file}::{name}" for file, name in named if name not in names_in(file)) == []


def test_every_file_and_heading_that_the_page_names_is_there() -> None:
    headings = {path: headings_of(path) for path in (HOUSE / "docs").glob("*.md")}
    for target in re.findall(r"\]\(([^)]+)\)", text()):
        name, _, heading = target.partition("#")
        path = (PAGE.parent / name).resolve() if name else PAGE
        assert path.is_file(), target
        assert not heading or heading in headings[path], target
    for name in re.findall(rf"`((?:{'|'.join(ROOMS)})/\w+\.py)`", text()):
        assert (HOUSE / name).is_file(), name


def headings_of(path: Path) -> set[str]:
    """The places of a page that links lead to."""
    found = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_page_gives_the_figures_of_the_program() -> None:
    browser, client, argon, default = sessions.PAGE, refresh.API, Argon(), Settings()
    for words in (
        f"argon2id hash ({argon.memory_kib // 1024} MiB, {argon.passes} passes)",
        f"bcrypt of cost {passwords.COST} in OTRS's notation, which looks at {passwords.BCRYPT_BYTES} bytes",
        f"{passwords.SHORTEST} letters at least, of any kind",
        f"After {default.account_tries} for an account, or {default.address_tries} from an address",
        f"up to {throttle.ACCOUNT.longest_s / 60:g} minutes",
        f"{browser.idle_s / HOUR_S:g} hours without use, {browser.longest_s / HOUR_S:g} hours at the longest",
        f"{client.idle_s / DAY_S:g} days without use, {client.longest_s / DAY_S:g} days at the longest",
        f"{default.access_seconds // 60} minutes, and {access_tokens.LEEWAY_S} seconds for clocks",
        f"{api_tokens.LONGEST_S // DAY_S} days at most",
        f"Within {refresh.GRACE_S:g} seconds",
        f"every {WATCH_S:g} seconds",
        f"cut to {SIGNATURE_BYTES * 8} bits",
        f"{COST_LIMIT:,}: rows times fields",
    ):
        assert words in text(), words
    assert (default.page_idle_seconds, default.page_longest_seconds) == (browser.idle_s, browser.longest_s)
    assert (default.refresh_idle_seconds, default.refresh_longest_seconds) == (client.idle_s, client.longest_s)
    assert (default.account_tries, default.address_tries) == (throttle.ACCOUNT.free, throttle.ADDRESS.free)
    assert throttle.ACCOUNT.forget_s == throttle.ADDRESS.forget_s == HOUR_S
    assert throttle.ACCOUNT.first_s == sign_in.REFUSAL_S == 1


def test_the_page_names_every_key_and_every_way_in() -> None:
    table = text()[text().index("## Keys") : text().index("## What is kept")]
    marks = re.compile(r'\bb"(?:lambdesk )?([a-z ]+)\\(?:0|x01)"')
    sources = [path.read_text(encoding="utf-8") for room in ROOMS for path in (HOUSE / room).rglob("*.py")]
    purposes = {*keys._PURPOSES, *(found for source in sources for found in marks.findall(source))}

    assert {"access token", "seal", "cursor"} <= purposes
    assert {line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")} == {"key", *purposes}
    for way in (refresh.PREFIX, sessions.COOKIE_PREFIX, api_tokens.PREFIX):
        assert f"`{way}…`" in text()
    for address in ("/login", "/auth/login", "/auth/refresh"):
        assert f"{address}`" in text()


@pytest.mark.parametrize(
    "table", [SIGN_IN, SESSION, CHANGE, THROTTLE, CREDENTIAL, OUTBOX, SECRET], ids=lambda table: table.name
)
def test_the_page_names_what_is_kept(table: object) -> None:
    assert f"`{table}`" in text()
    assert f"`LAMBDESK_AUDIT_DAYS`, {Settings().audit_days} |" in text()
    assert f"{SESSIONS_S / DAY_S:g} days after the moment" in text()
    assert f"| {DELIVERED_S / DAY_S:g} days, {FAILED_S / DAY_S:g} where it failed |" in text()
