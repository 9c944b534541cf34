"""aftershock.yaml and the environment → Config, or every problem with its line and what to do.

The environment wins over the file, value by value, and is checked against the same schema.
"""

from __future__ import annotations

import difflib
import json
import logging
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, ValidationError

from aftershock.policy.policy import Policy, PolicyError
from aftershock_collector.config.advice import KeyPath, doubts, misspelt
from aftershock_collector.config.model import (
    AGENT_VARIABLES,
    ENVIRONMENT,
    FILE_NAME,
    FILE_VARIABLE,
    HOME_VARIABLE,
    Address,
    Config,
    home,
)
from aftershock_collector.config.on_call import secret_files, unknown_receivers, unknown_zones
from aftershock_collector.config.renamed import RENAMED_VARIABLES, UNTIL, adopt_new_names
from aftershock_collector.config.schema_errors import meant, wanted
from aftershock_collector.config.yaml_size import check_size
from aftershock_collector.metrics.queries import PLACEHOLDERS, unknown_placeholders

FILE_BYTES_MAX = 1_000_000  # a thousand tools, described at length; more is a wrong file
SHOWN_CHARS_MAX = 60  # of a wrong value in a message

Section = dict[str, Any]

log = logging.getLogger("aftershock")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it stands, and what to do about it."""

    place: str  # aftershock.yaml:12:5, or the environment variable
    key: str  # tools.scale.tier; "" where it is about the whole file
    message: str

    def __str__(self) -> str:
        return (
            f"{self.place} {self.key}: {self.message}"
            if self.key
            else (f"{self.place}: {self.message}")
        )


class ConfigurationError(ValueError):
    """The configuration cannot be used; `problems` has every reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def load(path: Path | None, environment: Mapping[str, str]) -> Config:
    """Read the file (`None`: look for it) and the environment; raises ConfigurationError."""
    source = _Source(path or find(environment), environment)
    for warning in source.warnings:
        log.warning("%s", warning)
    if source.problems:
        raise ConfigurationError(source.problems)
    return Config.parse(source.document, home(environment))


def check(path: Path | None, environment: Mapping[str, str]) -> tuple[Problem, ...]:
    """Everything that is wrong with the file and the environment, in the order of the file."""
    return tuple(_Source(path or find(environment), environment).problems)


def doubtful(path: Path | None, environment: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is valid but probably not meant; empty where the file is wrong."""
    source = _Source(path or find(environment), environment)
    if source.problems:
        return ()
    for at, message in doubts(source.document):
        source.doubt(at, message)
    known = {*ENVIRONMENT, *RENAMED_VARIABLES, *AGENT_VARIABLES, FILE_VARIABLE, HOME_VARIABLE}
    for variable in sorted(environment):
        if variable.startswith("AFTERSHOCK_") and variable not in known:
            source.problems.append(Problem(variable, "", "unknown variable: it changes nothing"))
    return tuple(source.problems)


def warnings(path: Path | None, environment: Mapping[str, str]) -> tuple[Problem, ...]:
    """What is read today and will not be for ever: old names of settings."""
    return tuple(_Source(path or find(environment), environment).warnings)


def find(environment: Mapping[str, str]) -> Path | None:
    """Where the file is: AFTERSHOCK_POLICY, else aftershock.yaml here, else nowhere."""
    if named := environment.get(FILE_VARIABLE):
        return Path(named).expanduser()
    here = Path(FILE_NAME)
    return here if here.is_file() else None


def schema() -> Section:
    """The JSON schema of aftershock.yaml, as it ships."""
    text = resources.files("aftershock").joinpath("aftershock.schema.json").read_text("utf-8")
    return cast("Section", json.loads(text))


class _Source:
    """One reading of the file and the environment: the document, and what is wrong with it."""

    def __init__(self, path: Path | None, environment: Mapping[str, str]) -> None:
        self._path = path
        self._root: yaml.Node | None = None
        self._from_environment: dict[KeyPath, str] = {}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.document: Section = {}
        self._readable = True
        if path is not None:
            self._read_file(path)
        if self._readable:
            self._overlay(environment)
            self._check()
        lines = {id(p): self._line(p) for p in self.problems}
        self.problems.sort(key=lambda problem: lines[id(problem)])

    # --- Reading -------------------------------------------------------------------------------

    def _read_file(self, path: Path) -> None:
        self._readable = False
        try:
            with path.open("rb") as file:
                raw = file.read(FILE_BYTES_MAX + 1)
            if len(raw) > FILE_BYTES_MAX:
                self._whole(f"larger than {FILE_BYTES_MAX} bytes: not a configuration file")
                return
            text = raw.decode("utf-8")
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
            check_size(self._root)
            loaded: Any = yaml.safe_load(text)
        except OSError as error:
            self._whole(f"cannot be read: {error.strerror or error}")
        except UnicodeDecodeError as error:
            self._whole(f"not UTF-8 text (byte {error.start}): save it as UTF-8")
        except yaml.MarkedYAMLError as error:
            self._whole(f"not YAML: {error.problem or error}", error.problem_mark)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self._whole(f"not YAML: {error}")
        else:
            self._adopt(loaded)

    def _adopt(self, loaded: Any) -> None:
        if loaded is not None and not isinstance(loaded, dict):
            self._whole("must be a mapping with tools, agents, limits, collector, …")
            return
        given = cast("dict[Any, Any]", loaded or {})
        self._readable = True
        self.document = {str(key): value for key, value in given.items() if value is not None}
        if self._root is not None:
            self._check_keys(self._root, ())
        self.document = deepcopy(self.document)
        for path, message in adopt_new_names(self.document):
            self._warn(message, _mark_of(self._root, path), _dotted(path))

    def _check_keys(self, node: yaml.Node, path: KeyPath) -> None:
        """YAML keeps the last of two equal keys, and reads `1` or `yes` as no text: say so."""
        if isinstance(node, yaml.SequenceNode):
            for place, one in enumerate(cast("list[yaml.Node]", node.value)):
                self._check_keys(one, (*path, place))
        if not isinstance(node, yaml.MappingNode):
            return
        seen: set[str] = set()
        for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", node.value):
            name = str(key.value)
            if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                self._readable = False
                self._add((*path, name), f"keys must be text: write '{name}' in quotes")
            if name in seen:
                message = (
                    f"given twice in {_dotted(path) or 'the file'}: the first would be ignored"
                )
                self._whole(message, key.start_mark, _dotted((*path, name)))
            seen.add(name)
            self._check_keys(value, (*path, name))

    def _overlay(self, environment: Mapping[str, str]) -> None:
        known = {*ENVIRONMENT, FILE_VARIABLE, HOME_VARIABLE}
        self.document = deepcopy(self.document)
        for variable, text in environment.items():
            if not variable.startswith("AFTERSHOCK_"):
                continue
            if variable in RENAMED_VARIABLES:
                new = RENAMED_VARIABLES[variable]
                self.warnings.append(Problem(variable, "", f"is now called {new}; {UNTIL}"))
                if text and not environment.get(new):
                    self._put(new, text)
                continue
            if variable not in known:
                close = difflib.get_close_matches(variable, known, 1, 0.9)
                if close:  # others may be meant for the agent's process
                    self.problems.append(Problem(variable, "", f"did you mean {close[0]}?"))
                continue
            if variable in ENVIRONMENT and text:
                self._put(variable, text)

    def _put(self, variable: str, text: str) -> None:
        path, value_type = ENVIRONMENT[variable]
        section: Any = self.document
        for name in path[:-1]:
            inner: Any = section.setdefault(name, {})
            if not isinstance(inner, dict):
                return  # the file is wrong there, and the schema will say so
            section = cast("Section", inner)
        section[path[-1]] = value_type.read(text)
        self._from_environment[path] = variable

    # --- Checking ------------------------------------------------------------------------------

    def _check(self) -> None:
        validator: Any = Draft202012Validator(schema())  # its stubs leave `iter_errors` half typed
        for error in validator.iter_errors(self.document):
            self._explain(error)
        if not self.problems:
            try:
                Policy.from_mapping(self.document)
            except PolicyError as error:
                self._add(error.path, error.message)
        if not self.problems:
            for path, message in misspelt(self.document):
                self._add(path, message)
            self._check_addresses()
            self._check_queries()
            self._check_routes()
            self._resolve_secrets()

    def _explain(self, error: ValidationError) -> None:
        path: KeyPath = tuple(error.absolute_path)
        value: Any = error.instance
        form = cast("Section", error.schema)
        described = form.get("description")
        kind = str(error.validator)
        limits: Any = error.validator_value
        if kind == "additionalProperties" and isinstance(limits, bool):
            known = sorted(form.get("properties", {}))
            for key in [key for key in value if key not in known]:
                self._add((*path, key), f"unknown key '{key}'; {_instead(key, known)}")
        elif kind == "enum":
            self._add(path, f"{_shown(value)} is unknown; {_instead(str(value), limits)}")
        elif kind == "required":
            missing = [key for key in limits if key not in value]
            self._add(path, f"needs {' and '.join(repr(key) for key in missing)}")
        elif kind == "type":
            self._add(path, f"{_shown(value)} should be {wanted(str(limits), form)}")
        elif kind == "oneOf" and (inner := meant(error)) is not None:
            self._explain(inner)
        elif kind == "minimum":
            self._add(path, f"{_shown(value)} should be {limits} or more")
        elif described:
            self._add(path, f"{_shown(value)} does not fit: {described}")
        elif kind == "pattern":
            self._add(path, f"{_shown(value)} does not match {limits}")
        else:
            self._add(path, error.message[:200])

    def _check_addresses(self) -> None:
        collector: Section = self.document.get("collector") or {}
        used: dict[Address, str] = {}
        for name in ("http", "grpc"):
            if name not in collector:
                continue
            address = Address.parse(collector[name])
            if address.port > 65_535:
                self._add(("collector", name), f"port {address.port} should be 0 to 65535")
            elif address.port and address in used:
                self._add(("collector", name), f"{address} is already {used[address]}'s")
            used[address] = name

    def _check_queries(self) -> None:
        """A placeholder that stands for nothing would ask Prometheus about nothing."""
        infrastructure: Section = self.document.get("infrastructure") or {}
        prometheus: Section = infrastructure.get("prometheus") or {}
        families: Section = prometheus.get("queries") or {}
        for family, queries in families.items():
            for name, query_or_text in queries.items():
                query = query_or_text if isinstance(query_or_text, str) else query_or_text["query"]
                for wrong in unknown_placeholders(query):
                    path = ("infrastructure", "prometheus", "queries", family, name)
                    advice = _instead(wrong, PLACEHOLDERS)
                    self._add(path, f"unknown placeholder '{{{wrong}}}'; {advice}")

    def _check_routes(self) -> None:
        for path, name, known in unknown_receivers(self.document.get("on_call") or {}):
            self._add(path, f"no receiver is called {name!r}; {_instead(name, known)}")
        for path, message in unknown_zones(self.document.get("on_call") or {}):
            self._add(path, message)

    def _resolve_secrets(self) -> None:
        """Put what a secret's file holds in the place of its name."""
        for path, owner, key in secret_files(self.document):
            named = Path(cast("dict[str, str]", owner[key])["file"]).expanduser()
            owner[key] = self._held(path, named)

    def _held(self, path: KeyPath, named: Path) -> str:
        file = named if self._path is None else self._path.parent / named
        try:
            held = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self._add(
                path, f"{file} cannot be read: {getattr(error, 'strerror', '') or 'not text'}"
            )
            return ""
        if not held:
            self._add(path, f"{file} is empty")
        return held

    # --- Places --------------------------------------------------------------------------------

    def _add(self, path: KeyPath, message: str) -> None:
        for length in range(len(path), 0, -1):
            variable = self._from_environment.get(path[:length])
            if variable is not None:
                self.problems.append(Problem(variable, "", message))
                return
        self._whole(message, _mark_of(self._root, path), _dotted(path))

    def _whole(self, message: str, mark: yaml.Mark | None = None, key: str = "") -> None:
        self.problems.append(Problem(self._place(mark), key, message))

    def _warn(self, message: str, mark: yaml.Mark | None, key: str) -> None:
        self.warnings.append(Problem(self._place(mark), key, message))

    def _place(self, mark: yaml.Mark | None) -> str:
        name = FILE_NAME if self._path is None else self._path.name
        return f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name

    def doubt(self, path: KeyPath, message: str) -> None:
        """Add what is only doubtful, with its place."""
        self._add(path, message)

    @staticmethod
    def _line(problem: Problem) -> tuple[int, int]:
        parts = problem.place.rsplit(":", 2)
        return (int(parts[1]), int(parts[2])) if len(parts) == 3 else (0, 0)


def _mark_of(root: yaml.Node | None, path: KeyPath) -> yaml.Mark | None:
    """Where a key stands; for what is not in the file, where its nearest owner does."""
    mark = None
    node = root
    for name in path:
        if isinstance(node, yaml.MappingNode):
            pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
            found = [pair for pair in pairs if pair[0].value == str(name)]
            if not found:
                break
            key, node = found[-1]
            mark = key.start_mark
        elif isinstance(node, yaml.SequenceNode) and isinstance(name, int):
            node = cast("list[yaml.Node]", node.value)[name]
            mark = node.start_mark
        else:
            break
    return cast("yaml.Mark | None", mark)


def _instead(wrong: str, known: Iterable[str]) -> str:
    options = list(known)
    close = difflib.get_close_matches(wrong, options, 1, 0.6)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(options)}"


def _shown(value: Any) -> str:
    shown = "nothing" if value is None else repr(value)
    return shown if len(shown) <= SHOWN_CHARS_MAX else shown[:SHOWN_CHARS_MAX] + "…"


def _dotted(path: KeyPath) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")
