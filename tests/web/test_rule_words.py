"""The filters of rules are told in words, in both languages; what has no words is told as it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from identity.access import Access, Right
from identity.principals import Agent, Customer
from identity.rights import Rights
from tests.modules.shipped import shipped
from web.pages.rule_words import Teller
from web.pages.texts import Texts


def told(rule: Any, language: str = "en", module: str = "ticket") -> str:
    modules = shipped()
    return Teller(modules, Texts(language)).tell(modules[module], json.dumps(rule))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            {"queue": {"group": {"databaseId": {"in": "$me.groups.ro"}}}},
            "Queue → Group is a group in which one may: read",
        ),
        ({"owner": {"databaseId": {"eq": "$me.id"}}}, "Owner is oneself"),
        ({"watchers": {"some": {"login": {"eq": "$me.login"}}}}, "one of Watchers → Login is oneself"),
        ({"customerId": {"in": "$me.customerIds"}}, "Customer is one's own company"),
        ({"title": {"ne": "x"}, "archived": {"eq": False}}, "Title is not x and Archived is no"),
        ({"or": [{"title": {"eq": "x"}}, {"not": {"queue": {"name": {"startsWith": "R"}}}}]}, "(Title is x or not: Queue → Name begins with R)"),
        ({"nothing": {"eq": 1}}, ""),
        ({"title": {"like": 1}}, ""),
        ({}, ""),
        ([1], ""),
    ],
)  # fmt: skip
def test_a_rule_is_told_in_words(rule: Any, words: str) -> None:
    assert told(rule) == words


def test_it_is_told_in_german_too() -> None:
    rule = {"queue": {"group": {"databaseId": {"in": "$me.groups.ro"}}}}
    assert told(rule, "de") == "Queue → Gruppe ist eine Gruppe, in der man darf: lesen"


def test_every_rule_of_the_shipped_modules_has_words() -> None:
    modules = shipped()
    teller = Teller(modules, Texts("en"))
    mute = []
    for rights in (Rights(Agent(2, "ada")), Rights(Customer(1, "carl", "ACME"), companies=("ACME",))):
        access = Access(rights)
        for module in modules.values():
            for right in Right:
                rules = access.unfilled(module, right, after=False)
                mute += [(module.name, right, rows) for rows in rules if not teller.tell(module, json.dumps(rows))]
    assert mute == []
