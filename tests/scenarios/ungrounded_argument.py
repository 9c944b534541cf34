"""ungrounded_argument: an id from nowhere, and the trail of the others."""

from __future__ import annotations

from tests.scenarios.playing import Scenarios, play
from tests.support.scenario import Scenario, run


def informed() -> Scenario:
    return (
        run()
        .receives_message(text="I am mia_li_3668, please cancel my flight to Boston.")
        .thinks(700)
        .calls("get_user_details", user_id="mia_li_3668")
        .returns({"reservations": ["4WQ150", "VAAOXJ1"]})
        .thinks(900)
    )


def mangled() -> str:
    return play(
        informed()
        .calls("cancel_reservation", user_id="mia_li_3668", reservation_id="4WQ510")
        .returns("cancelled")
        .ends()
    )


def destroyed() -> str:
    return play(informed().calls("delete_reservation", id="4WQ510").returns("deleted").ends())


def grounded() -> str:
    """Legitimate: the ids come from the user and from a result."""
    return play(
        informed()
        .calls("delete_reservation", user_id="mia_li_3668", id="4WQ150")
        .returns("deleted")
        .ends()
    )


SCENARIOS: Scenarios = {
    "two digits changed places": mangled,
    "deleted by an id from nowhere": destroyed,
    "ids that were shown": grounded,
}
