"""Import hooks: functions that are called when a module has been imported.

A finder of its own instead of a library's, because every Python process under `aftershock run`
pays for what this imports.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    Call = Callable[[str], object]


class NotifyingLoader:
    """A loader that does what the real one does and then calls the hooks."""

    def __init__(self, loader: Any, notify: Callable[[str], None]) -> None:
        self._loader = loader
        self._notify = notify

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real one."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the real one, which also gets its place back; then call the hooks."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._notify(module.__name__)


class ImportHooks:
    """A finder that finds nothing itself, but replaces the loaders of hooked modules."""

    def __init__(self) -> None:
        self._calls: dict[str, list[Call]] = {}

    def add(self, module: str, call: Call) -> None:
        """Call with the module's name after each import of it; now, where it is imported."""
        self._calls.setdefault(module, []).append(call)
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        if module in sys.modules and not is_initialising(sys.modules[module]):
            call(module)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders find, with a loader that calls the hooks."""
        if name not in self._calls:
            return None
        for finder in list(sys.meta_path):
            if finder is self:
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    loader: Any = NotifyingLoader(spec.loader, self._notify)
                    spec.loader = loader
                return spec
        return None

    def _notify(self, module: str) -> None:
        for call in list(self._calls.get(module, ())):
            call(module)


def is_initialising(module: Any) -> bool:
    """True while a module's own code is still running."""
    spec = getattr(module, "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def half_imported(packages: tuple[str, ...], but: str) -> bool:
    """True while a module of these packages is still running, apart from the one just finished."""
    return any(
        name != but and name.partition(".")[0] in packages and is_initialising(module)
        for name, module in list(sys.modules.items())
    )


_hooks = ImportHooks()
when_imported = _hooks.add
