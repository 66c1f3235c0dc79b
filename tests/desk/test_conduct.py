"""What a write of a ticket brings with it: OTRS's history, the rules of states, the index rows."""

from datetime import UTC, date, datetime
from random import Random
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from desk.fields import field_event, field_events
from desk.history import NAME_LIMIT, Event
from resolvers.conduct import ChangeKind, RowChange
from resolvers.faults import FaultCode, Faulty
from schema.catalog import DynamicField
from schema.spec import Module
from tests.counts import count
from tests.desk.office import (
    AUTO,
    CLOSED,
    JUNK,
    LOCK,
    MERGED,
    MISC,
    NEW,
    NOW,
    OPEN,
    RAW,
    REMINDER,
    TMP_LOCK,
    UNLOCK,
    Office,
)

TOMORROW = int(datetime(2026, 1, 16, 8, 0, tzinfo=UTC).timestamp())


async def test_a_new_ticket_is_complete_and_its_history_begins(office: Office) -> None:
    ticket = await office.create(customer_id="ACME", customer_user_id="jane")

    row = await office.ticket(ticket)
    assert (row["type_id"], row["ticket_lock_id"], row["user_id"], row["responsible_user_id"]) == (1, UNLOCK, 1, 1)
    assert [row[name] for name in ("timeout", "until_time", "escalation_time", "archive_flag")] == [0, 0, 0, 0]
    assert await office.history(ticket) == [
        ("NewTicket", f"%%{row['tn']}%%Raw%%3 normal%%new%%{ticket}"),
        ("CustomerUpdate", "%%CustomerID=ACME;CustomerUser=jane;"),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"title": "Scanner"}, [("TitleUpdate", "%%Printer%%Scanner")]),
        ({"title": "x" * 60}, [("TitleUpdate", "%%Printer%%" + "x" * 50 + "...")]),
        ({"queue_id": JUNK}, [("Move", "%%Junk%%3%%Raw%%2")]),
        ({"ticket_state_id": OPEN}, [("StateUpdate", "%%new%%open%%")]),
        ({"ticket_priority_id": 5}, [("PriorityUpdate", "%%3 normal%%3%%5 very high%%5")]),
        ({"ticket_lock_id": LOCK}, [("Lock", "%%lock"), ("Misc", "Reset of unlock time.")]),
        ({"ticket_lock_id": TMP_LOCK}, [("Misc", "%%tmp_lock")]),
        ({"customer_user_id": "jane"}, [("CustomerUpdate", "%%CustomerID=;CustomerUser=jane;")]),
        ({"archive_flag": 1}, [("ArchiveFlagUpdate", "%%y")]),
        ({"type_id": None}, [("TypeUpdate", "%%NULL%%%%Unclassified%%1")]),
        (
            {"ticket_state_id": REMINDER, "until_time": TOMORROW},
            [("StateUpdate", "%%new%%pending reminder%%"), ("SetPendingTime", "%%2026-01-16 08:00")],
        ),
        ({"title": "Printer", "queue_id": RAW}, []),
    ],
)
async def test_every_change_is_told_as_otrs_tells_it(
    office: Office, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    ticket = await office.create()
    first = (await office.rows("ticket_history", f"ticket_id = {ticket}", "id"))[-1][0]

    change = await office.update(ticket, **values)

    assert await office.history(ticket, after=first) == expected
    newest = max(row[0] for row in await office.rows("ticket_history", f"ticket_id = {ticket}", "id"))
    assert change.source == (newest if expected else None)


async def test_people_and_services_are_told_by_their_names(office: Office) -> None:
    ticket = await office.create()
    service, sla, agent = await make_people(office)
    before = (await office.rows("ticket_history", f"ticket_id = {ticket}", "id"))[-1][0]

    await office.update(ticket, user_id=agent, responsible_user_id=agent, service_id=service, sla_id=sla)

    assert await office.history(ticket, after=before) == [
        ("ServiceUpdate", f"%%Mail{service}%%{service}%%NULL%%"),
        ("SLAUpdate", f"%%Gold{sla}%%{sla}%%NULL%%"),
        ("OwnerUpdate", f"%%jo{agent}%%{agent}"),
        ("ResponsibleUpdate", f"%%jo{agent}%%{agent}"),
    ]


async def make_people(office: Office) -> tuple[int, int, int]:
    ids = []
    for table, columns in (("service", "name"), ("sla", "name"), ("users", "login, pw, first_name, last_name")):
        number = len(await office.rows(table)) + 50
        words = {
            "service": f"'Mail{number}'",
            "sla": f"'Gold{number}'",
            "users": f"'jo{number}', '!', 'Jo', 'Doe'",
        }[table]
        extra = (", solution_time, first_response_time, update_time", ", 0, 0, 0") if table == "sla" else ("", "")
        async with office.work() as work:
            names = f"id, {columns}{extra[0]}, valid_id, create_time, create_by, change_time, change_by"
            values = f"{number}, {words}{extra[1]}, 1, '2026-01-01', 1, '2026-01-01', 1"
            await work.transaction.execute(f"INSERT INTO {table} ({names}) VALUES ({values})")  # noqa: S608 - our words
        ids.append(number)
    return ids[0], ids[1], ids[2]


def test_a_dynamic_field_shows_both_values_however_long_they_are() -> None:
    assert field_event("Impact", "high", "").name == "%%FieldName%%Impact%%Value%%high%%OldValue%%"

    long = field_event("Impact", "n" * 500, "o" * 500).name

    assert len(long) <= NAME_LIMIT
    assert "nnn[...]" in long
    assert long.endswith("ooo[...]")


def test_dynamic_fields_of_every_kind_are_told_as_texts() -> None:
    kinds = {
        "Impact": "Dropdown",
        "Tags": "Multiselect",
        "Due": "Date",
        "At": "DateTime",
        "Ok": "Checkbox",
        "Same": "Text",
    }
    fields = [
        SimpleNamespace(name=name.lower(), dynamic=DynamicField(number, name, name, "Ticket", kind))
        for number, (name, kind) in enumerate(kinds.items(), start=1)
    ]
    module = cast("Module", SimpleNamespace(fields=[SimpleNamespace(name="title", dynamic=None), *fields]))
    told = {
        "title": ("a", "b"),
        "impact": (None, "high"),
        "tags": (["a"], ["a", "b"]),
        "due": (None, date(2026, 1, 16)),
        "at": (None, datetime(2026, 1, 16, 8, 0, tzinfo=UTC)),
        "ok": (False, True),
    }
    change = RowChange(module, ChangeKind.UPDATED, fields=told)

    assert field_events(change, ZoneInfo("Europe/Berlin")) == [
        Event("TicketDynamicFieldUpdate", f"%%FieldName%%{name}%%Value%%{value}%%OldValue%%{old}")
        for name, value, old in (
            ("Impact", "high", ""),
            ("Tags", "a, b", "a"),
            ("Due", "2026-01-16 00:00:00", ""),
            ("At", "2026-01-16 09:00:00", ""),
            ("Ok", "1", "0"),
        )
    ]


@pytest.mark.parametrize(
    ("values", "code", "key", "path"),
    [
        ({"ticket_state_id": REMINDER}, FaultCode.REQUIRED, "pending-time-required", "pendingUntil"),
        ({"ticket_state_id": AUTO, "until_time": 0}, FaultCode.REQUIRED, "pending-time-required", "pendingUntil"),
        (
            {"ticket_state_id": REMINDER, "until_time": int(NOW.timestamp())},
            FaultCode.INVALID,
            "pending-time-past",
            "pendingUntil",
        ),
        (
            {"ticket_state_id": OPEN, "until_time": TOMORROW},
            FaultCode.INVALID,
            "pending-without-state",
            "pendingUntil",
        ),
        ({"ticket_state_id": MERGED}, FaultCode.INVALID, "merged-by-merging", "state"),
    ],
)
async def test_what_a_state_does_not_allow_is_refused(
    office: Office, values: dict[str, Any], code: FaultCode, key: str, path: str
) -> None:
    ticket = await office.create()

    for write in (office.create(**values), office.update(ticket, **values)):
        with pytest.raises(Faulty) as caught:
            await write
        assert [(fault.code, fault.key, fault.path) for fault in caught.value.faults] == [(code, key, (path,))]


async def test_a_pending_ticket_keeps_its_time_until_it_waits_no_more(office: Office) -> None:
    ticket = await office.create(ticket_state_id=REMINDER, until_time=TOMORROW)

    await office.update(ticket, ticket_state_id=AUTO)
    assert (await office.ticket(ticket))["until_time"] == TOMORROW

    await office.update(ticket, ticket_state_id=OPEN)
    assert (await office.ticket(ticket))["until_time"] == 0
    assert (await office.history(ticket))[-1] == ("SetPendingTime", "%%00-00-00 00:00")


async def test_moving_or_closing_a_ticket_unlocks_it_unless_the_same_change_locks_it(office: Office) -> None:
    moved, closed, kept = [await office.create(ticket_lock_id=LOCK) for _ in range(3)]
    assert (await office.ticket(moved))["timeout"] == int(NOW.timestamp())

    await office.update(moved, queue_id=MISC)
    await office.update(closed, ticket_state_id=CLOSED)
    await office.update(kept, queue_id=MISC, ticket_lock_id=LOCK)

    assert [(await office.ticket(ticket))["ticket_lock_id"] for ticket in (moved, closed, kept)] == [
        UNLOCK,
        UNLOCK,
        LOCK,
    ]
    assert (await office.history(moved))[-2:] == [("Move", "%%Misc%%4%%Raw%%2"), ("Unlock", "%%unlock")]


async def test_reopening_a_ticket_takes_it_out_of_the_archive(office: Office) -> None:
    ticket = await office.create(ticket_state_id=CLOSED, archive_flag=1)

    await office.update(ticket, ticket_state_id=OPEN)

    assert (await office.ticket(ticket))["archive_flag"] == 0
    assert len(await office.rows("ticket_index", f"ticket_id = {ticket}")) == 1


# What OTRS's own rebuild of its accelerator would write.
RECOUNT = """
  SELECT t.id, q.id, q.name, q.group_id, l.name, s.name, t.create_time
  FROM ticket t JOIN queue q ON t.queue_id = q.id JOIN ticket_state s ON t.ticket_state_id = s.id
  JOIN ticket_state_type k ON s.type_id = k.id JOIN ticket_lock_type l ON t.ticket_lock_id = l.id
  WHERE k.name IN ('new', 'open', 'pending reminder', 'pending auto') AND t.archive_flag = 0 AND t.id >= {first}
"""
RECOUNT_LOCKS = "SELECT id FROM ticket WHERE ticket_lock_id = 2 AND id >= {first}"


async def test_the_index_is_what_a_recount_gives(office: Office) -> None:
    random = Random(7)
    first = await office.create()
    tickets = [first, *[await office.create(queue_id=random.choice((RAW, JUNK, MISC))) for _ in range(4)]]

    for _ in range(count(40, 400)):
        state = random.choice((NEW, OPEN, CLOSED, REMINDER))
        values: dict[str, Any] = random.choice(
            (
                {"ticket_state_id": state, "until_time": TOMORROW if state == REMINDER else 0},
                {"queue_id": random.choice((RAW, JUNK, MISC))},
                {"ticket_lock_id": random.choice((UNLOCK, LOCK, TMP_LOCK))},
                {"archive_flag": random.choice((0, 1))},
            )
        )
        await office.update(random.choice(tickets), **values)

    index = await office.rows("ticket_index", f"ticket_id >= {first}")
    locks = await office.rows("ticket_lock_index", f"ticket_id >= {first}")
    assert index == sorted(await office.database.fetch(RECOUNT.format(first=first)), key=repr)
    assert locks == sorted(await office.database.fetch(RECOUNT_LOCKS.format(first=first)), key=repr)
