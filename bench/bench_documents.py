"""What a document of up to 100 kB costs before anything runs: hostile shapes and random mixtures, the dearest of each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from graphql import GraphQLSchema, build_schema, get_introspection_query, parse, validate

from bench.run import Figure
from resolvers.document import DocumentRefused, Documents
from resolvers.limits import Limits

LIMIT_MS = 50.0
SIZE = 100_000
ROUNDS = 3  # the best of three: what the work costs, not what else the machine was doing
SCHEMA = build_schema("""
  type Query {
    queue(by: QueueKey, filter: QueueFilter, name: String): Queue
    queues(first: Int, after: String, filter: QueueFilter, orderBy: [QueueOrder!], ids: [Int!]): QueueConnection!
    node(id: ID!): Node
  }
  type Mutation { rename(name: String): Queue }
  interface Node { id: ID! }
  input QueueKey @oneOf { id: ID databaseId: Int name: String }
  input QueueFilter { and: [QueueFilter!] or: [QueueFilter!] not: QueueFilter id: IntFilter name: StringFilter }
  input QueueOrder @oneOf { name: Direction id: Direction }
  enum Direction { ASC DESC }
  input IntFilter { eq: Int in: [Int!] lt: Int gt: Int }
  input StringFilter { eq: String in: [String!] contains: String }
  type QueueConnection { edges: [QueueEdge!]! nodes: [Queue!]! totalCount: Int! }
  type QueueEdge { cursor: String! node: Queue! }
  type Queue implements Node { id: ID! name: String comment: String group: Group queues(first: Int, filter: QueueFilter): QueueConnection! }
  type Group implements Node { id: ID! name: String queue: Queue queues(first: Int, filter: QueueFilter): QueueConnection! }
""")
PIECES = (
    *"{}()[]:$!@=|&,.", "...", "query", "mutation", "fragment F on Queue ", "on Queue", "{id}", "{name}", "group{name}", "queues{nodes{id}}",
    "queue(by:{id:1}){id}", "a:id ", "id ", "$v:Int", "@include(if:true)", "1 ", '"text" ', '"\\u0041"', '"""block\ntext"""', "#comment\n", "\n", "\r",
    "\t", " ", "\ufeff", "\N{RUNNER}", '"', "\\", "__typename ", "__schema{types{name}}", "...F ", "true ", "null ",
)  # fmt: skip


def run(quick: bool) -> dict[str, Figure]:
    """Measure every shape, then random mixtures."""
    figures: dict[str, Figure] = {}
    naive = _cost(lambda: _validate_naively("{queue{" + "group{name} " * 240 + "}}"))
    dearest = 0.0
    for name, text in shapes().items():
        cost = _cost(lambda text=text: prepare(text))  # type: ignore[misc] # the default binds the loop's value
        dearest = max(dearest, cost)
        figures[name] = {"value": round(cost, 2), "unit": "ms CPU"}
    mixtures = [_cost(lambda text=text: prepare(text)) for text in random_texts(100 if quick else 2_000)]  # type: ignore[misc] # the same
    figures["dearest random mixture"] = {"value": round(max(mixtures), 2), "unit": "ms CPU"}
    dearest = max(dearest, *mixtures)
    figures["dearest"] = {
        "value": round(dearest, 2), "unit": "ms CPU", "ratio": round(dearest / LIMIT_MS, 3), "ratio_to": f"the limit of {LIMIT_MS:g} ms",
    }  # fmt: skip
    figures["240 equal siblings without limits"] = {"value": round(naive, 2), "unit": "ms CPU"}
    return figures


def prepare(text: str) -> None:
    """Do what the server does with a new document."""
    try:
        Documents(Limits()).prepare(text, SCHEMA, "v1")
    except DocumentRefused as refused:
        str(refused)


def _validate_naively(text: str, schema: GraphQLSchema = SCHEMA) -> None:
    validate(schema, parse(text))


def _cost(work: Callable[[], None]) -> float:
    costs = []
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        costs.append((time.process_time() - started) * 1000)
    return min(costs)


def shapes() -> dict[str, str]:
    """Return one dear document of every kind that we could think of, each as dear as the limits leave it."""

    def numbered(count: int, text: str) -> str:
        return " ".join(text.replace("%d", str(number)).replace("%n", str(number + 1)) for number in range(count))

    padding = SIZE - 100
    return {
        "introspection": get_introspection_query(input_value_deprecation=True, one_of=True),
        "siblings": "{queue{" + "group{name} " * 8_000 + "}}",
        "siblings within limits": "{" + numbered(14, "q%d:queue(by:{id:1}){" + "name " * 19 + "}") + "}",
        "nested siblings": "{" + ("queue{" + "group{" + "name " * 4 + "} " * 1 + "} ") * 5 + "}",
        "aliases": "{" + numbered(9_000, "a%d:queue{id}") + "}",
        "aliases within limits": "{queue{" + numbered(29, 'a%d:queues(first:%d,filter:{name:{eq:"x"}}){nodes{id name comment}}') + "}}",
        "nesting": "{queue" + "{group{queue" * 8_000,
        "nesting of values": "{queue(filter:" + "{not:" * 19_000,
        "nesting within limits": "{" + "queues{edges{node{" * 11 + "id" + "}}}" * 11 + "}",
        "fragments": "{queue{id}}" + numbered(2_500, "fragment F%d on Queue{id}"),
        "fragments within limits": "{queue{" + numbered(18, "...F%d") + "}}" + numbered(18, "fragment F%d on Queue{id name comment group{id name}}"),
        "fragments of fragments": "{queue{...F0}}" + numbered(45, "fragment F%d on Queue{id name ...F%n}") + "fragment F45 on Queue{id}",
        "fragments that double": "{queue{...F0}}" + numbered(45, "fragment F%d on Queue{...F%n a%d:group{queue{...F%n}}}"),
        "a cycle of fragments": "{queue{...F0}}" + numbered(49, "fragment F%d on Queue{id ...F%n}") + "fragment F49 on Queue{...F0}",
        "unused fragments": "{queue{id}}" + numbered(49, "fragment F%d on Queue{id name}"),
        "inline fragments": "{queue{" + "... on Queue{comment} " * 18 + "... on Queue{... on Queue{id}} " * 18 + "}}",
        "variables": "query(" + numbered(100, "$v%d:Int") + "){queue{id}}",
        "used variables": "query(" + numbered(100, "$v%d:Int!") + "){queues(ids:[" + numbered(100, "$v%d ") * 4 + "]){totalCount}}",
        "numbers": "{queues(ids:[" + "1 " * 490 + "]){totalCount}}",
        "unknown arguments": "{queue(" + numbered(490, "a%d:1") + "){id}}",
        "unknown input fields": "{queue(filter:{" + numbered(390, "f%d:{}") + "}){id}}",
        "equal input fields": "{queue(filter:{" + "name:{} " * 390 + "}){id}}",
        "unknown fields": "{queue{" + numbered(290, "f%d") + "}}",
        "unknown types": "{queue{" + numbered(95, "...on T%d{id}") + "}}",
        "conflicts": "{" + numbered(19, 'queue(name:"%d"){id}') + "}",
        "deep conflicts": "{" + numbered(4, "queue{queues(first:%d){nodes{group{queues(first:%d){nodes{group{id}}}}}}}") + "}",
        "directives": "{queue{" + "id @include(if:true) @skip(if:false) " * 19 + "}}",
        "operations": numbered(5, "query Q%d{queues(first:1){nodes{id name group{id name}}}}"),
        "a string": '{queue(name:"' + "x" * padding + '"){id}}',
        "a string within limits": '{queue(name:"' + "\\n" * 9_900 + '"){id}}',
        "escapes within limits": '{queue(name:"' + "\\u{41}" * 3_300 + '"){id}}',
        "a block string within limits": '{queue(name:"""' + " x\n" * 4_900 + '"""){id}}',
        "many strings": "{queues(filter:{name:{in:[" + '"x" ' * 480 + "]}}){totalCount}}",
        "comments": "{queue{id}}" + "#\n" * 49_000,
        "comments within limits": "#x\n" * 1_900 + "{queue{id}}",
        "commas": "{queue{" + "," * padding + "id}}",
        "line feeds": "{queue{" + "\n" * padding + "id}}",
        "errors far down": "\n" * 4_900 + "{queue{" + numbered(290, "f%d") + "}}",
        "carriage returns": "{queue{" + "\r" * 4_900 + "id}}",
        "a name": "{" + "a" * padding + "}",
        "outside ASCII": "{queue{id}}#" + "\N{RUNNER}" * 24_000,
        "quotes": '"' * padding,
        "brackets": "[" * padding,
        "tokens": "{" + "a" * 1 + " a" * 1_990 + "}",
        "type definitions": numbered(200, "type T%d{id:ID}"),
    }  # fmt: skip


def random_texts(count: int) -> Iterator[str]:
    """Yield mixtures of everything that a document may hold, repeated until they are large, and documents by grammar."""
    chooser = random.Random(1)
    for _ in range(count):
        yield _written(chooser)
        piece = "".join(chooser.choices(PIECES, k=chooser.randint(1, 30)))
        text = piece * chooser.choice((1, 10, 60, 100_000))
        frame = chooser.choice(
            ("%s", "{queue{%s}}", "{queues(filter:{%s}){nodes{id}}}", "{queue{...F}} fragment F on Queue{%s}")
        )
        yield frame.replace("%s", text[: SIZE - 100])


def _written(chooser: random.Random) -> str:
    """Write a document that parses and stays about within the limits."""
    left = [chooser.randint(50, 290)]
    fragments = chooser.randint(0, 12)
    names = [f"n{number}" for number in range(chooser.randint(1, 60))]
    return " ".join(
        (
            "{queue{" + _selections(chooser, left, fragments, names, 1) + "}}",
            *(
                f"fragment F{number} on Queue{{{_selections(chooser, left, fragments, names, 1)}}}"
                for number in range(fragments)
            ),
        )
    )


def _selections(chooser: random.Random, left: list[int], fragments: int, names: list[str], depth: int) -> str:
    parts = ["id"]
    for _ in range(chooser.randint(1, 25)):
        if left[0] <= 0:
            break
        left[0] -= 1
        kind = chooser.random()
        if kind < 0.1 and fragments:
            parts.append(f"...F{chooser.randrange(fragments)}")
        elif kind < 0.2:
            parts.append(
                f"...on Queue{{{_selections(chooser, left, fragments, names, depth + 1)}}}" if depth < 10 else "name"
            )
        elif kind < 0.4 and depth < 5:
            inside = _selections(chooser, left, fragments, names, depth + 2)
            arguments = chooser.choice(("", "(first:1)", '(filter:{and:[{name:{in:["a","b"]}},{id:{eq:1}}]})'))
            parts.append(f"queues{arguments}{{nodes{{{inside}}}}}")
        elif kind < 0.5:
            parts.append(f"group{{{chooser.choice(('id', 'name', 'id name'))}}}")
        else:
            alias = f"{chooser.choice(names)}:" if kind > 0.95 else ""
            parts.append(f"{alias}{chooser.choice(('id', 'name', 'comment', '__typename', *names))}")
    return " ".join(parts)
