"""What lambdas do after and beside writes, put together for a server: the courier of the outbox, the clock, secrets, calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from identity.keys import derive_keys
from identity.principals import Principal
from identity.returning import Returning
from identity.secrets import Secrets
from lambdas.http_client import HttpClient
from lambdas.http_hosts import Hosts
from resolvers.courier import Courier
from resolvers.deliveries import Post
from resolvers.lambda_outside import Outside
from schema.snapshot import Snapshot
from storage.engine import Database
from web.identities import Identities
from web.scheduling import Schedules
from web.settings import Settings

Find = Callable[[str, int, str], Awaitable[Principal | None]]

TASK = "hooks after writes, and schedules"


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The parts that run in the background of a server, and that administrators look at."""

    secrets: Secrets
    courier: Courier
    schedules: Schedules


def make_outside(settings: Settings, database: Database, secret: bytes) -> Outside:
    """Make what lambdas may ask beyond the data."""
    hosts = Hosts(settings.lambda_http_hosts, private=settings.lambda_http_private)
    return Outside(HttpClient(hosts), Secrets(database, secret))


def make_finder(identities: Identities, secret: bytes) -> Find:
    """Make what finds those again who wrote something."""
    return Returning(identities.database, identities.api_tokens, derive_keys(secret).account, TASK).find


def make_afterwards(settings: Settings, post: Post, snapshot: Callable[[], Snapshot | None]) -> Afterwards:
    """Make the parts; `snapshot` is what serves, None while nothing does."""
    courier = Courier(post, snapshot)
    schedules = Schedules(post.database, settings.time_zone, snapshot, courier.wake)
    return Afterwards(post.outside.secrets, courier, schedules)
