# pyright: basic, reportMissingTypeStubs=false, reportAttributeAccessIssue=false
"""Tools in greenlets of a patched program, with the context of the run that spawns them."""

from contextvars import copy_context

from gevent import monkey

monkey.patch_all()

import gevent  # noqa: E402

import aftershock  # noqa: E402


@aftershock.tool(risk="read")
def check(number: int) -> str:
    gevent.sleep(0.01)
    return f"{number} is up"


def agent(name: str) -> list[str | None]:
    with aftershock.run(agent=name):
        greenlets = [gevent.spawn(copy_context().run, check, number) for number in range(3)]
        gevent.joinall(greenlets)
        return [str(one.value) for one in greenlets]


agents = [gevent.spawn(agent, name) for name in ("first", "second")]
gevent.joinall(agents)
print([one.value for one in agents])
