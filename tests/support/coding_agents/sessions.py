"""The session that every coding agent plays in tests, and where its files lie."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.coding_agents.clis import Agent, Session
from tests.support.coding_agents.scripted_model import (
    Move,
    Script,
    ScriptedModel,
    agent,
    read,
    shell,
)

PROMPT = "Find out whether the status is green."
SUBAGENT = "SUBAGENT: read the end of the log."
HAS_SUBAGENTS = frozenset({"claude-code", "qwen-code", "opencode"})
LOOP = [shell("cat status.txt")] * 6


def moves_for(name: str, work: Path) -> list[Move]:
    """Reads, two failures, two risky commands, and a loop; Gemini CLI ends the loop itself."""
    delegated = [agent(SUBAGENT)] if name in HAS_SUBAGENTS else []
    return [
        shell("env | grep -i traceparent; echo hello"),
        read(str(work / "status.txt")),
        *delegated,
        shell("cat missing.txt"),
        shell("exit 3"),
        shell("rm -r build"),
        shell("kubectl -n shop delete deployment checkout"),
        *LOOP,
    ]


@contextmanager
def prepared(name: str, root: Path) -> Generator[tuple[Session, ScriptedModel[Script]]]:
    """A home, a project and a model for one session."""
    home, work = root / "home", root / "project"
    for folder in (home, work, work / "build"):
        folder.mkdir(parents=True)
    (work / "status.txt").write_text("yellow\n")
    (work / "log.txt").write_text("a\nb\nc\n")
    script = Script({"": moves_for(name, work), "SUBAGENT": [shell("tail -3 log.txt")]})
    with ScriptedModel(script) as model:
        yield Session(home, work, model.url), model


def played(one: Agent, root: Path) -> Session:
    """A whole session of one agent, with the files that it leaves."""
    with prepared(one.name, root) as (session, model):
        ran = one.run(session, PROMPT)
        # Gemini CLI and Qwen Code end a loop at its fifth call, and Qwen calls that an error.
        done = max((asked.results for asked in model.script.asked), default=0)
        assert done >= len(model.script.moves[""]) - 3, (ran.stdout[-2_000:], ran.stderr[-2_000:])
    return session
