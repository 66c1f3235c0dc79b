"""The files below `/static`: a page names them with a digest of their content, so that a browser may keep them for good."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent.parent / "static"
DIGEST_LETTERS = 12
ASK_AGAIN = "no-cache"
FOR_GOOD = "public, max-age=31536000, immutable"
_PACKED = frozenset({".css", ".js", ".svg"})


@cache
def asset(path: str) -> str:
    """Return the address of a file, which changes whenever its content does."""
    return f"/static/{path}?v={_digest(path)}"


@cache
def _digest(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:DIGEST_LETTERS]


@cache
def _packed(path: str) -> bytes:
    return gzip.compress((STATIC / path).read_bytes(), 9, mtime=0)


class StaticFolder(StaticFiles):
    """The files below `/static`. Without the digest in its address a browser asks each time whether a file has changed."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file; texts are compressed for those who take it."""
        response = await super().get_response(path, scope)
        if response.status_code != 200:  # noqa: PLR2004 - 304, and what is not there
            response.headers["Cache-Control"] = ASK_AGAIN
            return response
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        kept = FOR_GOOD if asked and asked == _digest(path) else ASK_AGAIN
        if Path(path).suffix in _PACKED:
            response = _pack(path, scope, response)
        response.headers["Cache-Control"] = kept
        return response


def _pack(path: str, scope: Scope, plain: Response) -> Response:
    if "gzip" not in Headers(scope=scope).get("accept-encoding", ""):
        plain.headers["Vary"] = "Accept-Encoding"
        return plain
    headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    headers |= {name: value for name in ("etag", "last-modified") if (value := plain.headers.get(name))}
    body = b"" if scope["method"] == "HEAD" else _packed(path)
    return Response(body, 200, headers, plain.media_type)
