"""The rules of these tests' modules once more, in plain Python: who may see and write what. Nothing of the product is used.

Rows are mappings of columns; a `Desk` is all rows of a database, by table and key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

GROUPS = {"users": 1, "admin": 2, "alpha": 101, "beta": 102, "gamma": 103, "finance": 104, "partners": 105}
CHANGED = 2  # the kind of a change that gave a row other values
KEYS = ("ro", "move_into", "create", "note", "owner", "priority", "rw")
TABLES = {
    "tray": "w_tray",
    "job": "w_job",
    "note": "w_note",
    "firm": "w_firm",
    "watch": "w_watch",
    "label": "w_label",
    "memo": "w_memo",
    "gear": "w_gear",
    "client": "customer_user",
    "person": "users",
    "grp": "permission_groups",
}
# Columns that fields stand on, by field.
COLUMNS = {
    "tray": {"name": "name", "grp": "group_id", "budget": "budget", "remark": "remark", "open": "open"},
    "job": {
        "number": "number",
        "title": "title",
        "tray": "tray_id",
        "owner": "owner_id",
        "buyer": "buyer_login",
        "company": "company",
        "firm": "firm_code",
        "taxed": "tax_code",
        "reviewer": "reviewer_id",
        "parent": "parent_id",
        "memo": "memo_id",
        "state": "state",
        "hot": "hot",
        "internal": "internal",
        "price": "price",
        "due": "due",
        "secret_note": "secret_note",
        "validity": "valid_id",
    },
    "note": {"job": "job_id", "text": "text", "inner": "is_inner", "created_by": "create_by"},
    "firm": {"code": "code", "title": "title", "tax": "tax", "rating": "rating", "open": "open"},
    "watch": {"job": "job_id", "agent_id": "agent_id"},
    "label": {"name": "name", "shared": "shared"},
    "memo": {"text": "text"},
    "gear": {"name": "name", "zone": "zone", "pin_code": "pin_code"},
    "client": {
        "login": "login",
        "email": "email",
        "company": "customer_id",
        "DynamicField_Note": "Note",
        "DynamicField_Tags": "Tags",
        "DynamicField_Vip": "Vip",
    },
    "person": {"login": "login"},
    "grp": {"name": "name"},
    "line": {"hidden_rank": "hidden_rank", "text": "text", "tray": "tray_id"},
}


@dataclass
class Desk:
    """All rows of one database: by table and key, what has no key as lists, the changes by id."""

    rows: dict[str, dict[int, Row]]
    lines: list[Row] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)  # of jobs and labels
    changes: dict[int, Row] = field(default_factory=dict)

    def of(self, module: str) -> dict[int, Row]:
        return self.rows[TABLES[module]]


def empty_desk() -> Desk:
    return Desk({table: {} for table in TABLES.values()})


@dataclass(frozen=True)
class Role:
    """Somebody: groups with a key each, roles, companies; agents have a number, customers a login."""

    name: str
    is_customer: bool = False
    id: int = 0
    login: str = ""
    held: tuple[tuple[str, str], ...] = ()
    roles: frozenset[str] = frozenset()
    company: str = ""
    companies: tuple[str, ...] = ()
    scope: tuple[frozenset[str], frozenset[str]] | None = None  # modules, operations

    def holds(self, group: str, key: str) -> bool:
        return any(name == group and has in (key, "rw") for name, has in self.held)

    def groups(self, key: str) -> set[int]:
        return {GROUPS[name] for name, has in self.held if has in (key, "rw")}


ROLES = {
    role.name: role
    for role in (
        Role(
            "administrator",
            id=1,
            held=(("users", "rw"), ("admin", "rw"), ("alpha", "rw"), ("beta", "rw"), ("finance", "ro")),
        ),
        Role("reader", id=11, held=(("users", "ro"), ("alpha", "ro"))),
        Role(
            "supervisor",
            id=12,
            held=(("users", "rw"), ("alpha", "rw"), ("beta", "ro"), ("gamma", "move_into"), ("beta", "create")),
            roles=frozenset({"Supervisors"}),
        ),
        Role("nobody", id=13),
        Role("customer", is_customer=True, id=21, login="carla", company="acme", companies=("acme",)),
        Role(
            "twice",
            is_customer=True,
            id=22,
            login="cyril",
            company="bolt",
            companies=("bolt", "acme"),
            held=(("partners", "ro"),),
        ),
        Role("lonely", is_customer=True, id=23, login="lena"),
        Role(
            "token",
            id=12,
            held=(("users", "rw"), ("alpha", "rw"), ("beta", "ro")),
            roles=frozenset({"Supervisors"}),
            scope=(frozenset({"tray", "job", "grp", "note"}), frozenset({"view", "update"})),
        ),
    )
}

View = Callable[["Model", Row], bool]


class Model:
    """What one role may do on one desk."""

    def __init__(self, role: Role, desk: Desk) -> None:
        self.role = role
        self.desk = desk
        self.watched = {item["job_id"] for item in desk.of("watch").values() if item["agent_id"] == role.id}
        self._may: dict[tuple[str, str], bool] = {}
        self._hidden: dict[str, frozenset[str]] = {}

    # --- modules ---

    def may(self, module: str, right: str) -> bool:
        if (module, right) not in self._may:
            self._may[module, right] = self._decide(module, right)
        return self._may[module, right]

    def _decide(self, module: str, right: str) -> bool:
        role = self.role
        if role.scope is not None and not (module in role.scope[0] and right in role.scope[1]):
            return False
        rules = _CUSTOMERS_MAY if role.is_customer else _AGENTS_MAY
        found = rules.get(module, {}).get(right)
        return found is not None and found(role) and (right == "view" or self.may(module, "view"))

    # --- fields ---

    def hidden(self, module: str) -> frozenset[str]:
        """The fields of a module's rows that the role does not see."""
        if module not in self._hidden:
            self._hidden[module] = self._hide(module)
        return self._hidden[module]

    def _hide(self, module: str) -> frozenset[str]:
        role = self.role
        found = {name for name, rule in _FIELDS.get(module, {}).items() if not rule[role.is_customer](role)}
        if role.is_customer and module == "client":
            found |= {"DynamicField_Tags", "DynamicField_Vip"}
        return frozenset(found)

    def forbidden(self, module: str) -> frozenset[str]:
        """The members that an operation of the role may not name: hidden ones, and what would tell what is in them."""
        hidden = self.hidden(module)
        found = set(hidden)
        if module == "tray" and "budget" in hidden:
            found.add("double_budget")
        for name, (target, key) in {**_REFERENCES, **_RELATIONS}.get(module, {}).items():
            if not self.may(target, "view") or (key and key in self.hidden(target)):
                found.add(name)
        return frozenset(found)

    # --- rows ---

    def sees(self, module: str, row: Row) -> bool:
        if not self.may(module, "view"):
            return False
        return (_CUSTOMERS_SEE if self.role.is_customer else _AGENTS_SEE).get(module, _everything)(self, row)

    def visible(self, module: str) -> dict[int, Row]:
        return {key: row for key, row in self.desk.of(module).items() if self.sees(module, row)}

    def may_write(self, module: str, right: str, row: Row) -> bool:
        """Whether a row that is there may be changed or removed."""
        rule = (_CUSTOMERS_WRITE if self.role.is_customer else _AGENTS_WRITE).get((module, right), _everything)
        return self.may(module, right) and self.sees(module, row) and rule(self, row)

    def may_leave(self, module: str, right: str, row: Row) -> bool:
        """Whether a row may be like this after it was made or changed."""
        side = 1 if self.role.is_customer else 0
        checks = (_AGENTS_LEAVE, _CUSTOMERS_LEAVE)[side]
        if (module, right) in checks:
            return checks[module, right](self, row)
        rule = (_AGENTS_WRITE, _CUSTOMERS_WRITE)[side].get((module, right), _everything)
        return self.sees(module, row) and rule(self, row)

    # --- all of it ---

    def shown(self) -> dict[str, Any]:
        """Everything that the role may know of a desk: rows and what is in them, links between them, their past."""
        found: dict[str, Any] = {}
        for module in TABLES:
            if self.may(module, "view"):
                names = [column for name, column in COLUMNS[module].items() if name not in self.hidden(module)]
                found[module] = {
                    key: [row.get(name) for name in names] for key, row in sorted(self.visible(module).items())
                }
        if self.may("line", "view"):
            names = [column for name, column in COLUMNS["line"].items() if name not in self.hidden("line")]
            found["line"] = sorted(
                repr([row[name] for name in names]) for row in self.desk.lines if self.sees("line", row)
            )
        if "labels" not in self.forbidden("job"):
            jobs, labels = self.visible("job"), self.visible("label")
            found["pairs"] = sorted({pair for pair in self.desk.pairs if pair[0] in jobs and pair[1] in labels})
        # Whether a row may be written is known by trying.
        found["writable"] = {
            (module, right): sorted(
                key for key, row in self.visible(module).items() if self.may_write(module, right, row)
            )
            for module in TABLES
            for right in ("update", "delete")
            if self.may(module, right)
        }
        found["changes"] = [self._told(number, change) for number, change in sorted(self.desk.changes.items())]
        found["changes"] = [item for item in found["changes"] if item is not None]
        return found

    def _told(self, number: int, change: Row) -> Any:
        module, key = change["module"], change["key"]
        if not self.may(module, "view"):
            return None
        row = self.desk.of(module).get(key)
        gone = change["gone"] if row is None else None
        if not (self.sees(module, row) if row is not None else gone is not None and self.sees(module, gone)):
            return None
        hidden = self.hidden(module)
        shown = {name: pair for name, pair in change["fields"].items() if name not in hidden}
        # Whether a change of a row changed something else along is known: `canBeUndone` tells it.
        return (
            number,
            module,
            key,
            change["kind"],
            shown,
            change["kind"] == CHANGED and len(shown) < len(change["fields"]),
        )


def _everything(_model: Model, _row: Row) -> bool:
    return True


def _nothing(_model: Model, _row: Row) -> bool:
    return False


def _member(key: str) -> Callable[[Role], bool]:
    return lambda role: role.holds("users", key)


def _all(_role: Role) -> bool:
    return True


def _none(_role: Role) -> bool:
    return False


def _supervisor(role: Role) -> bool:
    return "Supervisors" in role.roles


def _finance(role: Role) -> bool:
    return role.holds("finance", "ro")


def _partner(role: Role) -> bool:
    return role.holds("partners", "ro")


def _administrator(role: Role) -> bool:
    return role.holds("admin", "rw")


_AGENTS_MAY: Mapping[str, Mapping[str, Callable[[Role], bool]]] = {
    "grp": {"view": _all},
    "person": {"view": _all},
    "tray": {"view": _member("ro"), "create": _member("create"), "update": _member("rw"), "delete": _supervisor},
    "job": {"view": _member("ro"), "create": _member("create"), "update": _member("rw"), "delete": _supervisor},
    "note": {"view": _member("ro"), "create": _member("note"), "update": _member("note"), "delete": _member("note")},
    "firm": {"view": _member("ro"), "create": _member("rw"), "update": _member("rw"), "delete": _member("rw")},
    "watch": {"view": _member("ro"), "create": _member("ro"), "delete": _member("ro")},
    "label": {"view": _member("ro"), "create": _member("rw"), "update": _member("rw"), "delete": _supervisor},
    "memo": dict.fromkeys(("view", "create", "update", "delete"), _administrator),
    "client": {"view": _member("ro"), "update": _member("rw")},
    "gear": {"view": _member("ro"), "create": _member("rw"), "update": _member("rw"), "delete": _member("rw")},
    "line": {"view": _member("ro")},
}
_CUSTOMERS_MAY: Mapping[str, Mapping[str, Callable[[Role], bool]]] = {
    "grp": {"view": _all},
    "tray": {"view": _all},
    "job": {"view": _all, "create": _all, "update": _all},
    "note": {"view": _all},
    "firm": {"view": _all},
    "client": {"view": _all},
    "line": {"view": _all},
}
# For agents, and for customers.
_FIELDS: Mapping[str, Mapping[str, tuple[Callable[[Role], bool], Callable[[Role], bool]]]] = {
    "tray": {"budget": (_finance, _none), "remark": (_all, _none), "grp": (_all, _none)},
    "job": {
        "price": (_finance, _none),
        "secret_note": (_supervisor, _none),
        "reviewer": (_supervisor, _none),
        "internal": (_all, _none),
        "owner": (_all, _none),
        "memo": (_all, _none),
        "taxed": (_all, _none),
        "watches": (_all, _none),
        "labels": (_all, _none),
        "verdict": (_all, _none),
    },
    "note": {"created_by": (_all, _none)},
    "firm": {"rating": (_finance, _partner), "tax": (_finance, _none)},
    "client": {"email": (_finance, _partner), "DynamicField_Vip": (_supervisor, _none)},
    "gear": {"pin_code": (_supervisor, _none)},
    "line": {"hidden_rank": (_supervisor, _none)},
}
# References and relations by module: where they lead, and the field there by which they are found.
_REFERENCES: Mapping[str, Mapping[str, tuple[str, str]]] = {}
_RELATIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "tray": {"grp": ("grp", ""), "jobs": ("job", "tray")},
    "job": {
        "tray": ("tray", ""),
        "owner": ("person", ""),
        "buyer": ("client", "login"),
        "firm": ("firm", "code"),
        "taxed": ("firm", "tax"),
        "reviewer": ("person", ""),
        "parent": ("job", ""),
        "memo": ("memo", ""),
        "children": ("job", "parent"),
        "notes": ("note", "job"),
        "watches": ("watch", "job"),
        "labels": ("label", ""),
    },
    "note": {"job": ("job", ""), "created_by": ("person", "")},
    "firm": {"jobs": ("job", "firm")},
    "watch": {"job": ("job", "")},
    "label": {"jobs": ("job", "")},
    "client": {"jobs": ("job", "buyer")},
    "person": {"owned": ("job", "owner"), "reviewed": ("job", "reviewer")},
    "line": {"tray": ("tray", "")},
}


# --- rows ---


def _tray(model: Model, number: Any) -> Row:
    return model.desk.of("tray").get(number, {})


def _job(model: Model, number: Any) -> Row:
    return model.desk.of("job").get(number, {})


def _in_group(model: Model, tray: Row, key: str) -> bool:
    return tray.get("group_id") in model.role.groups(key)


def _tray_in(key: str) -> View:
    return lambda model, row: _in_group(model, _tray(model, row["tray_id"]), key)


def _agents_job(model: Model, row: Row) -> bool:
    if row["state"] == "secret":
        return False
    return _tray_in("ro")(model, row) or row["owner_id"] == model.role.id or row["id"] in model.watched


def _agents_note(model: Model, row: Row) -> bool:
    job = _job(model, row["job_id"])
    return bool(job) and _tray_in("ro")(model, job) and job["state"] != "secret"


def _customers_job(model: Model, row: Row) -> bool:
    role = model.role
    return (row["buyer_login"] == role.login or row["company"] in role.companies) and not row["internal"]


def _customers_note(model: Model, row: Row) -> bool:
    job = _job(model, row["job_id"])
    return bool(job) and job["company"] in model.role.companies and not job["internal"] and not row["is_inner"]


def _zone(_model: Model, row: Row) -> bool:
    zone = row.get("zone")
    return zone != "dark" and not (zone or "").startswith("cellar")


_AGENTS_SEE: Mapping[str, View] = {
    "tray": lambda model, row: _in_group(model, row, "ro"),
    "job": _agents_job,
    "note": _agents_note,
    "firm": lambda _model, row: row["open"] == 1,
    "watch": lambda model, row: row["agent_id"] == model.role.id,
    "label": lambda _model, row: row["shared"] == 1,
    "client": lambda _model, row: row["customer_id"] not in ("hidden-co", "gone-co"),
    "gear": _zone,
    "line": _tray_in("ro"),
}
_CUSTOMERS_SEE: Mapping[str, View] = {
    "tray": lambda _model, row: row["open"] == 1,
    "job": _customers_job,
    "note": _customers_note,
    "firm": lambda model, row: row["code"] in model.role.companies,
    "client": lambda model, row: row["login"] == model.role.login or row["customer_id"] in model.role.companies,
    "line": lambda model, row: _tray(model, row["tray_id"]).get("open") == 1,
}


def _is_author(model: Model, row: Row) -> bool:
    return bool(row["create_by"] == model.role.id)


def _owns_one(model: Model, row: Row) -> bool:
    jobs = {job for job, label in model.desk.pairs if label == row["id"]}
    return any(_job(model, job).get("owner_id") == model.role.id for job in jobs)


_AGENTS_WRITE: Mapping[tuple[str, str], View] = {
    ("tray", "update"): lambda model, row: _in_group(model, row, "rw"),
    ("tray", "delete"): lambda _model, row: row["open"] == 0,
    ("job", "create"): _tray_in("create"),
    ("job", "update"): _tray_in("rw"),
    ("job", "delete"): lambda _model, row: row["hot"] == 0,
    ("note", "update"): _is_author,
    ("note", "delete"): _is_author,
    ("watch", "create"): lambda model, row: row["agent_id"] == model.role.id,
    ("label", "update"): _owns_one,
}
_AGENTS_LEAVE: Mapping[tuple[str, str], View] = {
    ("tray", "create"): lambda model, row: _in_group(model, row, "rw"),
    ("job", "update"): _tray_in("move_into"),
    ("label", "update"): lambda _model, row: row["shared"] == 1,
}
_CUSTOMERS_WRITE: Mapping[tuple[str, str], View] = {
    ("job", "create"): lambda model, row: row["buyer_login"] == model.role.login,
    ("job", "update"): lambda model, row: row["buyer_login"] == model.role.login,
}
_CUSTOMERS_LEAVE: Mapping[tuple[str, str], View] = {
    ("job", "update"): lambda model, row: (
        row["buyer_login"] == model.role.login and row["company"] in model.role.companies
    ),
}
