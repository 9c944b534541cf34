"""The dashboards against Grafana's own types: `@grafana/schema` from npm, checked by TypeScript.

The package ships types and no JSON schema, so each dashboard becomes a typed constant. Enums are
taken by their values. Two things that Grafana reads stand in no type of it: a variable's
`definition`, and the query of an annotation.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dashboards.generate import DASHBOARDS

Json = dict[str, Any]

GRAFANA, TYPESCRIPT = "13.2.3", "5.9.3"  # the newest of the series that compose runs
FOLDERS = {
    "bargauge": "bargauge",
    "logs": "logs",
    "stat": "stat",
    "state-timeline": "statetimeline",
    "table": "table",
    "timeseries": "timeseries",
}
TYPES = "./node_modules/@grafana/schema/dist/types/raw/composable/{}/panelcfg/x/types.gen"
PROLOGUE = """\
import type { AnnotationQuery, Dashboard, VariableModel } from '@grafana/schema';
type Plain<T> = T extends string ? `${T}` : T extends number ? number
  : T extends Array<infer U> ? Plain<U>[]
  : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Whole = Omit<Plain<Dashboard>, 'annotations' | 'templating'> & {
  annotations: { list: (Plain<AnnotationQuery> & Record<string, unknown>)[] },
  templating: { list: (Plain<VariableModel> & { definition?: string })[] },
};
"""

missing = [name for name in ("node", "npm") if shutil.which(name) is None]
needs_node = pytest.mark.skipif(bool(missing), reason=f"NOT TESTED: {missing} not installed")


def constants() -> Iterator[str]:
    for folder in FOLDERS.values():
        yield f"import type * as {folder} from '{TYPES.format(folder)}';"
    number = 0
    for dashboard in DASHBOARDS:
        made = dashboard.json()
        number += 1
        yield f"export const dashboard{number}: Whole = {json.dumps(made)};"
        for panel in panels(made):
            number += 1
            folder = FOLDERS[panel["type"]]
            options, custom = panel["options"], panel["fieldConfig"]["defaults"].get("custom")
            yield f"export const options{number}: Plain<{folder}.Options> = {json.dumps(options)};"
            if custom is not None:
                kind = f"Plain<{folder}.FieldConfig>"
                yield f"export const custom{number}: {kind} = {json.dumps(custom)};"


def panels(made: Json) -> Iterator[Json]:
    for panel in made["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


@pytest.fixture(scope="module")
def compiler(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with TypeScript and Grafana's types in it; kept between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    folder = Path(home) / "aftershock" / f"grafana-schema-{GRAFANA}"
    if not (folder / "node_modules" / "typescript").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [f"@grafana/schema@{GRAFANA}", f"typescript@{TYPESCRIPT}"]
        ran = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--silent", *wanted],
            cwd=folder, capture_output=True, text=True, check=False, timeout=100,
        )  # fmt: skip
        if ran.returncode:
            pytest.skip(f"NOT TESTED: npm could not fetch {wanted}: {ran.stderr[-200:]}")
    checked = tmp_path_factory.mktemp("schema")
    (checked / "node_modules").symlink_to(folder / "node_modules")
    return checked


def complaints(folder: Path, text: str) -> list[str]:
    (folder / "all.ts").write_text(text, "utf-8")
    tsc = folder / "node_modules" / "typescript" / "bin" / "tsc"
    ran = subprocess.run(
        ["node", str(tsc), "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution",
         "bundler", "--module", "esnext", "--target", "es2022", "all.ts"],
        cwd=folder, capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    found = [line[:300] for line in ran.stdout.splitlines() if "error" in line]
    assert bool(found) == bool(ran.returncode), ran.stdout + ran.stderr
    return found


@pytest.mark.slow
@needs_node
def test_every_dashboard_panel_option_and_field_has_its_type(compiler: Path) -> None:
    assert [] == complaints(compiler, PROLOGUE + "\n".join(constants()))


@pytest.mark.slow
@needs_node
def test_the_check_sees_what_is_wrong(compiler: Path) -> None:
    text = PROLOGUE + "\n".join(constants())
    wrong = '"showHeader": "yes"'.join(text.rsplit('"showHeader": true', 1))
    wrong = wrong.replace('"schemaVersion": 42', '"schemaVersion": "42"', 1)

    assert 2 == len(complaints(compiler, wrong))
