"""Half K, healthy: code, drawings and experiments. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_K_CODE: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_K_CODE, Want.NOTHING, family)


@healthy("shell")
def compiler_errors_go_down(r: Script) -> None:
    """The same `cargo build` after each edit; the errors go from nine to none, with one relapse."""
    for place, errors in enumerate((9, 7, 7, 4, 5, 2, 1, 0)):
        r.call("edit_file", "The file src/ring.rs has been updated.", path="src/ring.rs",
               old=f"fn slot_{place}(&self)", new=f"fn slot_{place}(&mut self)")  # fmt: skip
        text = f"error[E0502]: cannot borrow `*self` as mutable --> src/ring.rs:{31 + place * 14}"
        end = f"error: could not compile `ring` due to {errors} previous errors" if errors else ""
        r.call("bash", f"{text}\n{end}" if errors else "    Finished dev [unoptimized] in 3.11s",
               took=7, command="cargo build 2>&1 | tail -n 20")  # fmt: skip
    r.answer("It builds.")


@healthy("shell")
def red_suite_while_work_goes_on(r: Script) -> None:
    """Eleven tests need a service that is absent here; the suite ends alike after each new part."""
    r.user("port the exporters to the new API; the 11 integration tests cannot run in this sandbox")
    for part in ("csv", "json", "parquet", "xlsx", "avro", "orc", "feather"):
        r.call("read_file", f"class {part.title()}Exporter(Old):\n    def dump(self, rows): ...",
               path=f"exporters/{part}.py")  # fmt: skip
        r.call("write_file", "wrote 48 lines", path=f"exporters/{part}.py",
               content=f"class {part.title()}Exporter(Exporter):\n    def write(self, rows): ...")  # fmt: skip
        r.call("bash", "E   ConnectionRefusedError: [Errno 111] localhost:9000\n"
               f"11 failed, 204 passed in {20 + len(part)}.31s", took=22,
               command="python -m pytest -q | tail -n 4")  # fmt: skip
    r.answer("Seven exporters are ported. The 11 tests that need MinIO still fail here, as before.")


@healthy("files")
def reads_before_every_edit(r: Script) -> None:
    """A careful agent reads the whole file before each of nine edits, as its editor demands."""
    lines = [f"rule_{n}: todo" for n in range(9)]
    for n in range(9):
        r.call("Read", "\n".join(f"{i + 1}\t{line}" for i, line in enumerate(lines)),
               file_path="/repo/rules.yaml")  # fmt: skip
        lines[n] = f"rule_{n}: allow"
        r.call("Edit", "The file /repo/rules.yaml has been updated successfully.",
               file_path="/repo/rules.yaml", old_string=f"rule_{n}: todo",
               new_string=f"rule_{n}: allow")  # fmt: skip
    r.answer("All nine rules are filled in.")


@healthy("shell")
def finds_out_that_it_is_flaky(r: Script) -> None:
    """One test is run ten times on purpose, to see how often it fails, and is quarantined."""
    r.user("is test_reconnect flaky? run it ten times and count")
    for failed in (0, 0, 1, 0, 0, 0, 1, 0, 0, 1):
        text = "FAILED tests/test_ws.py::test_reconnect - TimeoutError\n1 failed in 5.02s"
        r.call("exec", {"stdout": text if failed else "1 passed in 0.84s", "exit_code": failed},
               cmd="pytest -q tests/test_ws.py::test_reconnect")  # fmt: skip
    r.call("exec", {"stdout": "", "exit_code": 0},
           cmd="sed -i 's/def test_reconnect/@pytest.mark.flaky\\ndef test_reconnect/' "
           "tests/test_ws.py")  # fmt: skip
    r.answer("It failed in 3 of 10 runs, each time with a timeout; I marked it as flaky.")


@healthy("shell")
def busy_main_branch(r: Script) -> None:
    """A push loses the race three times; each time the branch is rebased and tested again."""
    for turn in range(3):
        r.fail("bash", "! [rejected] main -> main (fetch first)\nerror: failed to push some refs "
               "to 'git.example:core'\nexit code 1", command="git push origin HEAD:main")  # fmt: skip
        r.call("bash", f"Successfully rebased and updated refs/heads/fix-{turn}.",
               command="git pull --rebase origin main")  # fmt: skip
        r.call("bash", f"{310 + turn * 4} passed in 41.20s", took=41, command="pytest -q")
    r.call("bash", "   4be01c7..a9921fe  HEAD -> main", command="git push origin HEAD:main")
    r.answer("Pushed, after three rebases.")


@healthy("shell")
def benchmark_by_small_steps(r: Script) -> None:
    """One benchmark after each of eight tunings; half of the gains are within the noise."""
    times = (812.4, 799.1, 803.8, 741.0, 738.6, 744.9, 702.3, 699.8)
    for place, ms in enumerate(times):
        r.call("apply_diff", {"applied": True, "hunks": 1}, file="kernels/gemm.cu",
               diff=f"@@ -{80 + place} +{80 + place} @@\n-#pragma unroll {place}\n+#pragma unroll "
               f"{place + 2}")  # fmt: skip
        r.call("run", f"gemm_4096   mean {ms} us   p99 {ms * 1.06:.1f} us   n=200\nGPU 0: 71C",
               took=30, cmd="./bench --filter gemm_4096")  # fmt: skip
    r.answer("From 812 to 700 microseconds.")


@healthy("files")
def drawing_rendered_after_each_change(r: Script) -> None:
    """A bracket gets another dimension each time; rendering always says that it went well."""
    for name, value in (("width", 40), ("height", 25), ("wall", 3), ("hole_d", 5.5),
                        ("fillet", 2), ("fillet", 2.5), ("rib", 1.6), ("rib", 2.0)):  # fmt: skip
        r.call("set_parameter", {"ok": True}, document="bracket", parameter=name, mm=value)
        r.call("render_view", "Rendered 1 view (iso) to preview.png. 0 warnings.", took=6,
               document="bracket", view="iso")  # fmt: skip
        r.think(f"the {name} looks right at {value} mm")
    r.call("export_step", {"file": "bracket.step", "bytes": 88_412}, document="bracket")
    r.answer("The bracket is drawn and exported.")


@healthy("json")
def long_way_through_the_maze(r: Script) -> None:
    """A game agent walks thirty steps; most rooms look alike, the coordinates do not."""
    for step in range(30):
        r.call("move", {"room": "A stone corridor.", "exits": ["north", "south"],
               "pos": [step // 2, step - step // 2], "hp": 20}, after=1,
               direction="north" if step % 2 else "east")  # fmt: skip
    r.call("take", {"taken": "silver key"}, item="silver key")
    r.answer("I have the key.")


@healthy("shell")
def type_migration_file_by_file(r: Script) -> None:
    """The type checker is run after each of ten files: 312 errors become 41."""
    count = 312
    for name in ("api", "auth", "cart", "feed", "geo", "mail", "pay", "push", "tax", "user"):
        r.call("write_file", "ok", path=f"src/{name}.ts", content=f"export type {name} = object")
        count -= 20 + len(name) * 2
        r.call("terminal", f"src/{name}.ts(12,5): error TS2322: Type 'any' is not assignable.\n"
               f"Found {max(count, 41)} errors in 37 files.\nCommand exited with code 2", took=19,
               command="npx tsc --noEmit --pretty false | tail -n 2")  # fmt: skip
    r.answer("Ten files are typed; 41 errors are left in files you told me to leave.")


@healthy("shell")
def lint_finds_nothing_anywhere(r: Script) -> None:
    """Twelve packages of one repository are linted in turn; none has anything to fix."""
    for name in ("core", "cli", "web", "db", "auth", "jobs", "mail", "search", "pdf", "i18n",
                 "sdk", "admin"):  # fmt: skip
        r.call("bash", "All checks passed!\n0 files reformatted", took=2,
               command=f"cd packages/{name} && ruff check --fix . && ruff format .")  # fmt: skip
    r.answer("All twelve packages were clean already.")


@healthy("files")
def learning_rate_sweep(r: Script) -> None:
    """Nine small trainings, one for each setting; two of them diverge and are reported as such."""
    for lr, wd, acc in ((1e-4, 0, .71), (1e-4, .1, .72), (3e-4, 0, .78), (3e-4, .1, .79),
                        (1e-3, 0, .74), (1e-3, .1, .75), (3e-3, 0, None), (3e-3, .1, None),
                        (5e-4, .1, .79)):  # fmt: skip
        text = f"epoch 5/5 val_acc={acc}" if acc else "loss=nan at step 112, stopping early"
        r.call("run_experiment", {"log_tail": text, "metrics": {"val_acc": acc}}, took=340,
               config={"lr": lr, "weight_decay": wd, "epochs": 5, "seed": 1})  # fmt: skip
    r.answer("Best: 3e-4 with weight decay 0.1, 79 %. At 3e-3 it diverges.")
