"""An agent of Haystack."""

import sys

import operations
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import create_tool_from_function

agent = Agent(
    chat_generator=OpenAIChatGenerator(model="gpt-5"),
    system_prompt="You keep services healthy.",
    tools=[
        create_tool_from_function(operations.get_status),
        create_tool_from_function(operations.scale_workers),
    ],
)
print(agent.run(messages=[ChatMessage.from_user(sys.argv[1])])["last_message"].text)
