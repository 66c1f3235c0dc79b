"""Every address of the pages."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from web.live import Live
from web.pages.action_page import show_action, take_action
from web.pages.bulk_page import show_bulk, take_bulk
from web.pages.cell_page import show_cell, take_cell
from web.pages.customer_routes import make_customer_pages
from web.pages.dashboard_page import show_dashboard
from web.pages.detail_page import take_delete, take_restore
from web.pages.door import Door
from web.pages.filter_page import show_filter
from web.pages.form_page import show_edit, show_new, take_edit, take_new
from web.pages.front import choose_look, show_look, show_nothing
from web.pages.history_page import show_history, take_undo
from web.pages.home_page import show_home
from web.pages.import_page import show_import, take_import
from web.pages.list_page import show_count, show_list
from web.pages.live_meanwhile import show_meanwhile
from web.pages.live_page import show_live
from web.pages.modules_routes import make_module_pages
from web.pages.multipart_form import read_with_files
from web.pages.options_page import show_options
from web.pages.profile_deeds import end_others, end_session, make_token, revoke_token, take_password
from web.pages.profile_page import show_profile
from web.pages.query_page import show_examples, show_graphiql
from web.pages.related_page import show_related
from web.pages.rights_routes import make_rights_pages
from web.pages.row_page import show_fields, show_row
from web.pages.search_page import show_search
from web.pages.ticket_routes import make_ticket_pages
from web.pages.views_page import show_views, take_views
from web.pages.work_routes import make_work_pages


def make_pages(live: Live) -> list[BaseRoute]:
    """List the routes."""
    return [
        Route("/", Door(live, show_home)),
        Route("/search", Door(live, show_search)),
        Route("/live", Door(live, show_live)),
        Route("/dashboard", Door(live, show_dashboard)),
        Route("/graphiql", Door(live, show_graphiql)),
        Route("/graphiql/examples/{module}", Door(live, show_examples)),
        Route("/modules/{module}", Door(live, show_list)),
        Route("/modules/{module}/new", Door(live, show_new, take_new, read_with_files)),
        Route("/modules/{module}/bulk", Door(live, show_bulk, take_bulk)),
        Route("/modules/{module}/import", Door(live, show_import, take_import, read_with_files)),
        Route("/modules/{module}/options/{field}", Door(live, show_options)),
        Route("/modules/{module}/count", Door(live, show_count)),
        Route("/modules/{module}/filter", Door(live, show_filter)),
        Route("/modules/{module}/views", Door(live, show_views, take_views)),
        Route("/modules/{module}/{row}", Door(live, show_row)),
        Route("/modules/{module}/{row}/fields", Door(live, show_fields)),
        *make_ticket_pages(live),
        Route("/modules/{module}/{row}/meanwhile", Door(live, show_meanwhile)),
        Route("/modules/{module}/{row}/history", Door(live, show_history)),
        Route("/modules/{module}/{row}/related/{relation}", Door(live, show_related)),
        Route("/modules/{module}/{row}/cell/{field}", Door(live, show_cell, take_cell)),
        Route("/modules/{module}/{row}/act/{action}", Door(live, show_action, take_action)),
        Route("/modules/{module}/{row}/delete", Door(live, post=take_delete)),
        Route("/modules/{module}/{row}/restore", Door(live, post=take_restore)),
        Route("/modules/{module}/{row}/undo", Door(live, post=take_undo)),
        Route("/modules/{module}/{row}/edit", Door(live, show_edit, take_edit, read_with_files)),
        *make_module_pages(live),
        *make_work_pages(live),
        *make_rights_pages(live),
        *make_customer_pages(live),
        Route("/modules/{rest:path}", Door(live, show_nothing)),
        Route("/profile", Door(live, show_profile)),
        Route("/profile/password", Door(live, show_profile, take_password)),
        Route("/profile/session", Door(live, show_profile, end_session)),
        Route("/profile/sessions", Door(live, show_profile, end_others)),
        Route("/profile/tokens", Door(live, show_profile, make_token)),
        Route("/profile/token", Door(live, show_profile, revoke_token)),
        Route("/look", Door(live, show_look, choose_look)),
    ]
