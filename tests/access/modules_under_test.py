"""The module files of these tests: a desk of its own with rules of every kind, and the tables that they stand on."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from storage.columns import WallClock

# Groups as OTRS has them: everybody sees all.
GRP = """
module: {name: grp, plural_name: grps, table: permission_groups, operations: [view]}
fields:
  - {name: name, type: string, unique: true}
access: {agent: {view: true}, customer: {view: true}}
"""

# A queue: rows by the groups of the caller, fields by group and for one audience only, an expression over a hidden field.
TRAY = """
module: {name: tray, table: w_tray, operations: [view, create, update, upsert, delete, bulk]}
fields:
  - {name: name, type: string, required: true, unique: true, searchable: true}
  - {name: grp, column: group_id, type: reference, to: grp, required: true}
  - {name: budget, type: int}
  - {name: remark, type: text, searchable: true}
  - {name: open, type: bool, default: true}
relations:
  - {name: jobs, to: job, by: tray}
computed_fields:
  - {name: double_budget, type: int, sql: "budget * 2"}
  - {name: name_length, type: int, sql: "length(name)"}
  - {name: pitch, type: json, needs: [name, budget, remark, group_id], args: {tone: string}, lambda: return item}
access:
  agent:
    view: {group: users}
    create: {group: users, key: create, check: {grp: {databaseId: {in: $me.groups.rw}}}}
    update: {group: users, key: rw, rows: {grp: {databaseId: {in: $me.groups.rw}}}}
    delete: {role: Supervisors, rows: {open: {eq: false}}}
    rows: {grp: {databaseId: {in: $me.groups.ro}}}
  customer:
    view: true
    rows: {open: {eq: true}}
  fields:
    budget: {agent: {group: finance}, customer: false}
    remark: {customer: false}
    grp: {customer: false}
"""

# A ticket: many ways to be seen, one way never to be; softly deleted.
JOB = """
module: {name: job, table: w_job, operations: [view, create, update, upsert, delete, bulk]}
features: {soft_delete: true}
search: {full_text: true, below: [notes, children.notes, parent]}
fields:
  - {name: number, type: string, required: true, unique: true, searchable: true}
  - {name: title, type: string, searchable: true}
  - {name: tray, column: tray_id, type: reference, to: tray, required: true}
  - {name: owner, column: owner_id, type: reference, to: person}
  - {name: buyer, column: buyer_login, type: reference, to: client, by: login}
  - {name: company, type: string}
  - {name: firm, column: firm_code, type: reference, to: firm, by: code}
  - {name: taxed, column: tax_code, type: reference, to: firm, by: tax}
  - {name: reviewer, column: reviewer_id, type: reference, to: person}
  - {name: parent, column: parent_id, type: reference, to: job}
  - {name: memo, column: memo_id, type: reference, to: memo}
  - {name: state, type: select, default: open, options: [{name: OPEN, value: open}, {name: SHUT, value: shut}, {name: SECRET, value: secret}]}
  - {name: hot, type: bool, default: false}
  - {name: internal, type: bool, default: false}
  - {name: price, type: decimal}
  - {name: due, type: datetime}
  - {name: secret_note, type: string, searchable: true}
  - {name: validity, column: valid_id, type: validity, default: VALID}
relations:
  - {name: children, to: job, by: parent}
  - {name: notes, to: note, by: job}
  - {name: watches, to: watch, by: job}
  - {name: labels, to: label, through: w_job_label, here: job_id, there: label_id}
computed_fields:
  - name: told
    type: json
    needs:
      [number, title, price, secret_note, internal, tray.name, tray.budget, tray.grp.name, owner.login,
       buyer.email, buyer.company, firm.rating, firm.tax, firm.title, taxed.title, reviewer.login, parent.number,
       parent.secret_note, parent.tray.name, parent.tray.budget, memo.text, tray_id, memo_id, tax_code, reviewer_id]
    lambda: return item
  - {name: asked, type: json, needs: [tray_id, title], lambda: "return gql()"}
  - {name: verdict, type: badge, needs: [state, hot], lambda: return badge(item.state)}
access:
  agent:
    view: {group: users}
    create: {group: users, key: create, rows: {tray: {grp: {databaseId: {in: $me.groups.create}}}}}
    update:
      group: users
      key: rw
      rows: {tray: {grp: {databaseId: {in: $me.groups.rw}}}}
      check: {tray: {grp: {databaseId: {in: $me.groups.move_into}}}}
    delete: {role: Supervisors, rows: {hot: {eq: false}}}
    rows:
      or:
        - {tray: {grp: {databaseId: {in: $me.groups.ro}}}}
        - {owner: {databaseId: {eq: $me.id}}}
        - {watches: {some: {agentId: {eq: $me.id}}}}
      not: {state: {eq: SECRET}}
  customer:
    view: true
    create: {rows: {buyerLogin: {eq: $me.login}}}
    update: {rows: {buyerLogin: {eq: $me.login}}, check: {buyerLogin: {eq: $me.login}, company: {in: $me.customerIds}}}
    rows:
      or: [{buyerLogin: {eq: $me.login}}, {company: {in: $me.customerIds}}]
      not: {internal: {eq: true}}
  fields:
    price: {agent: {group: finance}, customer: false}
    secret_note: {agent: {role: Supervisors}, customer: false}
    reviewer: {agent: {role: Supervisors}, customer: false}
    taxed: {customer: false}
    internal: {customer: false}
    owner: {customer: false}
    watches: {customer: false}
    labels: {customer: false}
    memo: {customer: false}
    verdict: {customer: false}
"""

# What belongs to a job: who wrote it may change it.
NOTE = """
module: {name: note, table: w_note, operations: [view, create, update, delete, bulk]}
search: {full_text: true, below: job}
fields:
  - {name: job, column: job_id, type: reference, to: job, required: true}
  - {name: text, type: text, searchable: true}
  - {name: inner, column: is_inner, type: bool, default: false}
  - {name: created_by, column: create_by, type: reference, to: person, readonly: true}
computed_fields:
  - {name: told, type: json, lambda: return item}
access:
  agent:
    view: {group: users}
    create: {group: users, key: note}
    update: {group: users, key: note, rows: {createdBy: {databaseId: {eq: $me.id}}}}
    delete: {group: users, key: note, rows: {createdBy: {databaseId: {eq: $me.id}}}}
    rows: {job: {tray: {grp: {databaseId: {in: $me.groups.ro}}}, not: {state: {eq: SECRET}}}}
  customer:
    view: true
    rows: {job: {company: {in: $me.customerIds}, not: {internal: {eq: true}}}, not: {inner: {eq: true}}}
  fields:
    created_by: {customer: false}
"""

# Found by a code that several may have; a reference leads to the oldest that the caller sees.
FIRM = """
module: {name: firm, table: w_firm, operations: [view, create, update, upsert, delete]}
fields:
  - {name: code, type: string, required: true, searchable: true}
  - {name: title, type: string, searchable: true}
  - {name: tax, type: string}
  - {name: rating, type: int}
  - {name: open, type: bool, default: true}
relations:
  - {name: jobs, to: job, by: firm}
access:
  agent:
    view: {group: users}
    create: {group: users, key: rw}
    update: {group: users, key: rw}
    delete: {group: users, key: rw}
    rows: {open: {eq: true}}
  customer: {view: true, rows: {code: {in: $me.customerIds}}}
  fields:
    rating: {agent: {group: finance}, customer: {group: partners}}
    tax: {agent: {group: finance}, customer: false}
"""

WATCH = """
module: {name: watch, plural_name: watches, table: w_watch, operations: [view, create, delete]}
fields:
  - {name: job, column: job_id, type: reference, to: job, required: true}
  - {name: agent_id, type: int, required: true}
access:
  agent:
    view: {group: users}
    create: {group: users, key: ro, rows: {agentId: {eq: $me.id}}}
    delete: {group: users, key: ro}
    rows: {agentId: {eq: $me.id}}
"""

LABEL = """
module: {name: label, table: w_label, operations: [view, create, update, delete]}
fields:
  - {name: name, type: string, required: true, searchable: true}
  - {name: shared, type: bool, default: true}
relations:
  - {name: jobs, to: job, through: w_job_label, here: label_id, there: job_id}
access:
  agent:
    view: {group: users}
    create: {group: users}
    update: {group: users, rows: {jobs: {some: {owner: {databaseId: {eq: $me.id}}}}}, check: {shared: {eq: true}}}
    delete: {role: Supervisors}
    rows: {shared: {eq: true}}
"""

# No rule at all: administrators alone.
MEMO = """
module: {name: memo, table: w_memo, operations: [view, create, update, delete]}
fields:
  - {name: text, type: string, searchable: true}
"""

PERSON = """
module: {name: person, plural_name: persons, table: users, operations: [view]}
fields:
  - {name: login, type: string, unique: true}
relations:
  - {name: owned, to: job, by: owner}
  - {name: reviewed, to: job, by: reviewer}
access: {agent: {view: true}}
"""

# Customers, with OTRS's dynamic fields; an address is for few.
CLIENT = """
module: {name: client, table: customer_user, operations: [view, update]}
fields:
  - {name: login, type: string, required: true, unique: true, searchable: true}
  - {name: email, type: email, required: true}
  - {name: company, column: customer_id, type: string, required: true}
relations:
  - {name: jobs, to: job, by: buyer}
computed_fields:
  - {name: told, type: json, lambda: return item}
access:
  agent:
    view: {group: users}
    update: {group: users, key: rw}
    rows: {company: {notIn: [hidden-co, gone-co]}}
  customer:
    view: true
    rows: {or: [{login: {eq: $me.login}}, {company: {in: $me.customerIds}}]}
  fields:
    email: {agent: {group: finance}, customer: {group: partners}}
    DynamicField_Vip: {agent: {role: Supervisors}}
    DynamicField_Note: {customer: true}
"""

# A table of a stranger with fields beside it, one of which decides about the rows.
GEAR = """
module: {name: gear, plural_name: gears, table: w_gear, operations: [view, create, update, delete, bulk]}
fields:
  - {name: name, type: string, required: true, searchable: true}
access:
  agent:
    view: {group: users}
    create: {group: users}
    update: {group: users}
    delete: {group: users}
    rows: {zone: {ne: dark}, not: {zone: {startsWith: cellar}}}
"""
GEAR_EXTENSION = """
module: {extend: gear}
fields:
  - {name: zone, type: string, searchable: true}
  - {name: pin_code, type: string}
computed_fields:
  - {name: told, type: json, needs: [name, zone, pin_code], lambda: return item}
access:
  fields:
    pin_code: {agent: {role: Supervisors}}
"""

# Rows that cannot be told apart; what is hidden stands before what is shown.
LINE = """
module: {name: line, table: w_line, key: none, operations: [view]}
fields:
  - {name: hidden_rank, type: int}
  - {name: text, type: string, searchable: true}
  - {name: tray, column: tray_id, type: reference, to: tray}
computed_fields:
  - {name: told, type: json, needs: [hidden_rank, text, tray.name, tray.budget], lambda: return item}
access:
  agent:
    view: {group: users}
    rows: {tray: {grp: {databaseId: {in: $me.groups.ro}}}}
  customer: {view: true, rows: {tray: {open: {eq: true}}}}
  fields:
    hidden_rank: {agent: {role: Supervisors}, customer: false}
"""

FILES = {
    "grp": GRP,
    "tray": TRAY,
    "job": JOB,
    "note": NOTE,
    "firm": FIRM,
    "watch": WATCH,
    "label": LABEL,
    "memo": MEMO,
    "person": PERSON,
    "client": CLIENT,
    "gear": GEAR,
    "gear_more": GEAR_EXTENSION,
    "line": LINE,
}

# Dynamic fields as OTRS keeps them: id, name, field type, object type, configuration.
DYNAMIC = (
    (901, "Note", "Text", "CustomerUser", "---\nDefaultValue: ''\n"),
    (902, "Tags", "Multiselect", "CustomerUser", "---\nPossibleValues:\n  a: A\n  b: B\n"),
    (903, "Vip", "Checkbox", "CustomerUser", "---\nDefaultValue: 0\n"),
)

_METADATA = sa.MetaData()
_Bool = sa.SmallInteger


def _table(name: str, *columns: sa.Column[Any], counted: bool = True) -> sa.Table:
    key = [sa.Column("id", sa.Integer, primary_key=True)] if counted else []
    return sa.Table(
        name,
        _METADATA,
        *key,
        *columns,
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_unicode_520_ci",
        mysql_engine="InnoDB",
        sqlite_autoincrement=counted,
    )


def _text(name: str, size: int = 100) -> sa.Column[Any]:
    return sa.Column(name, sa.String(size))


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, _Bool)


TABLES = (
    _table(
        "w_tray",
        sa.Column("name", sa.String(100), unique=True),
        _number("group_id"),
        _number("budget"),
        _text("remark"),
        _flag("open"),
    ),
    _table(
        "w_job",
        sa.Column("number", sa.String(50), unique=True),
        _text("title"),
        _number("tray_id"),
        _number("owner_id"),
        _text("buyer_login"),
        _text("company"),
        _text("firm_code"),
        _text("tax_code"),
        _number("reviewer_id"),
        _number("parent_id"),
        _number("memo_id"),
        _text("state"),
        _flag("hot"),
        _flag("internal"),
        sa.Column("price", sa.Numeric(12, 2)),
        sa.Column("due", WallClock()),
        _text("secret_note"),
        sa.Column("valid_id", sa.SmallInteger, nullable=False),
    ),
    _table("w_note", _number("job_id"), _text("text"), _flag("is_inner"), _number("create_by")),
    _table("w_firm", _text("code"), _text("title"), _text("tax"), _number("rating"), _flag("open")),
    _table("w_watch", _number("job_id"), _number("agent_id")),
    _table("w_label", _text("name"), _flag("shared")),
    _table("w_job_label", _number("job_id"), _number("label_id"), counted=False),
    _table("w_memo", _text("text")),
    _table("w_gear", _text("name")),
    _table("w_line", _number("hidden_rank"), _text("text"), _number("tray_id"), counted=False),
)
TABLE = {table.name: table for table in TABLES}
