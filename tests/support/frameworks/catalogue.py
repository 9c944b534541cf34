"""The frameworks that are tried, and the programs that are written with each.

A program is an agent as a developer would write it, and knows nothing of Aftershock. What a program
cannot show stands here with its reason: the tests fail where it shows it all the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.frameworks.play import HANDED_ON, IN_PAIRS, ONE_BY_ONE, SHORT, Turn

NO_USAGE = "It streams, and does not ask the API for the number of tokens."
TEXT_CALLS = "Its model writes calls as text, which have no ids."
CODE_CALLS = "Its model writes code, and the calls in it have no ids."
OWN_CALLS = "The program calls its functions itself: put `@aftershock.tool` on them."


@dataclass(frozen=True, slots=True)
class Program:
    """One shape of an agent: `tests/frameworks/agents/FILE.py`."""

    file: str
    shape: str  # as the table calls it
    agent: str = ""  # the name of the agent that is to be seen; "": the program's
    turns: Sequence[Turn] = ONE_BY_ONE
    cannot: Mapping[str, str] = field(default_factory=dict[str, str])  # cell → why
    closing: int = 1  # requests to the model after those that ask for calls
    lacks: frozenset[str] = frozenset({"hand-offs"})  # cells that it has no place for
    agents: tuple[str, ...] = ()  # those that act, in their order; none: the named one

    @property
    def named(self) -> str:
        return self.agent or self.file


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework: its package, with what its programs need besides."""

    name: str
    requirements: tuple[str, ...]  # its own package first
    programs: tuple[Program, ...]
    extra: str = ""  # of ours: `aftershock[EXTRA]`


FRAMEWORKS = {
    one.name: one
    for one in (
        Framework(
            "openai",
            ("openai==3.57.0",),
            (
                Program("openai_chat", "chat completions", cannot={"gate": OWN_CALLS}),
                Program("openai_async", "async", cannot={"gate": OWN_CALLS}),
                Program("openai_stream", "streaming", cannot={"gate": OWN_CALLS}),
                Program("openai_parallel", "parallel calls", turns=IN_PAIRS,
                        cannot={"gate": OWN_CALLS}),
                Program("openai_responses", "Responses", cannot={"gate": OWN_CALLS}),
                Program("openai_continued", "Responses, `previous_response_id`",
                        cannot={"gate": OWN_CALLS}),
            ),
        ),
        Framework(
            "anthropic",
            ("anthropic==2.14.0",),
            (
                Program("anthropic_loop", "messages", cannot={"gate": OWN_CALLS}),
                Program("anthropic_stream", "streaming, async", cannot={"gate": OWN_CALLS}),
                Program("anthropic_runner", "`tool_runner`"),
            ),
        ),
        Framework(
            "langchain",
            ("langchain==1.5.2", "langgraph==1.2.24", "langchain-openai==1.7.4"),
            (
                Program("langchain_agent", "`create_agent`", agent="ops_agent"),
                Program("langgraph_subgraph", "subgraph, async, streamed", agent="outer",
                        agents=("ops_agent",)),
                Program("langgraph_interrupt", "`interrupt`", agent="ops_agent"),
                Program("langgraph_hand_off", "hand-off, async", agent="operations",
                        turns=HANDED_ON, agents=("triage_agent", "ops_agent"), lacks=frozenset()),
            ),
        ),
        Framework(
            "openai-agents",
            ("openai-agents==0.24.0",),
            (
                Program("agents_run", "`Runner.run_sync`", agent="ops_agent"),
                Program("agents_hand_off", "hand-off, streamed", agent="triage_agent",
                        turns=HANDED_ON, agents=("triage_agent", "ops_agent"), lacks=frozenset()),
            ),
        ),
        Framework(
            "pydantic-ai",
            ("pydantic-ai-slim[openai]==2.68.0",),
            (Program("pydantic_run", "`run_sync`", agent="ops_agent"),),
        ),
        Framework(
            "mcp",
            ("mcp==2.3.0", "openai==3.57.0"),
            (
                Program("mcp_stdio", "client, stdio"),
                Program("mcp_http", "client, streamable HTTP"),
            ),
        ),
        Framework(
            "llama-index",
            ("llama-index-core==0.14.25", "llama-index-llms-openai==0.8.3"),
            (
                Program("llama_agent", "`FunctionAgent`", agent="ops_agent",
                        cannot={"tokens": NO_USAGE, "reasoning": NO_USAGE}),
            ),
        ),
        Framework(
            "bedrock",
            ("boto3==1.44.8",),
            (
                Program("bedrock_loop", "`converse`", cannot={"gate": OWN_CALLS}),
                Program("bedrock_stream", "`converse_stream`", cannot={"gate": OWN_CALLS}),
            ),
        ),
        Framework(
            "crewai",
            ("crewai==1.15.30",),
            (Program("crewai_crew", "`Crew`", agent="ops_agent", turns=SHORT),),
        ),
        Framework(
            "google-genai",
            ("google-genai==3.6.1",),
            (
                Program("google_loop", "calls by hand", cannot={"gate": OWN_CALLS}),
                Program("google_automatic", "automatic function calling"),
            ),
        ),
        Framework(
            "google-adk",
            ("google-adk==2.13.0",),
            (
                Program("adk_agent", "`LlmAgent`", agent="ops_agent"),
                Program("adk_hand_off", "hand-off to a sub-agent", agent="triage_agent",
                        turns=HANDED_ON, agents=("triage_agent", "ops_agent"), lacks=frozenset()),
            ),
        ),
        Framework(
            "litellm",
            ("litellm==1.110.2",),
            (
                Program("litellm_loop", "Anthropic", cannot={"gate": OWN_CALLS}),
                Program("litellm_openai", "OpenAI", cannot={"gate": OWN_CALLS}),
            ),
        ),
        Framework(
            "agno",
            ("agno==3.1.10", "openai==3.57.0"),
            (
                Program("agno_agent", "`Agent`", agent="ops_agent"),
                Program("agno_team", "`Team`, routed to a member", agent="triage_agent",
                        turns=HANDED_ON, agents=("triage_agent", "ops_agent"), lacks=frozenset()),
            ),
        ),
        Framework(
            "smolagents",
            ("smolagents[openai]==1.26.0",),
            (
                Program("smolagents_calls", "`ToolCallingAgent`", agent="ops_agent"),
                Program("smolagents_code", "`CodeAgent`", agent="ops_agent",
                        cannot={"tools": CODE_CALLS}),
            ),
        ),
        Framework(
            "strands-agents",
            ("strands-agents[openai]==1.62.0",),
            (Program("strands_agent", "`Agent`", agent="ops_agent"),),
        ),
        Framework(
            "autogen-agentchat",
            ("autogen-agentchat==0.7.5", "autogen-ext[openai]==0.7.5"),
            (
                Program("autogen_assistant", "`AssistantAgent`", agent="ops_agent"),
                Program("autogen_swarm", "`Swarm`, hand-off", agent="operations",
                        turns=HANDED_ON, agents=("triage_agent", "ops_agent"), lacks=frozenset()),
            ),
        ),
        Framework(
            "agent-framework",
            ("agent-framework-core==1.23.0", "agent-framework-openai"),
            (Program("agent_framework_run", "`Agent`", agent="ops_agent"),),
        ),
        Framework(
            "dspy",
            ("dspy==3.4.1",),
            (Program("dspy_react", "`ReAct`", closing=2, cannot={"tools": TEXT_CALLS}),),
        ),
        Framework(
            "haystack",
            ("haystack-ai==3.4.1",),
            (Program("haystack_agent", "`Agent`"),),
        ),
    )
}  # fmt: skip
