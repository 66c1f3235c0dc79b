"""Without the modules of tickets and articles there is no desk, and the operator is told; with them it is there over HTTP."""

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.databases import fresh_url
from tests.desk.api import MODULES
from tests.web.real import ROOM, Desk, open_desk

MUTATIONS = "{ __schema { mutationType { fields { name } } } }"
ALL = {
    "addArticle",
    "splitArticle",
    "mergeTickets",
    "unmergeTickets",
    "linkTickets",
    "unlinkTickets",
    "watchTicket",
    "unwatchTicket",
}
BROKEN = "module: {name: ticket, table: ticket}\nfields: [{name: title, type: strong}]\n"
SMALL = """\
module: {{name: {name}, table: {name}, operations: [view, create, update]}}
fields: [{{name: about, column: {column}, type: {type}, label: About}}]
access: {{agent: {{view: true}}}}
"""
TICKET = SMALL.format(name="ticket", column="title", type="string")
ARTICLE = SMALL.format(name="article", column="is_visible_for_customer", type="bool")
SHIPPED = (MODULES / "tickets" / "ticket.yaml").read_text()
READ_ONLY = SHIPPED.replace("operations: [view, create, update, bulk]", "operations: [view, create]")


async def offered(desk: Desk) -> set[str]:
    fields = (await desk.data(MUTATIONS))["__schema"]["mutationType"]["fields"]
    return ALL & {field["name"] for field in fields}


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"room": ROOM}, ["ticket", "article", "users"]),
        ({"ticket": BROKEN, "article": ARTICLE}, ["ticket", "users"]),
        ({"ticket": TICKET}, ["article", "users"]),
    ],
)
async def test_a_server_without_the_modules_starts_and_says_what_it_lacks(
    files: dict[str, str], missing: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, files) as desk:
            assert await offered(desk) == set()
            answer = await desk.client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    said = [item["message"] for item in answer.json()["degraded"] if item["what"] == "desk"]
    assert [message.split(",")[0] for message in said] == [f"No module serves the table `{name}`" for name in missing]
    assert [message for message in said if message not in caplog.text] == []


async def test_without_agents_nobody_watches_and_everything_else_is_there(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"ticket": TICKET, "article": ARTICLE}) as desk:
            assert await offered(desk) == ALL - {"watchTicket", "unwatchTicket"}


async def test_tickets_that_may_not_be_changed_have_none_of_it_and_that_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    for file in MODULES.rglob("*.yaml"):
        text = READ_ONLY if file.name == "ticket.yaml" else file.read_text()
        (tmp_path / "modules" / file.name).write_text(text)
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, modules_dir=(tmp_path / "modules",)) as desk:
            assert await offered(desk) == set()
            assert (await desk.client.get("/readyz")).json()["degraded"] == []


async def test_no_module_may_have_a_name_of_the_desk(tmp_path: Path) -> None:
    clash = ROOM.replace("name: room, plural_name: rooms, table: room", "name: new_article, table: new_article")
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"new_article": clash}, modules_dir=(MODULES, tmp_path / "site")) as desk:
            states = (await desk.data("{ modules { name state problems { code } } }"))["modules"]
            assert await offered(desk) == ALL

    found = next(item for item in states if item["name"] == "new_article")
    assert (found["state"], [problem["code"] for problem in found["problems"]]) == ("BROKEN", ["name-clash"])


async def test_the_desk_works_over_http_with_files_that_were_uploaded(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, modules_dir=(MODULES,)) as desk:
            upload = (await desk.client.post("/files?name=log.txt", content=b"lines")).json()["id"]
            made = await mutate(
                desk, "createTicket", "ticket { databaseId }", ticket={"title": "x", "queue": {"name": "Raw"}}
            )
            ticket = {"databaseId": made["ticket"]["databaseId"]}
            article = {"subject": "s", "body": "<b>b</b>", "contentType": "text/html", "attachments": [upload]}
            shown = "article { mime { body } attachments { nodes { filename content { url } } } }"
            added = await mutate(desk, "addArticle", shown, ticket=ticket, article=article)
            html, log = added["article"]["attachments"]["nodes"]
            content = (await desk.client.get(log["content"]["url"])).content

    assert (added["article"]["mime"]["body"], html["filename"], log["filename"], content) == (
        "b",
        "file-2",
        "log.txt",
        b"lines",
    )


async def test_errors_over_http_are_in_the_callers_language(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, modules_dir=(MODULES,)) as desk:
            desk.client.headers["accept-language"] = "de"
            query = 'mutation { watchTicket(input: {ticket: {number: "none"}}) { errors { code path message } } }'
            answer = await desk.data(query)

    assert answer["watchTicket"]["errors"] == [
        {"code": "NOT_FOUND", "path": ["ticket"], "message": "Eine solche Zeile gibt es nicht."}
    ]


async def mutate(desk: Desk, name: str, shown: str, **given: Any) -> Any:
    type_name = f"{name[0].upper()}{name[1:]}Input!"
    query = f"mutation ($in: {type_name}) {{ {name}(input: $in) {{ {shown} errors {{ code path }} }} }}"
    payload = (await desk.data(query, **{"in": given}))[name]
    assert payload["errors"] == [], payload
    return payload
