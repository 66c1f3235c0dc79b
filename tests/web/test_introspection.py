"""Introspection is answered beside the event loop: whoever asks for data does not wait for whoever asks for the schema."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from schema.introspection import answer
from schema.spec import Audience
from tests.web.toy import Toy
from web.lifecycle import Introspection, build

SCHEMA = "{__schema{queryType{name fields{name}}}}"
FIELDS = (
    "node",
    "nodes",
    "schemaVersion",
    "explainAccess",
    "accessOverview",
    "modules",
    "checkModule",
    "moduleFile",
    "moduleTables",
    "scaffoldModule",
    "scaffoldModuleFromCsv",
    "moduleVersions",
    "savedViews",
    "importJob",
    "viewer",
    "lambdaSandbox",
    "previewLambda",
    "lambdaDeliveries",
    "lambdaSchedules",
    "lambdaSecrets",
    "ticketHold",
    "ticketLinks",
    "drafts",
    "textTemplates",
    "moduleDrafts",
)
TOLD = {"__schema": {"queryType": {"name": "Query", "fields": [{"name": name} for name in FIELDS]}}}


class Gate:
    """Stands before the answer and says which threads came, how many at once at most, and whether it is open."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.inside = 0
        self.most = 0
        self.came = threading.Event()
        self.open = threading.Event()

    def __call__(self, *given: Any) -> bytes | None:
        self.threads.append(threading.get_ident())
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.came.set()
        self.open.wait(10)
        self.inside -= 1
        return answer(*given)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """What the real introspection goes through."""
    made = Gate()
    monkeypatch.setattr("web.lifecycle.answer", made)
    yield made
    made.open.set()


@pytest.fixture
async def desk() -> Toy:
    """The small world with a schema that is made as the real one, and the real introspection."""
    toy = Toy()
    toy.registry.schema = build({}, {})[Audience.AGENT]
    await toy.registry.publish("v2")
    toy.live.introspect = Introspection()
    return toy


async def test_data_is_answered_while_the_schema_is_written(desk: Toy, gate: Gate) -> None:
    asking = [asyncio.create_task(desk.data(SCHEMA)) for _ in range(3)]
    await asyncio.to_thread(gate.came.wait, 10)

    assert await desk.data("{modules{name}}") == {"modules": []}
    assert not any(task.done() for task in asking)

    gate.open.set()
    assert await asyncio.gather(*asking) == [TOLD] * 3
    assert threading.get_ident() not in gate.threads
    assert gate.most == 1


async def test_an_operation_that_asks_for_data_takes_no_thread(desk: Toy, gate: Gate) -> None:
    gate.open.set()

    assert await desk.data("{modules{name} __typename}") == {"modules": [], "__typename": "Query"}
    assert gate.threads == []

    assert await desk.data("{...F} fragment F on Query {__typename}") == {"__typename": "Query"}
    assert len(gate.threads) == 1


async def test_a_schema_that_takes_too_long_is_given_up(desk: Toy, gate: Gate) -> None:
    object.__setattr__(desk.settings, "request_seconds", 0.05)

    code, text = await desk.refused(SCHEMA)

    assert code == "TIMEOUT"
    assert text == "The operation took longer than 0.05 seconds and was stopped."
    assert gate.came.is_set()
