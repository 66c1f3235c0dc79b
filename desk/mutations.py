"""The mutations that no module file can say, as data: what they are called, take and return. Types are made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from desk.articles import PLAIN, ArticleKind
from desk.links import NORMAL, PARENT_CHILD
from desk.mutation_parts import CORE, ROWS, Mutation, Parameter, Part, Shape, Words
from desk.rights_mutations import PERMISSIONS, RIGHTS
from desk.roles import Role, find_role
from schema.spec import Audience, Module

KINDS = Words(
    "NewArticleKind",
    "How an article came to be.",
    {
        "NOTE": (ArticleKind.NOTE, "A note of an agent."),
        "PHONE_FROM_CUSTOMER": (ArticleKind.PHONE_CALL_IN, "The customer called."),
        "PHONE_TO_CUSTOMER": (ArticleKind.PHONE_CALL_OUT, "An agent called the customer."),
    },
)
LINKS = Words(
    "TicketLinkType",
    "How two tickets belong together.",
    {
        "NORMAL": (NORMAL, "Neither is above the other."),
        "PARENT_CHILD": (PARENT_CHILD, "`ticket` is the parent of `other`."),
    },
)
ARTICLE = Shape(
    "NewArticle",
    "An article to be written. Who sent it and to whom is found out where it is not said.",
    (
        Parameter("subject", "String!"),
        Parameter("body", "String!"),
        Parameter("kind", "NewArticleKind!", default=ArticleKind.NOTE),
        Parameter("visibleForCustomer", "Boolean!", default=False),
        Parameter("contentType", "String!", "`text/plain`, or `text/html`: then the body is kept as OTRS does, with its plain text beside it.", PLAIN),
        Parameter("from", "String"),
        Parameter("to", "String"),
        Parameter("cc", "String"),
        Parameter("timeUnits", "Decimal", "The time that it took, in the units that the site has chosen."),
        Parameter("attachments", "[ID!]", "Ids of files that were uploaded before; each can be used once."),
    ),
)  # fmt: skip
# Customers write to the desk, in their own name and before their own eyes; the rest is not theirs to say.
CUSTOMERS_ARTICLE = Shape(
    ARTICLE.name,
    "What you want to say.",
    tuple(item for item in ARTICLE.parameters if item.name in ("subject", "body", "contentType", "attachments")),
)
WORDS = (KINDS, LINKS, PERMISSIONS)
SHAPES: Mapping[Audience, tuple[Shape, ...]] = {Audience.AGENT: (ARTICLE,), Audience.CUSTOMER: (CUSTOMERS_ARTICLE,)}
FIRST_ARTICLE: Mapping[Audience, Parameter] = {
    Audience.AGENT: Parameter("article", "NewArticle", "The article that the ticket begins with."),
    Audience.CUSTOMER: Parameter("article", "NewArticle!", "What it is about."),
}

_VERSION = Parameter("ifVersion", "String", "The `version` of the ticket that you started from; CONFLICT when there is another one.")  # fmt: skip
_TICKET = Parameter("ticket", "{ticket}Key!")
_OTHER = Parameter("other", "{ticket}Key!")
_LINK = Parameter("type", "TicketLinkType!", default=NORMAL)
_AGENT = Parameter("agent", "{agent}Key", "Who watches it; the caller where nobody is named.")
_WATCHED = Part("ticket", Role.TICKET, "The ticket.", "record")
_CURRENT = Part("current", Role.TICKET, "On CONFLICT: the ticket as it is now.", "current")
_SOURCE = Part("merged", Role.TICKET, "The ticket that was merged into the other one.", "merged")

TICKETS = (
    Mutation(
        "addArticle",
        "Add a note or a phone call to a ticket, and change the ticket along with it.",
        (
            _TICKET,
            Parameter("article", "NewArticle!"),
            Parameter("patch", "{ticket}Patch", "What else is to change of the ticket, in the same transaction."),
            _VERSION,
        ),
        (
            Part("ticket", Role.TICKET, "The ticket as it is now.", "record"),
            Part("article", Role.ARTICLE, "The new article.", "article"),
            _CURRENT,
        ),
        keys={"ticket": Role.TICKET},
        changed=("ticket",),
        patches={"patch": "ticket"},
        rights=((Role.TICKET, "rows"), (Role.ARTICLE, "create")),
    ),
    Mutation(
        "splitArticle",
        "Make a ticket of its own from an article of another one; it becomes a child of that.",
        (
            Parameter("article", "{article}Key!"),
            Parameter("ticket", "{ticket}Patch", "What the new ticket has otherwise than the old one."),
        ),
        (
            Part("ticket", Role.TICKET, "The new ticket.", "record"),
            Part("article", Role.ARTICLE, "Its first article.", "article"),
        ),
        keys={"article": Role.ARTICLE},
        creates={"ticket": Role.TICKET},
        rights=((Role.TICKET, "rows"),),
    ),
    Mutation(
        "mergeTickets",
        "Merge a ticket into another one: its articles, times, watchers and links move there.",
        (_TICKET, Parameter("into", "{ticket}Key!")),
        (Part("ticket", Role.TICKET, "The ticket that has it all now.", "record"), _SOURCE),
        keys={"ticket": Role.TICKET, "into": Role.TICKET},
        changed=("ticket", "into"),
    ),
    Mutation(
        "unmergeTickets",
        "Take the newest merge of a ticket back. What happened to the other ticket meanwhile stays there.",
        (_TICKET,),
        (
            Part("ticket", Role.TICKET, "The ticket that was merged and is itself again.", "record"),
            Part("from", Role.TICKET, "The ticket that it was taken out of.", "from"),
        ),
        keys={"ticket": Role.TICKET},
        changed=("ticket",),
    ),
    Mutation(
        "linkTickets",
        "Link two tickets; nothing happens where they are linked like that already.",
        (_TICKET, _OTHER, _LINK),
        (_WATCHED, Part("other", Role.TICKET, "The other ticket.", "other")),
        keys={"ticket": Role.TICKET, "other": Role.TICKET},
    ),
    Mutation(
        "unlinkTickets",
        "Take a link between two tickets away; nothing happens where there is none.",
        (_TICKET, _OTHER, _LINK),
        (_WATCHED, Part("other", Role.TICKET, "The other ticket.", "other")),
        keys={"ticket": Role.TICKET, "other": Role.TICKET},
    ),
    Mutation(
        "watchTicket",
        "Let an agent watch a ticket; nothing happens where he does so already.",
        (_TICKET, _AGENT),
        (_WATCHED,),
        keys={"ticket": Role.TICKET, "agent": Role.AGENT},
    ),
    Mutation(
        "unwatchTicket",
        "Let an agent watch a ticket no more; nothing happens where he did not.",
        (_TICKET, _AGENT),
        (_WATCHED,),
        keys={"ticket": Role.TICKET, "agent": Role.AGENT},
    ),
)
CUSTOMERS_MUTATIONS = (
    replace(
        TICKETS[0],
        description="Answer in a ticket. What waits or was closed is open again.",
        parameters=tuple(item for item in TICKETS[0].parameters if item.name != "patch"),
        patches={},
    ),
)
MUTATIONS = (*TICKETS, *RIGHTS)


def offered(modules: Mapping[str, Module], audience: Audience = Audience.AGENT) -> tuple[Mutation, ...]:
    """Return the mutations that there are for an audience where these modules serve."""
    if audience is Audience.CUSTOMER:
        return tuple(item for item in CUSTOMERS_MUTATIONS if _is_granted(modules, item))
    taken = {role: module for role in Role if (module := find_role(modules, role)) is not None}
    return tuple(
        item
        for item in MUTATIONS
        if item.roles <= set(taken) and all(operation in taken[role].operations for role, operation in item.needs)
    )


def _is_granted(modules: Mapping[str, Module], item: Mutation) -> bool:
    """Answer whether the modules' rules grant customers what a mutation needs."""
    for role, right in item.rights:
        module = find_role(modules, role)
        rules = module.access.customer if module is not None else None
        rule = None if rules is None else (rules.view if right == ROWS else getattr(rules, right))
        if rule is None or rule.is_never:
            return False
    return True


def lacking(modules: Mapping[str, Module]) -> list[str]:
    """Say which modules are missing for which mutations; nothing when all is there."""
    absent = [role for role in (*CORE, Role.AGENT) if find_role(modules, role) is None]
    return [
        f"No module serves the table `{role}`, so there is no {', no '.join(names)}."
        for role in absent
        if (names := [item.name for item in MUTATIONS if role in item.roles])
    ]


def graphql_names() -> Iterator[str]:
    """Yield every GraphQL name that is the desk's, whether or not it is there: no module may have it."""
    yield from (item.name for item in (*WORDS, ARTICLE))
    for item in MUTATIONS:
        yield from (item.name, f"{item.type_name}Input", f"{item.type_name}Payload")
