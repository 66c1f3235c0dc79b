"""Ticket numbers are OTRS's, and never given out twice."""

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from desk.counters import KEPT_ROWS
from desk.names import Names
from desk.number_forms import check_digit, write_number
from desk.numbers import CLEAN_EVERY, Numbers
from desk.settings import GENERATORS, NumberSettings, read_settings
from desk.tables import COUNTER, TICKET
from storage.engine import Database
from storage.values import wall_clock
from tests.counts import count
from tests.desk.office import Office, open_office

DAY = datetime(2026, 1, 15, 9, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("generator", "number"),
    [("AutoIncrement", "1000042"), ("Date", "202601151042"), ("DateChecksum", "2026011510000421")],
)
def test_numbers_look_as_otrs_writes_them(generator: str, number: str) -> None:
    assert write_number(NumberSettings(generator), date(2026, 1, 15), 42) == number


def test_the_date_generator_pads_where_it_is_told_to() -> None:
    assert write_number(NumberSettings("Date", pads_date=True), date(2026, 1, 15), 42) == "20260115" + "10" + "00042"


@pytest.mark.parametrize(
    ("digits", "digit"),
    [("202601151000001", 9), ("202607281099999", 8), ("200207011010152", 3), ("2026011510000151", 1)],
)
def test_the_check_digit_is_that_of_german_railways(digits: str, digit: int) -> None:
    assert check_digit(digits) == digit


def numbers_of(office: Office, settings: NumberSettings, clock: Callable[[], datetime] = lambda: DAY) -> Numbers:
    return Numbers(office.database, Names(), settings=settings, clock=clock)


async def take(office: Office, numbers: Numbers) -> str:
    async with office.work() as work:
        return await numbers.take(work.transaction)


async def forget_counters(office: Office) -> None:
    async with office.work() as work:
        await work.transaction.execute(sa.delete(COUNTER))


async def otrs_counts(office: Office, counter: int, moment: datetime = DAY) -> None:
    """Leave the row of an OTRS; with counter 0 it has not come round to fill it."""
    uid = f"otrs{counter}{moment:%d%H%M%S}{id(moment)}"[:32]
    row = {"counter": counter, "counter_uid": uid, "create_time": wall_clock(moment, office.database.dialect.name, UTC)}
    async with office.work() as work:
        await work.transaction.execute(sa.insert(COUNTER), row)


async def test_a_number_follows_those_of_an_otrs_on_the_same_database(office: Office) -> None:
    await forget_counters(office)
    await otrs_counts(office, 7)
    await otrs_counts(office, 0)  # it sleeps now, and will find the row filled

    number = await take(office, numbers_of(office, NumberSettings("Date")))

    assert number == "20260115109"
    assert [row[0] for row in await office.rows("ticket_number_counter", columns="counter")] == [7, 8, 9]


async def test_counters_of_dates_begin_anew_every_day_and_the_others_go_on(office: Office) -> None:
    await forget_counters(office)
    await otrs_counts(office, 500, datetime(2026, 1, 14, 23, 59, 59, tzinfo=UTC))

    assert await take(office, numbers_of(office, NumberSettings("DateChecksum"))) == "2026011510000019"
    await forget_counters(office)
    await otrs_counts(office, 500, datetime(2026, 1, 14, 23, 59, 59, tzinfo=UTC))
    assert await take(office, numbers_of(office, NumberSettings("AutoIncrement"))) == "1000501"


@pytest.mark.parametrize(
    ("generator", "there", "expected"),
    [
        ("AutoIncrement", ["4200017", "4200009", "42120260115"], "4200018"),  # the last has too many digits
        ("Date", ["202601154299", "2026011542100", "202601144212345"], "2026011542101"),
        ("DateChecksum", ["2026011542000420", "2026011542000390"], "202601154200043"),
    ],
)
async def test_a_database_without_counters_goes_on_above_its_highest_number(
    office: Office, generator: str, there: list[str], expected: str
) -> None:
    await forget_counters(office)
    ids = [await office.create() for _ in there]
    async with office.work() as work:
        for number, ticket in zip(there, ids, strict=True):
            await work.transaction.execute(sa.update(TICKET).where(TICKET.c.id == ticket).values(tn=number))
    await forget_counters(office)

    number = await take(office, numbers_of(office, NumberSettings(generator, "42")))

    async with office.work() as work:
        for ticket in ids:
            await work.transaction.execute(sa.update(TICKET).where(TICKET.c.id == ticket).values(tn=f"x{ticket}"))
    assert number.startswith(expected)
    assert len(number) == len(expected) + (generator == "DateChecksum")


async def test_a_number_that_a_ticket_has_is_passed_over(office: Office) -> None:
    await forget_counters(office)
    await otrs_counts(office, 1)
    ticket = await office.create()
    async with office.work() as work:
        await work.transaction.execute(sa.update(TICKET).where(TICKET.c.id == ticket).values(tn="77000020"))

    settings = NumberSettings("AutoIncrement", "77", 6)
    await forget_counters(office)
    await otrs_counts(office, 19)
    assert await take(office, numbers_of(office, settings)) == "77000021"


async def test_random_numbers_need_no_counter(office: Office) -> None:
    await forget_counters(office)

    number = await take(office, numbers_of(office, NumberSettings("Random")))

    assert (len(number), number[:2], number.isdecimal()) == (12, "10", True)
    assert await office.rows("ticket_number_counter") == []


async def test_old_counters_are_removed_but_for_the_newest(office: Office) -> None:
    await forget_counters(office)
    for number in range(KEPT_ROWS + 5):
        await otrs_counts(office, number + 1, datetime(2026, 1, 14, 8, 0, number, tzinfo=UTC))
    numbers = numbers_of(office, NumberSettings())

    for _ in range(CLEAN_EVERY):
        await take(office, numbers)

    left = [row[0] for row in await office.rows("ticket_number_counter", columns="counter")]
    assert sorted(left) == list(range(1, CLEAN_EVERY + 1))  # those of the last ten minutes stay


async def test_an_otrs_that_has_settings_is_followed(office: Office) -> None:
    rows = {
        "Ticket::NumberGenerator": "--- Kernel::System::Ticket::Number::AutoIncrement\n",
        "SystemID": "--- '12'\n",
        "Ticket::NumberGenerator::AutoIncrement::MinCounterSize": "--- '7'\n",
        "FQDN": "--- desk.example.org\n",
    }
    async with office.work() as work:
        await set_config(office, work.transaction, rows)
        settings = await read_settings(work.transaction)
        await work.transaction.execute("DELETE FROM sysconfig_modified")
        await work.transaction.execute("DELETE FROM sysconfig_default")

    assert settings.numbers == NumberSettings("AutoIncrement", "12", 7)
    assert settings.host == "desk.example.org"


async def set_config(office: Office, transaction: object, rows: dict[str, str]) -> None:
    from storage.otrs import layout_tables  # noqa: PLC0415 - only this test needs the layout

    dialect = office.database.dialect.name
    tables = layout_tables("znuny65", dialect).tables
    moment = wall_clock(DAY, dialect, UTC)
    stamps = {"create_time": moment, "create_by": 1, "change_time": moment, "change_by": 1}
    for number, (name, value) in enumerate(rows.items(), start=1):
        stored = value.encode() if dialect == "mysql" else value
        default = {
            "id": number, "name": name, "description": stored, "navigation": "", "is_invisible": 0, "is_readonly": 0,
            "is_required": 0, "is_valid": 1, "has_configlevel": 0, "user_modification_possible": 0,
            "user_modification_active": 0, "xml_content_raw": stored, "xml_content_parsed": stored, "xml_filename": "",
            "effective_value": stored, "is_dirty": 0, "exclusive_lock_guid": "",
        }  # fmt: skip
        modified = {
            "sysconfig_default_id": number, "name": name, "is_valid": 1, "user_modification_active": 0,
            "effective_value": stored, "is_dirty": 0, "reset_to_default": 0,
        }  # fmt: skip
        await transaction.execute(sa.insert(tables["sysconfig_default"]), {**default, **stamps})  # type: ignore[attr-defined]
        await transaction.execute(sa.insert(tables["sysconfig_modified"]), {**modified, **stamps})  # type: ignore[attr-defined]


@pytest.mark.parametrize("generator", GENERATORS)
async def test_twenty_workers_never_get_the_same_number(office: Office, generator: str) -> None:
    """Where servers may share a database, the workers are those of two servers."""
    await forget_counters(office)
    wanted = count(200, 10_000) if generator == "DateChecksum" else count(60, 2_000)
    other = Database(office.database._url)
    databases = [office.database] if office.database.dialect.name == "sqlite" else [office.database, other]
    offices = [open_office(database, office.catalog) for database in databases]
    for desk in offices:
        desk.desk = replace(desk.desk, numbers=numbers_of(desk, NumberSettings(generator)))
    tickets: list[int] = []

    async def worker(number: int) -> None:
        while len(tickets) < wanted:
            tickets.append(await offices[number % len(offices)].create(title=f"Race {generator}"))

    try:
        await asyncio.gather(*(worker(number) for number in range(20)))
    finally:
        await other.close()

    numbers = [row[0] for row in await office.rows("ticket", f"title = 'Race {generator}'", "tn")]
    assert len(set(numbers)) == len(numbers) == len(tickets) >= wanted


async def test_an_otrs_that_numbers_tickets_at_the_same_time_gets_other_numbers(office: Office) -> None:
    if office.database.dialect.name == "sqlite":
        pytest.skip("OTRS knows no SQLite")
    await forget_counters(office)
    numbers = numbers_of(office, NumberSettings("AutoIncrement"))
    ours: list[int] = []
    theirs: list[int] = []

    async def lambdesk() -> None:
        while len(theirs) < count(40, 400):
            ours.append(int((await take(office, numbers))[2:]))

    async def otrs() -> None:
        while len(theirs) < count(40, 400):
            theirs.append(await count_as_otrs(office.database))

    await asyncio.gather(*(otrs() for _ in range(4)), *(lambdesk() for _ in range(3)))

    assert len(set(ours)) == len(ours) > 0
    assert set(ours).isdisjoint(theirs)  # what OTRS's processes do to each other is theirs


async def count_as_otrs(database: Database) -> int:
    """Give out a counter by OTRS's protocol: every statement by itself, and a pause in the hope that others are seen."""

    async def run(statement: sa.Select[Any] | sa.Insert | sa.Update) -> list[tuple[Any, ...]]:
        async with database.transaction() as transaction:
            return await transaction.execute(statement)

    columns = COUNTER.c
    uid = f"otrs{uuid.uuid4().hex}"[:32]
    now = wall_clock(DAY, database.dialect.name, UTC)
    await run(sa.insert(COUNTER).values(counter=0, counter_uid=uid, create_time=now))
    await asyncio.sleep(0.05)
    own = (await run(sa.select(columns.id).where(columns.counter_uid == uid)))[0][0]
    unset = sa.select(columns.id).where(columns.counter == 0, columns.id <= own).order_by(columns.id)
    for (number,) in await run(unset):
        before = sa.select(columns.counter).where(columns.id < number).order_by(columns.id.desc()).limit(1)
        found = await run(before)
        counter = (found[0][0] if found else 0) + 1
        await run(sa.update(COUNTER).where(columns.id == number, columns.counter == 0).values(counter=counter))
    return int((await run(sa.select(columns.counter).where(columns.id == own)))[0][0])
