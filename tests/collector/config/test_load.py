"""aftershock.yaml as people write it: what is wrong, where, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from aftershock.limits import Budget
from aftershock.policy.entries import LIMIT_TYPES
from aftershock.policy.policy import Policy, limits_for
from aftershock_collector.config.load import ConfigurationError, check, find, load, schema, warnings
from aftershock_collector.config.model import ENVIRONMENT, ValueType

# A busy machine draws slowly, which says nothing of the reader.
UNHURRIED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)


def written(folder: Path, text: str) -> Path:
    path = folder / "aftershock.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    return [str(problem) for problem in check(written(folder, text), environment)]


def test_the_schema_ships_and_is_one() -> None:
    Draft202012Validator.check_schema(schema())


def test_a_misspelt_key_is_named_with_its_line_column_and_the_right_word(tmp_path: Path) -> None:
    found = problems(tmp_path, "tools:\n  scale:\n    tire: provision\n")

    assert found == [
        "aftershock.yaml:3:5 tools.scale.tire: unknown key 'tire'; did you mean 'tier'?"
    ]


def test_an_unknown_gate_is_named_with_its_line_column_and_the_right_word(tmp_path: Path) -> None:
    found = problems(tmp_path, "tools:\n  drop_table:\n    tier: write\n    gate: asks\n")

    assert found == [
        "aftershock.yaml:4:5 tools.drop_table.gate: 'asks' is unknown; did you mean 'ask'?"
    ]


def test_what_has_the_wrong_form_is_told_with_an_example_of_the_right_one(tmp_path: Path) -> None:
    text = 'tools: {a: {targets: "service/{service}"}}\ninfrastructure: {topology: [a]}\n'

    found = problems(tmp_path, text)

    assert [line.partition("such as ")[2] for line in found] == [
        "[{service.name: '{service}'}]",
        "{service/checkout: [db/orders]}",
    ]


def test_every_problem_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """
tools:
  read:
    tier: reed
    polls: maybe
    requires: [{fact: window, max_age: 15 min}, {subject: x}]
collector:
  http: 4318
infrastructure:
  scrape:
    - url: ftp://x
on_call:
  slack: {}
"""

    assert problems(tmp_path, text) == [
        "aftershock.yaml:4:5 tools.read.tier: 'reed' is unknown; did you mean 'read'?",
        "aftershock.yaml:5:5 tools.read.polls: 'maybe' does not fit: true, false, {patience: 15m}.",
        (
            "aftershock.yaml:6:31 tools.read.requires[0].max_age: '15 min' does not fit: "
            "A number of seconds, or a text such as 30s, 15m, 2h, 7d."
        ),
        "aftershock.yaml:6:49 tools.read.requires[1]: needs 'fact'",
        "aftershock.yaml:8:3 collector.http: 4318 should be host:port",
        "aftershock.yaml:11:7 infrastructure.scrape[0].url: 'ftp://x' does not match ^https?://",
        "aftershock.yaml:13:3 on_call.slack: needs 'url'",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "limits:\n  repeats_alrm: 4\n",
            "2:3 limits.repeats_alrm: unknown key 'repeats_alrm'; did",
        ),
        ("agents: {bot: {limits: {errors_alarm: 2.5}}}", "agents.bot.limits.errors_alarm: 2.5"),
        ("limits: {fact_age_max_s: -1}", "limits.fact_age_max_s: -1 should be 0 or more"),
        ("agents: {bot: {budget: {stepps: 9}}}", "budget.stepps: unknown key 'stepps'; did you"),
        ("agents: {bot: {budget: {wall_time: soon}}}", "budget.wall_time: 'soon' does not fit"),
        ("agents: {bot: {budget: {tool_errors: -1}}}", "tool_errors: -1 should be 0 or more"),
        ("agents: {bot: {context_window: many}}", "context_window: 'many' should be a whole"),
        ("limits: {budget: 9}", "limits.budget: unknown key 'budget'"),
        (
            "infrastructure: {prometheus: {url: 'http://p', queries: {errors: {a: 'up{{servce}}'}}}}",
            "queries.errors.a: unknown placeholder '{servce}'; did you mean 'service'?",
        ),
        ("infrastructure: {prometheus: {step: 15s}}", "infrastructure.prometheus: needs 'url'"),
        (
            "infrastructure: {prometheus: {url: 'http://p', queries: {slow: {}}}}",
            "queries.slow: unknown key 'slow'",
        ),
        ("collector: {http: 'localhost:99999'}", "collector.http: port 99999"),
        ("collector: {http: 'a:1', grpc: 'a:1'}", "collector.grpc: a:1 is already http's"),
        ("tools: {a: {polls: true}, a: {}}", "tools.a: given twice in tools"),
        ("1: {}", "1: keys must be text"),
        ("tools: {x: {targets: [{k8s.cluster.name: a}]}}", "targets[0]: names nothing"),
        ("tools: {x: {targets: [{pod: a}]}}", "tools.x.targets[0]"),
        ("- a list", "must be a mapping"),
        ("tools: [", "not YAML"),
        ("tools: !!python/object:os.system {}", "not YAML"),
        ("on_call: {slack: {url: {file: nowhere}}}", "on_call.slack.url.file:"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    found = problems(tmp_path, text)

    assert found
    assert expected in found[0]


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"tools: \x00", b"# " + b"x" * 1_000_001])
def test_a_file_that_is_no_text_or_no_configuration_is_told_so(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "aftershock.yaml"
    path.write_bytes(raw)

    assert len(check(path, {})) == 1


ALIASES = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a0: &a0 [x]\n{ALIASES}\ntools: {{x: {{targets: *a8}}}}", "more than 100000 values"),
        ("x: &x {y: *x}", "holds it"),
        ("x: &x [*x]", "holds it"),
    ],
    ids=["a billion", "a mapping in itself", "a list in itself"],
)
def test_aliases_are_refused_before_they_are_written_out(
    tmp_path: Path, text: str, expected: str
) -> None:
    (problem,) = problems(tmp_path, text)

    assert expected in problem


def test_a_file_that_is_named_and_not_there_is_a_problem(tmp_path: Path) -> None:
    (problem,) = check(None, {"AFTERSHOCK_POLICY": str(tmp_path / "gone.yaml")})

    assert str(problem) == "gone.yaml: cannot be read: No such file or directory"


def test_no_file_at_all_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert find({}) is None
    assert load(None, {"AFTERSHOCK_HOME": "h"}).home == Path("h")


def test_the_file_beside_us_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "collector: {tick: 2s}")
    monkeypatch.chdir(tmp_path)

    assert load(None, {}).tick_s == 2.0


def test_sections_that_are_empty_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    assert problems(tmp_path, "tools:\ncollector:\n") == []
    assert problems(tmp_path, "") == []


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "collector: {tick: 2s, keep: 3d}\non_call: {link: 'http://file'}")
    config = load(
        path,
        {
            "AFTERSHOCK_TICK": "250ms",
            "AFTERSHOCK_HTTP": "[::1]:0",
            "AFTERSHOCK_SERIES_MAX": "5",
            "AFTERSHOCK_HOST": "true",
            "AFTERSHOCK_SCRAPE": "http://a/metrics, http://b/metrics",
            "AFTERSHOCK_PAGERDUTY_ROUTING_KEY": "0123456789",
            "AFTERSHOCK_LINK": "",
        },
    )

    assert (config.tick_s, config.keep_s, config.series_max) == (0.25, 3 * 86_400, 5)
    assert str(config.http) == "[::1]:0"
    assert config.infrastructure.host
    assert [t.url for t in config.infrastructure.scrape] == ["http://a/metrics", "http://b/metrics"]
    assert config.on_call.pagerduty_routing_key == "0123456789"
    assert config.on_call.link == "http://file"


@pytest.mark.parametrize(
    "variable",
    [
        v
        for v, (_, value_type) in ENVIRONMENT.items()
        if not value_type.startswith(("text", "names"))
    ],
)
def test_a_wrong_variable_is_named_and_not_the_file(tmp_path: Path, variable: str) -> None:
    (problem,) = problems(tmp_path, "tools: {}\n", **{variable: "nonsense"})

    assert problem.startswith(f"{variable}: ")


def test_a_misspelt_variable_is_told(tmp_path: Path) -> None:
    found = problems(tmp_path, "", AFTERSHOCK_FORWRD="http://x", AFTERSHOCK_SOMETHING_ELSE="1")

    assert found == ["AFTERSHOCK_FORWRD: did you mean AFTERSHOCK_FORWARD?"]


def test_old_names_of_settings_are_read_with_a_warning_that_names_line_and_new_name(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = """collector:
  story: http://logs:4318
infrastructure: {look: 180}
limits:
  practice_share_min: 0.5
agents:
  bot: {limits: {practice_share_min: 0.7}}
"""
    path = written(tmp_path, text)
    config = load(path, {})
    limits = Policy.from_mapping(config.document).limits

    assert config.activity_log_url == "http://logs:4318"
    assert config.infrastructure.observation_window_s == 180.0
    assert limits.expectation_share_min == 0.5
    assert check(path, {}) == ()
    assert [
        (
            "aftershock.yaml:2:3 collector.story: "
            "is now called 'activity_log'; the old name is read until 0.3"
        ),
        (
            "aftershock.yaml:3:18 infrastructure.look: "
            "is now called 'observation_window'; the old name is read until 0.3"
        ),
        (
            "aftershock.yaml:5:3 limits.practice_share_min: "
            "is now called 'expectation_share_min'; the old name is read until 0.3"
        ),
        (
            "aftershock.yaml:7:18 agents.bot.limits.practice_share_min: "
            "is now called 'expectation_share_min'; the old name is read until 0.3"
        ),
    ] == [record.getMessage() for record in caplog.records]


def test_a_new_name_counts_where_the_old_one_is_given_too(tmp_path: Path) -> None:
    path = written(tmp_path, "infrastructure: {look: 180, observation_window: 240}")
    environment = {"AFTERSHOCK_STORY": "http://old", "AFTERSHOCK_ACTIVITY_LOG": "http://new"}
    config = load(path, environment)
    found = [str(warning) for warning in warnings(path, environment)]

    assert config.infrastructure.observation_window_s == 240.0
    assert config.activity_log_url == "http://new"
    assert "is now called 'observation_window' (which is given too, and counts)" in found[0]
    assert found[1].startswith("AFTERSHOCK_STORY: is now called AFTERSHOCK_ACTIVITY_LOG;")


def test_the_collectors_policy_has_every_section_that_a_policy_has(tmp_path: Path) -> None:
    text = """models: {my-model: {input_usd: 3.0}}
approvals_from: [tickets]
"""
    policy = Policy.from_mapping(load(written(tmp_path, text), {}).document)

    assert [model.pattern for model in policy.limits.models] == ["my-model"]
    assert policy.approvals_from == {"tickets"}


def test_old_variables_are_read(tmp_path: Path) -> None:
    environment = {"AFTERSHOCK_STORY": "http://logs", "AFTERSHOCK_LOOK": "90"}
    config = load(written(tmp_path, ""), environment)

    assert config.activity_log_url == "http://logs"
    assert config.infrastructure.observation_window_s == 90.0


def test_every_variable_stands_for_a_key_of_the_schema() -> None:
    whole: dict[str, Any] = schema()

    for path, _ in ENVIRONMENT.values():
        node = whole
        for name in path:
            reference = node.get("$ref", "").rpartition("/")[2]
            node = (whole["$defs"][reference] if reference else node)["properties"][name]
    assert {value_type for _, value_type in ENVIRONMENT.values()} == set(ValueType)


def test_a_secret_in_a_file_is_read_from_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(" hush\n")
    path = written(tmp_path, "on_call: {pagerduty: {routing_key: {file: key}}}")

    assert load(path, {}).on_call.pagerduty_routing_key == "hush"


def test_an_empty_secret_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    path = written(tmp_path, "on_call: {slack: {url: {file: key}}}")

    with pytest.raises(ConfigurationError, match="is empty"):
        load(path, {})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)
sections = st.sampled_from([*schema()["properties"], "surprise"])


@given(st.dictionaries(sections, anything, max_size=4))
@settings(suppress_health_check=UNHURRIED, max_examples=150)
def test_whatever_the_file_holds_it_is_either_used_or_explained(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    path = written(tmp_path, yaml.safe_dump(document))
    found = check(path, {})

    assert all(problem.message for problem in found)
    if not found:
        assert load(path, {}).tick_s > 0


@given(st.text(max_size=60))
@settings(suppress_health_check=UNHURRIED, max_examples=150)
def test_whatever_text_the_file_is_it_is_either_used_or_explained(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "aftershock.yaml"
    path.write_bytes(text.encode("utf-8", "replace"))

    check(path, {})


def test_the_published_schema_lists_every_limit_with_its_type() -> None:
    listed = schema()["$defs"]["limits"]["properties"]
    words = {int: "integer", float: "number"}

    assert {name: words[kind] for name, kind in LIMIT_TYPES.items()} == {
        name: form["type"] for name, form in listed.items()
    }


def test_a_budget_and_a_context_window_reach_the_limits_that_rules_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        agents:
          bot:
            context_window: 128000
            budget: {steps: 40, tokens: 90000, cost_usd: 1.5, wall_time: 10m, tool_errors: 5}
            limits: {stall_s: 30, repeats_alarm: 4}
        """,
    )
    limits = limits_for(Policy.from_mapping(load(path, {}).document), "bot")

    assert Budget(40, 90_000, 1.5, 600.0, 5) == limits.budget
    assert (128_000, 30.0, 4) == (
        limits.context_window_tokens,
        limits.stall_s,
        limits.repeats_alarm,
    )


def test_secrets_of_webhooks_may_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "github").write_text("hush\n")
    file = tmp_path / "aftershock.yaml"
    file.write_text(
        "collector:\n  webhooks:\n    github: {secret: {file: github}}\n    flux: {secret: shh}\n"
    )

    assert load(file, {}).webhook_secrets == {"github": "hush", "flux": "shh"}
