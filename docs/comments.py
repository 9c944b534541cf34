"""Names, values and the comments beside them, read from a module's source."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Named(NamedTuple):
    """One assignment: its name, its value as written, and the comment that explains it."""

    name: str
    value: str
    comment: str


def assignments(path: Path, class_name: str = "") -> Iterator[Named]:
    """Assignments of a module, or of one class in it, with their comments, in order.

    A comment belongs to the assignment on whose lines it stands, or right before which it stands
    on lines of its own.
    """
    source = path.read_text("utf-8")
    comments = _comments(source)
    lines = source.splitlines()
    tree = ast.parse(source)
    body = tree.body
    if class_name:
        body = next(
            node.body
            for node in tree.body
            if isinstance(node, ast.ClassDef) and node.name == class_name
        )
    for node in body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        if isinstance(target, ast.Name):
            beside = range(node.lineno, (node.end_lineno or node.lineno) + 1)
            text = " ".join(comments[line] for line in beside if line in comments)
            yield Named(target.id, ast.unparse(node.value), text or _above(node, lines, comments))


def _above(node: ast.stmt, lines: list[str], comments: dict[int, str]) -> str:
    found: list[str] = []
    line = node.lineno - 1
    while line > 0 and line in comments and lines[line - 1].lstrip().startswith("#"):
        found.insert(0, comments[line])
        line -= 1
    return " ".join(text for text in found if not text.startswith("---"))


def _comments(source: str) -> dict[int, str]:
    return {
        token.start[0]: token.string.lstrip("# ").strip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
