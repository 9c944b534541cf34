"""An agent of LangChain."""

import sys

import operations
from langchain.agents import create_agent
from langchain_openai import ChatOpenAI

agent = create_agent(
    ChatOpenAI(model="gpt-5"),
    tools=[operations.get_status, operations.scale_workers],
    name="ops_agent",
)
messages = [{"role": "user", "content": sys.argv[1]}]
print(agent.invoke({"messages": messages}, {"recursion_limit": 50})["messages"][-1].content)
