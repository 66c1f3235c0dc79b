"""Fields beside a foreign table and OTRS's dynamic fields are written in the same input as the row's own."""

from typing import Any

from identity.seals import PREFIX
from tests.writes.world import Desk, customer, fresh, queue

DYNAMIC: dict[str, Any] = {
    "note": "Ein Wort",
    "tags": ["b", "a"],
    "vip": False,
    "since": "2026-02-28",
    "seen": "2026-02-28T23:30:15Z",
    "tier": "gold",
}


async def test_fields_beside_a_foreign_table_are_written_with_the_row(desk: Desk) -> None:
    plan = {"rooms": [1, 2], "open": True}
    shown = "id databaseId version name comment costCenter floor plan"
    made = await desk.made("Queue", queue(costCenter=fresh("c"), floor=2, plan=plan, doorCode="4711"), shown)
    assert (made["floor"], made["plan"]) == (2, plan)
    row = await desk.rows("lambdesk_ext_queue", f"id = {made['databaseId']}", "door_code")
    assert str(row[0][0]).startswith(PREFIX)
    patch = {"comment": "both", "floor": None}
    changed = await desk.write(
        "updateQueue", {"key": {"id": made["id"]}, "ifVersion": made["version"], "patch": patch}, f"queue {{ {shown} }}"
    )
    assert changed["errors"] == []
    assert changed["queue"]["version"] != made["version"]
    assert {**changed["queue"], "version": 0} == {**made, **patch, "version": 0}


async def test_a_row_without_such_values_gets_them_later(desk: Desk) -> None:
    made = await desk.made("Queue", queue(), "id databaseId")
    assert await desk.rows("lambdesk_ext_queue", f"id = {made['databaseId']}") == []
    changed = await desk.write("updateQueue", {"key": {"id": made["id"]}, "patch": {"floor": 4}}, "queue { floor }")
    assert changed["queue"] == {"floor": 4}


async def test_rows_with_text_keys_have_fields_beside_them_too(desk: Desk) -> None:
    name = fresh("firm")
    made = await desk.made(
        "Company", {"databaseId": name, "name": name, "rating": 3, "branch": "steel"}, "id rating branch"
    )
    assert (made["rating"], made["branch"]) == (3, "steel")
    patch = {"rating": 4, "branch": None}
    assert (
        await desk.write("updateCompany", {"key": {"id": made["id"]}, "patch": patch}, "company { rating branch }")
    )["company"] == patch


async def test_dynamic_fields_are_kept_as_otrs_keeps_them(desk: Desk) -> None:
    login = fresh("customer")
    assert await desk.made("CustomerUser", customer(login, **DYNAMIC), " ".join(DYNAMIC)) == DYNAMIC
    found = await values(desk, login)
    assert found == [
        (901, "Ein Wort", None, None),
        (902, "a", None, None),
        (902, "b", None, None),
        (903, None, None, 0),
        (904, None, "2026-02-28 00:00:00", None),
        (905, None, "2026-02-28 23:30:15", None),
        (906, "gold", None, None),
    ]


async def values(desk: Desk, login: str) -> list[tuple[Any, ...]]:
    """Read the rows of a customer's dynamic fields."""
    named = f"SELECT object_id FROM dynamic_field_obj_id_name WHERE object_name = '{login}' AND object_type = 'CustomerUser'"  # noqa: S608
    rows = await desk.rows(
        "dynamic_field_value", f"object_id IN ({named})", "field_id, value_text, value_date, value_int"
    )
    return [(number, text, None if moment is None else str(moment), count) for number, text, moment, count in rows]


async def test_dynamic_fields_are_changed_one_by_one_and_emptied_by_null(desk: Desk) -> None:
    login = fresh("customer")
    made = await desk.made("CustomerUser", customer(login, **DYNAMIC), "id")
    patch = {"tags": ["a"], "note": None, "vip": True}
    changed = await desk.write(
        "updateCustomerUser", {"key": made, "patch": patch}, f"customerUser {{ {' '.join(DYNAMIC)} }}"
    )
    assert changed["customerUser"] == {**DYNAMIC, **patch}
    assert [row[0] for row in await values(desk, login)] == [902, 903, 904, 905, 906]


async def test_no_values_where_there_are_none_are_no_change(desk: Desk) -> None:
    made = await desk.made("CustomerUser", customer(fresh("customer")), "id")
    nothings: tuple[list[str] | None, ...] = ([], None)
    for nothing in nothings:
        changed = await desk.write(
            "updateCustomerUser", {"key": made, "patch": {"tags": nothing}}, "customerUser { tags }"
        )
        assert changed == {"errors": [], "customerUser": {"tags": None}}
    found = await desk.ask("query ($of: ID!) { history(of: $of) { kind } }", {"of": made["id"]})
    assert found == {"history": [{"kind": "CREATED"}]}


async def test_dynamic_fields_follow_a_customer_who_gets_another_login(desk: Desk) -> None:
    login, other = fresh("customer"), fresh("customer")
    made = await desk.made("CustomerUser", customer(login, **DYNAMIC), "id")
    patch = {"login": other, "note": "renamed"}
    changed = await desk.write(
        "updateCustomerUser", {"key": made, "patch": patch}, f"customerUser {{ {' '.join(DYNAMIC)} }}"
    )
    assert changed["customerUser"] == {**DYNAMIC, "note": "renamed"}
    assert await values(desk, login) == []


async def test_dynamic_fields_go_with_their_row(desk: Desk) -> None:
    login = fresh("customer")
    await desk.made("CustomerUser", customer(login, **DYNAMIC))
    assert (await desk.write("deleteClient", {"key": {"login": login}}))["errors"] == []
    assert await values(desk, login) == []


async def test_the_history_holds_every_home_of_a_value_and_no_secret(desk: Desk) -> None:
    login = fresh("customer")
    made = await desk.made("CustomerUser", customer(login, password="hunter of two", **DYNAMIC), "databaseId")
    ((kind, fields),) = await desk.rows(
        "lambdesk_change", f"module = 'customer_user' AND row_key = '[{made['databaseId']}]'", "kind, fields"
    )
    text = fields if isinstance(fields, str) else fields.decode()
    assert kind == 1
    assert '"login":[null,' in text
    assert "Ein Wort" in text
    assert "hunter of two" not in text
    assert "BCRYPT" not in text
    code = await desk.made("Queue", queue(doorCode="hunter2", floor=9), "databaseId")
    stored = await desk.rows("lambdesk_change", f"module = 'queue' AND row_key = '[{code['databaseId']}]'", "fields")
    assert '"floor":[null,9]' in str(stored[0][0])
    assert "door" not in str(stored[0][0])
