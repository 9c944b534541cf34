"""The halves of the situations: A and C were written before rules were changed, the rest after.

E, F and G were written without any knowledge of the rules; docs/rules/index.md has their first
run. The authors of H to M knew a list of what rules should find, had read no rule and had run
none. The last ones were written together with rules that E and F asked for: they prove no
generality.
"""

from __future__ import annotations

from tests.evaluation.situations.healthy_b import HEALTHY_B
from tests.evaluation.situations.healthy_c import HEALTHY_C
from tests.evaluation.situations.healthy_d import HEALTHY_D
from tests.evaluation.situations.healthy_e import HEALTHY_E
from tests.evaluation.situations.healthy_f import HEALTHY_F
from tests.evaluation.situations.healthy_g import HEALTHY_G_WAITING
from tests.evaluation.situations.healthy_g_work import HEALTHY_G_WORK
from tests.evaluation.situations.healthy_h import HEALTHY_H_WAITING
from tests.evaluation.situations.healthy_h_work import HEALTHY_H_WORK
from tests.evaluation.situations.healthy_i import HEALTHY_I_WAITING
from tests.evaluation.situations.healthy_i_mixed import HEALTHY_I_MIXED
from tests.evaluation.situations.healthy_i_turns import HEALTHY_I_TURNS
from tests.evaluation.situations.healthy_i_work import HEALTHY_I_WORK
from tests.evaluation.situations.healthy_j import HEALTHY_J_WAITING
from tests.evaluation.situations.healthy_j_code import HEALTHY_J_CODE
from tests.evaluation.situations.healthy_j_talks import HEALTHY_J_TALKS
from tests.evaluation.situations.healthy_j_work import HEALTHY_J_WORK
from tests.evaluation.situations.healthy_k import HEALTHY_K_WAITING
from tests.evaluation.situations.healthy_k_code import HEALTHY_K_CODE
from tests.evaluation.situations.healthy_k_talks import HEALTHY_K_TALKS
from tests.evaluation.situations.healthy_k_work import HEALTHY_K_WORK
from tests.evaluation.situations.healthy_l import HEALTHY_L_WAITING
from tests.evaluation.situations.healthy_l_code import HEALTHY_L_CODE
from tests.evaluation.situations.healthy_l_talks import HEALTHY_L_TALKS
from tests.evaluation.situations.healthy_l_work import HEALTHY_L_WORK
from tests.evaluation.situations.healthy_m import HEALTHY_M_WAITING
from tests.evaluation.situations.healthy_m_code import HEALTHY_M_CODE
from tests.evaluation.situations.healthy_m_talks import HEALTHY_M_TALKS
from tests.evaluation.situations.healthy_m_work import HEALTHY_M_WORK
from tests.evaluation.situations.healthy_waiting_a import HEALTHY_WAITING_A
from tests.evaluation.situations.healthy_with_rules import HEALTHY_WITH_RULES
from tests.evaluation.situations.healthy_work_a import HEALTHY_WORK_A
from tests.evaluation.situations.sick_b import SICK_B
from tests.evaluation.situations.sick_c import SICK_C
from tests.evaluation.situations.sick_d import SICK_D
from tests.evaluation.situations.sick_e import SICK_E
from tests.evaluation.situations.sick_ends_a import SICK_ENDS_A
from tests.evaluation.situations.sick_f import SICK_F
from tests.evaluation.situations.sick_g_ends import SICK_G_ENDS
from tests.evaluation.situations.sick_g_loops import SICK_G_LOOPS
from tests.evaluation.situations.sick_h_ends import SICK_H_ENDS
from tests.evaluation.situations.sick_h_loops import SICK_H_LOOPS
from tests.evaluation.situations.sick_i_ends import SICK_I_ENDS
from tests.evaluation.situations.sick_i_loops import SICK_I_LOOPS
from tests.evaluation.situations.sick_i_teams import SICK_I_TEAMS
from tests.evaluation.situations.sick_j_acts import SICK_J_ACTS
from tests.evaluation.situations.sick_j_ends import SICK_J_ENDS
from tests.evaluation.situations.sick_j_loops import SICK_J_LOOPS
from tests.evaluation.situations.sick_j_polls import SICK_J_POLLS
from tests.evaluation.situations.sick_j_teams import SICK_J_TEAMS
from tests.evaluation.situations.sick_k_ends import SICK_K_ENDS
from tests.evaluation.situations.sick_k_loops import SICK_K_LOOPS
from tests.evaluation.situations.sick_k_polls import SICK_K_POLLS
from tests.evaluation.situations.sick_k_teams import SICK_K_TEAMS
from tests.evaluation.situations.sick_l_acts import SICK_L_ACTS
from tests.evaluation.situations.sick_l_ends import SICK_L_ENDS
from tests.evaluation.situations.sick_l_loops import SICK_L_LOOPS
from tests.evaluation.situations.sick_l_polls import SICK_L_POLLS
from tests.evaluation.situations.sick_loops_a import SICK_LOOPS_A
from tests.evaluation.situations.sick_m_acts import SICK_M_ACTS
from tests.evaluation.situations.sick_m_drift import SICK_M_DRIFT
from tests.evaluation.situations.sick_m_ends import SICK_M_ENDS
from tests.evaluation.situations.sick_m_loops import SICK_M_LOOPS
from tests.evaluation.situations.sick_with_rules import SICK_WITH_RULES

HALVES = {
    "half A": (*HEALTHY_WAITING_A, *HEALTHY_WORK_A, *SICK_LOOPS_A, *SICK_ENDS_A),
    "half B": (*HEALTHY_B, *SICK_B),
    "half C": (*HEALTHY_C, *SICK_C),
    "half D": (*HEALTHY_D, *SICK_D),
    "half E": (*HEALTHY_E, *SICK_E),
    "half F": (*HEALTHY_F, *SICK_F),
    "half G": (*HEALTHY_G_WAITING, *HEALTHY_G_WORK, *SICK_G_LOOPS, *SICK_G_ENDS),
    "half H": (*HEALTHY_H_WAITING, *HEALTHY_H_WORK, *SICK_H_LOOPS, *SICK_H_ENDS),
    "half I": (
        *HEALTHY_I_WAITING,
        *HEALTHY_I_WORK,
        *HEALTHY_I_TURNS,
        *HEALTHY_I_MIXED,
        *SICK_I_LOOPS,
        *SICK_I_TEAMS,
        *SICK_I_ENDS,
    ),
    "half J": (
        *HEALTHY_J_WAITING,
        *HEALTHY_J_CODE,
        *HEALTHY_J_TALKS,
        *HEALTHY_J_WORK,
        *SICK_J_ACTS,
        *SICK_J_ENDS,
        *SICK_J_LOOPS,
        *SICK_J_POLLS,
        *SICK_J_TEAMS,
    ),
    "half K": (
        *HEALTHY_K_WAITING,
        *HEALTHY_K_CODE,
        *HEALTHY_K_TALKS,
        *HEALTHY_K_WORK,
        *SICK_K_ENDS,
        *SICK_K_LOOPS,
        *SICK_K_POLLS,
        *SICK_K_TEAMS,
    ),
    "half L": (
        *HEALTHY_L_WAITING,
        *HEALTHY_L_CODE,
        *HEALTHY_L_TALKS,
        *HEALTHY_L_WORK,
        *SICK_L_ACTS,
        *SICK_L_ENDS,
        *SICK_L_LOOPS,
        *SICK_L_POLLS,
    ),
    "half M": (
        *HEALTHY_M_WAITING,
        *HEALTHY_M_CODE,
        *HEALTHY_M_TALKS,
        *HEALTHY_M_WORK,
        *SICK_M_ACTS,
        *SICK_M_DRIFT,
        *SICK_M_ENDS,
        *SICK_M_LOOPS,
    ),
    "with the rules": (*HEALTHY_WITH_RULES, *SICK_WITH_RULES),
}
