"""A small world in which every address of the pages has something to show, and the table of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from starlette.routing import BaseRoute, Route

from web.pages.door import Door

TEAM = """\
module: {name: team, plural_name: teams, table: team, plural: Teams, section: Work}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true, searchable: true}
relations: [{name: tasks, to: task, by: team, label: Tasks}]
access: {agent: {view: true}}
"""
TASK = """\
module: {name: task, plural_name: tasks, table: task, singular: Task, plural: Tasks, section: Work, operations: [view, create, update, delete, bulk]}
fields:
  - {name: name, type: string, label: Name, required: true, unique: true, searchable: true}
  - {name: about, type: text, label: About, help: In a few words}
  - {name: hours, type: int, label: Hours, validation: {min: 0}}
  - {name: due_at, type: datetime, label: Due}
  - {name: paper, type: file, label: Paper}
  - {name: urgent, type: bool, label: Urgent, default: false}
  - {name: team, type: reference, to: team, column: team_id, label: Team}
  - {name: state, type: select, label: State, default: o, options: [{name: OPEN, value: o, label: open, tone: blue}, {name: DONE, value: d, label: done, tone: green}]}
  - {name: validity, column: valid_id, type: validity, label: Validity}
computed_fields:
  - {name: size, type: badge, label: Size, needs: [hours], lambda: "return {text: item.hours > 5 ? 'large' : 'small', tone: 'blue'};"}
actions:
  - {name: grow, label: Grow, confirm: "By how much?", args: {by: {type: int, required: true}}, lambda: "update('task', item.id, {hours: item.hours + args.by});"}
filters: [{field: state, type: select}, {field: due_at, type: date_range}]
features: {soft_delete: true}
access: {agent: {view: true}}
ui: {list_columns: [name, team, state, hours, due_at, size], default_sort: name, actions: [{name: Grow, action: grow}]}
"""
FILES: Mapping[str, str] = {"team": TEAM, "task": TASK}
# What fills it, in this order; each is an operation that must have an answer.
SETUP = (
    'mutation { createTeams(input: {teams: [{name: "North"}, {name: "South"}]}) { affected } }',
    "mutation { createTasks(input: {tasks: ["
    + ", ".join(
        f'{{name: "Task {place:02}", hours: {place}, team: {{name: "North"}}, dueAt: "2020-01-01T12:00:00Z"}}'
        for place in range(30)
    )
    + "]}) { affected } }",
    'mutation { updateTask(input: {key: {name: "Task 03"}, patch: {about: "once", hours: 7}}) { errors { code } } }',
    'mutation { deleteTask(input: {key: {name: "Task 04"}}) { errors { code } } }',
    'mutation { saveView(input: {module: "task", name: "Long", filter: {hours: {gte: 5}}}) { errors { code } } }',
)
CUSTOMER, CUSTOMER_PASSWORD = "cleo", "correct horse battery staple"
TICKET = """mutation { createTicket(input: {ticket: {title: "%s", queue: {name: "Raw"}, customerUserLogin: "cleo", customerId: "acme", article: {
  subject: "%s", body: "<p>It <b>burns</b>.</p>", contentType: "text/html", kind: PHONE_FROM_CUSTOMER, from: "Cleo <c@example.org>", visibleForCustomer: true
}}}) { errors { message } } }"""
# What the shipped modules show: two tickets of a customer who can sign in, and a role.
OFFICE = (
    'mutation { createCompany(input: {company: {databaseId: "acme", name: "Acme"}}) { errors { message path } } }',
    f"""mutation {{ createCustomerUser(input: {{customerUser: {{login: "{CUSTOMER}", password: "{CUSTOMER_PASSWORD}", email: "c@example.org",
      firstName: "Cleo", lastName: "Kay", company: {{databaseId: "acme"}}}}}}) {{ errors {{ message path }} }} }}""",
    TICKET % ("Printer", "Printer"),
    TICKET % ("Scanner", "Scanner"),
    'mutation { createRole(input: {role: {name: "helper"}}) { errors { message path } } }',
)
ROWS = """{
  three: task(by: {name: "Task 03"}) { id } four: task(by: {name: "Task 04"}) { id } team(by: {name: "North"}) { id } modules { name files }
  tickets(filter: {title: {eq: "Printer"}}) { nodes { id articles { nodes { id } } } }
}"""


class Sort(Enum):
    """What an address answers with."""

    PAGE = "a page"
    PART = "a part of a page, for htmx"
    DATA = "data for a script"
    OWN = "a page of customers"
    STREAM = "events that do not end"
    FRAME = "a mail in a frame of its own"


@dataclass(frozen=True, slots=True)
class Screen:
    """An address of a route, with places to be filled (`Places`)."""

    address: str
    sort: Sort = Sort.PAGE
    status: int = 200


DESK = "/modules/ticket/{ticket}/desk"
# Every route that shows something, by its path, with the states worth a look. A new route needs a line here.
SCREENS: Mapping[str, tuple[Screen, ...]] = {
    "/": (Screen("/"),),
    "/search": (Screen("/search"), Screen("/search?q=root"), Screen("/search?q=nowhere")),
    "/graphiql": (Screen("/graphiql"),),
    "/graphiql/examples/{module}": (Screen("/graphiql/examples/task", Sort.DATA),),
    "/modules/{module}": (
        Screen("/modules/task"),
        Screen("/modules/task?q=nowhere"),
        Screen("/modules/task?f.hours.gte=2&sort=-hours&size=25&c=name,gone"),
    ),
    "/modules/{module}/new": (Screen("/modules/task/new"),),
    "/modules/{module}/bulk": (
        Screen("/modules/task/bulk?deed=delete&all=1"),
        Screen("/modules/task/bulk?deed=set&field=hours&all=1"),
    ),
    "/modules/{module}/import": (Screen("/modules/task/import"),),
    "/modules/{module}/options/{field}": (Screen("/modules/task/options/team?team=Nor", Sort.PART),),
    "/modules/{module}/count": (Screen("/modules/task/count", Sort.PART),),
    "/modules/{module}/filter": (Screen("/modules/task/filter?f.hours.gte=2&f.team.in=North"),),
    "/modules/{module}/views": (Screen("/modules/task/views?q=task"),),
    "/modules/{module}/{row}": (Screen("/modules/task/{row}"), Screen("/modules/ticket/{ticket}")),
    "/modules/{module}/{row}/history": (Screen("/modules/task/{row}/history"),),
    "/modules/{module}/{row}/related/{relation}": (Screen("/modules/team/{team}/related/tasks"),),
    "/modules/{module}/{row}/cell/{field}": (Screen("/modules/task/{row}/cell/hours", Sort.PART),),
    "/modules/{module}/{row}/act/{action}": (Screen("/modules/task/{row}/act/grow"),),
    "/modules/{module}/{row}/edit": (Screen("/modules/task/{row}/edit"),),
    "/admin/modules": (Screen("/admin/modules"),),
    "/admin/modules/new": (Screen("/admin/modules/new"),),
    "/admin/modules/file": (Screen("/admin/modules/file?file={file}"),),
    "/admin/modules/{module}/history": (Screen("/admin/modules/task/history"),),
    "/admin/modules/{module}/fields": (Screen("/admin/modules/task/fields"),),
    "/admin/modules/{module}/lambdas/{field}": (Screen("/admin/modules/task/lambdas/size"),),
    "/admin/health": (Screen("/admin/health"),),
    "/modules/{rest:path}": (Screen("/modules/nothing/at/all/here", status=404),),
    "/live": (Screen("/live", Sort.STREAM),),
    "/dashboard": (Screen("/dashboard"),),
    "/modules/{module}/{row}/fields": (Screen("/modules/ticket/{ticket}/fields"),),
    "/modules/{module}/{row}/meanwhile": (Screen("/modules/task/{row}/meanwhile", Sort.PART),),
    "/modules/{module}/{row}/desk/articles": (Screen(f"{DESK}/articles"),),
    "/modules/{module}/{row}/desk/articles/{article}": (Screen(f"{DESK}/articles/{{article}}"),),
    "/modules/{module}/{row}/desk/articles/{article}/html": (Screen(f"{DESK}/articles/{{article}}/html", Sort.FRAME),),
    "/modules/{module}/{row}/desk/articles/{article}/split": (Screen(f"{DESK}/articles/{{article}}/split"),),
    "/modules/{module}/{row}/desk/note": (Screen(f"{DESK}/note"),),
    "/modules/{module}/{row}/desk/change/{group}": (Screen(f"{DESK}/change/state"),),
    "/modules/{module}/{row}/desk/merge": (Screen(f"{DESK}/merge"),),
    "/modules/{module}/{row}/desk/link": (Screen(f"{DESK}/link"),),
    "/modules/{module}/{row}/desk/found": (Screen(f"{DESK}/found?other=Scanner", Sort.PART),),
    "/modules/{module}/{row}/desk/customer": (Screen(f"{DESK}/customer"),),
    "/modules/{module}/{row}/desk/links": (Screen(f"{DESK}/links"),),
    "/desk": (Screen("/desk"),),
    "/desk/new": (Screen("/desk/new"),),
    "/desk/choices": (Screen("/desk/choices", Sort.PART),),
    "/desk/customers": (Screen("/desk/customers?customer=cle", Sort.PART),),
    "/desk/text": (Screen("/desk/text", Sort.PART),),
    "/my": (Screen("/my", Sort.OWN),),
    "/my/new": (Screen("/my/new", Sort.OWN),),
    "/my/{row}": (Screen("/my/{ticket}", Sort.OWN),),
    "/admin/rights": (Screen("/admin/rights"),),
    "/admin/rights/keys": (Screen("/admin/rights/keys?of=agents&holder=1&group=1"),),
    "/admin/rights/why": (
        Screen("/admin/rights/why"),
        Screen("/admin/rights/why?kind=agent&who=root@localhost&of=task&may=VIEW"),
    ),
    "/admin/rights/agents/{login:path}": (Screen("/admin/rights/agents/root@localhost"),),
    "/admin/rights/groups/{group}": (Screen("/admin/rights/groups/1"),),
    "/admin/rights/roles/{role}": (Screen("/admin/rights/roles/1"),),
    "/admin/modules/{module}/rules": (Screen("/admin/modules/task/rules"),),
    "/admin/modules/{module}/rules/{field}": (Screen("/admin/modules/task/rules/size", status=303),),
    "/profile": (Screen("/profile"), Screen("/profile?module=task")),
    "/profile/password": (Screen("/profile/password"),),
    "/profile/session": (Screen("/profile/session"),),
    "/profile/sessions": (Screen("/profile/sessions"),),
    "/profile/tokens": (Screen("/profile/tokens"),),
    "/profile/token": (Screen("/profile/token"),),
    "/look": (Screen("/look"),),
}


def places_of(data: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what the addresses of one world are filled with, from the answer to `ROWS`."""
    (ticket,) = data["tickets"]["nodes"]
    return {
        "row": data["three"]["id"],
        "off": data["four"]["id"],
        "team": data["team"]["id"],
        "file": next(item["files"][0] for item in data["modules"] if item["name"] == "task"),
        "ticket": ticket["id"],
        "article": ticket["articles"]["nodes"][0]["id"],
    }


def shown_routes(routes: Iterable[BaseRoute]) -> set[str]:
    """Return the paths of the routes that show something."""
    return {route.path for route in routes if isinstance(route, Route) and _shows(route.endpoint)}


def _shows(endpoint: Any) -> bool:
    return isinstance(endpoint, Door) and endpoint.shows


def screens(*sorts: Sort) -> list[Screen]:
    """Return all screens of these sorts."""
    return [screen for found in SCREENS.values() for screen in found if screen.sort in sorts]
