"""Two agents of the OpenAI Agents SDK that hand the task to each other."""

import sys

from agents import Agent, Runner

ops = Agent(name="ops_agent", model="gpt-5", instructions="You keep services healthy.")
database = Agent(name="database_agent", model="gpt-5", instructions="You keep databases healthy.")
ops.handoffs, database.handoffs = [database], [ops]

print(Runner.run_sync(ops, sys.argv[1], max_turns=20).final_output)
