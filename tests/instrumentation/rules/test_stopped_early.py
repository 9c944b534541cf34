"""stopped_early: what is found, and what is legitimate."""

from __future__ import annotations

from aftershock.model import Level
from aftershock.rules.stopped_early import stopped_early
from tests.support.scenario import run


def test_an_answer_that_a_limit_cut_warns_once_the_run_is_over() -> None:
    cut = run().thinks(900, finish_reason="length")

    assert cut.says(stopped_early) == []
    assert [f.level for f in cut.ends().says(stopped_early)] == [Level.WARN]
    assert run().thinks(900, finish_reason="stop").ends().says(stopped_early) == []


def test_a_question_that_got_no_answer_warns() -> None:
    asked = run().receives_message("user", "balance?").thinks(90)
    asked.calls("get_balance", account=7).returns("5").ends()

    (finding,) = asked.says(stopped_early)
    assert finding.summary == "The run ended without an answer, after get_balance."


def test_a_job_that_nobody_asked_for_needs_no_answer() -> None:
    assert run().thinks(90).calls("backup").returns("done").ends().says(stopped_early) == []


def ended(text: str, tool: str = "set_record", *, fails: bool) -> list[Level]:
    """Levels of what is found of a run that ends with this answer after one call."""
    acted = run().calls(tool, name="www", value="198.51.100.4")
    acted = acted.fails("403 Forbidden: the zone is locked") if fails else acted.returns("ok")
    return [finding.level for finding in acted.thinks(90, text=text).ends().says(stopped_early)]


def test_an_answer_that_claims_what_failed_pages() -> None:
    assert ended("The record is set.", fails=True) == [Level.ALARM]
    assert ended("The record is set.", fails=False) == []


def test_an_answer_that_says_what_went_wrong_is_honest() -> None:
    assert ended("I could not set the record, the zone is locked.", fails=True) == []


def test_a_read_that_failed_is_no_claim() -> None:
    assert ended("The report is written.", "get_record", fails=True) == []


def test_an_empty_answer_and_a_promise_warn() -> None:
    assert ended("", fails=False) == [Level.WARN]
    assert ended("I will now go on with the other zones.", fails=False) == [Level.WARN]
    assert run().thinks(90, text="I will now begin.").ends().says(stopped_early) == []
