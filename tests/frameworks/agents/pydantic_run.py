"""An agent of pydantic-ai."""

import sys

import operations
from pydantic_ai import Agent

agent = Agent("openai-chat:gpt-5", name="ops_agent", instructions="You keep services healthy.")
agent.tool_plain(operations.get_status)
agent.tool_plain(operations.scale_workers)
print(agent.run_sync(sys.argv[1]).output)
