"""The module files of these tests: one field of each kind, rules of every sort, extensions, and tables that somebody else made."""

# Every kind that takes a value from a client, in a table that Lambdesk makes.
GADGET = """
module: {name: gadget, table: gadget, operations: [view, create, update, upsert, delete, bulk]}
fields:
  - {name: name, type: string, required: true, unique: true}
  - {name: story, type: text}
  - {name: notes, type: markdown}
  - {name: page, type: html}
  - {name: amount, type: int}
  - {name: big, type: bigint}
  - {name: ratio, type: float}
  - {name: price, type: decimal}
  - {name: active, type: bool}
  - {name: day, type: date}
  - {name: clock, type: time}
  - {name: moment, type: datetime}
  - {name: due, type: epoch}
  - {name: span, type: duration}
  - {name: grade, type: select, options: [{name: LOW, value: low}, {name: HIGH, value: high}]}
  - {name: mode, type: radio, options: [{name: ONE, value: "1"}, {name: TWO, value: "2"}]}
  - {name: marks, type: multiselect, options: [{name: RED, value: red}, {name: BLUE, value: blue}]}
  - {name: owner, type: reference, to: user}
  - {name: buyer, type: reference, to: customer_user, by: login}
  - {name: tint, type: color}
  - {name: mail, type: email}
  - {name: site, type: url}
  - {name: call, type: phone}
  - {name: dial, type: range}
  - {name: extra, type: json}
  - {name: config, type: yaml}
  - {name: pass, type: password}
  - {name: token_text, type: secret}
"""

# Rules and defaults.
RULED = """
module: {name: ruled, table: ruled, plural_name: rules, operations: [view, create, update, upsert, delete, bulk]}
features: {soft_delete: true}
fields:
  - {name: code, type: string, required: true, unique: true, label: {en: Code, de: Kürzel},
     validation: {pattern: "^[A-Z]+[0-9]*$", message: {en: Capitals please, de: Bitte Großbuchstaben}, max_length: 12}}
  - {name: short, type: string, validation: {min_length: 2, max_length: 4}}
  - {name: plain, type: string, validation: "^x"}
  - {name: seats, type: int, default: 4, validation: {min: 1, max: 500}}
  - {name: weight, type: decimal, default: 2.5, validation: {max: 10}}
  - {name: grade, type: select, required: true, default: low, options: [{name: LOW, value: low}, {name: HIGH, value: high}]}
  - {name: marks, type: multiselect, default: [red], options: [{name: RED, value: red}, {name: BLUE, value: blue}]}
  - {name: day, type: date, default: "2026-01-31"}
  - {name: span, type: duration, default: 90}
  - {name: open, type: bool, default: true}
  - {name: keeper, type: reference, to: user, default: 1}
  - {name: validity, column: valid_id, type: validity}
"""

# A table of a stranger (see `STRANGE`): what is unique there only by the file, and columns of unusual classes.
STRANGER = """
module: {name: stranger, table: stranger, operations: [view, create, update, delete, bulk]}
fields:
  - {name: label, type: string, unique: true}
  - {name: second, type: string, unique: true}
  - {name: flag, type: bool}
  - {name: tiny, column: tiny, type: int}
  - {name: extra, type: json}
  - {name: blob_text, type: text}
  - {name: day, type: date}
  - {name: moment, type: datetime}
  - {name: due, type: epoch}
  - {name: small, type: int}
  - {name: body, type: text}
  - {name: owner, type: reference, to: user}
  - {name: mode, type: select, options: [{name: ONE, value: 1}, {name: TWO, value: 2}]}
"""
GUARDED = """
module: {name: guarded, table: guarded, operations: [view, create, delete]}
fields:
  - {name: label, type: string}
"""

# What hooks are asked about.
HOOKED = """
module: {name: hooked, plural_name: hooks, table: hooked, operations: [view, create, update, upsert, delete, bulk]}
fields:
  - {name: name, type: string, required: true, unique: true, validation: {max_length: 20}}
  - {name: note, type: string, default: {lambda: "return 'made'"}}
  - {name: pass, type: password}
hooks:
  - {on: before_create, lambda: "return"}
  - {on: before_update, lambda: "return"}
  - {on: before_delete, lambda: "return"}
"""

# What lambdas do around writes; the tests say what each of them does.
LAB = """
module: {name: lab, table: lab, operations: [view, create, update, upsert, delete, bulk]}
features: {soft_delete: true}
fields:
  - {name: title, type: string, required: true, unique: true, label: {en: Title, de: Titel}, validation: {max_length: 40}}
  - {name: short_name, type: string, default: {lambda: "return item.title"}}
  - {name: slug, column: slug_text, type: string, default: {lambda: "return item.short_name"}}
  - {name: amount, type: int, validation: {min: 0}}
  - {name: price, type: decimal}
  - {name: due_on, type: date}
  - {name: due_at, type: datetime}
  - {name: span, type: duration}
  - {name: grade, type: select, options: [{name: LOW, value: 1}, {name: HIGH, value: 2}]}
  - {name: marks, type: multiselect, options: [{name: RED, value: red}, {name: BLUE, value: blue}]}
  - {name: owner, type: reference, to: user}
  - {name: parent, type: reference, to: lab}
  - {name: buyer, type: reference, to: customer_user, by: login}
  - {name: stamp, type: string, readonly: true}
  - {name: extra, type: json}
  - {name: pass, type: password}
  - {name: validity, column: valid_id, type: validity}
validation:
  custom_rules:
    - {name: calm, field: title, lambda: "return true", message: {en: No shouting., de: Nicht schreien.}}
    - {name: sound, lambda: "return true"}
hooks:
  - {on: before_create, lambda: "return"}
  - {on: before_create, lambda: "return"}
  - {on: before_update, lambda: "return"}
  - {on: before_delete, lambda: "return"}
actions:
  - name: bump
    label: {en: Raise the amount, de: Menge erhöhen}
    confirm: Really?
    args: {by: {type: int, default: 1}, why_not: {type: string, required: true}, since: datetime, span: {type: duration, default: 90}}
    lambda: "return"
  - {name: old_way, label: Raise, deprecated: use bump, lambda: "return"}
"""

# The same for everybody, but for what is inside.
OPEN_LAB = """
module: {name: open_lab, table: open_lab}
fields:
  - {name: title, type: string, required: true}
  - {name: inside, type: string}
hooks:
  - {on: before_create, lambda: "return"}
  - {on: before_update, lambda: "return"}
actions:
  - {name: poke, lambda: "return"}
access:
  agent: {view: true, create: true, update: {rows: {title: {ne: closed}}}, delete: true, rows: {title: {ne: hidden}}}
  fields: {inside: {agent: {group: admin, key: rw}}}
"""

# What runs in V8 itself.
WORKSHOP = """
module: {name: workshop, table: workshop, operations: [view, create, update, delete, bulk]}
lambda_config: {timeout_ms: 1500}
fields:
  - {name: title, type: string, required: true, unique: true}
  - {name: count, column: how_many, type: int, default: {lambda: "return item.title.length;"}}
  - {name: state, type: select, options: [{name: OPEN, value: 1}, {name: DONE, value: 2}]}
  - {name: opened, type: date}
  - {name: note, type: string}
validation:
  custom_rules:
    - {field: title, lambda: "return item.title !== item.title.toUpperCase();", message: No shouting.}
hooks:
  - on: before_create
    lambda: |
      if (item.title.startsWith("loop")) for (;;);
      if (item.title.startsWith("throw")) throw new Error("a secret of the author");
      if (item.title.startsWith("greedy")) { const all = []; for (;;) all.push("x".repeat(1e6).split("")); }
      if (item.title.startsWith("x")) reject("title", "No x.");
      set("note", `${me.login} ${item.how_many} ${before === null}`);
      set("opened", now);
  - on: before_update
    lambda: |
      if (item.count < before.count) reject("count", `Never less than ${before.count}.`);
      const taken = gql("query($n: Int!) { workshops(filter: {count: {eq: $n}}) { totalCount } }", {n: item.count + 1000});
      if (taken.workshops.totalCount > 0) reject("count", "Taken.");
  - {on: before_delete, lambda: "if (item.state === 1) reject('It is open.');"}
actions:
  - name: double
    args: {times: {type: int, default: 2}}
    lambda: |
      log("was", item.count);
      update("workshop", item.id, {count: item.count * args.times, state: "DONE"});
      for (let n = 0; n < 2; n++) create("workshop", {title: `${item.title} ${n}`, how_many: n});
      return {was: item.count, at: now};
  - {name: spin, lambda: "for (;;);"}
  - {name: overdo, lambda: "for (let n = 0; n < 101; n++) create('workshop', {title: `${item.title} ${n}`});"}
"""

# What customers may do something with.
SHARED_LAB = """
module: {name: shared_lab, table: shared_lab}
fields:
  - {name: title, type: string, required: true}
  - {name: thanks, type: string}
actions:
  - {name: thank, lambda: "return"}
access:
  agent: {view: true, create: true, update: true}
  customer: {view: true, update: true}
"""

QUEUE_EXTENSION = """
module: {extend: queue}
fields:
  - {name: cost_center, type: string, unique: true, validation: {max_length: 20}}
  - {name: floor, type: int}
  - {name: plan, type: json}
  - {name: door_code, type: secret}
"""
COMPANY_EXTENSION = """
module: {extend: company}
fields:
  - {name: rating, type: int}
"""
# Customers once more, without the soft deleting of the shipped module.
CLIENT = """
module: {name: client, table: customer_user, operations: [view, create, update, delete, bulk]}
fields:
  - {name: login, type: string, required: true, unique: true}
  - {name: email, type: email, required: true}
  - {name: customer, column: customer_id, type: string, required: true}
  - {name: first_name, type: string, required: true}
  - {name: last_name, type: string, required: true}
"""

FILES = {
    "gadget": GADGET,
    "ruled": RULED,
    "stranger": STRANGER,
    "guarded": GUARDED,
    "hooked": HOOKED,
    "lab": LAB,
    "open_lab": OPEN_LAB,
    "workshop": WORKSHOP,
    "shared_lab": SHARED_LAB,
    "queue": QUEUE_EXTENSION,
    "company": COMPANY_EXTENSION,
    "client": CLIENT,
}

_KEYS = {
    "sqlite": "INTEGER PRIMARY KEY",
    "mysql": "INTEGER AUTO_INCREMENT PRIMARY KEY",
    "postgresql": "SERIAL PRIMARY KEY",
}
_BLOBS = {"sqlite": "BLOB", "mysql": "LONGBLOB", "postgresql": "BYTEA"}
_MOMENTS = {"sqlite": "DATETIME", "mysql": "DATETIME", "postgresql": "TIMESTAMP(0)"}


def strange_tables(dialect: str) -> tuple[str, ...]:
    """Return statements that make tables which no file describes as a whole."""
    moment = _MOMENTS[dialect]
    stranger = (
        f"id {_KEYS[dialect]}, label VARCHAR(50), second VARCHAR(50), flag BOOLEAN, tiny BOOLEAN, extra JSON,"
        f" blob_text {_BLOBS[dialect]}, day {moment}, moment {moment}, due INTEGER, small SMALLINT, body TEXT,"
        " owner INTEGER, mode SMALLINT"
    )
    guarded = f"id {_KEYS[dialect]}, label VARCHAR(50), forgotten VARCHAR(50) NOT NULL"
    return f"CREATE TABLE stranger ({stranger})", f"CREATE TABLE guarded ({guarded})"


# Dynamic fields as OTRS keeps them: id, name, field type, object type, configuration.
DYNAMIC = (
    (901, "Note", "Text", "CustomerUser", "---\nDefaultValue: ''\n"),
    (902, "Tags", "Multiselect", "CustomerUser", "---\nPossibleValues:\n  a: A\n  b: B\n"),
    (903, "Vip", "Checkbox", "CustomerUser", "---\nDefaultValue: 0\n"),
    (904, "Since", "Date", "CustomerUser", "---\nDefaultValue: 0\n"),
    (905, "Seen", "DateTime", "CustomerUser", "---\nDefaultValue: 0\n"),
    (906, "Tier", "Dropdown", "CustomerUser", "---\nPossibleValues:\n  gold: Gold\n  iron: Iron\n"),
    (907, "Branch", "Text", "CustomerCompany", "---\nDefaultValue: ''\n"),
    (908, "Ward", "Text", "Ticket", "---\nDefaultValue: ''\n"),
)
