"""An agent of LlamaIndex."""

import asyncio
import sys

import operations
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.llms.openai import OpenAI

agent = FunctionAgent(
    name="ops_agent",
    tools=[operations.get_status, operations.scale_workers],
    llm=OpenAI(model="gpt-4o"),
    system_prompt="You keep services healthy.",
)


async def main():
    print(await agent.run(sys.argv[1], max_iterations=50))


asyncio.run(main())
