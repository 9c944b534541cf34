"""Files that ship with the command from other folders of the tree: dashboards, rules, runbooks.

A wheel holds them below `shipped/`; an editable install reads them where they are kept.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def shipped(name: str) -> Path:
    """The folder of that name: `dashboards/generated`, `alerts/runbooks`."""
    installed = PACKAGE / "shipped" / name
    return installed if installed.is_dir() else PACKAGE.parent.parent / name
