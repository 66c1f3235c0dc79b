"""YAML that OTRS stores in its columns, read without trusting it: the text belongs to whoever could write the row."""

from __future__ import annotations

from typing import Any

import yaml

SIZE_LIMIT_BYTES = 1_000_000
DEPTH_LIMIT = 32  # the composer recurses in C and would take the process down
NODE_LIMIT = 100_000  # counted with every alias written out, as JSON would write it


class _Loader(yaml.CSafeLoader):
    """The safe loader; dates stay texts, as OTRS means them."""


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(text: str) -> Any:
    """Load one document, or raise ValueError when it is broken, too big, too deep or a bomb of aliases."""
    if len(text) > SIZE_LIMIT_BYTES:
        raise ValueError("The YAML text is too big.")
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("The YAML text is broken.") from error


class _Dumper(yaml.CSafeDumper):
    """The safe dumper, without anchors: OTRS's reader knows them, people who edit such texts do not."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML calls it so
        """Write out everything."""
        return True


def dump_yaml(value: Any) -> str:
    """Write what JSON can say as a document of its own, as OTRS does (`---` first)."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, explicit_start=True)


def _check_events(text: str) -> None:
    """Walk over the events, which needs no recursion, and count depth and nodes."""
    counts = [0]
    names: list[str | None] = []
    sizes: dict[str, int] = {}
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            counts.append(0)
            names.append(event.anchor)
        elif isinstance(event, yaml.CollectionEndEvent):
            size, name = counts.pop() + 1, names.pop()
            counts[-1] += size
            if name:
                sizes[name] = size
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError("The YAML text refers to itself.")
            counts[-1] += sizes[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            counts[-1] += 1
            if event.anchor:
                sizes[event.anchor] = 1
        if len(counts) - 1 > DEPTH_LIMIT or counts[-1] > NODE_LIMIT:
            raise ValueError("The YAML text is nested too deeply or too big.")
