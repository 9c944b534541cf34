"""`python -m tests.evaluation.situations`: every situation with what was reported of it."""

from __future__ import annotations

import sys

from tests.evaluation.situations.collections import HALVES
from tests.evaluation.situations.judging import judge_situation, summary


def main() -> int:
    """Print one line for each situation that is judged wrongly, or with -v for each."""
    for name, situations in HALVES.items():
        outcomes = [judge_situation(one) for one in situations]
        for outcome in outcomes:
            if "-v" in sys.argv or outcome.false_page or outcome.missed or outcome.overdue:
                print(outcome)
        print(name, dict(summary(outcomes)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
