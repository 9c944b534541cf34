"""A module of DSPy that reasons and acts."""

import sys

import dspy
import operations

dspy.configure(lm=dspy.LM("openai/gpt-4o", cache=False))
agent = dspy.ReAct("task -> answer", tools=[operations.get_status, operations.scale_workers])
print(agent(task=sys.argv[1]).answer)
