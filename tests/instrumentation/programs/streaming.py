# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""Streams read to the end, abandoned early, in threads and in tasks; a worker process; a fork."""

import asyncio
import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from openai import AsyncOpenAI, OpenAI
from opentelemetry.trace import get_current_span

import aftershock

ASK = {"model": "gpt-demo", "messages": [{"role": "user", "content": "hi"}], "stream": True}
sync, asynchronous = OpenAI(), AsyncOpenAI()


@aftershock.tool
def work(where: str) -> str:
    """Do something in some place."""
    return where


def read_all() -> None:
    """Read a stream to its end."""
    for _chunk in sync.chat.completions.create(**ASK):
        pass


def read_one() -> None:
    """Leave a stream after its first chunk."""
    for _chunk in sync.chat.completions.create(**ASK):
        break


async def read_one_later() -> None:
    """The same, in a task."""
    async for _chunk in await asynchronous.chat.completions.create(**ASK):
        break


async def gather() -> None:
    """Several tasks at once."""
    await asyncio.gather(*(read_one_later() for _ in range(3)))


if __name__ == "__main__":
    with aftershock.run(agent="streams", id="run-1"):
        read_all()
        read_one()
        asyncio.run(gather())
        with ThreadPoolExecutor(2) as pool:
            pool.submit(read_all).result()
        thread = threading.Thread(target=work, args=("thread",))
        thread.start()
        thread.join()
        worker = multiprocessing.get_context("fork").Process(target=work, args=("worker",))
        worker.start()
        worker.join()
        if (child := os.fork()) == 0:
            work("fork")
            aftershock.flush()
            os._exit(0)
        os.waitpid(child, 0)
    print(get_current_span().get_span_context().is_valid)
