"""What one has begun to write to a ticket is kept by the server, and templates are filled for the ticket; without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.browsing import Shown, fields_of
from tests.web.test_text_templates import make
from tests.web.ticket_office import Office, Ticket, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as opened:
        yield opened


def typed(page: Shown) -> dict[str, str]:
    """Return what stands in the form of an article."""
    return dict(fields_of(page.form("/desk/note")))


async def send(office: Office, page: Shown, **given: str) -> Shown:
    return await office.browser.send_files(page, page.form("/desk/note"), given)


async def kept(office: Office, ticket: Ticket, **given: str) -> Shown:
    """Begin to write, and have it kept."""
    page = await office.open(ticket, "/desk/note")
    return await send(office, page, **{"subject": "Calm", "body": "Use water.", "deed": "keep", **given})


async def test_what_was_begun_is_there_again_and_goes_when_it_is_sent(office: Office) -> None:
    ticket = await office.ticket()
    told = await kept(office, ticket, kind="PHONE_TO_CUSTOMER", to="Cleo")
    assert "is kept" in told.main.one(class_="said").text
    page = await office.open(ticket, "/desk/note")
    assert page.main.all(id="draft-restored")
    found = typed(page)
    assert (found["subject"], found["body"], found["kind"], found["to"]) == (
        "Calm",
        "Use water.",
        "PHONE_TO_CUSTOMER",
        "Cleo",
    )

    await send(office, page)
    assert (await office.row(ticket, "articles { totalCount }"))["articles"]["totalCount"] == 2
    page = await office.open(ticket, "/desk/note")
    assert (page.main.all(id="draft-restored"), typed(page)["body"]) == ([], "")


async def test_a_draft_is_of_one_ticket_and_of_one_agent(office: Office) -> None:
    ticket, other = await office.ticket(), await office.ticket("Other")
    await kept(office, ticket)
    assert typed(await office.open(other, "/desk/note"))["body"] == ""
    async with office.beside("rw") as reader:
        assert typed(await reader.open(ticket, "/desk/note"))["body"] == ""


async def test_home_leads_back_to_what_was_begun(office: Office) -> None:
    ticket = await office.ticket()
    await kept(office, ticket)
    home = await office.browser.get("/")
    (link,) = [item for item in home.main.all("a") if "Use water." in item.text]
    assert typed(await office.browser.get(link.attributes["href"]))["body"] == "Use water."


async def test_an_answer_is_not_hidden_by_a_draft_of_something_else(office: Office) -> None:
    ticket = await office.ticket()
    await kept(office, ticket)
    page = await office.open(ticket)
    answer = next(item for item in page.main.all("a") if "answers=" in item.attributes.get("href", ""))
    form = await office.browser.get(answer.attributes["href"])
    assert "> It burns." in typed(form)["body"]
    await send(office, form, body="Half of an answer", deed="keep")
    assert typed(await office.browser.get(answer.attributes["href"]))["body"] == "Half of an answer"


async def test_a_draft_can_be_discarded(office: Office) -> None:
    ticket = await office.ticket()
    await kept(office, ticket)
    told = await send(office, await office.open(ticket, "/desk/note"), deed="discard")
    assert "is discarded" in told.main.one(class_="said").text
    assert typed(await office.open(ticket, "/desk/note"))["body"] == ""


async def test_a_template_is_filled_for_the_ticket_and_put_below_what_was_written(office: Office) -> None:
    await make(office.desk, "Number", "It is <OTRS_TICKET_TicketNumber>.", queue="Raw")
    ticket: dict[str, Any] = await office.ticket()
    page = await office.open(ticket, "/desk/note")
    option = next(item for item in page.main.one("select", name="template").all("option") if item.text == "Number")
    again = await send(office, page, body="Hello", template=option.attributes["value"], deed="insert")
    assert again.status == 200
    assert typed(again)["body"] == f"Hello\n\nIt is {ticket['number']}."
    assert (await office.row(ticket, "articles { totalCount }"))["articles"]["totalCount"] == 1
