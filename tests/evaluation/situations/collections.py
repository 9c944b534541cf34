"""The halves of the situations. Half A was written before the rules, half B after them."""

from __future__ import annotations

from tests.evaluation.situations.healthy_a import HEALTHY_A
from tests.evaluation.situations.healthy_b import HEALTHY_B
from tests.evaluation.situations.sick_a import SICK_A
from tests.evaluation.situations.sick_b import SICK_B

HALVES = {
    "half A": (*HEALTHY_A, *SICK_A),
    "half B": (*HEALTHY_B, *SICK_B),
}
