"""The feed of all changes, and subscriptions to those of a module: as before and as now, held against a filter."""

from collections.abc import AsyncIterator
from typing import Any

from graphql import parse, validate

from resolvers.context import Context
from resolvers.execute import answer_event
from resolvers.selection import Selections, select
from resolvers.subscribe import ChangeNode, Follower, analyse_subscription
from storage.changes import read_since
from tests.callers import everything
from tests.writes.world import SECRET, Desk, fresh

CHANGES = """query ($since: String, $first: Int = 100, $types: [String!]) {
  changes(since: $since, first: $first, types: $types) {
    changes { id kind type rowId changedFields by { login } node { id ... on Priority { name } } }
    cursor hasMore
  }
}"""


async def position(desk: Desk) -> str:
    cursor: str = (await desk.ask("{ changes { cursor changes { id } } }"))["changes"]["cursor"]
    return cursor


async def changes(desk: Desk, since: str, **how: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.ask(CHANGES, {"since": since, **how}))["changes"]
    return found


async def test_a_client_learns_what_came_since_its_cursor(desk: Desk) -> None:
    since = await position(desk)
    name = fresh("p")
    row = await desk.made("Priority", {"name": name})
    patch = {"key": {"id": row["id"]}, "patch": {"validity": "INVALID"}}
    await desk.write("updatePriority", patch)
    page = await changes(desk, since)
    told = [(item["kind"], item["type"], item["rowId"], item["changedFields"]) for item in page["changes"]]
    assert told == [
        ("CREATED", "Priority", row["id"], ["name", "validity"]),
        ("UPDATED", "Priority", row["id"], ["validity"]),
    ]
    assert [item["node"] for item in page["changes"]] == [{"id": row["id"], "name": name}] * 2
    assert not page["hasMore"]
    assert (await changes(desk, page["cursor"]))["changes"] == []


async def test_pages_of_the_feed_lose_and_repeat_nothing(desk: Desk) -> None:
    since = await position(desk)
    rows = [await desk.made("Priority", {"name": fresh("p")}) for _ in range(5)]
    found: list[str] = []
    cursor, more = since, True
    while more:
        page = await changes(desk, cursor, first=2)
        found += [item["rowId"] for item in page["changes"]]
        cursor, more = page["cursor"], page["hasMore"]
    assert found == [row["id"] for row in rows]


async def test_a_client_may_ask_for_some_types_only(desk: Desk) -> None:
    since = await position(desk)
    await desk.made("Priority", {"name": fresh("p")})
    role = await desk.made("Role", {"name": fresh("r")})
    page = await changes(desk, since, types=["Role"])
    assert [item["rowId"] for item in page["changes"]] == [role["id"]]
    assert await desk.code(CHANGES, {"since": since, "types": ["Nope"]}) == "BAD_REQUEST"


async def test_a_forged_cursor_of_the_feed_is_refused(desk: Desk) -> None:
    since = await position(desk)
    for forged in ("", "x", since[:-1] + ("A" if since[-1] != "A" else "B")):
        assert await desk.code(CHANGES, {"since": forged}) == "BAD_REQUEST"


async def test_statements_of_the_feed_are_one_a_type_and_not_one_a_row(desk: Desk) -> None:
    since = await position(desk)
    for _ in range(2):
        await desk.made("Priority", {"name": fresh("p")})
    desk.seen.clear()
    await changes(desk, since, types=["Priority"])
    few = len(desk.seen)
    for _ in range(6):
        await desk.made("Priority", {"name": fresh("p")})
    desk.seen.clear()
    await changes(desk, since, types=["Priority"])
    assert len(desk.seen) == few


# --- subscriptions ---


class Watcher:
    """Holds what is committed against a subscription, change by change."""

    def __init__(self, desk: Desk, query: str, variables: dict[str, Any] | None = None) -> None:
        self.desk = desk
        self.document = parse(query)
        context = self.context()
        assert validate(context.schema, self.document) == []
        self.selections: Selections = select(context.schema, self.document, None, variables)
        node = analyse_subscription(context, self.selections)
        assert node is not None
        self.node: ChangeNode = node
        self.position = 0

    def context(self) -> Context:
        return Context(self.desk.snapshot, self.desk.database, SECRET, everything())

    async def skip(self) -> None:
        async for _ in self.changes():
            pass

    async def changes(self) -> AsyncIterator[Any]:
        more = True
        while more:
            batch = await read_since(self.desk.database, self.position, 500)
            self.position, more = batch.upto, batch.more
            for change in batch.changes:
                yield change

    async def told(self) -> list[dict[str, Any]]:
        """What the subscriber has been told since."""
        found = []
        async for change in self.changes():
            if change.module != self.node.module.name:
                continue
            event = await Follower(self.context(), self.node).event(change)
            if event is not None:
                result = await answer_event(self.context(), self.selections, self.document, self.node.key, event)
                assert result.errors is None, result.errors
                assert result.data is not None
                found.append(result.data[self.node.key])
        return found


async def watch(desk: Desk, query: str, variables: dict[str, Any] | None = None) -> Watcher:
    watcher = Watcher(desk, query, variables)
    await watcher.skip()
    return watcher


async def test_a_subscriber_is_told_of_rows_that_come_change_and_go(desk: Desk) -> None:
    watcher = await watch(desk, "subscription { groupUserChanged { kind id groupUser { permission } changedFields } }")
    user = await desk.made(
        "User", {"login": fresh("u"), "password": "zebras plough", "firstName": "A", "lastName": "B"}
    )
    given = {"user": {"id": user["id"]}, "group": {"name": "users"}, "permission": "RO"}
    row = await desk.made("GroupUser", given)
    (came,) = await watcher.told()
    assert (came["kind"], came["id"], came["groupUser"]) == ("CREATED", row["id"], {"permission": "RO"})
    await desk.write("deleteGroupUser", {"key": {"id": row["id"]}})
    (went,) = await watcher.told()
    assert went == {
        "kind": "DELETED",
        "id": row["id"],
        "groupUser": None,
        "changedFields": ["user", "group", "permission"],
    }


async def test_a_row_that_leaves_the_filter_is_gone_for_the_subscriber(desk: Desk) -> None:
    prefix = fresh("in")
    query = (
        """subscription ($f: PriorityFilter) { c: priorityChanged(filter: $f) { kind id version priority { name } } }"""
    )
    watcher = await watch(desk, query, {"f": {"name": {"startsWith": prefix}, "validity": {"eq": "VALID"}}})
    row = await desk.made("Priority", {"name": f"{prefix} one"})

    async def rename(name: str) -> list[tuple[str, Any]]:
        await desk.write("updatePriority", {"key": {"id": row["id"]}, "patch": {"name": name}})
        return [(item["kind"], item["priority"] and item["priority"]["name"]) for item in await watcher.told()]

    assert [item["kind"] for item in await watcher.told()] == ["CREATED"]
    assert await rename(f"{prefix} two") == [("UPDATED", f"{prefix} two")]
    outside = fresh("out")
    assert await rename(outside) == [("DELETED", None)]
    assert await rename(fresh("out")) == []
    assert await rename(f"{prefix} back") == [("UPDATED", f"{prefix} back")]


async def test_filters_through_references_hold_for_the_row_as_it_was(desk: Desk) -> None:
    query = """subscription ($f: GroupUserFilter) { groupUserChanged(filter: $f) { kind groupUser { permission } } }"""
    login = fresh("u")
    user = await desk.made("User", {"login": login, "password": "zebras plough", "firstName": "A", "lastName": "B"})
    matching = await watch(desk, query, {"f": {"user": {"login": {"eq": login}}, "permission": {"in": ["RO", "RW"]}}})
    other = await watch(desk, query, {"f": {"user": {"login": {"eq": login}}, "permission": {"eq": "NOTE"}}})
    given = {"user": {"id": user["id"]}, "group": {"name": "users"}, "permission": "RO"}
    row = await desk.made("GroupUser", given)
    await desk.write("deleteGroupUser", {"key": {"id": row["id"]}})
    # When the creation is looked at the row is gone already: what is told is the row as it is now.
    assert [item["kind"] for item in await matching.told()] == ["DELETED"]
    assert await other.told() == []


async def test_the_version_of_an_event_is_that_of_the_row(desk: Desk) -> None:
    watcher = await watch(desk, "subscription { priorityChanged { version priority { version } } }")
    row = await desk.made("Priority", {"name": fresh("p")}, "id version")
    (told,) = await watcher.told()
    assert told == {"version": row["version"], "priority": {"version": row["version"]}}
