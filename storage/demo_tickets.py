"""The tickets of the demo as rows: threads that read sensibly, their history in OTRS's form, and what hangs on them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from random import Random
from typing import Any, TypeVar

from storage.demo_desk import Agent, Clock, Customer, Desk, Queue
from storage.demo_plan import (
    ENDED,
    MERGED,
    NEW,
    OPEN,
    REMINDER,
    REMOVED,
    STATE_NAMES,
    WAITING,
    First,
    checksum_number,
    forced_priority,
    make_calendar,
    plan_tickets,
)
from storage.demo_texts import Story, Texts

Rows = dict[str, list[tuple[Any, ...]]]
T = TypeVar("T")

SEED = 20_020_701
BATCH_TICKETS = 2_000
_LOCKS = ("", "unlock", "lock", "tmp_lock")
_PRIORITIES = ("", "1 very low", "2 low", "3 normal", "4 high", "5 very high")
_PRIORITY_WEIGHTS = (5, 15, 60, 15, 5)
_CHANNELS = ((1, "EmailCustomer"), (2, "PhoneCallCustomer"), (3, "WebRequestCustomer"))
_MINUTES = (5, 10, 15, 20, 30, 45, 60, 90)
_DAY_S = 86_400
_ROOT = Agent(1, "Admin Lambdesk", "desk@desk.example")
_LINK_NORMAL, _LINK_PARENT = 1, 2
LINK_OBJECT_TICKET = 1
_FIELD_SHARES = {"Impact": 0.5, "OnSite": 0.3, "AffectedSystems": 0.2, "DueDate": 0.15, "AssetNumber": 0.3}

# What an article is: sender type, channel, visible for the customer, history type; a request's channel varies.
_KINDS = {
    "request": (3, 1, 1, "EmailCustomer"),
    "reply": (3, 1, 1, "FollowUp"),
    "answer": (1, 1, 1, "SendAnswer"),
    "close": (1, 1, 1, "SendAnswer"),
    "note": (1, 3, 0, "AddNote"),
    "merge": (1, 3, 1, "AddNote"),
}
_AFTER = {"request": ("answer", "note"), "reply": ("answer", "note"), "answer": ("reply", "note"), "note": ("answer",)}


@dataclass(slots=True)
class _Ticket:
    """A ticket while it is written."""

    id: int
    tn: str
    title: str
    queue: Queue
    type_id: int
    customer: Customer
    owner: Agent
    priority: int
    state: int
    final: int
    service_id: int | None
    sla_id: int | None
    lock: int = 1
    changed: float = 0.0
    subject_prefix: str = ""
    message: str = ""  # the newest message id: each one answers the one before


class Writer:
    """Writes the tickets in batches, oldest first. The same arguments give the same rows."""

    def __init__(self, desk: Desk, number: int, now: datetime, *, zone: tzinfo, clock: Clock, first: First) -> None:
        self._desk = desk
        self._number = number
        self._now = now.timestamp()
        self._zone = zone
        self._clock = clock
        self._types = first.history_types
        self._random = Random(SEED)  # noqa: S311 - the same demo every time
        self._plan = plan_tickets(number, self._random)
        self._moment = make_calendar(now)
        self._ids = {
            "ticket": first.ticket,
            "article": first.article,
            "article_data_mime": first.mime,
            "ticket_history": first.history,
            "time_accounting": 1,
            "dynamic_field_value": 1,
        }
        self._counter = ("", 0)
        self._latest: dict[int, tuple[int, str]] = {}  # a company's newest ticket
        self._rows: Rows = defaultdict(list)
        self._texts = Texts(self._random)

    def batches(self) -> Iterator[tuple[int, Rows]]:
        """Yield how many tickets are written and their rows by table."""
        for place in range(self._number):
            self._write(place)
            if (place + 1) % BATCH_TICKETS == 0 or place + 1 == self._number:
                if place + 1 == self._number:
                    self._note_counter()
                rows, self._rows = self._rows, defaultdict(list)
                yield place + 1, rows

    # --- one ticket ---

    def _write(self, place: int) -> None:
        random = self._random
        created = int(self._moment((place + random.random()) / self._number))
        customer = self._pick(self._desk.customers)
        story = self._texts.tell(customer.language, customer.name)
        ticket = self._begin(place, created, customer, story)
        latest = self._latest.get(customer.group)
        if ticket.final == MERGED and latest is None:  # nothing to be merged into
            ticket.final = NEW
        kinds = ["merge"] if ticket.final == MERGED else self._kinds(self._plan.lengths[place], ticket.final)
        steps = self._steps(created, len(kinds))
        self._open(ticket, created)
        if ticket.final == MERGED and latest:
            story.texts["merge"] = f"Merged Ticket#{ticket.tn} to Ticket#{latest[1]}."
        senders = [self._article(ticket, kind, step, story) for kind, step in zip(kinds, steps, strict=True)]
        until = self._finish(ticket, steps[-1], latest)
        self._row_of(ticket, created, until, self._escalations(ticket, created, steps, senders))
        self._extras(ticket, created, latest)
        self._latest[customer.group] = (ticket.id, ticket.tn)

    def _begin(self, place: int, created: int, customer: Customer, story: Story) -> _Ticket:
        state = self._plan.states[place]
        queue = self._desk.queues[self._queue_name(state, story)]
        agents = self._desk.agents.get(queue.group_id) or self._desk.agents[self._desk.queues["Support"].group_id]
        priority = forced_priority(place, self._number) or self._random.choices((1, 2, 3, 4, 5), _PRIORITY_WEIGHTS)[0]
        service = self._desk.services.get(story.service)
        tn = self._next_number(created)
        return _Ticket(
            self._next("ticket"),
            tn,
            story.texts["subject"],
            queue,
            self._desk.types[story.type] if self._random.random() < 0.9 else 1,  # noqa: PLR2004 - some stay unclassified
            customer,
            self._pick(agents),
            priority,
            NEW,
            state,
            service,
            customer.sla_id if service else None,
            changed=created,
            subject_prefix=f"[Ticket#{tn}] ",
        )

    def _queue_name(self, state: int, story: Story) -> str:
        if state == REMOVED:
            return "Junk"
        if state == NEW and self._random.random() < 0.25:  # noqa: PLR2004 - nobody has sorted these yet
            return self._pick(("Raw", "Postmaster", "Misc"))
        return story.queue

    def _next_number(self, created: int) -> str:
        day = datetime.fromtimestamp(created, self._zone).strftime("%Y%m%d")
        self._counter = (day, self._counter[1] + 1 if self._counter[0] == day else 1)
        return checksum_number(*self._counter)

    def _kinds(self, length: int, final: int) -> list[str]:
        """Make up a thread of so many articles; a ticket that was solved ends with the answer that says so."""
        kinds = ["request"]
        while len(kinds) < length:
            if final in ENDED and len(kinds) == length - 1:
                kinds.append("close")
            else:
                kinds.append(self._pick(_AFTER[kinds[-1]]))
        return kinds

    def _steps(self, created: int, length: int) -> list[int]:
        """Spread a thread over hours and days, all of them before now."""
        steps = [0]
        for _ in range(length - 1):
            steps.append(steps[-1] + int(300 + self._random.expovariate(1 / 40_000)))
        left = self._now - created - 60
        scale = min(1.0, left / steps[-1]) if steps[-1] else 1.0
        return [created + int(step * scale) for step in steps]

    def _open(self, ticket: _Ticket, created: int) -> None:
        """Write how the ticket came in; one in twenty came into the wrong queue."""
        right = ticket.queue
        owner, ticket.owner = ticket.owner, _ROOT
        if right.name != "Raw" and self._random.random() < 0.05:  # noqa: PLR2004 - one in twenty
            ticket.queue = self._desk.queues["Raw"]
        name = f"%%{ticket.tn}%%{ticket.queue.name}%%{_PRIORITIES[ticket.priority]}%%new%%{ticket.id}"
        self._history(ticket, "NewTicket", name, created)
        customer = ticket.customer
        self._history(
            ticket, "CustomerUpdate", f"%%CustomerID={customer.company_id};CustomerUser={customer.login};", created
        )
        arrived = ticket.queue
        if arrived is not right:
            ticket.queue = right
            name = f"%%{right.name}%%{right.id}%%{arrived.name}%%{arrived.id}"
            self._history(ticket, "Move", name, created + 60, author=owner.id)
        if ticket.final not in {NEW, REMOVED}:
            ticket.owner = owner

    def _take(self, ticket: _Ticket, moment: int) -> None:
        """Let the owner begin to work."""
        owner = ticket.owner
        self._history(
            ticket, "OwnerUpdate", f"%%{owner.address.partition('@')[0]}%%{owner.id}", moment, author=owner.id
        )
        ticket.lock = 2
        self._history(ticket, "Lock", "%%lock", moment, author=owner.id)
        self._change_state(ticket, OPEN, moment)

    def _change_state(self, ticket: _Ticket, state: int, moment: int) -> None:
        name = f"%%{STATE_NAMES[ticket.state]}%%{STATE_NAMES[state]}%%"
        ticket.state = state
        self._history(ticket, "StateUpdate", name, moment, author=ticket.owner.id)

    # --- articles ---

    def _article(self, ticket: _Ticket, kind: str, moment: int, story: Story) -> int:
        """Write an article with its text and its history; return who sent it."""
        sender, channel, visible, history = _KINDS[kind]
        if kind == "request" and self._random.random() < 0.3:  # noqa: PLR2004 - the others write mails
            channel, history = self._pick(_CHANNELS)
        if sender == 1 and ticket.state == NEW:
            self._take(ticket, moment)
        number, author = self._next("article"), ticket.owner.id if sender == 1 else 1
        now = self._clock(moment)
        audit = (now, author, now, author)
        self._rows["article"].append((number, ticket.id, sender, channel, visible, 1, *audit))
        body = self._texts.body(story, kind, ticket.customer, ticket.owner.name)
        self._mime(ticket, kind, number, moment, (body, moment, *audit))
        self._history(ticket, history, self._history_name(ticket, history), moment, author=author, article=number)
        if sender == 1 and self._random.random() < 0.4:  # noqa: PLR2004 - nobody writes down all of his time
            self._spend(ticket, number, moment)
        return sender

    def _mime(self, ticket: _Ticket, kind: str, number: int, moment: int, rest: tuple[Any, ...]) -> None:
        customer = f'"{ticket.customer.name}" <{ticket.customer.login}>'
        agent = f'"{ticket.owner.name}" <{ticket.owner.address if kind == "note" else ticket.queue.address}>'
        desk = f"{ticket.queue.name.partition('::')[0]} <{ticket.queue.address}>"
        source, goal = {"answer": (agent, customer), "close": (agent, customer)}.get(
            kind, (agent, desk) if kind in {"note", "merge"} else (customer, desk)
        )
        subject = ticket.title if kind in {"request", "note", "merge"} else f"{ticket.subject_prefix}Re: {ticket.title}"
        name = f"<{moment}.{ticket.id}.{number}@{ticket.queue.address.partition('@')[2]}>"
        digest = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()  # OTRS finds a thread by it
        before, ticket.message = ticket.message, name
        self._rows["article_data_mime"].append(
            (self._next("article_data_mime"), number, source, goal, subject, name, digest, before,
             "text/plain; charset=utf-8", *rest)
        )  # fmt: skip

    def _history_name(self, ticket: _Ticket, history: str) -> str:
        if history == "SendAnswer":
            return f'%%"{ticket.customer.name}" <{ticket.customer.login}>'
        return f"%%{ticket.tn}%%" if history == "FollowUp" else "%%"

    def _spend(self, ticket: _Ticket, article: int, moment: int) -> None:
        units, now, author = self._pick(_MINUTES), self._clock(moment), ticket.owner.id
        self._rows["time_accounting"].append(
            (self._next("time_accounting"), ticket.id, article, units, now, author, now, author)
        )
        self._history(ticket, "TimeAccounting", f"%%{units}%%{units}", moment, author=author)

    # --- the end of it ---

    def _finish(self, ticket: _Ticket, last: int, target: tuple[int, str] | None) -> int:
        """Bring the ticket into its state; return until when it waits."""
        until = 0
        if ticket.final in WAITING:
            ahead = (-3 if ticket.final == REMINDER else 0) * _DAY_S
            until = max(last + 3_600, int(self._now + self._random.uniform(ahead + 3_600, 14 * _DAY_S)))
            clock = datetime.fromtimestamp(until, self._zone).strftime("%Y-%m-%d %H:%M")
            self._history(ticket, "SetPendingTime", f"%%{clock}", last, author=ticket.owner.id)
        if ticket.final == MERGED and target:
            name = f"%%{ticket.tn}%%{ticket.id}%%{target[1]}%%{target[0]}"
            self._history(ticket, "Merged", name, last, author=ticket.owner.id)
            self._link(ticket, target[0], _LINK_PARENT)
        if ticket.final != ticket.state:
            self._change_state(ticket, ticket.final, last)
        if ticket.lock != 1 and (ticket.final in ENDED or self._random.random() < 0.3):  # noqa: PLR2004 - given back
            ticket.lock = 1
            self._history(ticket, "Unlock", "%%unlock", last, author=ticket.owner.id)
        return until

    def _escalations(
        self, ticket: _Ticket, created: int, steps: list[int], senders: list[int]
    ) -> tuple[int, int, int, int]:
        """Return when the ticket escalates: at first of all, and for its update, first answer and solution."""
        if ticket.final in ENDED:
            return (0, 0, 0, 0)
        first, update, solution = self._desk.slas[ticket.customer.sla_id]
        answered = 1 in senders
        waits = answered and senders[-1] != 1
        times = (
            steps[-1] + update * 60 if waits else 0,
            0 if answered else created + first * 60,
            created + solution * 60 if ticket.service_id else 0,
        )
        return (min(filter(None, times), default=0), *times)

    def _row_of(self, ticket: _Ticket, created: int, until: int, escalations: tuple[int, int, int, int]) -> None:
        customer = ticket.customer
        opened, changed = self._clock(created), self._clock(ticket.changed)
        is_open = ticket.state not in ENDED
        self._rows["ticket"].append(
            (ticket.id, ticket.tn, ticket.title, ticket.queue.id, ticket.lock, ticket.type_id, ticket.service_id,
             ticket.sla_id, ticket.owner.id, ticket.owner.id, ticket.priority, ticket.state, customer.company_id,
             customer.login, int(ticket.changed) if ticket.lock > 1 else 0, until, *escalations, 0, opened, 1, changed,
             ticket.owner.id)
        )  # fmt: skip
        if is_open:
            queue = ticket.queue
            lock, state = _LOCKS[ticket.lock], STATE_NAMES[ticket.state]
            self._rows["ticket_index"].append((ticket.id, queue.id, queue.name, queue.group_id, lock, state, opened))
            self._rows["ticket_flag"].append((ticket.id, "Seen", "1", changed, ticket.owner.id))
        if ticket.lock > 1:
            self._rows["ticket_lock_index"].append((ticket.id,))

    def _extras(self, ticket: _Ticket, created: int, latest: tuple[int, str] | None) -> None:
        random = self._random
        if random.random() < (0.02 if ticket.state in ENDED else 0.12):
            watcher = self._pick(self._desk.agents[self._desk.queues["Infrastructure"].group_id])
            now = self._clock(ticket.changed)
            self._rows["ticket_watcher"].append((ticket.id, watcher.id, now, watcher.id, now, watcher.id))
            self._history(ticket, "Subscribe", f"%%{watcher.name}", ticket.changed, author=watcher.id)
        if latest and ticket.state != MERGED and random.random() < 0.015:  # noqa: PLR2004 - few belong together
            self._link(ticket, latest[0], _LINK_NORMAL)
        for name, share in _FIELD_SHARES.items():
            if random.random() < share:
                self._field(ticket, name, created)

    def _field(self, ticket: _Ticket, name: str, created: int) -> None:
        """Give a dynamic field a value: a text, a date or a number, or several rows of them."""
        options = self._desk.field_values[name]
        if name == "OnSite":
            self._value(ticket, name, number=self._random.randrange(2))
        elif name == "DueDate":
            due = created - created % _DAY_S + self._random.randrange(3, 30) * _DAY_S
            self._value(ticket, name, moment=self._clock(due))
        elif name == "AffectedSystems":
            for option in sorted(self._random.sample(options, self._random.randrange(1, 4))):
                self._value(ticket, name, text=option)
        else:
            self._value(
                ticket, name, text=self._pick(options) if options else f"PC-{self._random.randrange(10_000, 99_999)}"
            )

    def _value(
        self, ticket: _Ticket, name: str, text: str | None = None, moment: Any = None, number: int | None = None
    ) -> None:
        row = (self._next("dynamic_field_value"), self._desk.fields[name], ticket.id, text, moment, number)
        self._rows["dynamic_field_value"].append(row)

    def _link(self, ticket: _Ticket, source: int, kind: int) -> None:
        self._rows["link_relation"].append(
            (
                LINK_OBJECT_TICKET,
                str(source),
                LINK_OBJECT_TICKET,
                str(ticket.id),
                kind,
                1,
                self._clock(ticket.changed),
                ticket.owner.id,
            )
        )

    def _history(
        self, ticket: _Ticket, kind: str, name: str, moment: float, *, author: int = 1, article: int | None = None
    ) -> None:
        ticket.changed = max(ticket.changed, moment)
        now = self._clock(moment)
        self._rows["ticket_history"].append(
            (self._next("ticket_history"), name[:200], self._types[kind], ticket.id, article, ticket.type_id,
             ticket.queue.id, ticket.owner.id, ticket.priority, ticket.state, now, author, now, author)
        )  # fmt: skip

    def _note_counter(self) -> None:
        """Leave the counter where new tickets of today go on."""
        day, counter = self._counter
        moment = datetime.strptime(day, "%Y%m%d").replace(tzinfo=self._zone).timestamp()
        uid = hashlib.sha256(day.encode()).hexdigest()[:32]
        self._rows["ticket_number_counter"].append((counter, uid, self._clock(moment)))

    def _next(self, table: str) -> int:
        number = self._ids[table]
        self._ids[table] = number + 1
        return number

    def _pick(self, values: Sequence[T]) -> T:
        return values[int(self._random.random() * len(values))]
