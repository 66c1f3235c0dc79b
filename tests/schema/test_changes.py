"""What a reload changes is told in words that a client's developer understands."""

from __future__ import annotations

from dataclasses import replace

from schema.changes import describe
from schema.spec import Audience, Module
from tests.schema.sample_modules import by_name, customer, desk, field, group, queue, user


def told(old: dict[str, Module], new: dict[str, Module], *changed: str) -> list[str]:
    items = describe(old, new, changed)
    return [f"{item.kind} {item.module}: {item.description}" for item in items]


def changed_queue(**changes: object) -> dict[str, Module]:
    return {**desk(), "queue": replace(queue(), **changes)}  # type: ignore[arg-type]


def test_a_new_field_is_an_addition() -> None:
    new = changed_queue(fields=(*queue().fields, field("flag", "json", nullable=True)))
    assert told(dict(desk()), new, "queue") == [
        "ADDED queue: Field Queue.flag was added.",
        "ADDED queue: An optional field QueueCreate.flag was added.",
        "ADDED queue: An optional field QueuePatch.flag was added.",
    ]


def test_a_field_that_goes_breaks_clients() -> None:
    new = changed_queue(fields=tuple(item for item in queue().fields if item.name != "comment"))
    assert told(dict(desk()), new, "queue") == [
        "BREAKING queue: Field Queue.comment was removed.",
        "BREAKING queue: Field QueueFilter.comment was removed.",
        "BREAKING queue: Field QueueCreate.comment was removed.",
        "BREAKING queue: Field QueuePatch.comment was removed.",
    ]


def test_a_field_that_becomes_nullable_breaks_clients() -> None:
    fields = tuple(replace(item, nullable=True) if item.name == "name" else item for item in queue().fields)
    assert told(dict(desk()), changed_queue(fields=fields), "queue") == [
        "BREAKING queue: Field Queue.name changed type from String! to String.",
        "CHANGED queue: Field QueueCreate.name changed type from String! to String.",
    ]


def test_a_deprecation_is_told_with_its_reason() -> None:
    fields = tuple(replace(item, deprecated="use notes") if item.name == "comment" else item for item in queue().fields)
    assert told(dict(desk()), changed_queue(fields=fields), "queue") == [
        "DEPRECATED queue: Field Queue.comment was deprecated: use notes.",
        "DEPRECATED queue: Field QueueCreate.comment was deprecated: use notes.",
        "DEPRECATED queue: Field QueuePatch.comment was deprecated: use notes.",
    ]


def test_a_changed_caption_is_a_change() -> None:
    assert told(dict(desk()), changed_queue(description=None), "queue") == [
        'CHANGED queue: Description of Queue has changed to "None".'
    ]


def test_a_change_without_effect_on_the_api_is_silent() -> None:
    assert told(dict(desk()), changed_queue(icon="inbox"), "queue") == []


def test_a_new_module_is_one_item_and_brings_the_fields_that_lead_to_it() -> None:
    found = told(dict(by_name(queue())), dict(desk()), "group")
    assert found[0] == (
        "ADDED group: Type Group was added, with Query.group, Query.groups, Query.groupAggregate, Mutation.createGroup, "
        "Mutation.updateGroup, Mutation.deleteGroup, Mutation.createGroups and Subscription.groupChanged."
    )
    assert "ADDED queue: Field Queue.group was added." in found
    assert all(line.startswith("ADDED") for line in found)


def test_a_module_that_goes_breaks_clients_of_those_that_led_to_it() -> None:
    found = told(dict(desk()), dict(by_name(queue())), "group")
    assert found[0] == (
        "BREAKING group: Type Group was removed, with Query.group, Query.groups, Query.groupAggregate, "
        "Mutation.createGroup, Mutation.updateGroup, Mutation.deleteGroup, Mutation.createGroups and "
        "Subscription.groupChanged."
    )
    assert "BREAKING queue: Field Queue.group was removed." in found


def test_customers_are_told_of_their_own_schema_only() -> None:
    old, new = by_name(customer()), by_name(customer(), user(), group())
    assert describe(old, new, ["user", "group"], Audience.CUSTOMER) == ()
    assert len(describe(old, new, ["user", "group"])) == 2
