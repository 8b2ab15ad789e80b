"""The examples (sim/examples): each prints exactly what stands beside it, in both of the builds that grading uses."""

from __future__ import annotations

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from time import sleep
from urllib.request import urlopen

import pytest

from looplab.running.build import compiler
from variants import BUILD, ROOT, require, require_terminal, some

FOLDER = ROOT / "sim/examples"
README = (FOLDER / "README.md").read_text()
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.c"))
BUILDS = {"plain": ("libco.a", ["-O1"]), "asan": ("libco-asan.a", ["-O1", "-fsanitize=address,undefined"])}

LONGEST_FUNCTION = 40       # lines: a screen
LONGEST_LINE = 120


def source(example: str) -> str:
    return (FOLDER / f"{example}.c").read_text()


def is_newer(made: Path, needs: list[Path]) -> bool:
    return made.exists() and made.stat().st_mtime > max(path.stat().st_mtime for path in needs)


def cc(*words: object) -> str:
    """What the compiler says."""
    return subprocess.run([*compiler(), *map(str, words)], cwd=ROOT, text=True,
                          capture_output=True).stderr


def compile_one(example: str, build: str) -> str:
    """Its object, unless it is newer than all it is made of. Its main is renamed, so that one program can hold all
    examples."""
    made = BUILD / "examples" / build / f"{example}.o"
    if is_newer(made, [FOLDER / f"{example}.c", ROOT / "sim/include/co.h", ROOT / "sim/kit/student.flags"]):
        return ""
    made.parent.mkdir(parents=True, exist_ok=True)
    return cc("@sim/kit/student.flags", "-Werror", *BUILDS[build][1], "-Isim/include", f"-Dmain=main_{example[:2]}",
              "-c", f"sim/examples/{example}.c", "-o", made)


def link_all(build: str) -> None:
    """build/examples/BUILD/all: runs the example whose number it is given. One link instead of fifty."""
    folder = BUILD / "examples" / build
    library, flags = BUILDS[build]
    names = [f"main_{example[:2]}" for example in EXAMPLES]
    (folder / "all.c").write_text("#include <stdlib.h>\n" + "".join(f"int {name}(void);\n" for name in names) +
                                  "int main(int argc, char **argv)\n{\n    switch (argc > 1 ? atoi(argv[1]) : 0) {\n" +
                                  "".join(f"    case {int(name[5:])}: return {name}();\n" for name in names)
                                  + "    }\n    return 3;\n}\n")
    said = cc(*flags, folder / "all.c", *(folder / f"{example}.o" for example in EXAMPLES), f"build/kit/{library}",
              "@sim/kit/link.flags", "-o", folder / "all")
    assert said == ""


@pytest.fixture(scope="module")
def compiled() -> None:
    """All examples in both builds: a compiler that says anything fails every test."""
    with ThreadPoolExecutor(2) as pool:
        said = pool.map(lambda one: compile_one(*one), [(example, build) for build in BUILDS for example in EXAMPLES])
        assert "".join(said) == ""
        list(pool.map(link_all, BUILDS))


def on_a_terminal(program: Path, word: str, env: dict[str, str]) -> tuple[int, str]:
    """Exit code and all that a terminal shows: there, a report stands behind what was printed before it."""
    require_terminal()
    ours, theirs = os.openpty()
    with subprocess.Popen([program, word], cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=theirs,
                          stderr=theirs) as run:
        os.close(theirs)
        patience = Timer(60, run.kill)
        patience.start()
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:                 # EIO: nobody has the other end any more
            pass
        patience.cancel()
        os.close(ours)
    return run.returncode, shown.decode().replace("\r\n", "\n")


def make(**variables: str) -> subprocess.CompletedProcess[str]:
    """make run; what it builds first is not told."""
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    run = subprocess.run(["make", "run", *(f"{name}={value}" for name, value in variables.items())], cwd=ROOT, env=env,
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    run.stdout = re.sub(r"^built .*\n", "", run.stdout, flags=re.MULTILINE)
    return run


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_prints_what_stands_beside_it(example, build, compiled):
    env = {name: value for name, value in os.environ.items() if not name.startswith("CO_")}
    code, shown = on_a_terminal(BUILD / "examples" / build / "all", example[:2], env)
    assert shown == (FOLDER / f"{example}.out").read_text()
    assert code == 0


def test_clang_has_nothing_to_say_either():
    require("clang")
    words = ["clang", "@sim/kit/student.flags", "-Werror", "-fsyntax-only", "-Isim/include",
             *(f"sim/examples/{example}.c" for example in some(EXAMPLES, 3))]
    assert subprocess.run(words, cwd=ROOT, text=True, capture_output=True).stderr == ""


@pytest.mark.parametrize("example", EXAMPLES)
def test_only_an_example_about_reports_shows_one(example):
    # The others keep the name "program", which stands before each report.
    named = re.findall(r'\.program = "(.*?)"', source(example))
    shown = set(re.findall(r"^(program|\d\d-[\w-]+): ", (FOLDER / f"{example}.out").read_text(), re.MULTILINE))
    assert named == sorted(shown) and shown <= {example}


def test_every_pattern_of_the_course_has_its_example():
    patterns = set(range(1, 45)) - {42, 43}
    also = set(range(45, 67)) | {67, 68, 69} | {70, 71}
    assert sorted(int(example[:2]) for example in EXAMPLES) == sorted(patterns | also)


def test_no_file_is_left_over():
    known = {"README.md", *(f"{example}.{end}" for example in EXAMPLES for end in ["c", "out", "json"])}
    assert {path.name for path in FOLDER.iterdir()} <= known


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_comment_says_what_it_is_and_names_asyncios_word(example):
    comment = re.match(rf"/\* {example[:2]} - (.*?) \*/\n#include \"co\.h\"\n", source(example), re.DOTALL)
    assert comment
    assert len(comment[1].splitlines()) <= 3
    assert "Notice" in comment[1]
    assert re.search(r"\basyncio: ", comment[1])


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_function_fits_on_a_screen(example):
    assert max(len(line) for line in source(example).splitlines()) <= LONGEST_LINE
    bodies = re.findall(r"^\{\n.*?^\}$", source(example), re.DOTALL | re.MULTILINE)
    assert max(len(body.splitlines()) for body in bodies) <= LONGEST_FUNCTION


@pytest.mark.parametrize("world", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_a_world_is_right_and_used(world):
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema here (make deps-dev)")
    jsonschema.validate(json.loads(world.read_text()), json.loads((ROOT / "sim/world/world.schema.json").read_text()))
    assert f'"sim/examples/{world.name}"' in source(world.stem)


# ---- The table ----


def test_the_table_has_a_row_for_each():
    rows = re.findall(r"^\| (\d\d) \| \[([\w-]+)\]\((.+?)\) \| (.+?) \| (.+?) \|$", README, re.MULTILINE)
    assert [f"{number}-{name}" for number, name, *_ in rows] == EXAMPLES
    assert [link for _, _, link, *_ in rows] == [f"{example}.c" for example in EXAMPLES]


def test_the_claims_of_the_course_are_in_examples_that_exist():
    table = README.split("## What the course claims")[1]
    numbers = re.findall(r"\| (\d\d) \|$", table, re.MULTILINE)
    assert len(numbers) == 10
    assert set(numbers) <= {example[:2] for example in EXAMPLES}


@pytest.mark.parametrize("claim, example, lines", [
    ("three waits of 2 s", "12-concurrency-and-parallelism", ["3 waits of 2 s          6000 ms   2000 ms"]),
    ("gather", "03-gather", ["all answered after 1500 ms"]),
    ("as_completed", "50-fan-out-fan-in", [" 500 ms  Cora", "1000 ms  Alma", "1500 ms  Bela"]),
    ("timeout", "06-timeouts", ["2000 ms  2 s for 5 m: timed out"]),
    ("sleep blocks", "23-calling-blocking-code", ["sleep blocked the loop for 1000 ms at 23-calling-blocking-code.c:"]),
    ("semaphore", "24-bounded-parallelism", ["4000 ms  done, at most 3 at a time"]),
    ("queue of five", "28-back-pressure", ["waited 280 ms, 5 there"]),
    ("never awaited", "44-mistakes", ["ended, and nobody ever awaited it"]),
    ("a lock taken twice", "19-deadlocks", ["the circle: task 2 -> task 3 -> task 2", "twice: deadlock"]),
    ("a cancellation ignored", "53-anti-ignored-cancel", ["stubborn was cancelled, and still wants to wait at "
                                                          "53-anti-ignored-cancel.c:"]),
])
def test_a_claim_is_seen(claim, example, lines):
    shown = (FOLDER / f"{example}.out").read_text()
    assert [line for line in lines if line not in shown] == []


# ---- make run EXAMPLE= ----


@pytest.mark.parametrize("word", ["7", "07", "07-context-managers"])
def test_make_runs_it_by_number_and_by_name(word):
    run = make(EXAMPLE=word)
    assert (run.returncode, run.stdout) == (0, (FOLDER / "07-context-managers.out").read_text())


@pytest.mark.parametrize("word", ["99", "0", "7-context-managers", "../07", "*"])
def test_an_unknown_one_lists_them_all(word):
    run = make(EXAMPLE=word)
    assert run.returncode == 2
    first, *rest = run.stdout.splitlines()
    assert f"there is no example '{word}'" in first
    assert [line.strip() for line in rest] == EXAMPLES


def test_a_lab_or_an_example():
    run = make(EXAMPLE="7", LAB="01")
    assert (run.returncode, run.stdout) == (2, "run: say LAB or EXAMPLE, not both\n")


def test_a_trace_of_an_example():
    run = make(EXAMPLE="1", TRACE="-")
    assert run.returncode == 0
    assert '"src":"01-event-loop-basics.c:' in run.stdout


# ---- make run EXAMPLE= REAL=1 ----

# What these print hangs on who is late by how much.
RACES = {"06", "15", "25", "41", "56"}
DATABASE = {path.name[:2] for path in FOLDER.glob("*.json") if "databases" in json.loads(path.read_text())}
VIRTUAL = {"40"} | DATABASE
SERVERS = {"35", "70", "71"}           # for real they wait for clients that a person brings, until Ctrl-C
QUICK = {"24", "26", "34", "66"}         # a site; a disk; two CPUs; few descriptors


def without_times(shown: str) -> str:
    return re.sub(r" *\d+(?= ms)", " N", shown)


@pytest.mark.skipif(not (BUILD / "kit/libco-real.a").exists(), reason="libuv and libcurl are not there: make deps-dev")
def test_with_real_they_meet_their_world_for_real():
    """Those with a world of their own find its servers; with ALL=1 every example is run."""
    asked = [one for one in EXAMPLES
             if one[:2] not in VIRTUAL | SERVERS and (one[:2] in QUICK or os.environ.get("LOOPLAB_ALL"))]
    make(EXAMPLE="1", REAL="1")         # builds what is missing, once
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda example: make(EXAMPLE=example, REAL="1"), asked))
    assert [(example, run.stdout) for example, run in zip(asked, runs) if run.returncode != 0] == []
    for example, run in zip(asked, runs):
        if example[:2] not in RACES:
            assert without_times(run.stdout) == without_times((FOLDER / f"{example}.out").read_text())
    done = dict(zip(asked, runs))["24-bounded-parallelism"].stdout
    took = int(re.findall(r"(\d+) ms  done", done)[0])
    assert took > 4000, "its clock is the virtual one's"


@pytest.mark.parametrize("number", sorted(VIRTUAL))
def test_what_cannot_run_for_real_says_why(number):
    run = make(EXAMPLE=number, REAL="1")
    assert run.returncode == 2
    why = "works on the database of its world" if number in DATABASE else "compares times with =="
    assert re.fullmatch(rf"run: {number}-[a-z-]+ {why}, .*: run it without REAL=1\n", run.stdout)


@pytest.mark.skipif(not (BUILD / "kit/libco-real.a").exists(), reason="no libuv, no libcurl: make deps-dev")
def test_a_server_waits_for_real_clients_until_somebody_ends_it(tmp_path):
    """Port 8080 may be somebody else's: then it says so."""
    program = tmp_path / "server"
    assert cc("@sim/kit/student.flags", "-Isim/include", "sim/examples/71-http-server.c", "build/kit/libco-real.a",
              "build/kit/libco.a", "@sim/kit/link.flags", "@sim/kit/real.flags", "-o", program) == ""
    with subprocess.Popen([program], env={**os.environ, "CO_WORLD": "real"}, stdout=subprocess.PIPE, cwd=ROOT) as run:
        answer = None
        while answer is None and run.poll() is None:
            try:
                answer = urlopen("http://127.0.0.1:8080/goods?like=a", timeout=10).read()
            except OSError:                 # it does not listen yet
                sleep(0.02)
        if run.poll() is None:
            urlopen("http://127.0.0.1:8080/stop", b"", timeout=10).read()
        assert run.wait(60) == 1 or (answer, run.returncode) == (b"tea\nsalt\n", 0)


@pytest.mark.parametrize("asked, said", [
    ({"LAB": "01", "WORLD": "ten.json"}, r"say WORLD or REAL=1, not both; .*make compare LAB=01 WORLD=ten\.json"),
    ({"LAB": "06"}, "the tests of 06-testing bring worlds of their own.*: run it without REAL=1"),
])
def test_a_lab_that_cannot_run_for_real_says_why(asked, said):
    run = make(**asked, REAL="1")
    assert run.returncode == 2
    assert re.fullmatch(f"run: {said}\n", run.stdout)


def test_the_commands_of_the_readme():
    said = re.findall(r"^    make run ([A-Z0-9= -]+?) *#", README, re.MULTILINE)
    assert said == ["EXAMPLE=17", "EXAMPLE=17 TRACE=-", "EXAMPLE=24 REAL=1", "EXAMPLE=99"]
    assert "EXAMPLE=17-task-groups" in README and "17-task-groups" in EXAMPLES
    assert make(EXAMPLE="17-task-groups").stdout == (FOLDER / "17-task-groups.out").read_text()
