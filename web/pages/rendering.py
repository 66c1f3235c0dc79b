"""Templates become text: one environment that escapes everything, and blocks of a page as fragments."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from web.pages.assets import asset
from web.pages.drawing import draw, draw_first

TEMPLATES = Path(__file__).parent.parent / "templates"


@cache
def environment() -> jinja2.Environment:
    """Return the environment: strict about names, and without an extension that would leave out escaping."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(default=True, default_for_string=True),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals["asset"] = asset
    made.filters |= {"draw": draw, "draw_first": draw_first}
    return made


def render(template: str, values: Mapping[str, Any], block: str = "") -> str:
    """Render a page, or one block of it alone."""
    found = environment().get_template(template)
    if not block:
        return found.render(values)
    context = found.new_context(dict(values))
    return "".join(found.blocks[block](context))
