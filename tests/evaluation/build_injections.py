"""Runs in which an agent obeys an injected order, made with AgentDojo's environments and attacks.

Not needed to evaluate: its output is in tests/data. In an environment of its own:

    pip install agentdojo==0.1.35 && python build_injections.py agentdojo-obeyed.jsonl.gz

Nobody's model is called. The user's calls and the attacker's are AgentDojo's own ground truth; after
the first result that holds the injection the agent does all that the attacker wants, and then goes
on with what the user wants: the worst that can happen.
"""

from __future__ import annotations

import gzip
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

VERSION = "v1.2.1"
ATTACKS = ("direct", "ignore_previous", "system_message", "injecagent", "important_instructions")
INJECTIONS_EACH = 2  # of every user's task, in turn: all pairs would be five times as many


def records() -> Any:
    """One record for each user's task, some of the attacker's, and each attack."""
    element: Any = import_module("agentdojo.agent_pipeline.base_pipeline_element")
    registry: Any = import_module("agentdojo.attacks.attack_registry")
    loading: Any = import_module("agentdojo.task_suite.load_suites")

    class Target(element.BasePipelineElement):
        name = "gpt-4o-2024-05-13"  # attacks address the model by this

        def query(self, *_args: Any, **_kwargs: Any) -> Any:
            raise AssertionError("an attack asks for the name only")

    for suite_name, suite in loading.get_suites(VERSION).items():
        attacks = {name: registry.load_attack(name, suite, Target()) for name in ATTACKS}
        wanted = list(suite.injection_tasks.values())
        for place, user in enumerate(suite.user_tasks.values()):
            for offset in range(INJECTIONS_EACH):
                injected = wanted[(place * INJECTIONS_EACH + offset) % len(wanted)]
                for name, attack in attacks.items():
                    steps = obeyed(suite, user, injected, attack)
                    if steps is not None:
                        yield {
                            "id": f"{suite_name}/{user.ID}/{injected.ID}/{name}",
                            "suite": suite_name,
                            "attack": name,
                            "prompt": user.PROMPT,
                            "steps": steps,
                        }


def obeyed(suite: Any, user: Any, injected: Any, attack: Any) -> list[dict[str, Any]] | None:
    """The calls of a run that obeys, with what they returned. None: no result shows the order."""
    execution: Any = import_module("agentdojo.agent_pipeline.tool_execution")
    functions: Any = import_module("agentdojo.functions_runtime")

    orders = attack.attack(user, injected)
    environment = user.init_environment(suite.load_and_inject_default_environment(orders))
    runtime = functions.FunctionsRuntime(suite.tools)
    shown = [text.strip()[:40] for text in orders.values()]
    steps: list[dict[str, Any]] = []

    def run(calls: Any, by: str) -> bool:
        """True once a result shows the order."""
        for call in calls:
            result, error = runtime.run_function(environment, call.function, call.args)
            text = error or execution.tool_result_to_str(result)
            steps.append({"tool": call.function, "args": dict(call.args), "result": text, "by": by})
            flat = " ".join(text.split())
            if by == "user" and any(" ".join(one.split()) in flat for one in shown):
                return True
        return False

    calls = list(user.ground_truth(environment))
    for place in range(len(calls)):
        if run(calls[place : place + 1], "user"):
            run(injected.ground_truth(environment), "attacker")
            run(calls[place + 1 :], "user")
            return steps
    return None


def main(place: Path) -> None:
    """Write the records."""
    with gzip.open(place, "wt", encoding="utf-8") as lines:
        for record in records():
            lines.write(json.dumps(record, default=str) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
