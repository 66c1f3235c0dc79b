"""The same answers from Strawberry as its documentation shows it: DataLoaders, SQLAlchemy's async sessions, cached documents."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
import strawberry
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

CONNECTIONS = 10  # as many as a server of ours has by default
DOCUMENTS = 500  # the same


class Base(DeclarativeBase):
    """What all rows have."""

    id: Mapped[int] = mapped_column(primary_key=True)


class GroupRow(Base):
    """A group."""

    __tablename__ = "permission_groups"
    name: Mapped[str]
    comments: Mapped[str | None]


class QueueRow(Base):
    """A queue."""

    __tablename__ = "queue"
    name: Mapped[str]
    comments: Mapped[str | None]
    unlock_timeout: Mapped[int | None]
    group_id: Mapped[int]


class PriorityRow(Base):
    """A priority."""

    __tablename__ = "ticket_priority"
    name: Mapped[str]


class StateRow(Base):
    """A state."""

    __tablename__ = "ticket_state"
    name: Mapped[str]


class UserRow(Base):
    """An agent."""

    __tablename__ = "users"
    login: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]


class TicketRow(Base):
    """A ticket."""

    __tablename__ = "ticket"
    tn: Mapped[str]
    title: Mapped[str | None]
    queue_id: Mapped[int]
    ticket_priority_id: Mapped[int]
    ticket_state_id: Mapped[int]
    user_id: Mapped[int]
    create_time: Mapped[datetime]
    change_time: Mapped[datetime]


Session = async_sessionmaker[Any]
Info = strawberry.Info["Loaders", None]


class Loaders:
    """One request's loaders; each statement has a session of its own, because loaders run side by side."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.groups = DataLoader(self._by_id(GroupRow))
        self.queues = DataLoader(self._by_id(QueueRow))
        self.priorities = DataLoader(self._by_id(PriorityRow))
        self.states = DataLoader(self._by_id(StateRow))
        self.users = DataLoader(self._by_id(UserRow))
        self.newest = DataLoader(self._newest)

    def _by_id(self, kind: type[Any]) -> Callable[[list[int]], Awaitable[Sequence[Any]]]:
        async def load(keys: list[int]) -> Sequence[Any]:
            async with self.session() as session:
                found = {row.id: row for row in await session.scalars(sa.select(kind).where(kind.id.in_(keys)))}
            return [found.get(key) for key in keys]

        return load

    async def _newest(self, keys: list[tuple[int, int]]) -> Sequence[list[TicketRow]]:
        """Load the newest tickets of queues; all ask for the same number."""
        order = (TicketRow.create_time.desc(), TicketRow.id.desc())
        place = sa.func.row_number().over(partition_by=TicketRow.queue_id, order_by=order).label("place")
        queues = [queue for queue, _ in keys]
        ranked = sa.select(TicketRow.id, place).where(TicketRow.queue_id.in_(queues)).subquery()
        statement = sa.select(TicketRow).join(ranked, ranked.c.id == TicketRow.id)
        statement = statement.where(ranked.c.place <= max(count for _, count in keys)).order_by(*order)
        found: dict[int, list[TicketRow]] = {queue: [] for queue in queues}
        async with self.session() as session:
            for row in await session.scalars(statement):
                found[row.queue_id].append(row)
        return [found[queue][:count] for queue, count in keys]


@strawberry.enum
class Direction(enum.Enum):
    """Which way a list is sorted."""

    ASC = "ASC"
    DESC = "DESC"


@strawberry.input
class IntFilter:
    """What a number may be."""

    in_: list[int] | None = strawberry.field(name="in", default=None)


@strawberry.input
class KeyFilter:
    """Which rows a ticket may lead to."""

    database_id: IntFilter | None = None


@strawberry.input
class TicketFilter:
    """Which tickets."""

    queue: KeyFilter | None = None
    state: KeyFilter | None = None


@strawberry.input
class TicketOrder:
    """How tickets are sorted."""

    created_at: Direction | None = None
    changed_at: Direction | None = None


@strawberry.input
class QueueOrder:
    """How queues are sorted."""

    name: Direction | None = None


@strawberry.input
class QueueKey:
    """Which queue."""

    database_id: int


@strawberry.type
class Group:
    """A group."""

    database_id: int
    name: str
    comment: str | None


@strawberry.type
class Named:
    """A priority or a state."""

    name: str


@strawberry.type
class User:
    """An agent."""

    login: str
    first_name: str
    last_name: str


@strawberry.type
class Queue:
    """A queue."""

    row: strawberry.Private[QueueRow]
    database_id: int
    name: str
    comment: str | None
    unlock_timeout: int | None

    @classmethod
    def of(cls, row: QueueRow) -> Queue:
        """Make it of its row."""
        return cls(row=row, database_id=row.id, name=row.name, comment=row.comments, unlock_timeout=row.unlock_timeout)

    @strawberry.field
    async def group(self, info: Info) -> Group | None:
        """Load the group that works on the queue."""
        row = await info.context.groups.load(self.row.group_id)
        return Group(database_id=row.id, name=row.name, comment=row.comments) if row else None

    @strawberry.field
    async def tickets(self, info: Info, first: int = 25, order_by: list[TicketOrder] | None = None) -> Tickets:  # noqa: ARG002 - newest first
        """Load the newest tickets of the queue."""
        rows = await info.context.newest.load((self.row.id, first))
        return Tickets(nodes=[Ticket.of(row) for row in rows], statement=None)


@strawberry.type
class Ticket:
    """A ticket."""

    row: strawberry.Private[TicketRow]
    database_id: int
    number: str
    title: str | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, row: TicketRow) -> Ticket:
        """Make it of its row."""
        created, changed = row.create_time.replace(tzinfo=UTC), row.change_time.replace(tzinfo=UTC)
        return cls(row=row, database_id=row.id, number=row.tn, title=row.title, created_at=created, changed_at=changed)

    @strawberry.field
    async def queue(self, info: Info) -> Queue | None:
        """Load the queue that the ticket is in."""
        row = await info.context.queues.load(self.row.queue_id)
        return Queue.of(row) if row else None

    @strawberry.field
    async def priority(self, info: Info) -> Named | None:
        """Load the ticket's priority."""
        row = await info.context.priorities.load(self.row.ticket_priority_id)
        return Named(name=row.name) if row else None

    @strawberry.field
    async def state(self, info: Info) -> Named | None:
        """Load the ticket's state."""
        row = await info.context.states.load(self.row.ticket_state_id)
        return Named(name=row.name) if row else None

    @strawberry.field
    async def owner(self, info: Info) -> User | None:
        """Load the agent who works on the ticket."""
        row = await info.context.users.load(self.row.user_id)
        return User(login=row.login, first_name=row.first_name, last_name=row.last_name) if row else None


@strawberry.type
class Tickets:
    """A page of tickets."""

    nodes: list[Ticket]
    statement: strawberry.Private[sa.Select[Any] | None]

    @strawberry.field
    async def total_count(self, info: Info) -> int:
        """Count the tickets of all pages."""
        if self.statement is None:
            return len(self.nodes)
        async with info.context.session() as session:
            return int(await session.scalar(sa.select(sa.func.count()).select_from(self.statement.subquery())) or 0)


@strawberry.type
class Queues:
    """A page of queues."""

    nodes: list[Queue]


@strawberry.type
class Query:
    """What can be asked."""

    @strawberry.field
    async def queue(self, info: Info, by: QueueKey) -> Queue | None:
        """Load a queue."""
        row = await info.context.queues.load(by.database_id)
        return Queue.of(row) if row else None

    @strawberry.field
    async def queues(
        self,
        info: Info,
        first: int = 25,
        filter: KeyFilter | None = None,  # noqa: A002 - the API's word
        order_by: list[QueueOrder] | None = None,
    ) -> Queues:
        """Load a page of queues."""
        statement = sa.select(QueueRow).limit(first)
        if filter and filter.database_id and filter.database_id.in_ is not None:
            statement = statement.where(QueueRow.id.in_(filter.database_id.in_))
        for item in order_by or ():
            if item.name:
                statement = statement.order_by(_sorted(QueueRow.name, item.name))
        async with info.context.session() as session:
            return Queues(nodes=[Queue.of(row) for row in await session.scalars(statement.order_by(QueueRow.id))])

    @strawberry.field
    async def tickets(
        self,
        info: Info,
        first: int = 25,
        offset: int = 0,
        filter: TicketFilter | None = None,  # noqa: A002 - the API's word
        order_by: list[TicketOrder] | None = None,
    ) -> Tickets:
        """Load a page of tickets."""
        statement = sa.select(TicketRow)
        for column, given in (
            (TicketRow.queue_id, filter and filter.queue),
            (TicketRow.ticket_state_id, filter and filter.state),
        ):
            if given and given.database_id and given.database_id.in_ is not None:
                statement = statement.where(column.in_(given.database_id.in_))
        page = statement.limit(first).offset(offset)
        for item in order_by or ():
            if item.created_at:
                page = page.order_by(_sorted(TicketRow.create_time, item.created_at))
            if item.changed_at:
                page = page.order_by(_sorted(TicketRow.change_time, item.changed_at))
        async with info.context.session() as session:
            rows = await session.scalars(page.order_by(TicketRow.id.desc()))
            return Tickets(nodes=[Ticket.of(row) for row in rows], statement=statement)


def _sorted(column: Any, direction: Direction) -> Any:
    return column.desc() if direction is Direction.DESC else column.asc()


class View(GraphQL["Loaders", None]):
    """The endpoint; every request has loaders of its own."""

    def __init__(self, engine: AsyncEngine) -> None:
        caches: list[Callable[[], SchemaExtension]] = [
            partial(ParserCache, maxsize=DOCUMENTS),
            partial(ValidationCache, maxsize=DOCUMENTS),
        ]
        super().__init__(strawberry.Schema(Query, extensions=caches))
        self._session = async_sessionmaker(engine, expire_on_commit=False)

    async def get_context(self, request: Any, response: Any) -> Loaders:  # noqa: ARG002 - as Strawberry calls it
        """Make the loaders of a request."""
        return Loaders(self._session)


def make_app(url: str) -> Any:
    """Make the application for a PostgreSQL database."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=CONNECTIONS)
    view = View(engine)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await view(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await engine.dispose()
        await send({"type": "lifespan.shutdown.complete"})

    return app
