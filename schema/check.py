"""From the files of a module to the module as data, or to every problem with them at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schema.captions import words
from schema.check_access import RIGHTS, ROW_FILTERS, check_access, make_access
from schema.check_field import FieldContext, make_field
from schema.check_member import make_action, make_computed, make_hooks, make_relation, make_schedule, plain_filter
from schema.check_name import MEMBERS, Broken, check_names
from schema.expressions import parse_condition, parse_select
from schema.merge import LISTS, Merged, merge, read_sections
from schema.names import is_plural, plural
from schema.problems import Place, Problem, suggest
from schema.secrets import is_reserved_table
from schema.source import Source
from schema.spec import Caption, Field, Hook, Module, Operation, Search
from schema.spot import Entry, Findings, listed
from schema.sql_reader import ExpressionError

# Part of every digest: a change of what files mean makes every module new.
FORMAT = "1"
NO_KEY = "none"
_DEFAULT_OPERATIONS = frozenset({Operation.VIEW, Operation.CREATE, Operation.UPDATE, Operation.DELETE})
# Keys whose place matters when a module meets the database.
_BOUND_KEYS: Mapping[str, Sequence[str]] = {
    "fields": ("column", "type", "to", "by", "options", "default", "lookup_table", "lookup_condition"),
    "relations": ("to", "by", "through", "here", "there", "where"),
    "computed_fields": ("needs", "sql"),
}


def check_module(sources: Sequence[Source]) -> tuple[Module | None, list[Problem]]:
    """Make a module of its files, lowest layer first; None when there is an error. Never raises."""
    findings = Findings()
    module, _ = _checked(sources, findings)
    return (None if findings.has_errors else module), findings.problems


def partial_module(sources: Sequence[Source]) -> Module | None:
    """Make a module of what is right in its files, so that binding it finds what else is wrong. It must never serve.

    None when too little is left: then binding would only complain about what the errors took away.
    """
    module, is_telling = _checked(sources, Findings())
    return module if is_telling else None


def unsaid(problems: Sequence[Problem], more: Sequence[Problem]) -> list[Problem]:
    """Return of what binding found what checking has not said already (row rules are looked at by both)."""
    said = {(problem.file, problem.code, problem.message) for problem in problems}
    return [problem for problem in more if (problem.file, problem.code, problem.message) not in said]


def _checked(sources: Sequence[Source], findings: Findings) -> tuple[Module | None, bool]:
    """Make a module of what is right, and answer whether it says enough to be bound for a report."""
    for source in sources:
        findings.problems += source.problems
    documents = [read_sections(source, findings) for source in sources]
    read = [document for document in documents if document is not None]
    if not read or len(read) < len(sources) or sources[0].role == "extend":
        return None, False
    merged = merge(read, findings)
    if merged is None or "name" not in merged.header:
        if merged is not None and not merged.header.says("name"):
            findings.add(merged.header.spot, "missing-key", "`module` has no `name`.", "Add `name:`.")
        return None, False
    module = _module(merged, sources, findings)
    broken = _broken(merged, module)
    if broken:
        module = replace(module, broken=frozenset(item.name for item in broken))
    findings.problems += _with_excerpts(check_names(module, broken), sources)
    _check_tables(merged.header, module, findings)
    check_access(merged.access, module, findings)
    _check_uses(merged, findings)
    is_lost = any(document.is_wrong(name) for document in read for name in LISTS)
    is_refused = any(is_reserved_table(name) for name in module.tables)
    is_lost = is_lost or merged.header.is_wrong("table") or merged.header.is_wrong("key")
    return module, not (is_lost or is_refused)


def _broken(merged: Merged, module: Module) -> list[Broken]:
    """Find the members that have a name and nothing else that could be used."""
    made = {
        item.place for items in (module.fields, module.relations, module.computed, module.actions) for item in items
    }
    return [
        Broken(entry["name"], what, place)
        for section, what in MEMBERS.items()
        for entry, _ in merged.lists[section]
        if "name" in entry and (place := entry.at("name").place) not in made
    ]


def _module(merged: Merged, sources: Sequence[Source], findings: Findings) -> Module:
    header = merged.header
    name = header["name"]
    fields = _fields(merged, findings)
    operations = _operations(merged, findings)
    declared_key = _declared_key(header, merged, operations, findings)
    if declared_key == () and merged.operations is None:
        operations = frozenset({Operation.VIEW})
    singular = header.get("singular") or Caption(words(name))
    plural_name = header.get("plural_name") or (name if is_plural(name) else plural(name))
    lists = merged.lists
    return Module(
        name=name,
        plural_name=plural_name,
        singular=singular,
        plural=header.get("plural") or Caption(words(plural_name)),
        place=header.at("name").place,
        files=tuple(source.file for source in sources),
        digest=_digest(sources),
        description=header.get("description"),
        notice=header.get("notice"),
        section=header.get("section"),
        icon=header.get("icon"),
        tables=tuple(header.get("table") or (name,)),
        optional=bool(header.get("optional", False)),
        operations=operations,
        fields=fields,
        relations=_kept(make_relation(entry, findings) for entry, _ in lists["relations"]),
        computed=_kept(make_computed(entry, findings, gotrs=merged.gotrs) for entry, _ in lists["computed_fields"]),
        hooks=(*_hooks(merged, findings), *_rule_hooks(merged, findings)),
        actions=_kept(make_action(entry, findings) for entry, _ in lists["actions"]),
        schedules=_kept(make_schedule(entry, findings) for entry, _ in lists["schedules"]),
        access=make_access(merged.access, findings),
        filters=_filters(merged, findings),
        features=dict(merged.features),
        search=_search(merged),
        ui=_ui(merged),
        lambda_config=dict(merged.lambda_config),
        translations=dict(merged.translations),
        declared_key=declared_key,
        places=_places(merged),
    )


def _kept(items: Any) -> tuple[Any, ...]:
    return tuple(item for item in items if item is not None)


def _digest(sources: Sequence[Source]) -> str:
    text = "\n".join((FORMAT, *(f"{source.file} {source.digest}" for source in sources)))
    return hashlib.sha256(text.encode()).hexdigest()


def _fields(merged: Merged, findings: Findings) -> tuple[Field, ...]:
    entries = merged.lists["fields"]
    names = {entry["name"] for entry, _ in entries if "name" in entry}
    said: dict[str, set[str]] = {"unique_fields": set(), "required_fields": set()}
    patterns: dict[str, Entry] = {}
    for part in merged.validation:
        for key, found in said.items():
            found.update(_known(part.get(key) or (), names, part, key, findings))
        _collect_patterns(part, names, patterns, findings)
    hidden = {name for name, _ in merged.hidden}
    context = FieldContext(
        frozenset(said["required_fields"]), frozenset(said["unique_fields"]), frozenset(hidden), patterns
    )
    made = (make_field(entry, context, findings, extension=extension) for entry, extension in entries)
    return tuple(item for item in made if item is not None)


def _known(wanted: Sequence[str], names: set[str], part: Entry, key: str, findings: Findings) -> list[str]:
    for name in wanted:
        if name not in names:
            findings.add(
                part.at(key),
                "unknown-field",
                f"`{key}` names `{name}`, which is no field.",
                suggest(name, names) or f"Fields: {listed(sorted(names))}.",
            )
    return [name for name in wanted if name in names]


def _collect_patterns(part: Entry, names: set[str], patterns: dict[str, Entry], findings: Findings) -> None:
    section = part.get("field_patterns")
    found: list[tuple[str | None, Entry]] = []
    if isinstance(section, Entry):
        found = list(section.items())
    elif isinstance(section, list):
        found = [(entry.get("field"), entry) for entry in section]
    found += [(rule.get("field"), rule) for rule in part.get("custom_rules") or () if "pattern" in rule]
    for name, entry in found:
        if name is None:
            findings.add(entry.spot, "missing-key", "A field pattern has no `field`.", "Add `field:`.")
        elif _known([name], names, entry, "field", findings):
            usable = Entry(entry.spot, entry.holder)
            usable.update({key: entry[key] for key in ("pattern", "message") if key in entry})
            patterns[name] = usable


def _hooks(merged: Merged, findings: Findings) -> Iterator[Hook]:
    for entry, _ in merged.lists["hooks"]:
        yield from make_hooks(entry, findings)


def _rule_hooks(merged: Merged, findings: Findings) -> tuple[Hook, ...]:
    """Make hooks of GOTRS's custom rules: they run before a row is created or changed."""
    hooks: list[Hook] = []
    for part in merged.validation:
        for rule in part.get("custom_rules") or ():
            if "lambda" not in rule and "pattern" not in rule:
                findings.add(
                    rule.spot, "missing-key", "A custom rule has neither `lambda` nor `pattern`.", "Add one of them."
                )
            if "lambda" in rule:
                entry = Entry(rule.spot, rule.holder)
                entry.update({"on": ["before_create", "before_update"], "lambda": rule["lambda"]})
                entry.patches.update(rule.patches)
                about, message = rule.get("field"), rule.get("message")
                hooks += [
                    replace(hook, is_rule=True, field=about, message=message) for hook in make_hooks(entry, findings)
                ]
    return tuple(hooks)


def _operations(merged: Merged, findings: Findings) -> frozenset[Operation]:
    if merged.header.get("read_only") is True:
        return frozenset({Operation.VIEW})
    holder = merged.operations
    if holder is None:
        return _DEFAULT_OPERATIONS
    found = frozenset(Operation(word) for word in holder["operations"])
    if not found and holder.says("permissions"):
        return _DEFAULT_OPERATIONS  # GOTRS writes `permissions: []` for everything
    if not found:
        findings.add(
            holder.at("operations", "permissions"), "bad-value", "`operations` is empty.", "Name at least `view`."
        )
    return found


def _declared_key(
    header: Entry, merged: Merged, operations: frozenset[Operation], findings: Findings
) -> tuple[str, ...] | None:
    said = header.get("key")
    if said is None:
        return None
    if said != [NO_KEY]:
        return tuple(said)
    writing = sorted(operation.value for operation in operations if operation is not Operation.VIEW)
    if merged.operations is not None and writing:
        findings.add(
            merged.operations.at("operations", "permissions"),
            "no-key",
            f"Rows without a key can only be viewed; found {', '.join(writing)}.",
            "Write `operations: [view]`, or name the columns of a key with `key:`.",
        )
    return ()


def _filters(merged: Merged, findings: Findings) -> tuple[Mapping[str, Any], ...]:
    made: list[Mapping[str, Any]] = []
    for entry, _ in merged.lists["filters"]:
        if "field" not in entry:
            continue
        found = dict(plain_filter(entry))
        query = entry.get("query")
        if query:
            try:
                if query.lstrip().lower().startswith("select"):
                    found["selection"] = parse_select(query)
                else:
                    found["condition"] = parse_condition(query)
            except ExpressionError as error:
                findings.add(
                    entry.at("query"), "bad-query", f"The query of filter `{entry['field']}`: {error}.", error.hint
                )
        made.append(found)
    return tuple(made)


def _search(merged: Merged) -> Search:
    said = merged.search
    return Search(bool(said.get("full_text", False)), said.get("of"), tuple(said.get("below") or ()))


def _ui(merged: Merged) -> Mapping[str, Any]:
    made = {
        key: merged.header[key] for key in ("default_sort", "default_sort_dir", "page_size") if key in merged.header
    }
    made.update(merged.ui)
    for key in ("form_sections", "actions"):
        if key in made:
            made[key] = tuple(dict(item) for item in made[key])
    if "list_columns" in made:
        made["list_columns"] = tuple(dict.fromkeys([*made["list_columns"], *_added_columns(merged)]))
    return made


def _added_columns(merged: Merged) -> list[str]:
    """Name what layers above want in the list: the columns that the module's own file names know nothing of it."""
    added = [entry for part in ("fields", "computed_fields") for entry, extends in merged.lists[part] if extends]
    found = [entry["name"] for entry in added if entry.get("show_in_list") and entry.get("name")]
    patched = [name for section in merged.patches for name, patch in section.items() if patch.get("show_in_list")]
    known = {entry.get("name") for entry, _ in merged.lists["fields"]}
    return [*found, *(name for name in patched if name in known)]


def _places(merged: Merged) -> Mapping[str, Place]:
    """Note where what the database may refuse stands, by path."""
    found: dict[str, Place] = {}
    for section, keys in _BOUND_KEYS.items():
        for entry, _ in merged.lists[section]:
            _note_places(found, f"{section}.{entry.get('name')}", entry, keys)
    for entry, _ in merged.lists["filters"]:
        found[f"filters.{entry.get('field')}"] = entry.spot.place
    _note_places(found, "module", merged.header, ("table", "key"))
    _note_places(found, "ui", merged.header, ("default_sort",))
    _note_places(found, "ui", merged.ui, ("list_columns", "form_sections", "actions", "default_sort"))
    _note_places(found, "features", merged.features, ("soft_delete", "status_toggle"))
    _note_places(found, "search", merged.search, ("full_text", "of", "below"))
    for part in merged.access:
        for audience in ("agent", "customer"):
            rules = part.get(audience)
            if isinstance(rules, Entry):
                _note_places(found, f"access.{audience}", rules, ROW_FILTERS)
                for right in RIGHTS:
                    if isinstance(rules.get(right), Entry):
                        _note_places(found, f"access.{audience}.{right}", rules[right], ROW_FILTERS)
    return found


def _note_places(found: dict[str, Place], path: str, entry: Entry, keys: Sequence[str]) -> None:
    for key in keys:
        if key in entry:
            found[f"{path}.{key}"] = entry.at(key).place


def _check_tables(header: Entry, module: Module, findings: Findings) -> None:
    """Refuse tables of the database itself and of Lambdesk: asking a database to make one fails in words of its own."""
    reserved = next((name for name in module.tables if is_reserved_table(name)), None)
    if reserved is not None:
        findings.add(
            header.at("table", "name"),
            "reserved-name",
            f"The table `{reserved}` belongs to the database or to Lambdesk itself and can be no module.",
            "Name another table with `table`.",
        )


def _check_uses(merged: Merged, findings: Findings) -> None:
    """Check that what names own members names ones that are there (dynamic fields appear when it is bound)."""
    names = [entry["name"] for entry, _ in merged.lists["fields"] if "name" in entry]
    for name, spot in merged.hidden:
        if name not in names:
            findings.add(
                spot,
                "unknown-field",
                f"`hide` names `{name}`, which is no field.",
                suggest(name, names) or f"Fields: {listed(names)}.",
            )


def _with_excerpts(problems: Sequence[Problem], sources: Sequence[Source]) -> list[Problem]:
    """Give problems that only know their place the line of text that stands there."""
    return [with_excerpt(problem, sources) for problem in problems]


def with_excerpt(problem: Problem, sources: Sequence[Source]) -> Problem:
    """Return a problem with the line of text at its place, if one of the sources has it."""
    if problem.excerpt is not None:
        return problem
    for source in sources:
        if source.file == problem.file:
            return Problem(
                problem.code,
                problem.message,
                problem.place,
                problem.hint,
                problem.path,
                source.excerpt(problem.line),
                problem.level,
            )
    return problem
