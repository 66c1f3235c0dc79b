"""How the server is: modules, database, the sandbox with what locks it up, lambdas and versions."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from starlette.responses import Response

from resolvers.preview import DRAFT
from schema.problems import Level
from web.health import find_degraded, find_reasons
from web.pages.cells import Reader, now, show_moment
from web.pages.modules_page import STATES
from web.pages.visit import Visit

HEALTH = """\
query Health {
  schemaVersion
  modules { name state }
  lambdaSandbox {
    isOn reason workers waiting kills replaced
    steps { name holds reason }
    lambdas { name state calls rows failures kills cpuMs wallMs lastError { code message line at } }
  }
}
"""
LAMBDA_TONES: Mapping[str, str] = {"RUNS": "green", "RESTS": "red", "TRIES": "amber"}


async def show_health(visit: Visit) -> Response:
    """Show it."""
    started = time.monotonic()
    reasons = await find_reasons(visit.live)
    took_ms = round((time.monotonic() - started) * 1000, 1)
    data = (await visit.ask(HEALTH)).data
    degraded = find_degraded(visit.live)
    reader = Reader(visit.texts, visit.look.time_zone(), now())
    return visit.page(
        "modules/health.html",
        state="unavailable" if reasons else "degraded" if degraded else "ok",
        troubles=[*reasons, *degraded],
        database_ms=None if any(reason["what"] == "database" for reason in reasons) else took_ms,
        database=visit.live.settings.database_url.partition(":")[0].partition("+")[0],
        counts=Counter(item["state"] for item in data["modules"]),
        states=STATES,
        warnings=sum(problem.level is Level.WARNING for problem in visit.snapshot.problems),
        sandbox=data["lambdaSandbox"],
        lambdas=[_figures(visit, item, reader) for item in data["lambdaSandbox"]["lambdas"] if not _is_draft(item)],
        tones=LAMBDA_TONES,
        versions={
            "Lambdesk": version("lambdesk"),
            "Python": platform.python_version(),
            visit.texts("health-schema"): data["schemaVersion"],
        },
    )


def _is_draft(item: Mapping[str, Any]) -> bool:
    """Whether a lambda is somebody's draft in the editor."""
    return str(item["name"]).endswith(f".{DRAFT}")


def _figures(visit: Visit, item: Mapping[str, Any], reader: Reader) -> Mapping[str, Any]:
    name, _, field = item["name"].partition(".")
    module = visit.snapshot.modules.get(name)
    is_edited = module is not None and any(computed.name == field for computed in module.computed)
    error = item["lastError"]
    return {
        **item,
        "url": f"/admin/modules/{name}/lambdas/{field}" if is_edited else "",
        "each": item["cpuMs"] / item["calls"] if item["calls"] else 0,
        "at": show_moment(error["at"], reader) if error else None,
    }
