"""Queries of panels: PromQL, LogQL and TraceQL, each with the form of its result.

Variables stand in back-quoted regular expressions, so that no data source's own way of quoting
decides what a query means.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

REFS = "ABCDEFGHIJKLMNOP"  # what the queries of one panel are called
LINES_MAX = 5_000  # of one Loki query: what Loki allows by default
TRACES_MAX = 50


class Source(StrEnum):
    """Data sources by uid, which is also their plugin's name."""

    PROMETHEUS = "prometheus"
    TEMPO = "tempo"
    LOKI = "loki"

    @property
    def ref(self) -> Json:
        """How a panel names it."""
        return {"type": self.value, "uid": self.value}


class Form(StrEnum):
    """What comes back."""

    RANGE = "range"  # series over time
    INSTANT = "instant"  # one value for each set of labels
    LINES = "lines"  # log events
    TRACES = "traces"  # a table of traces


@dataclass(frozen=True, slots=True)
class Query:
    """One question to one data source."""

    source: Source
    expression: str
    form: Form = Form.RANGE
    legend: str = ""
    exemplars: bool = False

    def target(self, ref: str) -> Json:
        """As a panel's JSON holds it."""
        made: Json = {"datasource": self.source.ref, "refId": ref}
        if self.source is Source.PROMETHEUS:
            instant = self.form is Form.INSTANT
            made |= {"expr": self.expression, "editorMode": "code"}
            made |= {"instant": instant, "range": not instant, "exemplar": self.exemplars}
            made |= {"format": "table" if instant and not self.legend else "time_series"}
        elif self.source is Source.LOKI:
            instant = self.form is Form.INSTANT
            made |= {"expr": self.expression, "editorMode": "code"}
            made |= {"queryType": "instant" if instant else "range"}
            if self.form is Form.LINES:
                made |= {"maxLines": LINES_MAX, "direction": "backward"}
        else:
            made |= {"query": self.expression, "queryType": "traceql"}
            made |= {"limit": TRACES_MAX, "spss": 3, "tableType": "traces"}
        if self.legend:
            made["legendFormat"] = self.legend
        return made


# --- Variables ------------------------------------------------------------------------------------


def chosen(label: str, variable: str) -> str:
    """A matcher for what was chosen from a list; All matches what has no such label too."""
    return f"{label}=~`${{{variable}:regex}}`"


def begins(label: str, variable: str) -> str:
    """A matcher for what was typed: its beginning is enough, and nothing means all."""
    return f"{label}=~`${{{variable}:regex}}.*`"


# --- Prometheus -----------------------------------------------------------------------------------

HOME = (chosen("environment", "environment"), chosen("agent", "agent"))


def metric(name: str, *matchers: str) -> str:
    """One of our own metrics, of the chosen environment and agent."""
    return f"aftershock_{name}{{{','.join((*HOME, *matchers))}}}"


def own(name: str, *matchers: str) -> str:
    """A metric of the collector itself."""
    return f"aftershock_{name}{{{','.join(matchers)}}}"


def rate(selector: str, by: str, window: str = "$__rate_interval") -> str:
    """How fast a counter grows."""
    return f"sum by ({by}) (rate({selector}[{window}]))"


def counted(selector: str, by: str = "") -> str:
    """How much a counter grew in the time range; a series that was born in it counts from zero."""
    grown = f"(increase({selector}[$__range]) and {selector} offset $__range)"
    return f"sum{f' by ({by})' if by else ''} ({grown} or last_over_time({selector}[$__range]))"


def share(part: str, whole: str) -> str:
    """Part of a whole; no answer where there was no whole, zero where there was no part."""
    return f"(({part}) or 0 * ({whole})) / (({whole}) > 0)"


def quantile(histogram: str, of: float, by: str) -> str:
    """A quantile of a classic histogram's newest observations."""
    return f"histogram_quantile({of}, {rate(histogram, f'le, {by}')})"


def ask(expression: str, legend: str = "", *, exemplars: bool = False) -> Query:
    """PromQL over time."""
    return Query(Source.PROMETHEUS, expression, Form.RANGE, legend, exemplars)


def ask_now(expression: str, legend: str = "") -> Query:
    """PromQL for the end of the time range."""
    return Query(Source.PROMETHEUS, expression, Form.INSTANT, legend)


# --- Loki -----------------------------------------------------------------------------------------

MILLISECONDS = "| label_format at=`{{ __timestamp__ | unixEpochMillis }}` | unwrap at"
STREAM = "{service_name=`aftershock`}"
AGENT = (
    chosen("deployment_environment_name", "environment"),
    chosen("gen_ai_agent_name", "agent"),
)
RUN = begins("aftershock_run_id", "run")
RISKY = "aftershock_action_tier=~`write|provision|destructive|decommission`"


def events(name: str, *filters: str) -> str:
    """Log events that the collector emitted, of the chosen environment and agent."""
    stages = (f"event_name{'=~' if '|' in name else '='}`{name}`", *AGENT, *filters)
    return " | ".join((STREAM, *stages))


def log_lines(expression: str) -> Query:
    """Log events as they are."""
    return Query(Source.LOKI, expression, Form.LINES)


def tally(expression: str, by: str = "") -> str:
    """How many log events there are in the time range."""
    return f"sum{f' by ({by})' if by else ''} (count_over_time({expression} [$__range]))"


def over_time(expression: str, by: str = "") -> str:
    """How many log events there are in each step of the time axis: agents act rarely, so count."""
    return f"sum{f' by ({by})' if by else ''} (count_over_time({expression} [$__interval]))"


def distinct(expression: str, of: str, by: str) -> str:
    """How many different values of one attribute log events in the time range have."""
    each = f"sum by ({by}, {of}) (count_over_time({expression} [$__range]))"
    return f"count by ({by}) ({each})"


def latest(expression: str, value: str, by: str) -> str:
    """The newest value that log events in the time range carry."""
    return f"last_over_time({expression} | unwrap {value} [$__range]) by ({by})"


def of_the_newest(expression: str, among: str, value: str, by: str, each: str) -> str:
    """The values of the newest log event alone, for each value of `each`.

    Args:
        expression: log events, each read for one `value` and the labels `by`.
        among: the log events of which the newest counts; those of `expression` are some of them.
        value: the label that holds the number.
        by: labels of the answer; `each` is one of them.
        each: what has a newest log event of its own.
    """
    newest = f"max_over_time({among} {MILLISECONDS} [$__range]) by ({each})"
    at = f"max_over_time({expression} {MILLISECONDS} [$__range]) by ({by})"
    of_it = f"({at} == on ({each}) group_left () {newest})"
    return f"{latest(expression, value, by)} and on ({by}) {of_it}"


def log_range(expression: str, legend: str = "") -> Query:
    """LogQL that counts, over time."""
    return Query(Source.LOKI, expression, Form.RANGE, legend)


def log_instant(expression: str, legend: str = "") -> Query:
    """LogQL that counts, once for the whole time range."""
    return Query(Source.LOKI, expression, Form.INSTANT, legend)


# --- Tempo ----------------------------------------------------------------------------------------


def traces(expression: str) -> Query:
    """A search for traces."""
    return Query(Source.TEMPO, expression, Form.TRACES)
