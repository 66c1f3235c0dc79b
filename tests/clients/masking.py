"""What schemathesis is told about our API and checks of each answer; it loads this through SCHEMATHESIS_HOOKS."""

import re
from typing import Any

import schemathesis
from graphql import ArgumentNode, ListValueNode, ObjectFieldNode, ObjectValueNode, ValueNode, Visitor, visit
from hypothesis import strategies as st
from schemathesis.graphql import nodes

# What a client can bring about by asking; anything else would be our own mistake.
CODES = {"BAD_REQUEST", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "COMPLEXITY_LIMIT"}
# Signs of the inside: SQL, stack traces, paths of the server, names of classes and drivers.
INSIDE = re.compile(
    r"Traceback|File \"|\bSELECT\b.+\bFROM\b|sqlalchemy|sqlite|asyncpg|pymysql|aiomysql|/site-packages/|\.py\b|object at 0x"
)
ONE_OF = {"by", "orderBy"}  # the arguments whose inputs are @oneOf, which schemathesis does not know yet

schemathesis.graphql.scalar("DateTime", st.datetimes().map(lambda moment: nodes.String(f"{moment.isoformat()}Z")))
schemathesis.graphql.scalar("Decimal", st.decimals(-1000, 1000, places=2).map(lambda number: nodes.String(str(number))))
schemathesis.graphql.scalar("Duration", st.integers(0, 10**6).map(nodes.Int))
schemathesis.graphql.scalar("BigInt", st.integers(-(2**63), 2**63 - 1).map(nodes.Int))
schemathesis.graphql.scalar("JSON", st.integers(0, 9).map(nodes.Int))


class OneOf(Visitor):
    """Leaves one key in each object of the arguments that want exactly one."""

    def enter_argument(self, node: ArgumentNode, *_path: Any) -> Any:
        """Mend the value of such an argument; the rest of the document stays as it was generated."""
        if node.name.value not in ONE_OF:
            return None
        return ArgumentNode(name=node.name, value=one_key(node.value))


def one_key(value: ValueNode) -> ValueNode:
    """Keep the first key of an object, and of every object below it; an empty one is left to be refused."""
    if isinstance(value, ListValueNode):
        return ListValueNode(values=tuple(one_key(item) for item in value.values))
    if isinstance(value, ObjectValueNode):
        kept = value.fields[:1]
        return ObjectValueNode(
            fields=tuple(ObjectFieldNode(name=field.name, value=one_key(field.value)) for field in kept)
        )
    return value


@schemathesis.hook  # type: ignore[untyped-decorator] # schemathesis is in another environment
def map_body(_context: Any, body: Any) -> Any:
    """Mend what schemathesis cannot know, so that its operations reach the database."""
    return visit(body, OneOf())


@schemathesis.check  # type: ignore[untyped-decorator] # schemathesis is in another environment
def answers_politely(_context: Any, response: Any, _case: Any) -> None:
    """No 5xx; every error carries a code that clients know and the id of the request, and shows nothing of the inside."""
    assert response.status_code < 500, response.text
    errors = response.json().get("errors", [])
    assert [error for error in errors if error["extensions"]["code"] not in CODES] == []
    assert [error for error in errors if not error["extensions"]["requestId"]] == []
    assert [error for error in errors if INSIDE.search(error["message"])] == []
