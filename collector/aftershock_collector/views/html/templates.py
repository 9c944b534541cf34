"""The HTML templates beside this module: escaped by default, strict about names they do not get."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

PACKAGE = "aftershock_collector.views.html"


def render(name: str, **context: Any) -> str:
    """A whole document from the template `name`. Names that a template lacks are errors."""
    return environment().get_template(name).render(context)


@cache
def environment() -> Environment:
    """Autoescape is on for everything: only `asset` puts markup into a document unescaped."""
    made = Environment(
        loader=PackageLoader(PACKAGE, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset, script_hash=script_hash)
    # `tojson` escapes <, >, & and ', so that JSON cannot close the element that holds it.
    made.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return made


@cache
def asset(name: str) -> Markup:
    """A style sheet or script that ships beside the templates, as it is."""
    text = (files(PACKAGE) / "assets" / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704  (our own file, nothing from outside)


@cache
def script_hash(name: str) -> str:
    """The hash by which the content security policy lets one script run."""
    digest = hashlib.sha256(asset(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def position(**numbers: float) -> str:
    """A style that sets custom properties to plain numbers; nothing else reaches a style."""
    return ";".join(f"--{name}:{value:.6g}" for name, value in numbers.items())
