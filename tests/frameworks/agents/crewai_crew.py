"""A crew of CrewAI."""

import sys

import operations
from crewai import LLM, Agent, Crew, Task
from crewai.tools import tool

agent = Agent(
    role="ops_agent",
    goal="Keep services healthy.",
    backstory="You are on call.",
    llm=LLM(model="openai/gpt-4o"),
    tools=[
        tool("get_status")(operations.get_status),
        tool("scale_workers")(operations.scale_workers),
    ],
    max_iter=40,
)
task = Task(description=sys.argv[1], expected_output="What was done.", agent=agent)
print(Crew(agents=[agent], tasks=[task]).kickoff())
