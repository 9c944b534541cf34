# pyright: basic, reportMissingTypeStubs=false, reportArgumentType=false, reportAttributeAccessIssue=false
"""A program whose environment holds an instrumentation that fails."""

import brokenlib  # pyright: ignore[reportMissingImports]
from openai import OpenAI

import aftershock

print(brokenlib.ANSWER)
with aftershock.run(agent="a"):
    OpenAI().chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
