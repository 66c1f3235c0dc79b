"""From the text of a document to one that may run: refused by its limits before work, parsed, validated, kept."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from graphql import GraphQLError, GraphQLSchema, GraphQLSyntaxError, specified_rules
from graphql.language import DocumentNode, OperationDefinitionNode, OperationType
from graphql.validation import ASTValidationRule, NoFragmentCyclesRule, NoSchemaIntrospectionCustomRule

from resolvers.lean import validate
from resolvers.lexing import TooMuch, check_text, parse_text
from resolvers.limits import Limits, check_limits, has_cycle

# An error costs time to make (some print a whole value of the document), and nobody reads many at once.
MAX_ERRORS = 3
# What the kept documents may weigh together, counted in characters of their texts (a parsed one weighs a multiple).
CACHE_TEXT = 500_000


class DocumentCode(StrEnum):
    """Why a document cannot run, as in `extensions.code`."""

    PARSE = "GRAPHQL_PARSE_FAILED"
    VALIDATION = "GRAPHQL_VALIDATION_FAILED"
    COMPLEXITY = "COMPLEXITY_LIMIT"
    OPERATION = "BAD_REQUEST"


class DocumentRefused(Exception):
    """A document cannot run; every error stands in `errors`."""

    def __init__(self, code: DocumentCode, errors: list[GraphQLError]) -> None:
        self.code = code
        self.errors = errors
        super().__init__(errors[0].message)


@dataclass(frozen=True)
class Document:
    """A document that fits the schema of one snapshot and audience. `digest` is the SHA-256 of its text."""

    text: str
    digest: str
    node: DocumentNode

    @cached_property
    def operations(self) -> dict[str | None, OperationDefinitionNode]:
        """The operations by name."""
        return {
            node.name.value if node.name else None: node
            for node in self.node.definitions
            if isinstance(node, OperationDefinitionNode)
        }

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Return the operation to run. Raises `DocumentRefused` when the name leaves it open."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name) if name is not None else None
        if found is None:
            message = (
                "The document has several operations: name one with `operationName`."
                if name is None
                else f"The document has no operation named {name[:100]!r}."
            )
            raise DocumentRefused(DocumentCode.OPERATION, [GraphQLError(message)])
        return found

    def is_subscription(self, name: str | None) -> bool:
        """Tell whether the operation is a subscription."""
        return self.operation(name).operation is OperationType.SUBSCRIPTION


class Documents:
    """Prepares documents and keeps those that may run, each for the newest schema that it was asked of."""

    def __init__(
        self, limits: Limits, *, introspection: bool = True, suggestions: bool = False, cache_size: int = 500
    ) -> None:
        self.limits = limits
        self.suggestions = suggestions
        self.cache_size = cache_size
        self.rules: tuple[type[ASTValidationRule], ...] = (
            specified_rules if introspection else (*specified_rules, NoSchemaIntrospectionCustomRule)
        )
        # By text: the document, and the version of the schema that it was last held against.
        self._kept: OrderedDict[str, tuple[Document, str]] = OrderedDict()
        self._weight = 0

    def prepare(self, text: str, schema: GraphQLSchema, version: str) -> Document:
        """Return the document, ready to run. `version` names the schema. Raises `DocumentRefused`."""
        kept, fits = self._kept.get(text, (None, ""))
        if kept is not None and fits == version:
            self._kept.move_to_end(text)
            return kept
        # What was parsed for an older schema need not be parsed again, only held against the new one.
        document = kept or Document(text, _digest(text), self._parse(text))
        rules = (NoFragmentCyclesRule,) if has_cycle(document.node) else self.rules
        errors = validate(schema, document.node, rules, max_errors=MAX_ERRORS, hide_suggestions=not self.suggestions)
        if errors:
            raise DocumentRefused(DocumentCode.VALIDATION, errors)
        self._keep(document, version)
        return document

    def _parse(self, text: str) -> DocumentNode:
        try:
            check_text(text, max_bytes=self.limits.document_bytes, max_tokens=self.limits.tokens)
            node = parse_text(text)
            check_limits(node, self.limits)
        except TooMuch as error:
            raise DocumentRefused(DocumentCode.COMPLEXITY, [GraphQLError(str(error))]) from None
        except GraphQLSyntaxError as error:
            raise DocumentRefused(DocumentCode.PARSE, [error]) from None
        return node

    def _keep(self, document: Document, version: str) -> None:
        if document.text not in self._kept:
            self._weight += len(document.text)
        self._kept[document.text] = (document, version)
        self._kept.move_to_end(document.text)
        while len(self._kept) > self.cache_size or self._weight > CACHE_TEXT:
            _, (dropped, _) = self._kept.popitem(last=False)
            self._weight -= len(dropped.text)


def _digest(text: str) -> str:
    # A lone surrogate has no UTF-8; it must not pass for another text either.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
