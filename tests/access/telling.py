"""Lambdas of these tests: they tell all that they are given, ask what they can, and fail for some rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from zlib import crc32

from resolvers.document import Documents
from resolvers.lambda_caller import Moment
from resolvers.lambda_gql import Queries
from resolvers.limits import Limits
from tests.programmed import Programmed, Row, Thrown

FAIL = 6  # of so many different rows one fails
QUESTION = """
query ($tray: Int!, $title: String!) {
  trays(filter: {databaseId: {gte: $tray}}, first: 2) { totalCount nodes { name told: jobs(first: 2, filter: {title: {ne: $title}}) { nodes { number title } } } }
  jobAggregate(filter: {tray: {databaseId: {eq: $tray}}}) { count }
}
"""


def tell(row: Row) -> Any:
    """Tell everything, or fail: the same for rows that look the same."""
    text = json.dumps([row.item, row.args], sort_keys=True)
    if crc32(text.encode()) % FAIL == 0:
        raise Thrown(text)
    return json.loads(text)


def judge(row: Row) -> Any:
    return {"text": str(row.item.get("state")), "tone": "red" if row.item.get("hot") else None}


def ask(row: Row) -> Any:
    return row.gql(QUESTION, tray=row.item.get("tray_id") or 0, title=row.item.get("title") or "")


LAMBDAS = {
    **dict.fromkeys(("tray.pitch", "job.told", "note.told", "client.told", "gear.told", "line.told"), tell),
    "job.asked": ask,
    "job.verdict": judge,
}
DOCUMENTS = Documents(Limits(), introspection=False)


def telling() -> Mapping[str, Any]:
    """Return what a context needs for them."""
    moment = Moment(now_ms=1_780_000_000_000, seed=1)
    return {"lambdas": Programmed(LAMBDAS), "asks": {"gql": Queries(DOCUMENTS)}, "moment": moment}
