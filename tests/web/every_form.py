"""Every form of the pages: where it stands, how somebody fills it in, and which mutations of the API that is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from identity.first_agent import LOGIN
from identity.principals import Kind
from tests.web.every_page import CUSTOMER, FILES, OFFICE, SETUP

AGENT = "rea"  # of the queue
OTIS, SID, SUE = (
    "otis",
    "sid",
    "sue",
)  # agents whose password or sessions end: one each, because that is remembered for a second
PASSWORD, NEW_PASSWORD = "a lantern in the harbour", "umbrella of nine lanterns"
PEOPLE: Mapping[str, Kind] = {**dict.fromkeys((LOGIN, AGENT, OTIS, SID, SUE), Kind.AGENT), CUSTOMER: Kind.CUSTOMER}
_PLACE = re.compile(r"<(\w+)>")

_AGENT = """mutation {{
  createUser(input: {{user: {{login: "{login}", password: "{password}", firstName: "{login}", lastName: "Agent"}}}}) {{ errors {{ message }} }}
  setGroupPermissions(input: {{group: {{name: "users"}}, agent: {{login: "{login}"}}, permissions: [RW]}}) {{ errors {{ message }} }}
}}"""


@dataclass(frozen=True)
class Furnishing:
    """What a desk has before forms are filled in: `named` asks for what `<name>` stands for in their places and values."""

    ships: bool  # the modules of the product
    operations: Sequence[str]
    named: str
    people: Mapping[str, Kind]


ROOT = {LOGIN: Kind.AGENT}
WORKSHOP = Furnishing(ships=False, operations=SETUP, named="{ file: modules { files } }", people=ROOT)
DESK = Furnishing(
    ships=True,
    operations=(
        *SETUP,
        *OFFICE,
        *(_AGENT.format(login=login, password=PASSWORD) for login in (AGENT, OTIS, SID, SUE)),
        'mutation { createTicketType(input: {ticketType: {name: "Fault"}}) { errors { message } } }',
        'mutation { createCompany(input: {company: {databaseId: "bolts", name: "Bolts"}}) { errors { message } } }',
    ),
    named="""{
      row: task(by: {name: "Task 03"}) { id }
      off: task(by: {name: "Task 04"}) { id }
      ticket: tickets(filter: {title: {eq: "Printer"}}) { nodes { id } }
      article: tickets(filter: {title: {eq: "Printer"}}) { nodes { articles { nodes { id } } } }
      other: tickets(filter: {title: {eq: "Scanner"}}) { nodes { id } }
      scanner: tickets(filter: {title: {eq: "Scanner"}}) { nodes { number } }
      rea: user(by: {login: "rea"}) { databaseId }
      helper: role(by: {name: "helper"}) { databaseId }
    }""",
    people=PEOPLE,
)


@dataclass(frozen=True)
class Step:
    """A form, filled in and sent."""

    page: str = ""  # where it stands, else on the page that was answered
    action: str = ""  # how the path of its action ends
    to: str = ""  # where a script sends it instead
    typed: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    button: str = ""
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Form(Step):
    """The form of a page. `<name>` stands for what the world has under the name."""

    sends: tuple[str, ...] = ()  # the mutations of the API; none for what only looks
    who: str = LOGIN
    before: tuple[str, ...] = ()  # operations of the first agent
    then: tuple[Step, ...] = ()
    of_session: str = ""  # why the operations are sent with the browser's own session, and not with a token


def fill_in(text: str, places: Mapping[str, str]) -> str:
    """Fill the places of a text."""
    return _PLACE.sub(lambda found: places.get(found[1], found[0]), text)


TASK, TICKET, FILE = "/modules/task/<row>", "/modules/ticket/<ticket>", "/admin/modules/file?file=<file>"
AT_DESK = f"{TICKET}/desk"
CHANGED = FILES["task"].replace("In a few words", "In some words")
LAMP = "module: {name: lamp, table: lamp}\nfields: [{name: name, type: string}]\n"
SIZE = {"name": "length", "label_en": "Length", "r0.c0.field": "hours", "r0.c0.op": "at-least", "r0.c0.value": "10", "r0.text": "long", "r0.tone": "red", "else.text": "short", "else.tone": "green"}  # fmt: skip
ARTICLE = {"subject": "Done", "body": "Water\nhelped."}
PAPER = {"files": ("paper.txt", b"ash and water")}
WATCHED = 'mutation { watchTicket(input: {ticket: {id: "<ticket>"}}) { errors { message } } }'
MERGED = 'mutation { mergeTickets(input: {ticket: {id: "<ticket>"}, into: {id: "<other>"}}) { errors { message } } }'
LINKED = 'mutation { linkTickets(input: {ticket: {id: "<ticket>"}, other: {id: "<other>"}}) { errors { message } } }'
DRAFT = 'mutation { saveDraft(input: {place: "%s", content: {body: "Half a sentence"}}) { errors { message } } }'
ROLE = 'mutation { setAgentRoles(input: {agent: {login: "rea"}, roles: [{name: "helper"}]}) { errors { message } } }'
TOKEN = 'mutation { createApiToken(input: {name: "robot", expiresAt: "2027-01-01T00:00:00Z"}) { errors { message } } }'
THIS_SESSION = "what it does is about the session that asks"


def _change(group: str, **typed: str) -> Form:
    page = f"{AT_DESK}/change/{group}"
    return Form(page=page, action=f"/change/{group}", typed=typed, sends=("updateTicket",), who=AGENT)


def _keys(of: str, holder: str) -> Form:
    page = f"/admin/rights/keys?of={of}&holder={holder}&group=2"
    return Form(page=page, action="/admin/rights/keys", typed={"key": ["ro", "note"]}, sends=("setGroupPermissions",))


def _bulk(query: str, sends: tuple[str, ...], **typed: str) -> Form:
    return Form(page=f"/modules/task/bulk?{query}", action="/bulk", typed=typed, sends=sends)


# By the route that takes it and by what is done. A new route that takes forms needs a line here.
FORMS: Mapping[str, Mapping[str, Form]] = {
    "/modules/{module}/new": {
        "a row with a file": Form(
            page="/modules/task/new",
            typed={"name": "Made", "hours": "3", "team": "North"},
            files={"paper": ("plan.txt", b"a plan")},
            sends=("createTask",),
        ),
    },
    "/modules/{module}/bulk": {
        "a value for all": _bulk("deed=set&field=hours&all=1", ("updateTasks",), hours="4"),
        "a value for some": _bulk("deed=set&field=hours&id=<row>&id=<off>", ("updateTasks",), hours="4"),
        "delete": _bulk("deed=delete&all=1&f.hours.gte=20", ("deleteTasks",)),
        "restore": _bulk("deed=restore&all=1&f.validity.in=INVALID", ("restoreTask",)),
    },
    "/modules/{module}/import": {
        "look": Form(
            page="/modules/task/import",
            files={"file": ("t.csv", b"name,hours\nImported,4\n")},
            button="act=look",
            sends=("importRows",),
        ),
        "write": Form(
            page="/modules/task/import",
            files={"file": ("t.csv", b"name,hours\nImported,4\nTask 07,70\n")},
            typed={"by": "name"},
            button="act=look",
            then=(Step(button="act=write"),),
            sends=("importRows", "importRows"),
        ),
    },
    "/modules/{module}/views": {
        "keep": Form(
            page="/modules/task/views?q=task",
            action="/views",
            typed={"name": "New"},
            button="deed=new",
            sends=("saveView",),
        ),
        "change": Form(
            page="/modules/task/views?q=task",
            action="/views",
            typed={"name": "Longer", "replace": "1"},
            button="deed=change",
            sends=("saveView",),
        ),
        "remove": Form(page="/modules/task/views", action="/views", button="deed=delete", sends=("deleteView",)),
    },
    "/modules/{module}/{row}/edit": {
        "a text": Form(page=f"{TASK}/edit", typed={"about": "twice"}, sends=("updateTask",))
    },
    "/modules/{module}/{row}/cell/{field}": {
        "a number": Form(page=f"{TASK}/cell/hours", typed={"hours": "9"}, sends=("updateTask",))
    },
    "/modules/{module}/{row}/act/{action}": {
        "an action": Form(page=f"{TASK}/act/grow", typed={"by": "2"}, sends=("taskGrow",))
    },
    "/modules/{module}/{row}/delete": {"a row": Form(page=TASK, action="/delete", sends=("deleteTask",))},
    "/modules/{module}/{row}/restore": {
        "a row": Form(page="/modules/task/<off>", action="/restore", sends=("restoreTask",))
    },
    "/modules/{module}/{row}/undo": {"a change": Form(page=f"{TASK}/history", action="/undo", sends=("undo",))},
    "/modules/{module}/{row}/desk/articles/{article}/split": {
        "an article": Form(
            page=f"{AT_DESK}/articles/<article>/split",
            action="/split",
            typed={"title": "Apart"},
            sends=("splitArticle",),
        ),
    },
    "/modules/{module}/{row}/desk/note": {
        "a note": Form(
            page=f"{AT_DESK}/note",
            action="/note",
            typed={**ARTICLE, "visible": "1", "time": "1,5", "along.state": "closed successful"},
            files=PAPER,
            sends=("addArticle", "deleteDraft"),
            who=AGENT,
        ),
        "a call": Form(
            page=f"{AT_DESK}/note?kind=PHONE_TO_CUSTOMER",
            action="/note",
            typed=ARTICLE,
            sends=("addArticle", "deleteDraft"),
            who=AGENT,
        ),
        "a call of the customer": Form(
            page=f"{AT_DESK}/note?kind=PHONE_FROM_CUSTOMER",
            action="/note",
            typed=ARTICLE,
            sends=("addArticle", "deleteDraft"),
        ),
        "an answer": Form(
            page=f"{AT_DESK}/note?answers=<article>", action="/note", sends=("addArticle", "deleteDraft")
        ),
        "a file that was sent before": Form(
            page=f"{AT_DESK}/note",
            action="/note",
            typed={**ARTICLE, "body": ""},
            files=PAPER,
            status=422,
            then=(Step(action="/note", typed=ARTICLE),),
            sends=("addArticle", "deleteDraft"),
        ),
        "keep a draft": Form(
            page=f"{AT_DESK}/note", action="/note", typed=ARTICLE, button="deed=keep", sends=("saveDraft",)
        ),
        "discard a draft": Form(
            page=f"{AT_DESK}/note",
            action="/note",
            button="deed=discard",
            before=(DRAFT % f"{AT_DESK}/note",),
            sends=("deleteDraft",),
        ),
    },
    "/modules/{module}/{row}/desk/change/{group}": {
        "state": _change("state", state="open"),
        "a pending state": _change("state", state="pending reminder", pendingUntil="2031-05-06T07:08"),
        "close": Form(
            page=TICKET, action="/change/state", button="state=closed successful", sends=("updateTicket",), who=AGENT
        ),
        "queue": _change("queue", queue="Junk"),
        "priority": _change("priority", priority="5 very high"),
        "owner": _change("owner", owner=AGENT),
        "responsible": _change("responsible", responsible=AGENT),
        "lock": _change("lock", lock="lock"),
        "type": _change("type", type="Fault"),
        "title": _change("title", title="Fire"),
        "customer": _change("customer", customer="Bolts"),
    },
    "/modules/{module}/{row}/desk/take": {
        "take": Form(page=TICKET, action="/take", sends=("updateTicket",), who=AGENT)
    },
    "/modules/{module}/{row}/desk/watch": {
        "watch": Form(page=TICKET, action="/watch", sends=("watchTicket",), who=AGENT)
    },
    "/modules/{module}/{row}/desk/unwatch": {
        "unwatch": Form(page=TICKET, action="/unwatch", before=(WATCHED,), sends=("unwatchTicket",))
    },
    "/modules/{module}/{row}/desk/merge": {
        "merge": Form(
            page=f"{AT_DESK}/merge", action="/merge", typed={"other": "<scanner>"}, sends=("mergeTickets",), who=AGENT
        )
    },
    "/modules/{module}/{row}/desk/unmerge": {
        "unmerge": Form(page=TICKET, action="/unmerge", before=(MERGED,), sends=("unmergeTickets",), who=AGENT)
    },
    "/modules/{module}/{row}/desk/link": {
        "link": Form(page=f"{AT_DESK}/link", action="/link", typed={"other": "<scanner>"}, sends=("linkTickets",)),
        "child": Form(
            page=f"{AT_DESK}/link",
            action="/link",
            typed={"other": "<scanner>", "way": "CHILD"},
            sends=("linkTickets",),
            who=AGENT,
        ),
    },
    "/modules/{module}/{row}/desk/unlink": {
        "unlink": Form(page=f"{AT_DESK}/links", action="/unlink", before=(LINKED,), sends=("unlinkTickets",))
    },
    "/admin/modules/new": {
        "empty": Form(page="/admin/modules/new", typed={"name": "lamp"}),
        "from a table": Form(page="/admin/modules/new", typed={"table": "salutation"}),
        "from a spreadsheet": Form(page="/admin/modules/new", typed={"name": "lamp", "csv": "name,watts\nLow,5\n"}),
        "an extension": Form(page="/admin/modules/new", typed={"extend": "team"}),
    },
    "/admin/modules/file": {
        "check": Form(page=FILE, action="/file", typed={"source": LAMP}, button="do=check"),
        "publish": Form(
            page="/admin/modules/new",
            typed={"name": "lamp"},
            then=(Step(action="/file", typed={"source": LAMP}, button="do=publish"),),
            sends=("publishModule",),
        ),
        "keep a draft": Form(
            page=FILE, action="/file", typed={"source": LAMP}, button="do=draft", sends=("saveModuleDraft",)
        ),
        "forget a draft": Form(
            page=FILE,
            action="/file",
            typed={"source": LAMP},
            button="do=draft",
            then=(Step(action="/file", button="do=forget"),),
            sends=("saveModuleDraft", "deleteModuleDraft"),
        ),
    },
    "/admin/modules/{module}/history": {
        "roll back": Form(
            page=FILE,
            action="/file",
            typed={"source": CHANGED},
            button="do=publish",
            then=(Step(page="/admin/modules/task/history"),),
            sends=("publishModule", "rollbackModule"),
        ),
    },
    "/admin/modules/{module}/fields": {
        "add": Form(
            page="/admin/modules/task/fields",
            typed={"name": "colour"},
            then=(Step(action="/file", button="do=publish"),),
            sends=("publishModule",),
        ),
        "remove": Form(page="/admin/modules/task/fields", typed={"was": "paper"}, button="do=remove"),
    },
    "/admin/modules/{module}/rules": {
        "show": Form(page="/admin/modules/task/rules", typed=SIZE, button="do=show"),
        "publish": Form(page="/admin/modules/task/rules", typed=SIZE, button="do=publish", sends=("publishModule",)),
    },
    "/admin/modules/{module}/rules/{field}": {
        "change": Form(
            page="/admin/modules/task/rules",
            typed=SIZE,
            button="do=publish",
            then=(Step(page="/admin/modules/task/rules/length", typed={"r0.text": "very long"}, button="do=publish"),),
            sends=("publishModule", "publishModule"),
        ),
    },
    "/admin/modules/{module}/lambdas/{field}": {
        "try": Form(
            page="/admin/modules/task/lambdas/size", typed={"code": "return {text: 'x'};"}, button="do=preview"
        ),
        "save": Form(
            page="/admin/modules/task/lambdas/size",
            typed={"code": "return {text: 'x'};"},
            button="do=save",
            sends=("publishModule",),
        ),
    },
    "/desk/new": {
        "a ticket": Form(
            page="/desk/new",
            typed={
                "title": "Smoke",
                "queue": "Raw",
                "body": "It smokes.",
                "customerUser": CUSTOMER,
                "priority": "4 high",
                "owner": AGENT,
            },
            files=PAPER,
            sends=("createTicket", "deleteDraft"),
            who=AGENT,
        ),
        "a note": Form(
            page="/desk/new",
            typed={"title": "Smoke", "queue": "Raw", "body": "It smokes.", "contact": "note"},
            sends=("createTicket", "deleteDraft"),
            who=AGENT,
        ),
        "other choices": Form(page="/desk/new", typed={"queue": "Raw", "body": "Hm."}, button="deed=refresh"),
        "keep a draft": Form(
            page="/desk/new", typed={"title": "Smoke", "body": "Half"}, button="deed=keep", sends=("saveDraft",)
        ),
        "discard a draft": Form(
            page="/desk/new", button="deed=discard", before=(DRAFT % "/desk/new",), sends=("deleteDraft",)
        ),
    },
    "/desk/draft": {
        "keep": Form(
            page="/desk/new", to="/desk/draft", typed={"place": "/desk/new", "body": "Half"}, sends=("saveDraft",)
        ),
        "discard": Form(
            page="/desk/new",
            to="/desk/draft",
            typed={"place": "/desk/new"},
            button="deed=discard",
            before=(DRAFT % "/desk/new",),
            sends=("deleteDraft",),
        ),
    },
    "/admin/rights/keys": {
        "of an agent": _keys("agents", "<rea>"),
        "of a role": _keys("roles", "<helper>"),
        "of a company": _keys("companies", "acme"),
        "of a customer": _keys("customers", CUSTOMER),
    },
    "/admin/rights/agents/{login:path}": {
        "roles": Form(
            page=f"/admin/rights/agents/{AGENT}",
            action=f"/agents/{AGENT}",
            typed={"role": "<helper>"},
            sends=("setAgentRoles",),
        )
    },
    "/admin/rights/roles/{role}": {
        "add": Form(page="/admin/rights/roles/<helper>", typed={"login": AGENT}, sends=("setAgentRoles",)),
        "remove": Form(
            page="/admin/rights/roles/<helper>",
            typed={"do": "remove", "login": AGENT},
            before=(ROLE,),
            sends=("setAgentRoles",),
        ),
    },
    "/my/new": {
        "a request": Form(
            page="/my/new",
            typed={"title": "Smoke", "queue": "Raw", "body": "It smokes."},
            files=PAPER,
            sends=("createTicket",),
            who=CUSTOMER,
        )
    },
    "/my/{row}": {
        "an answer": Form(
            page="/my/<ticket>",
            action="/my/<ticket>",
            typed={"body": "Still."},
            files=PAPER,
            sends=("addArticle",),
            who=CUSTOMER,
        )
    },
    "/profile/password": {
        "change": Form(
            page="/profile",
            action="/password",
            typed={"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD, "again": NEW_PASSWORD},
            sends=("changePassword",),
            who=OTIS,
            of_session=THIS_SESSION,
        ),
    },
    "/profile/session": {
        "end": Form(page="/profile", action="/session", sends=("revokeSession",), who=SID, of_session=THIS_SESSION)
    },
    "/profile/sessions": {
        "end": Form(
            page="/profile", action="/sessions", sends=("revokeOtherSessions",), who=SUE, of_session=THIS_SESSION
        )
    },
    "/profile/tokens": {
        "make": Form(
            page="/profile",
            action="/tokens",
            typed={"name": "robot"},
            sends=("createApiToken",),
            who=AGENT,
            of_session="the page shows which session asks",
        )
    },
    "/profile/token": {"revoke": Form(page="/profile", action="/token", before=(TOKEN,), sends=("revokeApiToken",))},
    "/look": {"dark": Form(page="/look", action="/look", typed={"theme": "dark"})},
}
# What takes POST and is no form of the pages, with the reason. `/graphql`, which they are compared with, is no route.
OTHERS: Mapping[str, str] = {
    "/files": "it takes files for operations; forms with files are compared with it",
    "/login": "it makes a session out of a password, before anybody could send an operation",
    "/logout": "it ends the browser's session and takes its cookie; `revokeSession` ends others",
    "/auth/login": "the same for programs",
    "/auth/refresh": "the same for programs",
    "/auth/logout": "the same for programs",
}
