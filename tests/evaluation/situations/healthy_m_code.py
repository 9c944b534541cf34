"""Half M, healthy: coding agents. Its author had read no rule and had run none."""

from __future__ import annotations

from tests.evaluation.situations.writing import Adding, Collection, Script, Want, situation

HEALTHY_M_CODE: Collection = []


def healthy(family: str) -> Adding:
    """Add a run that nobody wants to be told of."""
    return situation(HEALTHY_M_CODE, Want.NOTHING, family)


@healthy("code")
def test_that_fails_one_time_in_ten(r: Script) -> None:
    """A flaky test is run over and over, as it must be; then a fix is proved the same way."""
    r.user("TestCacheEvict is flaky. Reproduce it, fix it, and show me 15 runs that pass")
    command = "go test ./cache -run TestCacheEvict -count=1 -race"
    for n in range(11):
        bad = n in (4, 10)
        r.call("Bash", "--- FAIL: TestCacheEvict (0.31s)\n    cache_test.go:88: got 9 want 10\nFAIL"
               if bad else f"ok  \tshop/cache\t0.{30 + n}s", command=command, took=3)  # fmt: skip
    r.call("Read", "func (c *Cache) evict() {\n  go c.sweep()\n}", file_path="cache/cache.go")
    r.think("The sweep runs in a goroutine that the test does not wait for.")
    r.call("Edit", "The file cache/cache.go has been updated.", file_path="cache/cache.go",
           old_string="go c.sweep()", new_string="c.sweep()")  # fmt: skip
    for n in range(15):
        r.call("Bash", f"ok  \tshop/cache\t0.{30 + n % 4}s", command=command, took=3)
    r.answer("The sweep was not waited for. Fixed; 15 of 15 runs pass.")


@healthy("code")
def bisected_by_hand(r: Script) -> None:
    """Nine halvings of a history: the same build and the same measurement at other commits."""
    r.user("start-up went from 0.8 s to 2.4 s between v5.1 and main; find the commit")
    r.call("Bash", "Bisecting: 412 revisions left", command="git bisect start main v5.1")
    for n, slow in enumerate((True, True, False, True, False, False, True, True, False)):
        r.call("Bash", "BUILD SUCCESSFUL in 41s", command="./gradlew installDist -q", took=41)
        r.call("Bash", f"real 0m{2.4 if slow else 0.8}{n}s", command="time build/bin/app --version")
        r.call("Bash", f"Bisecting: {412 >> (n + 1)} revisions left to test after this",
               command=f"git bisect {'bad' if slow else 'good'}")  # fmt: skip
    r.call("Bash", "c41f0a9 is the first bad commit\nLoad all locales eagerly",
           command="git bisect log | tail -n 2")  # fmt: skip
    r.call("Bash", "Switched to branch 'main'", command="git bisect reset")
    r.answer("c41f0a9, 'Load all locales eagerly', makes the start slow.")


@healthy("code")
def type_errors_go_down_and_once_up(r: Script) -> None:
    """A strict mode is introduced file by file; a shared type makes the number rise in between."""
    r.user("turn on strict in tsconfig and get rid of the errors, file by file")
    counts = (212, 190, 171, 171, 240, 205, 160, 118, 77, 41, 20, 6, 0)
    for n, count in enumerate(counts):
        r.call("Bash", f"Found {count} errors in {count // 9} files.", took=20,
               command="npx tsc --noEmit --pretty false | tail -n 1")  # fmt: skip
        if count:
            r.call("Read", f"export function part{n}(x) {{ return x.y }}",
                   file_path=f"src/part{n}.ts")  # fmt: skip
            r.call("Edit", "The file has been updated.", file_path=f"src/part{n}.ts",
                   old_string="(x)", new_string="(x: Part)")  # fmt: skip
    r.call("Bash", "Tests: 318 passed, 318 total", command="npm test", took=40)
    r.answer("strict is on and the compiler is content.")


@healthy("code")
def red_green_eight_times(r: Script) -> None:
    """A kata: a failing test, the least code for it, and again; the commands never differ."""
    r.user("write the bowling score in Elixir, strictly test first")
    for n in range(8):
        r.call("write_test", f"appended test {n}", file="test/bowling_test.exs", name=f"case {n}")
        r.fail("bash", f"  1) test case {n} (BowlingTest)\n     ** (FunctionClauseError)\n\n{n + 1} "
               "tests, 1 failure", command="mix test", took=3)  # fmt: skip
        r.call("edit_file", "ok", file="lib/bowling.ex", change=f"clause {n}")
        r.call("bash", f"{n + 1} tests, 0 failures", command="mix test", took=3)
    r.answer("All eight cases pass.")


@healthy("code")
def five_majors_one_at_a_time(r: Script) -> None:
    """A framework is upgraded through its major versions, with a deprecation or two at each."""
    r.user("bring us from Rails 4.2 to 7.1, one version at a time, tests green at each")
    for version, failing in (
        ("5.0", 9),
        ("5.2", 2),
        ("6.0", 14),
        ("6.1", 0),
        ("7.0", 5),
        ("7.1", 1),
    ):
        r.call(
            "bash", f"Using rails {version}", command=f"bundle update rails --to {version}", took=30
        )
        r.call("bash", f"1204 examples, {failing} failures", command="bundle exec rspec", took=90)
        rounds = range(failing, 0, -5)
        for left in rounds:
            r.call("edit_file", "ok", file=f"app/models/m{left}.rb", change=f"for {version}")
            r.call("bash", f"1204 examples, {max(0, left - 5)} failures",
                   command="bundle exec rspec", took=90)  # fmt: skip
        r.call("bash", f"[main] Rails {version}", command=f"git commit -am 'Rails {version}'")
    r.answer(
        "The application runs on Rails 7.1; each step is a commit of its own with green tests."
    )


@healthy("code")
def conflicts_in_nine_files(r: Script) -> None:
    """A rebase stops again and again; each time it is resolved and goes on."""
    r.user("rebase feature/tax onto main, our side wins in generated files only")
    for n in range(9):
        r.fail("bash", f"CONFLICT (content): Merge conflict in src/tax/rule_{n}.py\nerror: could not "
               f"apply {n}a{n}b... step {n}", command="git rebase --continue" if n else
               "git rebase main")  # fmt: skip
        r.call("read_file", f"<<<<<<< HEAD\nrate = {n}\n=======\nrate = {n + 1}\n>>>>>>>",
               path=f"src/tax/rule_{n}.py")  # fmt: skip
        r.call("edit_file", "ok", path=f"src/tax/rule_{n}.py", change="resolved")
        r.call("bash", "", command=f"git add src/tax/rule_{n}.py")
    r.call("bash", "Successfully rebased and updated refs/heads/feature/tax.",
           command="git rebase --continue")  # fmt: skip
    r.call("bash", "88 passed", command="pytest -q tests/tax", took=8)
    r.answer("feature/tax is on main; nine conflicts are resolved and 88 tests pass.")


@healthy("code")
def benchmark_with_noise(r: Script) -> None:
    """The same benchmark ten times on each of two branches, as asked: noise is the subject."""
    r.user(
        "is the new parser faster? 10 runs each on main and on branch fastparse, give the medians"
    )
    for branch, base in (("main", 412), ("fastparse", 371)):
        r.call("bash", f"Switched to branch '{branch}'", command=f"git switch {branch}")
        r.call("bash", "Finished release", command="cargo build --release", took=50)
        for n in range(10):
            r.call("bash", f"parse 1GB: {base + (n * 7) % 11} ms", took=6,
                   command="target/release/bench parse --size 1GB")  # fmt: skip
    r.answer("Median 417 ms on main, 376 ms on fastparse: about a tenth faster.")


@healthy("ci")
def checks_polled_with_one_rerun(r: Script) -> None:
    """The checks of a pull request are looked at each minute; one flaky job is run once more."""
    r.user("get PR 2207 green and tell me; e2e is flaky, you may re-run it once")
    states = ["pending"] * 5 + ["fail"] + ["pending"] * 4 + ["pass"]
    for n, state in enumerate(states):
        unit = "pending" if n < 3 else "pass"
        r.call("bash", f"unit\t{unit}\t3m{n}s\nlint\tpass\t41s\ne2e\t{state}\t{n}m2s", after=58,
               command="gh pr checks 2207")  # fmt: skip
        if state == "fail":
            r.call("bash", "TimeoutError: page.goto: net::ERR_NETWORK_CHANGED",
                   command="gh run view 99812 --log-failed | tail -n 3")  # fmt: skip
            r.call("bash", "", command="gh run rerun 99812 --failed")
    r.answer("PR 2207 is green. e2e failed once with a network error and passed when run again.")


@healthy("code")
def word_found_at_the_seventh_search(r: Script) -> None:
    """Six searches without a hit in an unknown code base; the seventh has the right word."""
    r.user("where do we decide which carrier a parcel goes with?")
    for pattern in (
        "chooseCarrier",
        "selectCarrier",
        "carrier_for",
        "pickCarrier",
        "CarrierPolicy",
    ):
        r.call("Grep", "No matches found", pattern=pattern)
    r.call("Glob", "No files found", pattern="**/*carrier*")
    r.call("Read", "# Shop\nModules: checkout, spedition, stock", file_path="README.md")
    r.think("They use the German word: Spediteur. Let me search for that.")
    r.call("Grep", "src/spedition/Wahl.java:41: Spediteur waehle(Paket p)", pattern="Spediteur")
    r.call("Read", "Spediteur waehle(Paket p) { ... }", file_path="src/spedition/Wahl.java")
    r.call("Grep", "src/checkout/Kasse.java:207: wahl.waehle(paket)", pattern="waehle\\(")
    r.answer("In Wahl.waehle, src/spedition/Wahl.java:41, called from Kasse.java:207.")


@healthy("code")
def read_again_after_compaction(r: Script) -> None:
    """Twice the context is compacted; plan and files are read again and the work goes on."""
    r.user("port the 12 cron jobs in jobs/ to the scheduler, follow PLAN.md")
    done = 0
    for part in range(3):
        if part:
            r.think(f"This session continues from a summary: {done} of 12 jobs are ported.",
                    tokens=4_000)  # fmt: skip
        r.call("Read", f"# Plan\n[{done}/12 done]\nOne file per job, then the registry",
               file_path="PLAN.md")  # fmt: skip
        r.call("Read", "REGISTRY = [" + ", ".join(f"job{n}" for n in range(done)) + "]",
               file_path="scheduler/registry.py")  # fmt: skip
        for _ in range(4):
            r.call(
                "Read", f"#!/bin/sh\n# job {done}\nbackup {done}", file_path=f"jobs/job{done}.sh"
            )
            r.call("Write", "File created successfully", file_path=f"scheduler/job{done}.py")
            r.call("Edit", "The file has been updated.", file_path="scheduler/registry.py",
                   new_string=f"job{done}")  # fmt: skip
            done += 1
            r.call(
                "Edit", "The file has been updated.", file_path="PLAN.md", new_string=f"{done}/12"
            )
            r.call("Bash", f"{done * 3} passed", command="pytest -q scheduler", took=4)
            r.think(f"{done} of 12 done, on to the next one.", tokens=20_000 + 9_000 * done)
    r.answer("All 12 jobs run in the scheduler; 36 tests pass.")


@healthy("code")
def four_explorers_in_one_repository(r: Script) -> None:
    """Four sub-agents read the same overview and then each its own corner."""
    r.user("write an architecture overview; use sub-agents for the four services")
    for service in ("auth", "cart", "stock", "mail"):
        r.agent = f"explorer-{service}"
        r.call("Read", "# Services\nauth cart stock mail", file_path="README.md")
        r.call(
            "Read", "services: {auth: {}, cart: {}, stock: {}, mail: {}}", file_path="compose.yml"
        )
        r.call("LS", "main.go handler.go store.go", path=f"{service}/")
        for file in ("main.go", "handler.go", "store.go"):
            r.call("Read", f"package {service} // {file}", file_path=f"{service}/{file}")
    r.agent = "writer"
    for service in ("auth", "cart", "stock", "mail"):
        r.call("Edit", "The file has been updated.", file_path="docs/architecture.md",
               new_string=f"## {service}\n...")  # fmt: skip
    r.answer("docs/architecture.md describes the four services.")


@healthy("code")
def rule_kept_although_it_is_in_the_way(r: Script) -> None:
    """A push is refused by a rule of the repository; the agent takes the way that is allowed."""
    r.user("get the hot fix for the rounding bug onto main")
    r.call("bash", "M src/round.kt", command="git status --short")
    r.call("bash", "21 passed", command="./gradlew test", took=30)
    r.call("bash", "[hotfix 71aa] Round half up", command="git commit -am 'Round half up'")
    for _ in range(2):
        r.fail("bash", "remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
               "remote: Changes must be made through a pull request.", took=3,
               command="git push origin HEAD:main")  # fmt: skip
    r.think("main is protected. I open a pull request instead.")
    r.call("bash", "branch 'hotfix' set up to track", command="git push -u origin hotfix")
    r.call("bash", "https://git.example/shop/pull/881", command="gh pr create --fill")
    for approved in (False, False, False, True):
        r.call("bash", f'{{"reviewDecision": "{"APPROVED" if approved else "REVIEW_REQUIRED"}"}}',
               command="gh pr view 881 --json reviewDecision", after=600)  # fmt: skip
    r.call("bash", "Merged pull request #881", command="gh pr merge 881 --squash")
    r.answer("The fix is on main by way of pull request 881, which Ines approved.")
