"""What lambdas know of who is calling: names and numbers, and nothing that is secret."""

import orjson

from identity.principals import Agent, Customer, Scope, System, Token
from identity.rights import Grant, Rights, unbounded
from lambdas.contract import Batch, Script
from lambdas.limits import FIELD_LIMITS
from resolvers.lambda_caller import Moment, me_of
from resolvers.lambda_questions import job_of
from tests.resolvers.world import World

GRANTS = (Grant(1, "users", "rw"), Grant(2, "admin", "ro"), Grant(3, "stats", "note"))


def test_an_agent_is_known_by_number_login_groups_and_roles() -> None:
    rights = Rights(Agent(7, "anna"), GRANTS, frozenset({"Lead", "Desk"}), email="anna@example.org")
    assert me_of(rights, ("de", "en")) == {
        "id": 7,
        "login": "anna",
        "kind": "agent",
        "email": "anna@example.org",
        "groups": ["admin", "users"],
        "keys": {
            "move_into": ["users"],
            "create": ["users"],
            "note": ["stats", "users"],
            "owner": ["users"],
            "priority": ["users"],
            "rw": ["users"],
        },
        "roles": ["Desk", "Lead"],
        "companies": [],
        "locale": "de",
    }


def test_a_customer_has_companies_and_a_token_is_its_owner() -> None:
    carla = Customer(3, "carla", "acme")
    me = me_of(Rights(Token(9, "nightly", carla, Scope()), companies=("acme", "bolt")))
    assert {name: me[name] for name in ("id", "login", "kind", "company", "companies", "token", "locale")} == {
        "id": 3,
        "login": "carla",
        "kind": "customer",
        "company": "acme",
        "companies": ["acme", "bolt"],
        "token": "nightly",
        "locale": "en",
    }


def test_lambdesk_itself_says_at_which_task_it_is() -> None:
    me = me_of(unbounded(System("nightly")))
    assert (me["id"], me["login"], me["kind"], me["task"]) == (0, "system", "system", "nightly")


def test_the_caller_is_plain_data_and_nobody_changes_what_the_next_one_gets() -> None:
    rights = Rights(Agent(7, "anna"), GRANTS)
    first = me_of(rights)
    assert orjson.loads(orjson.dumps(first)) == first
    assert me_of(rights, ("de",)) == {**first, "locale": "de"}


async def test_all_jobs_of_a_request_have_one_moment(world: World) -> None:
    context = world.context()
    jobs = [job_of(context, name, [Batch(Script(name, "return 1"), [{}])], FIELD_LIMITS) for name in ("a", "b")]
    assert {(job.now_ms, job.seed) for job in jobs} == {(context.moment.now_ms, context.moment.seed)}
    assert Moment().seed != context.moment.seed
    assert context.moment.now_ms == int(context.moment.now_ms)
