# pyright: basic, reportMissingModuleSource=false, reportMissingImports=false
"""A tool in the main interpreter, and a program of its own in a sub-interpreter."""

import sys

import aftershock

if sys.version_info >= (3, 14):
    from concurrent import interpreters

    other = interpreters.create()
    execute = other.exec
else:
    import _xxsubinterpreters

    identity = _xxsubinterpreters.create()

    def execute(code: str) -> None:
        _xxsubinterpreters.run_string(identity, code)


@aftershock.tool(risk="read")
def check(number: int) -> str:
    return f"{number} is up"


INNER = """
try:
    import aftershock
    check = aftershock.tool(risk="read")(lambda number: f"{number} is up")
    print("inside", check(1), flush=True)
except ImportError as error:
    print("inside refused:", str(error)[:80], flush=True)
"""

with aftershock.run(agent="main"):
    check(1)
    try:
        execute(INNER)
    except Exception as error:  # noqa: BLE001
        print("not run", type(error).__name__, str(error)[:120])
print("done")
