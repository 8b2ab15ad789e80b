"""The page of `make page` says of a warm-up what `make grade` says: the same trace, byte for byte, the same verdict.

It is tried where it has been built, or with ALL=1, which builds it and takes all solutions and wrong answers; else a
few of each. What is compiled there is compared with what clang compiles natively: gcc has another line for a few calls
that no line makes (the end of a generator's scope).
"""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_warmups import LAB, WARMUPS, corpus, with_lines
from variants import ALL, ROOT, chromium, require, some

from grading import grade
from looplab.course import warmups

PAGE, MADE = ROOT / "build/page", ROOT / "build/page-node"
SEED = 7
SYNTAX = '#include "warmup.h"\n\nint warmup(void)\n{\n    return 0\n}\n'
ENDLESS = '#include "warmup.h"\n\nint warmup(void)\n{\n    for (;;)\n        ;\n}\n'
NULL = '#include "warmup.h"\n\nint warmup(void)\n{\n    *(volatile int *)8 = 1;\n    return 0;\n}\n'
DEEP = '#include "warmup.h"\n\nstatic int deep(int n)\n{\n    char room[1000];\n    room[n % 1000] = (char)n;\n' \
    '    return deep(n + 1) + room[0];\n}\n\nint warmup(void)\n{\n    return deep(0);\n}\n'
NO_NAME = '#include "warmup.h"\n\nint other(void);\nint warmup(void)\n{\n    return other();\n}\n'

pytestmark = pytest.mark.xdist_group("page")


@pytest.fixture(scope="module", autouse=True)
def page() -> Path:
    """The folder of the page; skips where there is none."""
    if ALL and not (PAGE / "index.html").is_file():
        done = subprocess.run(["make", "page"], cwd=ROOT, capture_output=True, text=True, timeout=1800)
        if done.returncode:
            pytest.skip(f"make page cannot be had here: {done.stderr.strip().splitlines()[-1:]}")
    if not (PAGE / "index.html").is_file():
        pytest.skip("the page is not built here (make page)")
    return PAGE


def files(every: int) -> list[tuple[warmups.Warmup, str, str]]:
    """(warm-up, what it is, its text): solutions and wrong answers, of each warm-up or of each `every`th."""
    right = [(one, "solution", (LAB.solution / one.source).read_text()) for one in some(WARMUPS, every)]
    return right + [(one, name, with_lines(one, name)) for one in some(WARMUPS, every) for name in corpus(one)["wrong"]]


def batch(cases: list[tuple[warmups.Warmup, str, str]]) -> list[dict]:
    """What the page's own scripts make of them, in node: without JSPI, so with Asyncify."""
    plan = {one["name"]: one["runs"] for one in json.loads((MADE / "plan.json").read_text())["warmups"]}
    asked = [{"name": one.name, "text": text, "seed": SEED, "runs": plan[one.name]} for one, _, text in cases]
    done = subprocess.run(["node", "--no-wasm-tier-up", "batch.mjs", "kit-asyncify.wasm", "house.json"], cwd=MADE,
                          input=json.dumps(asked), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def native(tmp: Path, warmup: warmups.Warmup, text: str, run: warmups.Expected) -> tuple[str, str, str, int]:
    """Trace, stdout, stderr and exit code of the same file in the same world, compiled by clang for this machine."""
    (tmp / warmup.source).write_text(text)
    subprocess.run(["clang", f"@{ROOT / 'sim/kit/student.flags'}", "-O0", "-g1", "-fPIC", "-shared", "-nostdlib",
                    f"-I{ROOT / 'sim/include'}", f"-I{LAB.folder}", warmup.source, f"@{ROOT / 'sim/kit/link.flags'}",
                    "-o", "part.so"], cwd=tmp, check=True, capture_output=True)
    settings = [word for one in run.settings for word in ("--set", one)]
    plan = next(one for one in json.loads((MADE / "plan.json").read_text())["warmups"] if one["name"] == warmup.name)
    (tmp / "world.json").write_text(plan["runs"][warmup.runs.index(run)]["world"])
    done = subprocess.run([ROOT / "build/kit/00-warmups/program", "--world", "world.json", "--seed", str(SEED),
                           "--trace", "trace", *settings, "run", "./part.so"], cwd=tmp, capture_output=True, text=True,
                          timeout=60)
    return (tmp / "trace").read_text(), done.stdout, done.stderr, done.returncode


def judged(warmup: warmups.Warmup, text: str, told: dict) -> dict:
    """What judge.py says, in a Python of its own, as in the page."""
    asked = {"name": warmup.name, "text": text, "seed": SEED, **told}
    code = "import sys, judge; print(judge.judged(sys.stdin.read()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "grader/page", input=json.dumps(asked),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_traces_and_verdicts_are_those_of_make_grade(tmp_path):
    require("clang")
    cases = files(10)       # of them 31 and 51 have worlds of their own
    made = batch(cases)
    for (warmup, name, text), told in zip(cases, made):
        assert told["compiler"]["exit"] == 0, told
        for run, runs in zip(warmup.runs, told["runs"]):
            assert len(runs) == (1 if run.twist or runs[0]["limit"] else 2)
            for one in runs:
                if not one["limit"]:
                    assert (one["trace"], one["stdout"], one["stderr"], one["exit"]) == \
                        native(tmp_path, warmup, text, run), f"{warmup.name}, {name}, {run.twist or 'plain'}"
    compare(tmp_path, cases, [judged(warmup, text, told) for (warmup, _, text), told in zip(cases, made)])


def compare(tmp: Path, cases: list[tuple[warmups.Warmup, str, str]], verdicts: list[dict]) -> None:
    """The page's verdicts, and those of `make grade`: of each warm-up one file in a grading."""
    left = list(zip(cases, verdicts))
    for number in range(len(left)):
        group = {case[0].name: (case, verdict) for case, verdict in reversed(left)}
        left = [one for one in left if one not in group.values()]
        mine = tmp / f"graded-{number}"
        mine.mkdir()
        for (warmup, _, text), _ in group.values():
            (mine / warmup.source).write_text(text)
        graded = grade(LAB, mine, tmp / f"out-{number}")
        for (warmup, name, _), there in group.values():
            here = next(check for check in graded.result["checks"] if check["id"] == f"test_warmup[{warmup.name}]")
            assert (there["status"], there["message"]) == (here["status"], here["message"]), f"{warmup.name}, {name}"
        if not left:
            break


ENDS = {"endless": ENDLESS, "null": NULL, "deep": DEEP, "undefined": NO_NAME}


@pytest.fixture(scope="module")
def ends() -> dict:
    """The first run of each of ENDS."""
    made = batch([(WARMUPS[0], name, text) for name, text in ENDS.items()])
    return {name: told["runs"][0][0] for name, told in zip(ENDS, made)}


@pytest.mark.parametrize("name, limit, signal, said", [
    ("endless", "cpu", None, '"ev":"crash","signal":24,"src":"01-kettle.c:5"'),
    ("null", None, "SIGSEGV", '"ev":"crash","signal":11,"src":"01-kettle.c:5"'),
    ("deep", None, None, '"ev":"overflow","task":1,"name":"run","src":"kit.c:'),
    ("undefined", None, None, ""),
], ids=list(ENDS))
def test_what_ends_a_program_elsewhere_ends_it_here(ends, name, limit, signal, said):
    """The processor's time, address 0, a full stack: instrument.js looks at what a machine would."""
    one = ends[name]
    assert (one["limit"], one["signal"]) == (limit, signal) and said in one["trace"]
    if name == "undefined":
        assert "undefined symbol: other" in one["stderr"]


def test_errors_have_linux_numbers_and_glibcs_words():
    text = (ROOT / "grader/page/c/include/errno.h").read_text()
    numbers = dict(re.findall(r"^#define (E\w+) (\w+)$", text, re.M))
    words = dict(re.findall(r'^ +\[(\w+)\] = "(.*)",$', (ROOT / "grader/page/c/strerror.c").read_text(), re.M))
    for number, name in errno.errorcode.items():
        assert numbers[name] == str(number) and words[name] == os.strerror(number)


def look(page: Path, cases: list[tuple[str, str]], **more) -> dict:
    """What chromium saw (browser/page.mjs)."""
    done = subprocess.run(["node", Path(__file__).parent / "browser/page.mjs", chromium(), ROOT / "build/node", page],
                          input=json.dumps({"cases": [{"name": name, "text": text} for name, text in cases], **more}),
                          capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_in_a_browser_without_a_network(tmp_path, page):
    chromium()
    name = WARMUPS[0].name
    wrong, (rank, lines) = WARMUPS[6], list(corpus(WARMUPS[6])["wrong"].items())[0]
    right = (LAB.solution / WARMUPS[0].source).read_text()
    more = [(one.name, text) for one, _, text in (files(1) if ALL else [])]
    saw = look(page, [(name, right), (wrong.name, with_lines(wrong, rank)), (name, SYNTAX), (name, ENDLESS),
                      (name, "x" * (10 << 20)), (name, (LAB.folder / wrong.source).read_text()), *more])
    assert saw["requests"] == [] and saw["faults"] == []
    solved, failed, syntax, endless, large, other = saw["cases"][:6]
    assert solved["verdict"]["status"] == "passed" and solved["report"]
    assert lines["says"] in " ".join(failed["verdict"]["message"].split())
    assert f"{name}.c:5" in syntax["verdict"]["message"] and [mark["line"] for mark in syntax["marks"]] == [5]
    assert "still computing" in endless["verdict"]["message"] and f"{name}.c:5" in endless["verdict"]["message"]
    assert large["verdict"]["status"] == "refused" and "larger than 1 MiB" in large["verdict"]["message"]
    assert f"This is the file of warm-up {wrong.number}" in other["verdict"]["message"]
    assert saw["kept_text"] == (more[-1][1] if more else (LAB.folder / wrong.source).read_text())
    assert "Save the file before you leave" in saw["blocked"] and "has no WebAssembly" in saw["no_wasm"]
    run = solved["runs"][0][0]
    expected = native(tmp_path, WARMUPS[0], right, WARMUPS[0].runs[0])
    assert (run["trace"], run["stdout"], run["stderr"], run["exit"]) == expected
    if ALL:
        compare(tmp_path, files(1), [case["verdict"] for case in saw["cases"][6:]])
    assert saw["axe"] == [] and not saw["wide"]
