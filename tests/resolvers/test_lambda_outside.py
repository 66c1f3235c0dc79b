"""Lambdas are given secrets of their module, and nothing that is shown of the job holds them."""

import time
from collections.abc import AsyncIterator

import pytest

from identity.principals import Agent
from identity.secrets import Secrets
from lambdas.answering import by_verb
from lambdas.contract import Answer, Outcome, Question, Result
from lambdas.http_client import HttpClient
from lambdas.http_hosts import Hosts, read_hosts
from resolvers.lambda_outside import LATE, NO_SECRET, Outside
from storage.engine import Database
from tests.databases import fresh_url
from tests.lambdas.http_server import http, serving

ANNA = Agent(7, "anna")


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    with fresh_url("sqlite") as url:
        database = Database(url)
        secrets = Secrets(database, b"k" * 32)
        await secrets.put("api_key", "s3cr3t-k3y", ["asset"], ANNA, "r1")
        yield Outside(HttpClient(Hosts()), secrets)
        await database.close()


def ask(name: object) -> Question:
    return Question("secret", (name,))


async def test_a_secret_is_given_by_name_and_what_is_not_for_the_module_is_not_there(outside: Outside) -> None:
    asked, other = outside.asked_by("asset"), outside.asked_by("queue")
    wanted = [ask("api_key"), ask("other"), ask(7), Question("secret", ())]
    missing = Answer(error=NO_SECRET)
    assert await by_verb(asked.answerers())(wanted) == [Answer("s3cr3t-k3y"), missing, missing, missing]
    assert await by_verb(other.answerers())(wanted[:2]) == [missing, missing]


async def test_what_is_shown_of_a_job_is_masked_by_what_that_job_was_given(outside: Outside) -> None:
    result = Result(((Outcome(log=("key: s3cr3t-k3y",)),),))
    asked, other = outside.asked_by("asset"), outside.asked_by("asset")
    await by_verb(asked.answerers())([ask("api_key")])
    assert asked.mask(result).outcomes[0][0].log == ("key: [secret]",)
    assert asked.mask_text("s3cr3t-k3y") == "[secret]"
    assert other.mask(result) == result


async def test_questions_to_other_servers_are_answered_together_and_while_there_is_time(outside: Outside) -> None:
    async with serving(http("ok")) as heard:
        url = f"http://127.0.0.1:{heard.port}/"
        client = HttpClient(Hosts(read_hosts([url]), private=True))
        questions = [Question("http", ("GET", f"{url}{path}", None, None)) for path in ("a", "b")]
        reachable = Outside(client, outside.secrets)
        answers = await by_verb(reachable.asked_by("asset", time.monotonic() + 5).answerers())(questions)
        late = await by_verb(reachable.asked_by("asset", time.monotonic() - 1).answerers())(questions)
    assert [answer.value["text"] for answer in answers] == ["ok", "ok"]
    assert late == [Answer(error=LATE)] * 2
    assert sorted(request.split()[1] for request in heard.requests) == ["/a", "/b"]
