# pyright: basic
"""Asynchronous tools under trio: each task belongs to the run that started it."""

import trio

import aftershock

found: list[str] = []


@aftershock.tool(risk="read")
async def check(number: int) -> str:
    await trio.sleep(0.01)
    return f"{number} is up"


async def one(number: int) -> None:
    found.append(await check(number))


async def agent(name: str) -> None:
    with aftershock.run(agent=name):
        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(one, number)


async def main() -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(agent, "first")
        nursery.start_soon(agent, "second")


trio.run(main)
print(sorted(found))
