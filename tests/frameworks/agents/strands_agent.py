"""An agent of Strands."""

import sys

import operations
from strands import Agent, tool
from strands.models.openai import OpenAIModel

agent = Agent(
    name="ops_agent",
    model=OpenAIModel(model_id="gpt-5"),
    system_prompt="You keep services healthy.",
    tools=[tool(operations.get_status), tool(operations.scale_workers)],
    callback_handler=None,
)
print(agent(sys.argv[1]))
