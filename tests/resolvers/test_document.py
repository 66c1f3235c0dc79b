"""Documents that the server must survive: refused by their size before validation, or answered as the specification says."""

import contextlib
import time

import pytest
from graphql import GraphQLSchema, build_schema, get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

import resolvers.document
from resolvers.document import Document, DocumentCode, DocumentRefused, Documents
from resolvers.lexing import MAX_NESTING, LinedSource, parse_text
from resolvers.limits import Limits

SCHEMA = build_schema("""
  type Query { queue(id: ID, filter: QueueFilter, name: String): Queue queues(ids: [Int]): QueueConnection tickets: [Ticket] }
  type Mutation { rename(name: String): Queue }
  input QueueFilter { and: [QueueFilter!] not: QueueFilter id: IntFilter name: StringFilter }
  input IntFilter { eq: Int in: [Int!] }
  input StringFilter { eq: String in: [String!] }
  type QueueConnection { edges: [QueueEdge] nodes: [Queue] }
  type QueueEdge { node: Queue }
  type Queue { id: ID! name: String group: Group tickets: [Ticket] queues: QueueConnection }
  type Group { id: ID! name: String queue: Queue }
  type Ticket { id: ID! title: String queue: Queue }
""")


def prepare(text: str, limits: Limits | None = None, schema: GraphQLSchema = SCHEMA) -> Document:
    return Documents(limits or Limits()).prepare(text, schema, "v1")


def refusal(text: str, limits: Limits | None = None) -> tuple[DocumentCode, str]:
    with pytest.raises(DocumentRefused) as refused:
        prepare(text, limits)
    return refused.value.code, str(refused.value)


@pytest.fixture
def never_validates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test when the document gets as far as validation."""

    def validate(*_: object, **__: object) -> None:
        pytest.fail("the document was validated")

    monkeypatch.setattr(resolvers.document, "validate", validate)


def numbered(count: int, text: str) -> str:
    """Repeat a text with `%d` for its number and `%n` for the next one."""
    return " ".join(text.replace("%d", str(number)).replace("%n", str(number + 1)) for number in range(count))


TOO_MUCH = {
    "B1 a field 2,000 times": ("{" + "tickets{id} " * 500 + "}", "more than 2000 tokens"),
    "B1 a field 480 times with a selection": ("{queue{" + "group{name} " * 480 + "}}", "more than 300 selections"),
    "B1 a field 25 times": ("{queue{" + "group{name} " * 25 + "}}", "selects one name more than 20 times"),
    "B1 merged through fragments": (
        "{queue{...A ...B}} fragment A on Queue{" + "name " * 15 + "} fragment B on Queue{" + "name " * 15 + "}",
        "selects one name more than 20 times",
    ),
    "B1 merged one level below": (
        "{queue{" + ("group{" + "name " * 6 + "} ") * 6 + "}}",
        "selects one name more than 20 times",
    ),
    "B2 __typename is not exempt": ("{" + "__typename " * 9_000 + "}", "more than 2000 tokens"),
    "B2 220 kB": ("{" + "__typename " * 20_000 + "}", "longer than 100000 bytes"),
    "B4 aliases": ("{" + numbered(31, "a%d:__typename") + "}", "more than 30 aliases"),
    "B6 unused fragments": (
        "{queue{id}}" + numbered(60, "fragment F%d on Queue{id}"),
        "more than 50 fragments",
    ),
    "B6 fragments that double": (
        "{queue{...F0}}"
        + numbered(9, "fragment F%d on Queue{a:group{queue{...F%n}} b:group{queue{...F%n}}}")
        + "fragment F9 on Queue{id}",
        "deeper than 12 levels",
    ),
    "B7 depth 13": ("{queue{" + "group{queue{" * 6 + "id" + "}}" * 6 + "}}", "deeper than 12 levels"),
    "B7 depth 150": ("{queue" + "{group{queue" * 75 + "{id}" + "}}" * 75 + "}", f"deeper than {MAX_NESTING} brackets"),
    "B7 depth of a value": ("{queue(filter:" + "{not:" * 70 + "{}" + "}" * 70 + "){id}}", "brackets"),
    "B7 depth of a type": ("query($a:" + "[" * 70 + "Int" + "]" * 70 + "){queue{id}}", "brackets"),
    "B7 depth through fragments": (
        "{queue{...F0}}" + numbered(13, "fragment F%d on Queue{group{queue{...F%n}}}") + "fragment F13 on Queue{id}",
        "deeper than 12 levels",
    ),
    "B8 two schemas": ("{a:__schema{description} b:__schema{description}}", "Ask for `__schema` once"),
    "B8 schema beside data": ("{__schema{description} queue{id}}", "Ask for `__schema` once"),
    "B8 introspection that multiplies": (
        "{__schema{types{fields{type{fields{name}}}}}}",
        "nests lists of types inside introspection",
    ),
    "B8 deep introspection": (
        '{__type(name:"Queue"){' + "ofType{" * 16 + "name" + "}" * 16 + "}}",
        "deeper than 15 levels",
    ),
    "B13 operations": (numbered(6, "query Q%d{queue{id}}"), "more than 5 operations"),
    "B14 directives": ("{queue{" + "id " + "... @include(if:true){id} " * 51 + "}}", "more than"),
    "B15 a name of 64 kB": ("{" + "a" * 64_000 + "}", "a name of more than 255 characters"),
    "B16 mutations": ("mutation{" + numbered(11, "m%d:rename{id}") + "}", "more than 10 root fields in a mutation"),
    "B17 commas": ("{" + "," * 100_001 + "queue{id}}", "longer than 100000 bytes"),
    "B17 comments": ("{queue{id}}" + "#\n" * 2_100, "more than 2000 tokens"),
    "B17 a long comment": ("{queue{id}} #" + "x" * 30_000, "literal values and comments"),
    "B17 lines": ("{" + "\n" * 6_000 + "queue{id}}", "more than 5000 lines"),
    "B17 bytes, not characters": ("{queue{id}} #" + "\N{RUNNER}" * 26_000, "longer than 100000 bytes"),
    "root fields": ("{" + numbered(21, "r%d:queue{id}") + "}", "more than 20 root fields"),
    "literal values": ("{queues(ids:[" + "1 " * 600 + "]){nodes{id}}}", "more than 500 arguments and literal values"),
    "variables": ("query(" + numbered(101, "$v%d:ID") + "){queue{id}}", "more than 100 variables"),
    "a long string": ('{queue(name:"' + "\\n" * 15_000 + '"){id}}', "Send long values as variables"),
    "a long block string": ('{queue(name:"""' + " x" * 15_000 + '"""){id}}', "Send long values as variables"),
    "only brackets": ("{" * 99_000, "brackets"),
    "only quotes": ('"' * 99_000, "more than 2000 tokens"),
}


@pytest.mark.usefixtures("never_validates")
@pytest.mark.parametrize("name", TOO_MUCH)
def test_too_much_is_refused_before_validation(name: str) -> None:
    text, words = TOO_MUCH[name]

    code, message = refusal(text)

    assert code == "COMPLEXITY_LIMIT"
    assert words in message


ALLOWED = {
    "depth 12": "{queue{" + "group{queue{" * 5 + "id" + "}}" * 5 + "}}",
    "plumbing does not count": "{queues{edges{node{" + "queues{nodes{" * 10 + "id" + "}}" * 10 + "}}}}",
    "20 equal siblings": "{queue{" + "group{id} " * 20 + "}}",
    "30 aliases": "{queue{" + numbered(30, "a%d:id") + "}}",
    "B15 strange names": "query mutation{...__schema} fragment __schema on Query{queue{id}}",
    "B17 a byte order mark": "\ufeff{queue{id}}",
    "B17 carriage returns": "query{\rqueue{\r\nid}\r}",
    "the standard introspection": get_introspection_query(
        descriptions=True, specified_by_url=True, directive_is_repeatable=True, schema_description=True,
        input_value_deprecation=True, one_of=True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
def test_what_clients_send_passes(name: str) -> None:
    assert prepare(ALLOWED[name]).operations


INVALID = {
    "B6 a cycle": ("{queue{...A}} fragment A on Queue{...B} fragment B on Queue{...A}", "Cannot spread fragment"),
    "B6 a fragment in itself": ("{queue{...A}} fragment A on Queue{group{queue{...A}}}", "Cannot spread fragment"),
    "B6 unused": ("{queue{id}} fragment A on Queue{id}", "Fragment 'A' is never used."),
    "B14 defer": ("{queue{...@defer{id}}}", "Unknown directive '@defer'."),
    "B14 stream": ("{tickets @stream{id}}", "Unknown directive '@stream'."),
    "a type definition": ("{queue{id}} type Queue{id:ID}", "The 'Queue' definition is not executable."),
    "B9 no suggestion": ("{queue{nam}}", "Cannot query field 'nam' on type 'Queue'."),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_document_is_named_so(name: str) -> None:
    text, words = INVALID[name]

    code, message = refusal(text)

    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert words in message


@pytest.mark.parametrize(
    "text", ["", "{", "{queue{id}", "queue", "{queue(name:'x'){id}}", "{a\x00}", "\ud800", '{a(b:"\n")}']
)
def test_what_does_not_parse_is_named_so(text: str) -> None:
    assert refusal(text)[0] == "GRAPHQL_PARSE_FAILED"


def test_suggestions_are_for_development() -> None:
    with pytest.raises(DocumentRefused, match=r"Did you mean 'name'\?"):
        Documents(Limits(), suggestions=True).prepare("{queue{nam}}", SCHEMA, "v1")


def test_introspection_can_be_switched_off() -> None:
    documents = Documents(Limits(), introspection=False)

    with pytest.raises(DocumentRefused, match="introspection"):
        documents.prepare("{__schema{description}}", SCHEMA, "v1")
    assert documents.prepare("{__typename}", SCHEMA, "v1")


def test_an_error_names_line_and_column() -> None:
    with pytest.raises(DocumentRefused) as refused:
        prepare("{\r\n  queue {\r    id\n    wrong\n  }\n}")

    assert refused.value.errors[0].locations == [(4, 5)]


def test_the_operation_is_chosen_by_name() -> None:
    document = prepare("query A{queue{id}} query B{tickets{id}}")

    assert document.operation("B").name.value == "B"  # type: ignore[union-attr] # it was found by its name
    for name in (None, "C", ""):
        with pytest.raises(DocumentRefused) as refused:
            document.operation(name)
        assert refused.value.code == "BAD_REQUEST"


def test_a_document_is_prepared_once_for_each_schema() -> None:
    documents = Documents(Limits())

    first = documents.prepare("{queue{id}}", SCHEMA, "v1")

    assert documents.prepare("{queue{id}}", SCHEMA, "v1") is first
    assert documents.prepare("{queue{id}}", SCHEMA, "v2") is first, "parsed once, held against the new schema"
    with pytest.raises(DocumentRefused):
        documents.prepare("{queue{id}}", build_schema("type Query { room: Int }"), "v3")
    assert documents.prepare("{queue{id}}", SCHEMA, "v2") is first


def test_the_cache_keeps_what_was_used_last() -> None:
    documents = Documents(Limits(), cache_size=2)
    first = documents.prepare("{queue{id}}", SCHEMA, "v1")
    documents.prepare("{queue{name}}", SCHEMA, "v1")
    documents.prepare("{queue{id}}", SCHEMA, "v1")

    documents.prepare("{tickets{id}}", SCHEMA, "v1")

    assert documents.prepare("{queue{id}}", SCHEMA, "v1") is first


PIECES = st.sampled_from(
    [*"{}()[]:$!@=|&", "...", "query", "fragment F on Queue", "on", "a", "queue", "name", "id", "group", "1", "-2.5e3",
     '"text"', '"\\u0041\\n"', '"""block\n  text"""', '""', "#comment\n", "\n", "\r\n", "\r", ",", " ", "\t", "\ufeff", "é", '"', "'", "\\"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=60).map("".join))
def test_the_quick_lexer_reads_what_the_original_reads(text: str) -> None:
    def outcome(parse_it: object) -> object:
        try:
            return parse_it(text).to_dict(locations=True)  # type: ignore[operator] # one of the two parsers
        except Exception as error:  # noqa: BLE001 - compared with the other's
            return str(getattr(error, "message", error)), getattr(error, "positions", None)

    assert outcome(parse_text) == outcome(parse)


@given(st.text(alphabet="a\n\r ", max_size=40), st.integers(0, 40))
def test_places_are_counted_as_the_original_counts_them(text: str, position: int) -> None:
    original = parse("{a}").loc.source.__class__(text)  # type: ignore[union-attr] # it has a location

    assert LinedSource(text).get_location(min(position, len(text))) == original.get_location(min(position, len(text)))


@given(st.lists(PIECES, min_size=1, max_size=40).map("".join), st.integers(1, 3_000))
def test_any_document_gets_a_verdict(piece: str, times: int) -> None:
    started = time.process_time()

    with contextlib.suppress(DocumentRefused):
        prepare((piece * times)[:100_000])

    # No figure, that is the benchmark's: only that nothing explodes.
    assert time.process_time() - started < 2
