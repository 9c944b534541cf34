"""How Grafana is made from registries alone: the server a Go module, its pages by npm's packages.

The newest Grafana that the module proxy offers is one of 2023: dashboards of today's Grafana are
read by it, queried through it and drawn by it, but what only later ones know is ignored. A module's
zip carries no folder called `vendor`, so the panels of Angular's time, which need theirs, are dead.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack.recipes import BuildFailed, Module, compile_go, copied, run

WIRE = "github.com/google/wire/cmd/wire@v0.7.0"  # writes the server's wiring, which no zip carries
NODE_MB = 8000  # the pages' build needs half of it

# Of the packages to develop with, those that building needs: a third of all that yarn would fetch.
TOOLS = frozenset({
    "@babel/core", "@babel/preset-env", "@babel/runtime", "autoprefixer", "babel-loader",
    "babel-plugin-angularjs-annotate", "blob-polyfill", "browserslist", "copy-webpack-plugin",
    "css-loader", "css-minimizer-webpack-plugin", "esbuild", "esbuild-loader",
    "esbuild-plugin-browserslist", "expose-loader", "html-loader", "html-webpack-plugin",
    "mini-css-extract-plugin", "mutationobserver-shim", "ngtemplate-loader", "postcss",
    "postcss-loader", "postcss-reporter", "postcss-scss", "react-simple-compat", "rudder-sdk-js",
    "sass", "sass-loader", "style-loader", "terser-webpack-plugin", "webpack",
    "webpack-manifest-plugin", "webpack-merge",
})  # fmt: skip
LIBRARIES = tuple(
    f"packages/grafana-{n}" for n in ("data", "e2e-selectors", "runtime", "schema", "ui")
)
ELSEWHERE = {"xlsx": "0.18.5"}  # Grafana takes a newer one from its author's own server

YARN = {
    "YARN_NPM_REGISTRY_SERVER": "https://registry.npmjs.org",
    "YARN_NODE_LINKER": "node-modules",
    "YARN_ENABLE_SCRIPTS": "false",
    "YARN_ENABLE_TELEMETRY": "false",
    "YARN_ENABLE_IMMUTABLE_INSTALLS": "false",  # packages are left out on purpose
    "YARN_CHECKSUM_BEHAVIOR": "update",
}

# What the pages ask of the missing folder while they load.
JQUERY_PLUGINS = """\
for (const name of ['tooltip', 'popover', 'typeahead', 'dropdown', 'modal', 'tab']) {
  const nothing = function () { return this; };
  window.jQuery.fn[name] = Object.assign(nothing, { defaults: {}, Constructor: nothing });
}
"""
FLOT = ("", ".selection", ".time", ".stack", ".stackpercent", ".fillbelow", ".crosshair",
        ".dashes", ".gauge")  # fmt: skip

PACK = """\
process.env.NODE_ENV = 'production';
const config = require('./scripts/webpack/webpack.prod.js')({});
Object.assign(config, { devtool: false, cache: false });
config.resolve.symlinks = true; // Grafana's own libraries are compiled, not taken as packages
require('webpack')(config, (error, stats) => {
  if (error || stats.hasErrors()) {
    console.error(error || stats.toString({ all: false, errors: true, errorDetails: false }));
    process.exit(1);
  }
});
"""


@dataclass(frozen=True, slots=True)
class Grafana:
    """A Grafana to build: its server's module."""

    server: Module


def build_grafana(recipe: Grafana, version: str, folder: Path, target: Path) -> None:
    """Build server and pages into `target`, which is then a home folder for `grafana server`."""
    for needed, package in (("gcc", "gcc"), ("node", "Node.js 18 or newer")):
        if shutil.which(needed) is None:
            raise BuildFailed(f"{needed} is not installed: Grafana needs {package}")
    sources = copied(recipe.server, folder)
    build_pages(sources)
    run(folder, "go", "install", WIRE, GOBIN=str(folder))
    tags = recipe.server.tags
    run(sources, str(folder / "wire"), "gen", "-tags", tags, "./pkg/server", CGO_ENABLED="1")
    for binary, package in recipe.server.packages.items():
        linker = f"-X {recipe.server.says}={version}"
        compile_go(sources, target / binary, package, linker, tags, CGO_ENABLED="1")
    for part in ("conf", "public"):
        (sources / part).rename(target / part)


def build_pages(sources: Path) -> None:
    """Build what the browser loads, into the sources' public/build."""
    manifest = sources / "package.json"
    kept = trimmed(json.loads(manifest.read_text(encoding="utf-8")))
    manifest.write_text(json.dumps(kept), encoding="utf-8")
    for library in LIBRARIES:
        place = sources / library / "package.json"
        place.write_text(
            json.dumps(json.loads(place.read_text(encoding="utf-8")) | {"devDependencies": {}}),
            encoding="utf-8",
        )
    vendor = sources / "public" / "vendor"
    for name in (
        *(f"flot/jquery.flot{part}.js" for part in FLOT),
        "tagsinput/bootstrap-tagsinput.js",
    ):
        (vendor / name).parent.mkdir(parents=True, exist_ok=True)
        (vendor / name).touch()
    (vendor / "bootstrap").mkdir()
    (vendor / "bootstrap" / "bootstrap.js").write_text(JQUERY_PLUGINS, encoding="utf-8")

    (yarn,) = (sources / ".yarn" / "releases").glob("yarn-*.cjs")
    run(sources, "node", str(yarn), "install", **YARN)
    (sources / "pack.js").write_text(PACK, encoding="utf-8")
    run(sources, "node", f"--max-old-space-size={NODE_MB}", "pack.js")


def trimmed(manifest: dict[str, Any]) -> dict[str, Any]:
    """The pages' package.json without what only developing, testing and releasing need."""
    tools = {k: v for k, v in manifest["devDependencies"].items() if k in TOOLS}
    return manifest | {
        "scripts": {},
        "workspaces": {"packages": list(LIBRARIES)},
        "dependencies": manifest["dependencies"] | ELSEWHERE,
        "devDependencies": tools,
    }
