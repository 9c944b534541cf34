"""How every HTML document is addressed and answered: numbers in paths, headers."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import HTMLResponse, Response

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'",  # the documents themselves have the rest
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def answer(document: str, status: int = 200) -> Response:
    """An HTML document with the headers that each of them has."""
    return HTMLResponse(document, status, headers=HEADERS)


class Row(Convertor[int]):
    """A number of the store in a path; a longer one is no number of anything."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        """The number."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Its digits."""
        return str(value)


register_url_convertor("row", Row())
