"""Lab 01 keeps its promises: the solution is worth 100, the skeleton nearly nothing, every check rests on the handout."""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAME = "01-sync-vs-async"
LAB = ROOT / "labs" / NAME
SOLUTION = ROOT / "solutions" / NAME
ALTERNATIVES = sorted((ROOT / "grader/tests/alternatives" / NAME).glob("*.c"))
VISIBLE = LAB / "test_visible.py"
HIDDEN = ROOT / "grader/hidden" / NAME / "test_hidden.py"
MAIN_O, LIBCO = ROOT / "build/kit" / NAME / "main.o", ROOT / "build/kit/libco.a"


def grade(source: Path, out: Path, seed: int = 7) -> tuple[int, dict, str]:
    """Exit code, results.json and scorecard of a folder that holds a compare.c."""
    done = subprocess.run([sys.executable, "-m", "looplab", "grade", "--lab", "01", "--from", str(source), "--out", str(out),
                           "--seed", str(seed)], capture_output=True, text=True, timeout=120, cwd=ROOT,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    result = out / NAME / "results.json"
    assert result.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(result.read_text()), done.stdout


def only_file(source: Path, folder: Path) -> Path:
    """A folder with nothing but that file, as compare.c."""
    folder.mkdir()
    shutil.copy(source, folder / "compare.c")
    return folder


def lost(result: dict) -> str:
    return "\n\n".join(f"{check['id']}: {check['message']}" for check in result["checks"] if check["score"] < check["max_score"])


def checks(file: Path) -> dict[str, str]:
    """Each check of a file and its title."""
    return {node.name: ast.get_docstring(node) or "" for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def words(text: str) -> str:
    """The text with every run of white space as one blank."""
    return " ".join(text.split())


@functools.lru_cache(None)
def handout() -> str:
    return (LAB / "README.md").read_text()


# ---- Scores ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [7, 999999])
def test_solution_scores_100(tmp_path, seed):
    code, result, _ = grade(SOLUTION, tmp_path / "out", seed)
    assert (result["score"], result["max_score"], code) == (100, 100, 0), lost(result)


@pytest.mark.parametrize("source", ALTERNATIVES, ids=lambda path: path.stem)
def test_other_correct_solutions_score_100(tmp_path, source):
    code, result, _ = grade(only_file(source, tmp_path / "mine"), tmp_path / "out", 11)
    assert (result["score"], code) == (100, 0), lost(result)


def test_there_are_alternatives():
    assert len(ALTERNATIVES) >= 3


@pytest.fixture(scope="module")
def skeleton(tmp_path_factory) -> tuple[int, dict, str]:
    return grade(LAB, tmp_path_factory.mktemp("skeleton") / "out")


def test_skeleton_scores_little_and_is_told_what_to_do(skeleton):
    code, result, card = skeleton
    assert code == 1 and result["status"] == "graded" and 0 <= result["score"] <= 15
    failed = [check for check in result["checks"] if check["status"] == "failed"]
    assert failed
    for check in failed:
        assert re.search(r"TODOs? \d", check["message"]), f"{check['id']} does not say where to begin:\n{check['message']}"
    for check in result["checks"]:
        assert check["status"] != "skipped" or "needs" in check["message"], check["id"]
    assert "TODO 1" in card


def test_points_add_up(skeleton):
    _, result, _ = skeleton
    worth = {check["id"]: check["max_score"] for check in result["checks"]}
    assert sum(worth.values()) == 100
    assert set(worth) == set(checks(VISIBLE)) | set(checks(HIDDEN))
    assert {check["category"] for check in result["checks"]} == {"correctness", "timing", "robustness", "coverage"}


# ---- The handout ----------------------------------------------------------------------------


def requirements() -> dict[int, str]:
    """The numbered paragraphs of "What your functions must do"."""
    part = handout().split("### What your functions must do")[1].split("\n## ")[0]
    return {int(number): words(text) for number, text in re.findall(r"^(\d+)\. (.*(?:\n {3,}.*)*)", part, re.M)}


def test_handout_has_the_parts_in_their_order():
    headings = [line[3:].lower() for line in handout().splitlines() if line.startswith("## ")]
    order = ["the questions", "what you will be able", "predict the timeline", "run the reference", "build", "check",
             "stretch goals", "key points", "where asyncio differs"]
    places = [next(i for i, heading in enumerate(headings) if heading.startswith(start)) for start in order]
    assert places == sorted(places)
    assert "**Time it takes:**" in handout()
    assert "](timeline.md)" in handout() and (LAB / "timeline.md").exists()


@pytest.mark.parametrize("name,title", [*checks(VISIBLE).items(), *checks(HIDDEN).items()], ids=lambda value: value[:60])
def test_each_check_names_its_requirement(name, title):
    numbers = re.search(r"\((\d+(?:, \d+)*)\)$", title)
    assert numbers, f"{name}: its title does not end with the numbers of its requirements"
    assert {int(number) for number in numbers[1].split(", ")} <= set(requirements())
    assert len(title) <= 60, f"{name}: its title does not fit onto the scorecard"


def test_each_requirement_has_a_check():
    """A visible one: what a student cannot see checked is asked for nowhere."""
    seen = {int(number) for title in checks(VISIBLE).values() for number in re.findall(r"\d+", title.rsplit("(")[-1])}
    assert seen == set(requirements())


def test_table_of_hidden_checks():
    part = (ROOT / "grader/hidden/README.md").read_text().split(f"## {NAME}")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(test_\w+)` \| ([\d, ]+) \| (.*) \| (.*) \|$", part, re.M)
    assert {name for name, *_ in rows} == set(checks(HIDDEN))
    for name, numbers, sentence, twins in rows:
        asked = [requirements()[int(number)] for number in numbers.split(", ")]
        assert any(sentence in text for text in asked), f"{name}: the handout does not say: {sentence}"
        assert checks(HIDDEN)[name].endswith(f"({numbers})"), name
        assert set(re.findall(r"`(\w+)`", twins)) <= set(checks(VISIBLE)), name


def test_contract_is_used_as_it_is():
    """What the handout says of the contract stands in the contract."""
    header = words((LAB / "compare.h").read_text())
    for said in ("fetch_sync(const char *const urls[], size_t n, struct fetch_result out[])", "BOUND_UNKNOWN n < 2", "below 1.5"):
        assert said in header
    for name in ("-ECONNREFUSED", "-CO_ENOHOST", "-ECONNRESET", "-EPROTO", "-ETIMEDOUT", "-ECANCELED", "-ENOMEM", "CO_HTTP_TIMEOUT"):
        assert name in handout()


# ---- Skeleton, hints, worlds ------------------------------------------------------------------


def todos() -> list[int]:
    return [int(number) for number in re.findall(r"/\* TODO (\d+):", (LAB / "compare.c").read_text())]


def test_todos_are_numbered_and_each_has_three_hints():
    assert todos() == list(range(1, len(todos()) + 1))
    parts = re.split(r"^## TODO (\d+): .*$", (LAB / "hints.md").read_text(), flags=re.M)[1:]
    assert [int(number) for number in parts[::2]] == todos()
    for number, text in zip(parts[::2], parts[1::2]):
        levels = re.findall(r"<details><summary>(\d\. [^<]+)</summary>\n\n(.+?)\n\n</details>", text, re.S)
        assert [level for level, _ in levels] == ["1. A question", "2. A direction", "3. Nearly the answer"], f"TODO {number}"
        assert "?" in levels[0][1]


def test_solution_has_no_todo():
    assert "TODO" not in (SOLUTION / "compare.c").read_text()


@pytest.mark.parametrize("source", [LAB / "compare.c", SOLUTION / "compare.c", LAB / "main.c", *ALTERNATIVES],
                         ids=lambda path: f"{path.parent.parent.name}-{path.name}")
def test_compiles_without_a_warning(tmp_path, source):
    done = subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "sim/include", "-I", LAB,
                           "-c", source, "-o", tmp_path / "x.o"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """The reference solution as a program."""
    binary = tmp_path_factory.mktemp("reference") / "compare"
    subprocess.run(["gcc", "@sim/kit/student.flags", "-Isim/include", f"-Ilabs/{NAME}", SOLUTION / "compare.c", MAIN_O, LIBCO,
                    "@sim/kit/link.flags", "-o", binary], check=True, cwd=ROOT)
    return binary


def report(program: Path, mode: str, world: str, folder: Path) -> dict:
    """What the program reports as "result"."""
    trace = folder / "trace"
    subprocess.run([program, "--world", LAB / "worlds" / world, "--trace", trace, mode], capture_output=True, timeout=20)
    return [json.loads(line)["value"] for line in trace.read_text().splitlines() if '"name":"result"' in line][-1]


@pytest.mark.parametrize("world", sorted(path.name for path in (LAB / "worlds").glob("*.json")))
def test_every_world_loads_and_stands_in_the_handout(program, tmp_path, world):
    assert report(program, "compare", world, tmp_path)["rc"] == 0
    assert f"`{world}`" in handout().split("## Check")[1]


@pytest.mark.parametrize("world,sync,together,factor,bound", [
    ("ten.json", 3440, 400, 8.6, "io"), ("three.json", 6000, 2000, 3.0, "io"), ("uneven.json", 3000, 1500, 2.0, "io"),
    ("cpu.json", 2000, 2000, 1.0, "cpu"), ("one.json", 340, 340, 1.0, "unknown"), ("mixed.json", 31600, 30000, 31.6 / 30, "cpu")])
def test_numbers_the_handout_tells(program, tmp_path, world, sync, together, factor, bound):
    told = report(program, "compare", world, tmp_path)
    assert (told["sync_ns"], told["async_ns"]) == (sync * 10**6, together * 10**6)
    assert told["speedup"] == pytest.approx(factor) and told["bound"] == bound


def test_mixed_world_has_every_error_of_the_table(program, tmp_path):
    table = re.findall(r"^\| [^|]+ \| `-(\w+)`", handout().split("| What goes wrong |")[1], re.M)
    errors = {result["error"] for result in report(program, "async", "mixed.json", tmp_path)["results"]}
    numbers = {"ECONNREFUSED": -111, "CO_ENOHOST": -6, "ECONNRESET": -104, "EPROTO": -71, "ETIMEDOUT": -110}
    assert set(table) == set(numbers)
    assert errors == {0, *numbers.values()}
