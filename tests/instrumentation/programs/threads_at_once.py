"""Many threads whose first sign of an agent comes at the same moment."""

from threading import Barrier, Thread

import aftershock

THREADS = 8
barrier = Barrier(THREADS)


def agent(name: str) -> None:
    barrier.wait()
    with aftershock.run(agent=name):
        pass


threads = [Thread(target=agent, args=(f"agent-{number}",)) for number in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
