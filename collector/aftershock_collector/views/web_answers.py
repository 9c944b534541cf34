"""How every HTML document is answered: its headers."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # the documents themselves have the rest
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def answer(document: str, status: int = 200) -> Response:
    """An HTML document with the headers that each of them has."""
    return HTMLResponse(document, status, headers=HEADERS)
