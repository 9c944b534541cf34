"""How large a YAML document is once its aliases are written out: a few lines may be a billion."""

from __future__ import annotations

from typing import cast

import yaml

VALUES_MAX = 100_000  # a configuration of a thousand tools has twenty thousand


def check_size(root: yaml.Node | None) -> None:
    """Raises ValueError for a document with too many values, or with one that holds itself."""
    if root is not None and values_in(root, {}) > VALUES_MAX:
        raise ValueError(f"its aliases stand for more than {VALUES_MAX} values")


def values_in(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values a node is, each alias counted as what it stands for."""
    key = id(node)
    if key in known:
        size = known[key]
        if size is None:
            raise ValueError("an alias stands for a value that holds it")
        return size
    known[key] = None  # while we are inside of it
    size = 1 + sum(values_in(child, known) for child in children(node))
    known[key] = size
    return size


def children(node: yaml.Node) -> list[yaml.Node]:
    """What a sequence or a mapping holds."""
    if isinstance(node, yaml.MappingNode):
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
        return [one for pair in pairs for one in pair]
    return cast("list[yaml.Node]", node.value) if isinstance(node, yaml.SequenceNode) else []
