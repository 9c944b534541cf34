"""Half K, healthy: people, teams and incidents. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_K_TALKS: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_K_TALKS, Want.NOTHING, family)


@healthy("json")
def where_is_my_parcel(r: Script) -> None:
    """A customer asks four times over two days; the parcel has not moved, and is told so."""
    for text, pause in (("where is my parcel 1Z88?", 1), ("anything new?", 9_000),
                        ("and now??", 40_000), ("this is the fourth time I ask!", 70_000)):  # fmt: skip
        r.user(text, after=pause)
        r.call("track_parcel", {"parcel": "1Z88", "status": "at customs", "place": "Leipzig",
               "since": "2026-03-01", "asked": r.clock()}, parcel="1Z88")  # fmt: skip
        r.think("It is still at customs in Leipzig; this can take five working days.")
    r.answer("I have written your address on our list: you will be told when it leaves customs.")


@healthy("kubernetes")
def forbidden_and_reported_so(r: Script) -> None:
    """The agent may not read secrets; it tries twice, and tells what it could not do."""
    r.user("rotate the password of the reports service")
    denied = ('Error from server (Forbidden): secrets "reports-db" is forbidden: User '
              '"system:serviceaccount:ops:agent" cannot get resource "secrets" in API group "" in '
              'the namespace "reports"')  # fmt: skip
    r.fail("kubectl", denied, args="get secret reports-db -n reports -o yaml")
    r.call("kubectl", "no", args="auth can-i get secrets -n reports")
    r.fail("kubectl", denied.replace("get", "list"), args="get secrets -n reports")
    r.answer("I could not rotate it: my account may not read secrets in `reports`. Nothing was "
             "changed. Somebody with that right has to do it, or grant it to me.")  # fmt: skip


@healthy("files")
def helpers_read_the_same_guide(r: Script) -> None:
    """Six helpers, side by side, each read the same two files before their own part."""
    for n, part in enumerate(("intro", "install", "usage", "faq", "limits", "history")):
        r.agent = f"writer-{n}"
        r.call("read", "# Style\nShort sentences. British spelling.", after=0.2, path="STYLE.md")
        r.call("read", "intro\ninstall\nusage\nfaq\nlimits\nhistory", after=0.2, path="OUTLINE.md")
        r.call("read", f"## {part}\n(to be written)", after=0.2, path=f"docs/{part}.md")
        r.call("write", f"wrote docs/{part}.md", path=f"docs/{part}.md", text=f"## {part}\n...")
    r.agent = None
    r.answer("Six chapters are written.")


@healthy("kubernetes")
def announced_chaos_drill(r: Script) -> None:
    """A drill kills a pod of four services, and expects each to answer errors and to recover."""
    r.user("game day: kill one pod of each of the four services, wait for recovery, take notes")
    r.call("post_message", {"ok": True, "ts": "1772442001.2"}, channel="#incidents",
           text="DRILL 09:00-10:00: pods will be killed on purpose in staging")  # fmt: skip
    for app in ("cart", "search", "quote", "login"):
        r.call("kill_pod", {"deleted": f"{app}-0"}, namespace="staging", app=app)
        r.call("probe", {"code": 503, "body": "no healthy upstream"}, after=1, app=app)
        r.call("probe", {"code": 503, "body": "no healthy upstream"}, after=10, app=app)
        r.call("probe", {"code": 200, "body": "ok"}, after=15, app=app)
    r.answer("All four came back within 30 seconds. The drill is over.")


@healthy("kubernetes")
def rolled_back_in_good_time(r: Script) -> None:
    """A release raises the errors, is taken back, and the errors fall: what one hopes for."""
    r.user("release billing 4.2 and take it back if errors go over 1 %")
    r.call("helm", 'Release "billing" has been upgraded. REVISION: 18', args="upgrade billing 4.2")
    for share in (0.1, 0.9, 2.4):
        r.call("promql", f'{{app="billing"}} => {share} @[{r.clock()}]', after=60,
               query="100 * error_ratio{app='billing'}")  # fmt: skip
    r.call("helm", "Rollback was a success! Happy Helming!", args="rollback billing 17")
    for share in (1.8, 0.4, 0.1):
        r.call("promql", f'{{app="billing"}} => {share} @[{r.clock()}]', after=60,
               query="100 * error_ratio{app='billing'}")  # fmt: skip
    r.answer("4.2 raised errors to 2.4 %, so I rolled back to revision 17; it is 0.1 % again.")


@healthy("json")
def mitigation_after_mitigation(r: Script) -> None:
    """During an incident the same three signals are read after each step, until they are well."""
    for step, lag, depth, p95 in (("page the owner", 910, 48_000, 8.1),
                                  ("add_consumers", 640, 41_000, 6.0),
                                  ("pause_batch_import", 220, 17_500, 2.2),
                                  ("restart_stuck_consumer", 14, 300, 0.4)):  # fmt: skip
        r.call("run_mitigation", f"{step}: done", step=step)
        for signal, value in (("lag_seconds", lag), ("queue_depth", depth), ("p95_seconds", p95)):
            r.call("read_signal", {"signal": signal, "value": value, "at": r.clock()}, after=30,
                   signal=signal, service="events")  # fmt: skip
    r.answer("The lag is 14 s; a stuck consumer was the cause.")


@healthy("web")
def nothing_found_and_honest(r: Script) -> None:
    """Five good searches for a rare fact find little; the agent says that it is not known."""
    for query, text in (
        ("Hollenbeck clockmaker Trier 1790", "3 results: guild roll of Trier (1788), ..."),
        ("guild roll Trier 1788 clockmakers", "1 result: names of 12 masters, no Hollenbeck"),
        ("Hollenbeck Uhrmacher Kurtrier", "No results"),
        ("Hollenbach Uhrmacher Trier", "2 results: J. Hollenbach, master 1801"),
        ("J. Hollenbach Trier 1801 marriage", "No results"),
    ):
        r.call("web_search", text, query=query)
    r.answer("I found no Hollenbeck. A J. Hollenbach became master in 1801; I can't say whether "
             "he is the same person.")  # fmt: skip


@healthy("json")
def again_but_bluer(r: Script) -> None:
    """A person wants the same picture again, six times, with small changes of mind."""
    for place, wish in enumerate(("a fox in a forest", "again, please", "a bit bluer", "again",
                                  "the second was better, once more like that", "again")):  # fmt: skip
        r.user(wish, after=60)
        r.call("generate_image", {"image": f"img_{place}f2{place}.png", "size": "1024x1024"},
               took=9, prompt="a fox in a forest, watercolour" + ", blue" * (place >= 2))  # fmt: skip
        r.think("Here it is.")
    r.end()


@healthy("json")
def writer_and_editor(r: Script) -> None:
    """A draft goes between two agents four times, and gets better each time."""
    for turn, remark in enumerate(
        ("no figures", "figures lack a source", "title too long", "good")
    ):
        r.hand_off("writer", "editor", f"draft {turn + 1}, please review")
        r.agent = "editor"
        r.call("review_draft", {"verdict": "accept" if remark == "good" else "revise", "remark": remark},
               draft=turn + 1)  # fmt: skip
        if remark != "good":
            r.hand_off("editor", "writer", f"please revise: {remark}")
            r.agent = "writer"
            r.call("save_draft", {"version": turn + 2, "words": 640 + 35 * turn},
                   text=f"Harvest report, revised for: {remark}")  # fmt: skip
    r.agent = None
    r.answer("The report is accepted.")


@healthy("json")
def lights_for_the_children(r: Script) -> None:
    """Children tell the home agent to switch the lamp on and off ten times."""
    for turn in range(10):
        state = "off" if turn % 2 else "on"
        r.user(f"lamp {state}!", after=8)
        r.call("call_service", [{"entity_id": "light.kids", "state": state}], domain="light",
               service=f"turn_{state}", entity_id="light.kids")  # fmt: skip
        r.think(f"The lamp is {state}.")
    r.end()
