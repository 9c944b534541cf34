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
