"""`my_budget`: the tool by which a model asks what it may still use."""

from __future__ import annotations

from aftershock.policy.price_list import AS_OF
from aftershock.recorder import implicit_run
from aftershock.recorder.drop_counters import record_failure
from aftershock.recorder.guarding import gate
from aftershock.recorder.implicit_run import place_of, user_of
from aftershock.recorder.settings import policy

NO_BUDGET = "No budget is set."


def my_budget() -> str:
    """Say how much of your budget is used, and how much there is: of this run and of today.

    Budgets limit steps, tokens, money, time and failed tool calls. Ask before long or costly work.
    """
    # The text above is what a model reads: frameworks make the tool's description of it.
    try:
        process = gate()
        if process is None:
            return NO_BUDGET
        context = implicit_run.context_for_step()
        run_id, agent, _ = place_of(context)
        lines = process.guard.budget_lines(run_id, agent, user_of(context), policy())
        if any("$" in line for line in lines):
            lines.append(f"Money is by the price list of {AS_OF} where a model is not billed here.")
        return "\n".join(lines) or NO_BUDGET
    except Exception:  # noqa: BLE001 (ours: a tool of ours must not stop the agent)
        record_failure("telling a budget")
        return "The budget could not be read."
