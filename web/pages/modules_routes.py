"""Every address of the administrators' pages about modules and the server."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from web.live import Live
from web.pages.administration import SOURCE, guarded
from web.pages.begin_page import show_begin, take_begin
from web.pages.door import Door
from web.pages.field_page import show_field, take_field
from web.pages.health_page import show_health
from web.pages.lambda_page import show_lambda, take_lambda
from web.pages.modules_page import show_modules
from web.pages.rules_page import show_rules, take_rules
from web.pages.source_page import show_source, take_source
from web.pages.versions_page import show_versions, take_rollback


def make_module_pages(live: Live) -> list[BaseRoute]:
    """List the routes."""
    return [
        Route("/admin/modules", Door(live, guarded(show_modules))),
        Route("/admin/modules/new", Door(live, guarded(show_begin), guarded(take_begin))),
        Route(SOURCE, Door(live, guarded(show_source), guarded(take_source))),
        Route("/admin/modules/{module}/history", Door(live, guarded(show_versions), guarded(take_rollback))),
        Route("/admin/modules/{module}/fields", Door(live, guarded(show_field), guarded(take_field))),
        Route("/admin/modules/{module}/rules", Door(live, guarded(show_rules), guarded(take_rules))),
        Route("/admin/modules/{module}/rules/{field}", Door(live, guarded(show_rules), guarded(take_rules))),
        Route("/admin/modules/{module}/lambdas/{field}", Door(live, guarded(show_lambda), guarded(take_lambda))),
        Route("/admin/health", Door(live, guarded(show_health))),
    ]
