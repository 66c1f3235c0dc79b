"""What an audience cannot see is not found by its searches, not in its versions; wall clocks are of the database's zone."""

from dataclasses import replace

from schema.build import build_schema
from schema.spec import Access, Audience, AudienceAccess, Rule
from storage.engine import Database
from tests.resolvers.world import World, modules, snapshot

EVERYBODY = AudienceAccess(view=Rule(allow=True))
ACCESS = Access(agent=EVERYBODY, customer=EVERYBODY, fields={"comment": {"customer": Rule()}})
SEARCH = '{queues(search: "slow") {totalCount} queueAggregate(search: "slow") {count}}'
VERSION = "{queue(by: {databaseId: 1}) {version}}"


def hide_comments(world: World) -> None:
    made = modules(world.database.dialect.name)
    made["queue"] = replace(made["queue"], access=ACCESS)
    schemas = {audience: build_schema(made, audience) for audience in Audience}
    world.snapshot = replace(world.snapshot, modules=made, schemas=schemas)


async def test_a_search_does_not_look_into_what_the_audience_cannot_see(world: World) -> None:
    hide_comments(world)
    seen = await world.data(SEARCH)
    assert seen["queues"]["totalCount"] == seen["queueAggregate"][0]["count"] > 0
    hidden = await world.data(SEARCH, audience=Audience.CUSTOMER)
    assert hidden == {"queues": {"totalCount": 0}, "queueAggregate": [{"count": 0}]}


async def test_a_version_is_made_of_what_the_audience_can_see(world: World) -> None:
    hide_comments(world)
    for audience, changes in ((Audience.AGENT, True), (Audience.CUSTOMER, False)):
        before = await world.data(VERSION, audience=audience)
        async with world.database.transaction() as transaction:
            await transaction.execute("UPDATE queue SET comments = 'changed' WHERE id = 1")
        after = await world.data(VERSION, audience=audience)
        async with world.database.transaction() as transaction:
            await transaction.execute("UPDATE queue SET comments = 'fast' WHERE id = 1")
        assert (before != after) is changes


async def test_wall_clocks_are_read_and_compared_in_the_zone_of_the_database(url: str) -> None:
    database = Database(url, db_time_zone="Europe/Berlin")
    try:
        world = World(database, snapshot(database.dialect.name))
        stored = "2026-02-28T12:00:00"  # of queue 1, without a zone
        text = "query($f: QueueFilter) {queues(filter: $f) {nodes {databaseId createdAt}}}"
        data = await world.data(text, {"f": {"createdAt": {"eq": f"{stored}+01:00"}}})
        assert data["queues"]["nodes"] == [{"databaseId": 1, "createdAt": "2026-02-28T11:00:00Z"}]
        assert (await world.data(text, {"f": {"createdAt": {"gt": f"{stored}+01:00"}}}))["queues"]["nodes"] == []
    finally:
        await database.close()
