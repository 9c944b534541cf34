"""Gemini's SDK calls the functions itself."""

import sys

from google import genai
from google.genai import types
from operations import get_status, scale_workers

client = genai.Client()
calls = types.AutomaticFunctionCallingConfig(maximum_remote_calls=20)
answer = client.models.generate_content(
    model="gemini-2.5-pro",
    contents=sys.argv[1],
    config=types.GenerateContentConfig(
        tools=[get_status, scale_workers], automatic_function_calling=calls
    ),
)
print(answer.text)
