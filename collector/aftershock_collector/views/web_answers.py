"""How every page is answered: its headers."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # the rest stands in the pages themselves
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def answer(page: str, status: int = 200) -> Response:
    """A page with the headers that every page has."""
    return HTMLResponse(page, status, headers=HEADERS)
