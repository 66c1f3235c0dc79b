"""What a page asked the API for, to look at and to try in GraphiQL: the operation travels in the fragment of an address."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from graphql import OperationDefinitionNode, parse, print_ast

MOST_SHOWN = 8  # operations of one page
VARIABLES_LETTERS = 12_000
ADDRESS_LETTERS = 32_000  # of the fragment; browsers take much more
KEPT = 1_000
# A fragment is never sent to a server, so it stands in no log. These may stand in it as they are (RFC 3986).
_PLAIN = "!$'()*,;:@/?"


@dataclass(frozen=True, slots=True)
class Sent:
    """An operation of a page. `caption` is the key of a text; a form offers what its button will send."""

    document: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation ready for a template. `variables` is none where they are too long, `address` where all of it is."""

    name: str
    document: str
    variables: str | None
    address: str
    caption: str


def show_queries(sent: Iterable[Sent]) -> Sequence[Shown]:
    """Return the different operations of a page, as people read them."""
    found: dict[tuple[str, str], Shown] = {}
    for item in sent:
        variables = json.dumps(item.variables, ensure_ascii=False, indent=2) if item.variables else ""
        if len(found) < MOST_SHOWN:
            found.setdefault((item.document, variables), _shown(item, variables))
    return list(found.values())


def _shown(item: Sent, variables: str) -> Shown:
    name, document = pretty(item.document)
    if len(variables) > VARIABLES_LETTERS:
        return Shown(name, document, None, "", item.caption)
    return Shown(name, document, variables, graphiql_address(document, variables), item.caption)


def graphiql_address(document: str, variables: str = "") -> str:
    """Return where GraphiQL opens an operation; it runs nothing by itself. Empty where the address would be too long."""
    parts = {"query": document, **({"variables": variables} if variables else {})}
    fragment = "&".join(f"{name}={quote(text, safe=_PLAIN)}" for name, text in parts.items())
    return f"/graphiql#{fragment}" if len(fragment) <= ADDRESS_LETTERS else ""


@lru_cache(KEPT)
def pretty(document: str) -> tuple[str, str]:
    """Return the name of a document's operation, and the document on many lines; it says the same."""
    node = parse(document, no_location=True)
    named = (item.name.value for item in node.definitions if isinstance(item, OperationDefinitionNode) and item.name)
    return next(named, ""), print_ast(node)
