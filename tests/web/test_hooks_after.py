"""Hooks after writes and schedules as a site has them: JavaScript in its files, in the sandbox, with secrets and calls."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from lambdas.http_hosts import read_hosts
from tests.databases import fresh_url
from tests.lambdas.http_server import http, serving
from tests.web.real import Desk, open_desk
from tests.web.test_deliveries import SET, VALUE, deliveries, planned, settled

ORDER = """\
module: {name: order, plural_name: orders, table: site_order, operations: [view, create, update]}
fields:
  - {name: item, type: string, required: true}
  - {name: state, type: string}
hooks:
  - on: after_create
    lambda: |
      const answer = http.post("http://shop.example.org:PORT/orders", {item: item.item}, {
        headers: {Authorization: `Bearer ${secret("shop_key")}`, "Idempotency-Key": me.delivery},
      });
      log("answered", answer.status, "with", secret("shop_key"));
      update("order", item.id, {state: `${answer.json.number} by ${me.login}`});
  - on: after_update
    lambda: |
      if (before.state !== item.state) create("order_note", {text: `${before.state} -> ${item.state}`});
schedules:
  - name: nightly
    cron: "0 3 * * *"
    as: root@localhost
    lambda: |
      const open = gql("{ orders { totalCount } }").orders.totalCount;
      create("order_note", {text: `${open} orders, due ${args.due.length > 0}`});
access: {agent: {view: true, create: true, update: true}}
"""
NOTE = """\
module: {name: order_note, table: order_note, operations: [view, create]}
fields: [{name: text, type: string, required: true}]
access: {agent: {view: true, create: true}}
"""
MAKE = 'mutation { createOrder(input: {order: {item: "Chair"}}) { order { id } errors { code } } }'
NOTES = "{ orderNotes { nodes { text } } orders { nodes { state } } }"
RUN = 'mutation { runSchedule(input: {module: "order", name: "nightly"}) { errors { code } } }'


async def read(desk: Desk) -> tuple[list[str], list[str]]:
    found: dict[str, Any] = await desk.data(NOTES)
    return (
        [node["text"] for node in found["orderNotes"]["nodes"]],
        [node["state"] for node in found["orders"]["nodes"]],
    )


async def test_a_hook_tells_another_server_notes_what_that_said_and_leads_to_another_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find(_self: Any, _request: Any) -> list[str]:
        return ["127.0.0.1"]

    monkeypatch.setattr("lambdas.http_client.HttpClient._addresses", find)
    async with serving(http('{"number": 17}', "Content-Type: application/json")) as shop:
        files = {"order": ORDER.replace("PORT", str(shop.port)), "order_note": NOTE}
        hosts = read_hosts([f"http://shop.example.org:{shop.port}"])
        with fresh_url("sqlite") as url:
            async with open_desk(
                url, tmp_path, files, lambda_workers=1, lambda_http_hosts=hosts, lambda_http_private=True
            ) as desk:
                await desk.data(SET, name="shop_key", value=VALUE)
                await desk.data(MAKE)
                async with asyncio.timeout(30):
                    while len(await deliveries(desk)) < 2:  # noqa: ASYNC110 - the server does what is waited for
                        await asyncio.sleep(0.05)
                changed, made = await settled(desk)
                assert (made["state"], made["log"]) == ("DONE", ["answered 200 with [secret]"]), made
                assert (changed["state"], changed["depth"]) == ("DONE", 1), changed
                assert await read(desk) == (["null -> 17 by root@localhost"], ["17 by root@localhost"])
    (request,) = shop.requests
    head, _, body = request.partition("\r\n\r\n")
    assert json.loads(body) == {"item": "Chair"}
    assert f"authorization: Bearer {VALUE}" in head
    assert f"idempotency-key: {made['delivery']}" in head


async def test_a_schedule_asks_and_writes_as_the_agent_that_it_names(tmp_path: Path) -> None:
    with fresh_url("sqlite") as url:
        async with open_desk(url, tmp_path, {"order": ORDER, "order_note": NOTE}, lambda_workers=1) as desk:
            await planned(desk)
            assert (await desk.data(RUN))["runSchedule"]["errors"] == []
            (run,) = await settled(desk)
            assert run["state"] == "DONE", run
            assert run["caller"] == {"kind": "agent", "login": "root@localhost"}
            assert (await read(desk))[0] == ["0 orders, due true"]
