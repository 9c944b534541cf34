"""A loop over Gemini, with calls made by hand."""

import sys

from google import genai
from google.genai import types
from operations import SCHEMAS, use

client = genai.Client()
tools = [
    types.FunctionDeclaration(name=n, description=n, parameters_json_schema=s)
    for n, s in SCHEMAS.items()
]
config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=tools)])
contents = [types.Content(role="user", parts=[types.Part(text=sys.argv[1])])]
while True:
    answer = client.models.generate_content(
        model="gemini-2.5-pro", contents=contents, config=config
    )
    if not answer.function_calls:
        break
    contents.append(answer.candidates[0].content)
    results = [
        types.Part.from_function_response(
            name=call.name, response={"result": use(call.name, call.args)}
        )
        for call in answer.function_calls
    ]
    contents.append(types.Content(role="user", parts=results))
print(answer.text)
