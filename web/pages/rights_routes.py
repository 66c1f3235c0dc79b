"""Every address of the pages of rights."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from web.live import Live
from web.pages.administration import guarded
from web.pages.door import Door
from web.pages.rights_agent import show_agent, take_roles
from web.pages.rights_group import show_group
from web.pages.rights_keys import show_keys, take_keys
from web.pages.rights_matrix import ADDRESS, show_matrix
from web.pages.rights_role import show_role, take_member
from web.pages.rights_why import show_why


def make_rights_pages(live: Live) -> list[BaseRoute]:
    """List the routes."""
    return [
        Route(ADDRESS, Door(live, guarded(show_matrix))),
        Route(f"{ADDRESS}/keys", Door(live, guarded(show_keys), guarded(take_keys))),
        Route(f"{ADDRESS}/why", Door(live, guarded(show_why))),
        Route(f"{ADDRESS}/agents/{{login:path}}", Door(live, guarded(show_agent), guarded(take_roles))),
        Route(f"{ADDRESS}/groups/{{group}}", Door(live, guarded(show_group))),
        Route(f"{ADDRESS}/roles/{{role}}", Door(live, guarded(show_role), guarded(take_member))),
    ]
