"""The desk of the demo: groups, queues, agents, customers and what else an administrator sets up, from demo_desk.yaml."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, Any]
Clock = Callable[[float], Any]  # seconds since 1970 → what a wall-clock column is given

_HERE = Path(__file__).parent
_SETUP_DAYS = 400  # the desk was set up that long ago
_SEEDED_QUEUES = {"Postmaster": 1, "Raw": 2, "Junk": 3, "Misc": 4}
_FIRST = {"group": 4, "queue": 5, "agent": 2, "type": 2, "field": 6, "template": 3}  # ids after the first rows
_ADDRESS = "desk.example"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with the group that works on it."""

    id: int
    name: str
    group_id: int
    address: str


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent, as articles and history name her."""

    id: int
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with his company and what was agreed with it."""

    login: str
    name: str
    company_id: str
    company: str
    language: str
    sla_id: int
    group: int  # which list of people he belongs to: customers keep to one another


@dataclass(frozen=True, slots=True)
class Desk:
    """What the tickets of the demo refer to."""

    queues: dict[str, Queue]
    agents: dict[int, tuple[Agent, ...]]  # by group
    customers: tuple[Customer, ...]
    types: dict[str, int]
    services: dict[str, int]
    slas: dict[int, tuple[int, int, int]]  # minutes to first answer, update, solution
    fields: dict[str, int]
    field_values: dict[str, tuple[str, ...]]


def read_plan() -> dict[str, Any]:
    """Read demo_desk.yaml."""
    plan: dict[str, Any] = yaml.safe_load((_HERE / "demo_desk.yaml").read_text(encoding="utf-8"))
    return plan


def make_desk(plan: dict[str, Any]) -> Desk:
    """Give everything of the plan its id."""
    groups = {"users": 1, "admin": 2, "stats": 3, **_numbered(plan["groups"], _FIRST["group"])}
    queues = {name: Queue(number, name, 1, f"desk@{_ADDRESS}") for name, number in _SEEDED_QUEUES.items()}
    for number, (name, (group, *_)) in enumerate(plan["queues"].items(), _FIRST["queue"]):
        queues[name] = Queue(number, name, groups[group], f"{group}@{_ADDRESS}")
    fields = plan["dynamic_fields"]
    return Desk(
        queues,
        {groups[name]: _agents_of(plan, name) for name in plan["groups"]},
        tuple(_customers(plan)),
        {"Unclassified": 1, **_numbered(plan["types"], _FIRST["type"])},
        _numbered(plan["services"], 1),
        {number: tuple(times) for number, times in enumerate(plan["slas"].values(), 1)},
        _numbered(fields, _FIRST["field"]),
        {name: tuple(values) for name, (_, _, values) in fields.items()},
    )


def desk_rows(
    plan: dict[str, Any], desk: Desk, now: datetime, clock: Clock, password_hash: str
) -> dict[str, list[Row]]:
    """Write the rows of everything but tickets, by table, in an order in which keys exist before they are used.

    Audit columns and validity are left to whoever inserts them.
    """
    groups = {"users": 1, "admin": 2, "stats": 3, **_numbered(plan["groups"], _FIRST["group"])}
    moment = (now - timedelta(days=_SETUP_DAYS)).timestamp()
    return {
        **_people(plan, groups, password_hash),
        **_setup(plan, desk, groups),
        **_agreements(plan, desk, clock(moment)),
        **_customer_rows(plan, desk, password_hash),
        **_templates(plan, desk),
        **_fields(plan, desk),
        **_calendars(plan, groups, now, clock),
    }


def _numbered(names: Any, first: int) -> dict[str, int]:
    return {name: number for number, name in enumerate(names, first)}


def _agents(plan: dict[str, Any]) -> Iterator[tuple[Agent, list[str]]]:
    """Yield every agent with the groups that she works in."""
    for number, (login, (_, first, last, roles, groups)) in enumerate(plan["agents"].items(), _FIRST["agent"]):
        rights = [name for role in roles for name, keys in plan["roles"][role].items() if "rw" in keys]
        yield Agent(number, f"{first} {last}", f"{login}@{_ADDRESS}"), [*rights, *groups]


def _agents_of(plan: dict[str, Any], group: str) -> tuple[Agent, ...]:
    return tuple(agent for agent, groups in _agents(plan) if group in groups)


def _customers(plan: dict[str, Any]) -> Iterator[Customer]:
    used = {"en": 0, "de": 0}
    for place, (company_id, (company, *_, language)) in enumerate(plan["companies"].items()):
        for _ in range(4):
            first = plan["first_names"][language][used[language]]
            last = plan["last_names"][language][used[language]]
            used[language] += 1
            login = f"{_plain(first)}.{_plain(last)}@{_domain(company_id)}"
            yield Customer(login, f"{first} {last}", company_id, company, language, place % 3 + 1, place)


def _plain(name: str) -> str:
    """Write a name as an address has it."""
    spelled = name.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    return unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()


def _domain(company_id: str) -> str:
    return f"{company_id.lower()}.example"


# --- rows ---


def _people(plan: dict[str, Any], groups: dict[str, int], password_hash: str) -> dict[str, list[Row]]:
    roles = _numbered(plan["roles"], 1)
    agents = list(enumerate(plan["agents"].items(), _FIRST["agent"]))
    return {
        "users": [
            {"id": number, "login": login, "pw": password_hash, "title": title, "first_name": first, "last_name": last}
            for number, (login, (title, first, last, _, _)) in agents
        ],
        "user_preferences": [
            {"user_id": number, "preferences_key": key, "preferences_value": value}
            for number, (login, _) in agents
            for key, value in (("UserEmail", f"{login}@{_ADDRESS}"), ("UserLanguage", "en"))
        ],
        "permission_groups": [
            {"id": groups[name], "name": name, "comments": words} for name, words in plan["groups"].items()
        ],
        "roles": [{"id": number, "name": name} for name, number in roles.items()],
        "group_role": [
            {"role_id": roles[role], "group_id": groups[name], "permission_key": key, "permission_value": 1}
            for role, rights in plan["roles"].items()
            for name, keys in rights.items()
            for key in keys
        ],
        "role_user": [
            {"user_id": number, "role_id": roles[role]} for number, (_, (*_, held, _)) in agents for role in held
        ],
        "group_user": [
            {"user_id": number, "group_id": groups[name], "permission_key": "rw"}
            for number, (_, (*_, direct)) in agents
            for name in direct
        ]
        + [{"user_id": 1, "group_id": groups[name], "permission_key": "rw"} for name in plan["groups"]],
    }


def _setup(plan: dict[str, Any], desk: Desk, groups: dict[str, int]) -> dict[str, list[Row]]:
    addresses = _numbered(plan["groups"], 2)
    queues = [queue for queue in desk.queues.values() if queue.id >= _FIRST["queue"]]
    return {
        "system_address": [
            {
                "id": number,
                "value0": f"{name}@{_ADDRESS}",
                "value1": name.title(),
                "queue_id": _main_queue(desk, groups[name]),
            }
            for name, number in addresses.items()
        ],
        "queue": [_queue_row(queue, addresses, plan["queues"][queue.name]) for queue in queues],
        "personal_queues": [
            {"user_id": agent.id, "queue_id": queue.id}
            for queue in queues
            for agent in desk.agents[queue.group_id][queue.id % 2 :: 2]
        ],
        "queue_auto_response": [{"id": 1, "queue_id": desk.queues["Support"].id, "auto_response_id": 1}],
        "ticket_type": [{"id": number, "name": name} for name, number in desk.types.items() if number > 1],
    }


def _main_queue(desk: Desk, group_id: int) -> int:
    return next(queue.id for queue in desk.queues.values() if queue.group_id == group_id)


def _queue_row(queue: Queue, addresses: dict[str, int], times: list[Any]) -> Row:
    group, first, update, solution = times
    return {
        "id": queue.id,
        "name": queue.name,
        "group_id": queue.group_id,
        "unlock_timeout": 0,
        **_deadlines(first, update, solution),
        "system_address_id": addresses[group],
        "salutation_id": 1,
        "signature_id": 1,
        "follow_up_id": 1,
        "follow_up_lock": 0,
    }


def _deadlines(first: int, update: int, solution: int) -> Row:
    names = ("first_response", "update", "solution")
    times = {f"{name}_time": minutes for name, minutes in zip(names, (first, update, solution), strict=True)}
    return {**times, **{f"{name}_notify": 80 for name in names}}


def _agreements(plan: dict[str, Any], desk: Desk, moment: Any) -> dict[str, list[Row]]:
    slas = _numbered(plan["slas"], 1)
    return {
        "service": [{"id": number, "name": name} for name, number in desk.services.items()],
        "sla": [{"id": number, "name": name, **_deadlines(*plan["slas"][name])} for name, number in slas.items()],
        "service_sla": [
            {"service_id": s, "sla_id": number} for s in desk.services.values() for number in slas.values()
        ],
        "service_customer_user": [
            {"customer_user_login": "<DEFAULT>", "service_id": number, "create_time": moment, "create_by": 1}
            for number in desk.services.values()
        ],
    }


def _customer_rows(plan: dict[str, Any], desk: Desk, password_hash: str) -> dict[str, list[Row]]:
    companies = plan["companies"]
    return {
        "customer_company": [
            {"customer_id": key, "name": name, "street": street, "zip": code, "city": city, "country": country,
             "url": f"https://{_domain(key)}/"}
            for key, (name, street, code, city, country, _) in companies.items()
        ],
        "customer_user": [
            _customer_row(number, customer, companies[customer.company_id], password_hash)
            for number, customer in enumerate(desk.customers, 1)
        ],
        "customer_preferences": [
            {"user_id": customer.login, "preferences_key": "UserLanguage", "preferences_value": customer.language}
            for customer in desk.customers
        ],
    }  # fmt: skip


def _customer_row(number: int, customer: Customer, company: list[str], password_hash: str) -> Row:
    first, last = customer.name.split(" ", 1)
    return {
        "id": number,
        "login": customer.login,
        "email": customer.login,
        "customer_id": customer.company_id,
        "pw": password_hash,
        "first_name": first,
        "last_name": last,
        "phone": f"+00 555 {1000 + number}",
        "street": company[1],
        "zip": company[2],
        "city": company[3],
        "country": company[4],
    }


def _templates(plan: dict[str, Any], desk: Desk) -> dict[str, list[Row]]:
    numbered = list(enumerate(plan["templates"].items(), _FIRST["template"]))
    return {
        "standard_template": [
            {
                "id": number,
                "name": name,
                "template_type": kind,
                "text": text,
                "content_type": "text/plain; charset=utf-8",
            }
            for number, (name, (kind, text)) in numbered
        ],
        "queue_standard_template": [
            {"queue_id": queue.id, "standard_template_id": number}
            for queue in desk.queues.values()
            if queue.id >= _FIRST["queue"]
            for number, _ in numbered
        ],
    }


def _fields(plan: dict[str, Any], desk: Desk) -> dict[str, list[Row]]:
    return {
        "dynamic_field": [
            {
                "id": desk.fields[name],
                "internal_field": 0,
                "name": name,
                "label": label,
                "field_order": desk.fields[name],
                "field_type": kind,
                "object_type": "Ticket",
                "config": yaml.safe_dump(_field_config(values), explicit_start=True, allow_unicode=True),
            }
            for name, (kind, label, values) in plan["dynamic_fields"].items()
        ]
    }


def _field_config(values: dict[str, str]) -> Row:
    if not values:
        return {"DefaultValue": ""}
    return {"DefaultValue": "", "PossibleNone": 1, "PossibleValues": values, "TranslatableValues": 0}


def _calendars(plan: dict[str, Any], groups: dict[str, int], now: datetime, clock: Clock) -> dict[str, list[Row]]:
    calendars = _numbered(plan["calendars"], 1)
    monday = now.replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    appointments = []
    for number in range(1, 16):
        name, title, place = plan["appointments"][number % len(plan["appointments"])]
        start = monday + timedelta(days=7 * (number // 5 - 1) + number % 5)
        appointments.append(
            {
                "id": number,
                "calendar_id": calendars[name],
                "unique_id": hashlib.sha256(f"{name}{number}".encode()).hexdigest()[:32] + f"@{_ADDRESS}",
                "title": title,
                "location": place,
                "start_time": clock(start.timestamp()),
                "end_time": clock((start + timedelta(hours=number % 3 + 1)).timestamp()),
                "all_day": 0,
            }
        )
    return {
        "calendar": [
            {"id": calendars[name], "group_id": groups[group], "name": name, "color": color,
             "salt_string": hashlib.sha256(name.encode()).hexdigest()}
            for name, (group, color) in plan["calendars"].items()
        ],
        "calendar_appointment": appointments,
    }  # fmt: skip
