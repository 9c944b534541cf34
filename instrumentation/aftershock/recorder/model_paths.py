"""Paths of models' APIs, for whoever decides whether a request may be one to a model."""

# How the paths of their URLs end; `model_requests.py` reads the bodies.
ENDS = (
    "/chat/completions",
    "/responses",
    "/messages",
    ":generateContent",
    ":streamGenerateContent",
)
