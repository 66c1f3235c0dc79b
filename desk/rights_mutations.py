"""The mutations that give and take rights, as data; `desk.permission_hands` carries them out."""

from __future__ import annotations

from desk.mutation_parts import ROWS, Mutation, Parameter, Part, Words
from desk.roles import Role

SAME_COMPANY = "Ticket::CustomerID::Same"  # OTRS's name for tickets of the company itself

PERMISSIONS = Words(
    "PermissionName",
    "What somebody may do with the queues of a group.",
    {
        "RO": ("ro", "See tickets."),
        "MOVE_INTO": ("move_into", "Move tickets into queues."),
        "CREATE": ("create", "Make tickets in queues."),
        "NOTE": ("note", "Add notes to tickets."),
        "OWNER": ("owner", "Change the owner of tickets."),
        "PRIORITY": ("priority", "Change the priority of tickets."),
        "RW": ("rw", "All of it. It is stored alone."),
    },
)

_GROUP = Parameter("group", "{group}Key!")
_PERMISSIONS = Parameter("permissions", "[PermissionName!]!", "All that he has of the group from now on; none takes everything away.")  # fmt: skip
_CONTEXT = Parameter("context", "String!", "Of a company: which tickets are meant, as OTRS writes it.", SAME_COMPANY)


def _writing(about: Role, *written: Role) -> tuple[tuple[Role, str], ...]:
    """Return the rights to see what a mutation is about, and to make and remove rows beside it."""
    return ((about, ROWS), *((role, right) for role in written for right in ("create", "delete")))


RIGHTS = (
    Mutation(
        "setGroupPermissions",
        "Say what an agent, the agents of a role, the customer users of a company or one of them may do with a group's queues.",
        (
            _GROUP,
            Parameter("agent", "{agent}Key", "One of agent, role, company and customerUser must be named."),
            Parameter("role", "{role}Key"),
            Parameter("company", "{company}Key"),
            Parameter("customerUser", "{customer_user}Key"),
            _PERMISSIONS,
            _CONTEXT,
        ),
        (
            Part("group", Role.GROUP, "The group.", "record"),
            Part("agent", Role.AGENT, "The agent, where one was named.", "agent"),
            Part("role", Role.ROLE, "The role, where one was named.", "role"),
            Part("company", Role.COMPANY, "The company, where one was named.", "company"),
            Part("customerUser", Role.CUSTOMER_USER, "The customer user, where one was named.", "customerUser"),
        ),
        keys={
            "group": Role.GROUP,
            "agent": Role.AGENT,
            "role": Role.ROLE,
            "company": Role.COMPANY,
            "customerUser": Role.CUSTOMER_USER,
        },
        about=Role.GROUP,
        rights=_writing(Role.GROUP, Role.GROUP_USER, Role.GROUP_ROLE, Role.GROUP_CUSTOMER, Role.GROUP_CUSTOMER_USER),
        counts=True,
    ),
    Mutation(
        "setRoleMembers",
        "Say which agents have a role, all of them; invalid agents are among them.",
        (Parameter("role", "{role}Key!"), Parameter("agents", "[{agent}Key!]!", "All who have it from now on.")),
        (Part("role", Role.ROLE, "The role.", "record"),),
        keys={"role": Role.ROLE, "agents": Role.AGENT},
        about=Role.ROLE,
        rights=_writing(Role.ROLE, Role.ROLE_USER),
        counts=True,
    ),
    Mutation(
        "setAgentRoles",
        "Say which roles an agent has, all of them.",
        (Parameter("agent", "{agent}Key!"), Parameter("roles", "[{role}Key!]!", "All that he has from now on.")),
        (Part("agent", Role.AGENT, "The agent.", "record"),),
        keys={"agent": Role.AGENT, "roles": Role.ROLE},
        about=Role.AGENT,
        rights=_writing(Role.AGENT, Role.ROLE_USER),
        counts=True,
    ),
)
