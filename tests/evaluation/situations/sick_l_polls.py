"""Half L, sick: polls that are stuck and calls that hang. Its author had read and run no rule."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

SICK_L_POLLS: Collection = []


def alarm(family: str, by_call: int | None = None) -> Adding:
    """Add a run that should page, by this call or by its end."""
    return situation(SICK_L_POLLS, Want.ALARM, family, by_call)


@alarm("kubernetes", 21)
def release_pending_for_two_hours(r: Script) -> None:
    """A Helm release stays in pending-upgrade for almost two hours after its upgrade timed out."""
    r.user("upgrade checkout to chart 4.2, it usually takes three minutes")
    r.fail("bash", "Error: UPGRADE FAILED: context deadline exceeded", took=300,
           command="helm upgrade checkout shop/checkout --version 4.2 --timeout 5m")  # fmt: skip
    for _ in range(22):
        r.call("bash", "NAME: checkout\nNAMESPACE: shop\nSTATUS: pending-upgrade\nREVISION: 31",
               after=300, command="helm status checkout -n shop | head -n 4")  # fmt: skip


@alarm("home", 15)
def washing_machine_waits_for_its_door(r: Script) -> None:
    """An Italian machine says that its door is open; the agent waits five hours for it to finish."""
    r.user("start the wash and tell me when it is finished, about 80 minutes")
    r.call("washer_start", {"accepted": True, "programme": "cotton 40"}, programme="cotton 40")
    for _ in range(15):
        r.call("washer_state", {"stato": "in pausa", "motivo": "sportello aperto", "minuti": 81},
               after=1_200)  # fmt: skip
        r.think("not finished yet, I keep waiting")


@alarm("cloud", 11)
def restore_that_runs_backwards(r: Script) -> None:
    """The part of a restore that is done falls at every look, and the agent goes on looking."""
    r.call("start_restore", {"restore": "r-9", "state": "RUNNING"}, snapshot="snap-77")
    for done, failed in ((61, 0), (58, 3), (52, 9), (43, 18), (37, 24), (29, 32), (21, 40),
                         (12, 49), (7, 54), (3, 58), (1, 60)):  # fmt: skip
        r.call("restore_state", {"restore": "r-9", "state": "RUNNING", "shards_restored": done,
               "shards_failed": failed, "shards_total": 61}, after=300, restore="r-9")  # fmt: skip


@alarm("voice")
def sixth_sentence_never_comes(r: Script) -> None:
    """Five sentences are spoken in two seconds each; the sixth has been going on for an hour."""
    for n in range(5):
        r.call("synthesize_speech", {"audio": f"p{n}.wav", "seconds": 4.1 + n / 10}, took=2,
               text=f"This is paragraph {n + 1} of the notice.")  # fmt: skip
    r.hang("synthesize_speech", text="This is paragraph 6 of the notice.")
    r.beat(3_600)


@alarm("team")
def helper_who_never_reports_back(r: Script) -> None:
    """Three sub-agents needed about a minute each; the fourth has said nothing for four hours."""
    for part in ("north", "east", "south"):
        r.call("Task", f"Checked all shops in the {part}: prices agree.", took=55 + len(part),
               description=f"check shops {part}", prompt=f"Compare prices of shops in the {part}")  # fmt: skip
    r.hang("Task", description="check shops west", prompt="Compare prices of shops in the west")
    r.beat(14_400, every=60)


@alarm("robot", 14)
def robot_stands_and_drains(r: Script) -> None:
    """A robot says that it moves; its place never changes and its battery goes down."""
    r.call("drive_to", {"accepted": True, "eta_s": 90}, goal="dock-3")
    for battery in range(81, 15, -5):
        r.call("robot_state", {"mode": "MOVING", "x": 12.41, "y": 3.07, "goal": "dock-3",
               "battery": battery, "stamp": r.clock()}, after=240)  # fmt: skip


@alarm("json", 12)
def request_that_was_never_made(r: Script) -> None:
    """An approval could not be created, and the agent waits for it half a day."""
    r.call("create_approval", {"erro": "o grupo 'db-owners' não tem membros", "id": None},
           change="CHG-91", group="db-owners")  # fmt: skip
    for _ in range(12):
        r.call(
            "get_approval", {"mensagem": "Nenhum pedido para CHG-91"}, after=3_600, change="CHG-91"
        )
        r.think("nobody has approved it yet")


@alarm("pipeline", 12)
def waits_for_more_cards_than_there_are(r: Script) -> None:
    """A Korean cluster says for ten hours that the resources asked for do not exist."""
    r.user("작업을 제출하고 끝나면 알려 주세요. 보통 20분 걸립니다")
    r.call("submit_job", {"작업": "j-301", "상태": "제출됨"}, gpus=64, queue="a100")
    for _ in range(12):
        r.call("job_state", {"작업": "j-301", "상태": "대기 중", "사유": "요청한 자원이 클러스터에 없음"
               " (GPU 64 > 최대 32)"}, after=3_000, job="j-301")  # fmt: skip
