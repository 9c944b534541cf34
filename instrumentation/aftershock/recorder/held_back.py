"""The exception of a call that the guard held back, where the policy wants one."""

from __future__ import annotations


class CallHeldBack(Exception):  # noqa: N818  (it names what happened, and reads so in `except`)
    """A call did not run (`gate.raises`). Its text is what the model would have read."""

    def __init__(self, tool: str, code: str, text: str) -> None:
        super().__init__(text)
        self.tool = tool
        self.code = code  # of the strictest reason, such as tier, loop or order
