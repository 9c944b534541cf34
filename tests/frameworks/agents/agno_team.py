"""A team of Agno whose leader routes the task to a member, who answers in its place."""

import sys

import operations
from agno.agent import Agent
from agno.models.openai import OpenAIChat
from agno.team import Team, TeamMode

ops = Agent(
    name="ops_agent",
    model=OpenAIChat(id="gpt-5"),
    instructions="You keep services healthy.",
    tools=[operations.get_status, operations.scale_workers],
    telemetry=False,
)
triage = Team(
    name="triage_agent",
    mode=TeamMode.route,
    model=OpenAIChat(id="gpt-5"),
    instructions="Hand the task on.",
    members=[ops],
    telemetry=False,
)
print(triage.run(sys.argv[1]).content)
