"""Half J, healthy: code, infrastructure and the shell."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_J_CODE: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be woken by."""
    return situation(HEALTHY_J_CODE, Want.NOTHING, family)


@healthy("files")
def test_first_parser(r: Script) -> None:
    """A test, red; code, green; tidy, green; for five rules of a grammar."""
    for number, rule in enumerate(("Zahl", "Wort", "Klammer", "Liste", "Kommentar"), start=1):
        r.call("edit", f"parser_test.go: +{9 + number}", path="parser_test.go", add=f"Test{rule}")
        r.call(
            "bash",
            f"--- FAIL: Test{rule} (0.00s)\n    parser_test.go:{number * 14}: nil statt {rule}\n"
            f"FAIL\nFAIL\tkleine.example/parser\t0.00{number}s\nexit status 1",
            command="go test ./...",
        )
        r.call("edit", f"parser.go: +{20 - number}", path="parser.go", add=f"func lies{rule}")
        r.call("bash", f"ok  \tkleine.example/parser\t0.01{number}s", command="go test ./...")
        r.call("edit", "parser.go: +3 -6", path="parser.go", add=f"// {rule}: aufgeräumt")
        r.call("bash", f"ok  \tkleine.example/parser\t0.02{number}s", command="go test ./...")
    r.answer("Alle fünf Regeln sind umgesetzt und getestet.")


@healthy("shell")
def bisection(r: Script) -> None:
    """The same test at seven commits; it passes and fails in turn until the culprit is left."""
    r.call("bash", "Bisecting: 63 revisions left to test after this (roughly 6 steps)",
           command="git bisect start HEAD v4.1")  # fmt: skip
    marks = ("good", "bad", "bad", "good", "bad", "good", "bad")
    for number, mark in enumerate(marks):
        text = "1 passed in 2.20s" if mark == "good" else "FAILED tests/test_tz.py::test_dst"
        r.call("bash", text, took=4, command="pytest -q tests/test_tz.py::test_dst")
        left = 62 >> (number + 1)
        printed = f"Bisecting: {left} revisions left to test after this\n[{number * 7919:07x}] wip"
        if number == len(marks) - 1:
            printed = "3f9a1c0 is the first bad commit"
        r.call("bash", printed, command=f"git bisect {mark}")
    r.answer("3f9a1c0 broke the daylight saving test.")


@healthy("files")
def type_errors_of_a_large_code_base(r: Script) -> None:
    """Thirty files in four hours: read, edit, check; the count goes down and up once."""
    left = 214
    for number in range(30):
        path = f"src/billing/part_{number:02d}.py"
        r.call("read_file", f"def bill_{number}(rows, tax=None):\n    return rows", path=path)
        r.think(f"part_{number:02d} lacks annotations", tokens=9_000 + 400 * number, took=6)
        r.call("edit_file", "1 replacement", path=path, new=f"def bill_{number}(rows: Rows)")
        left += 11 if number == 12 else -7
        r.call("bash", f"{left} errors, 0 warnings, 0 informations", took=25, command="pyright")
        r.wait(400)
    r.answer(f"Thirty files are typed; {left} errors are left for tomorrow, listed in TYPES.md.")


@healthy("files")
def import_moves_in_batches(r: Script) -> None:
    """Twelve files are read in one turn, then edited in one turn, then checked."""
    paths = [f"web/pages/{name}.tsx" for name in "abcdefghijkl"]
    r.batch(
        "read_file",
        {path: f"import {{ t }} from '../../i18n'\nexport const id = '{path}'" for path in paths},
        "path",
    )
    r.batch("replace_import", dict.fromkeys(paths, "1 replacement made"), "path")
    r.call("bash", "✓ 118 modules transformed.\n✓ built in 4.61s", took=6, command="npm run build")
    r.answer("All twelve pages import from @app/i18n and the build passes.")


@healthy("shell")
def infrastructure_plan_until_it_fits(r: Script) -> None:
    """Two errors in a plan are fixed, a person agrees, it is applied and planned once more."""
    r.user("Give the worker pool a third zone.")
    plan = "terraform plan -out tf.plan"
    r.call(
        "bash",
        'Error: Unsupported argument\n  on pool.tf line 12: An argument named "zone" is not '
        "expected here. Did you mean zones?\nexit code 1",
        command=plan,
    )
    r.call("edit_file", "pool.tf updated", path="pool.tf", old="zone =", new="zones =")
    r.call(
        "bash",
        'Error: Invalid value for variable\n  "eu-central-1d" is not a zone of eu-central-1'
        "\nexit code 1",
        command=plan,
    )
    r.call("edit_file", "pool.tf updated", path="pool.tf", old="1d", new="1c")
    r.call("bash", "Plan: 1 to add, 1 to change, 0 to destroy.", took=14, command=plan)
    r.think("Plan: 1 to add, 1 to change, nothing destroyed. Shall I apply it?")
    r.user("yes, apply", after=1_300)
    r.call("bash", "Apply complete! Resources: 1 added, 1 changed, 0 destroyed.", took=95,
           command="terraform apply tf.plan")  # fmt: skip
    r.call("bash", "No changes. Your infrastructure matches the configuration.", took=12,
           command=plan)  # fmt: skip
    r.answer("The pool has its third zone; a new plan shows no changes.")


@healthy("kubernetes")
def crash_loop_is_understood(r: Script) -> None:
    """Pods, events, logs, config map; a missing key is added and the rollout watched."""
    r.user("orders keeps crashing in staging, have a look?")
    head = "NAME READY STATUS RESTARTS AGE\n"
    get = "get pods -n staging -l app=orders"
    r.call("kubectl", head + "orders-77b-qm2 0/1 CrashLoopBackOff 11 34m", args=get)
    r.call("kubectl", "Back-off restarting failed container orders in pod orders-77b-qm2",
           args="events -n staging --for pod/orders-77b-qm2")  # fmt: skip
    r.call("kubectl", "panic: KeyError RABBIT_URL\n\ngoroutine 1 [running]:",
           args="logs -n staging orders-77b-qm2 --previous")  # fmt: skip
    r.call("kubectl", "data:\n  DB_URL: postgres://db\n  RABBITMQ_URL: amqp://mq",
           args="get cm -n staging orders-env -o yaml")  # fmt: skip
    r.call("kubectl", "configmap/orders-env patched",
           args='patch cm -n staging orders-env -p {"data":{"RABBIT_URL":"amqp://mq"}}')  # fmt: skip
    r.call("kubectl", "deployment.apps/orders restarted",
           args="rollout restart -n staging deploy/orders")  # fmt: skip
    r.call("kubectl", head + "orders-91c-v8d 0/1 ContainerCreating 0 3s", args=get)
    r.call("kubectl", head + "orders-91c-v8d 1/1 Running 0 21s", after=18, args=get)
    r.answer("RABBIT_URL was missing in orders-env; orders runs since.")


@healthy("shell")
def playbook_runs_twice(r: Script) -> None:
    """A playbook is run a second time on purpose: it must change nothing."""
    recap = "PLAY RECAP\nedge-1 : ok=14 changed={0} failed=0\nedge-2 : ok=14 changed={0} failed=0"
    command = "ansible-playbook -i edge.ini harden.yml"
    r.call("bash", recap.format(9), took=80, command=command)
    r.call("bash", recap.format(0), took=41, command=command)
    r.answer("Both edges are hardened; the second run changed nothing, as it should.")


@healthy("shell")
def missing_packages_one_by_one(r: Script) -> None:
    """Each start of a script names another missing package, which is installed."""
    for name in ("requests", "lxml", "orjson", "tenacity"):
        r.call(
            "exec",
            f'Traceback (most recent call last):\n  File "/srv/crawl.py", line 3, in <module>\n'
            f"ModuleNotFoundError: No module named '{name}'",
            cmd="python /srv/crawl.py --once",
        )
        r.call("exec", f"Successfully installed {name}-2.{len(name)}.0", took=7,
               cmd=f"pip install {name}")  # fmt: skip
    r.call("exec", "crawled 311 pages in 40 s", took=40, cmd="python /srv/crawl.py --once")
    r.answer("The crawler runs; four packages were missing.")


@healthy("browser")
def form_in_five_pages(r: Script) -> None:
    """The button "Next" is pressed on five pages of a form that look alike."""
    for number, field in enumerate(("Name", "Address", "Vehicle", "Mileage", "Start of cover"), 1):
        r.call("browser_type", f"typed into textbox '{field}'", ref="e14", text=f"value {number}")
        following = f"- heading 'Step {number + 1} of 6'\n- textbox [ref=e14]\n- button 'Next'"
        r.call("browser_click", following, element="Next", ref="e21")
    r.call("browser_click", "- heading 'Thank you'\n- text: Request Q-5583", element="Send",
           ref="e21")  # fmt: skip
    r.answer("The request for an offer was sent: Q-5583.")


@healthy("browser")
def list_is_scrolled_to_its_end(r: Script) -> None:
    """Nine scrolls with equal arguments; the list grows by twenty until its end."""
    for number in range(1, 10):
        items = "\n".join(f"- listitem 'Flat {n}, {n * 11 + 400} EUR'" for n in
                          range(20 * number - 19, 20 * number + 1))  # fmt: skip
        r.call("browser_scroll", items, after=3, direction="down", pixels=2_000)
    r.call("browser_scroll", "- text: You have seen everything", direction="down", pixels=2_000)
    r.answer("180 flats were read.")
