# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""Many runs in one process; prints what our own structures and memory hold after some and after all."""

import gc
import json
import sys
import tracemalloc

import aftershock
from aftershock.recorder import implicit_run, providers, span_wrapping
from aftershock.recorder.pending_spans import PENDING


@aftershock.tool
def work(n: int) -> str:
    """Do something."""
    return f"result {n}" * 20


def one(n: int) -> None:
    """One run."""
    with aftershock.run(agent=f"agent-{n % 7}", conversation=f"c-{n}") as run:
        for m in range(3):
            work(n + m)
        run.saw("fact", str(n), value=n)


def held() -> dict[str, int]:
    """What is held after everything has been sent."""
    aftershock.flush()
    gc.collect()
    pipeline = providers.start()
    assert pipeline is not None
    return {
        "bytes": tracemalloc.get_traced_memory()[0],
        "pending": len(PENDING._spans),
        "waiting": len(pipeline.lifecycle._waiting),
        "implicit": len(implicit_run._open),
        "abandoned": len(span_wrapping._abandoned),
    }


aftershock.instrument()
for n in range(300):
    one(n)
tracemalloc.start()
one(0)
first = held()
for n in range(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000):
    one(n)
print(json.dumps([first, held()]))
