"""A lab of one's own: `make new-lab` lays out one that grades at once, and `make check-lab` sees each thing that is
wrong with one. (With ALL=1 its solution is graded by make, too.)"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from grading import not_ours
from looplab import cli
from looplab.course import lab as labs
from looplab.course.lab import Lab
from looplab.plain.failure import UsageError
from looplab.teaching import course_file, handout, lab_rules, new_lab
from variants import ALL

ROOT = Path(__file__).resolve().parents[2]
SLUG = "09-chat"
BUILT = ("build/kit", "build/obj/plain", "build/obj/asan")
TAKEN = ("Makefile", "README.md", "labs", "sim", "solutions", "grader/looplab", "grader/hidden", "grader/launcher",
         "grader/scripts", "grader/template")


def make(house: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *words], cwd=house, env={**env, "NO_COLOR": "1"}, text=True, capture_output=True,
                          timeout=300)


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[Path]:
    """A copy of the project with a lab that make has laid out."""
    house = tmp_path_factory.mktemp("new") / "house"
    for name in TAKEN + BUILT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, house / name, symlinks=True, ignore=not_ours)
        else:
            (house / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, house / name)
    shutil.copy2(ROOT / "build/deps.mk", house / "build/deps.mk")
    (house / "grader/tests/corpus").mkdir(parents=True)
    done = make(house, "new-lab", f"NAME={SLUG}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"labs/{SLUG}" in done.stdout and "make check-lab LAB=09" in done.stdout
    yield house
    shutil.rmtree(house.parent, ignore_errors=True)


# ---- What is laid out ---------------------------------------------------------------------------


def test_it_grades_at_once(house):
    """Nearly nothing for the skeleton, all for the solution (which make check-lab grades, too)."""
    skeleton = make(house, "grade", "LAB=09")
    score = re.search(r"^score (\d+)/100", skeleton.stdout, re.MULTILINE)
    assert skeleton.returncode == 1 and score and 0 <= int(score[1]) <= 15, skeleton.stdout + skeleton.stderr
    assert "begin with chat.c:9, TODO 1" in skeleton.stdout
    if not ALL:
        return
    solution = make(house, "grade", "LAB=09", "FROM=solutions")
    assert solution.returncode == 0 and "score 100/100" in solution.stdout, solution.stdout + solution.stderr


def test_it_keeps_every_rule(house):
    """Its verdict is written as it was, too, where only its author's words were there."""
    (verdict,) = (house / "grader/tests/corpus" / SLUG).glob("*/verdict.json")
    before = json.loads(verdict.read_text("utf-8"))
    verdict.write_text(json.dumps({key: before[key] for key in ("names", "misconception")}))
    done = make(house, "check-lab", "LAB=09", "RECORD=1")
    assert json.loads(verdict.read_text("utf-8")) == before and verdict.read_text("utf-8").endswith("}\n")
    told = re.findall(r"^(ok   |wrong)  ", done.stdout, re.MULTILINE)
    assert done.returncode == 0 and told == ["ok   "] * (len(lab_rules.RULES) + 4), done.stdout + done.stderr
    assert f"{SLUG} keeps all {len(told)} rules" in done.stdout


def test_whatever_lists_labs_finds_it(house, tmp_path, capsys):
    assert SLUG in labs.slugs(house) and labs.resolve("9", house).source == "chat.c"
    assert cli.main(["progress"], house) == 0 and "chat" in capsys.readouterr().out
    file = tmp_path / "course.toml"
    file.write_text("seeds = \"one\"\n[labs.09]\npoints = 20\n")
    assert [use.lab.slug for use in course_file.read(file, house).uses] == [SLUG]
    handout.make(house, tmp_path / "out", "folder", [SLUG])
    given = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert labs.slugs(tmp_path / "out") == [SLUG] and f"labs/{SLUG}/chat.c" in given
    assert not [name for name in given if re.search(r"template|hidden|solutions|AUTHORING", name)]


def test_nothing_of_the_template_is_left_in_it(house):
    """No word that stands for a name, and no file but those of the template."""
    made = [path for folder in new_lab.FOLDERS for path in (house / folder / SLUG).rglob("*") if path.is_file()]
    there = list((ROOT / new_lab.TEMPLATE).rglob("*"))
    made, there = ([path for path in paths if path.is_file() and "__pycache__" not in path.parts]
                   for paths in (made, there))
    assert len(made) == len(there) >= 20
    for path in made:
        text = f"{path.relative_to(house)}\n{path.read_text('utf-8')}"
        assert not re.search(r"(?<![A-Z])(NN|STEM)(?![A-Z])", text), path


# ---- Names --------------------------------------------------------------------------------------


def tree(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("name, said", [
    ("chat", "expected a number of two digits"), ("9-chat", "expected a number"), ("09-Chat", "expected a number"),
    ("09 chat", "expected a number"), ("../09-chat", "expected a number"), ("09-", "expected a number"),
    ("\u0660\u0669-chat", "expected a number"), (f"10-{'x' * 60}", "at most 40 characters"), ("", "expected a number"),
    ("03-other", "number 03 is taken by 03-scraper; the first free one is 07"), (SLUG, "is taken by 09-chat"),
    ("10-left", "solutions/10-left is there already"), ("10-main", "has a meaning already"),
    ("10-time", "has a meaning already"), ("10-kit", "has a meaning already"), ("10-test-me", "has a meaning already")])
def test_a_name_that_cannot_be_is_one_line_and_nothing_is_made(name, said, house, capsys):
    (house / "solutions/10-left").mkdir(exist_ok=True)
    before = tree(house)
    assert cli.main(["new-lab", "--", name], house) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and said in told and f"NAME={name}" in told
    assert tree(house) == before


def test_where_the_disk_is_full_nothing_is_made(house, monkeypatch):
    def full(*words: object) -> None:
        raise OSError(28, "No space left on device", "a file")

    before = tree(house)
    monkeypatch.setattr(shutil, "copymode", full)
    with pytest.raises(UsageError, match="nothing was made: No space left on device"):
        new_lab.main(["11-full"], house)
    assert tree(house) == before


def test_a_handout_makes_no_labs(tmp_path):
    (tmp_path / "labs").mkdir()
    with pytest.raises(UsageError, match="not in a handout"):
        new_lab.main(["11-none"], tmp_path)


@pytest.mark.parametrize("goal, said", [("new-lab", "NAME=09-chat"), ("check-lab", "LAB=09")])
def test_without_a_name_make_says_how(goal, said):
    done = make(ROOT, goal)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


# ---- What is wrong with a lab -------------------------------------------------------------------


@pytest.fixture
def lab(house, tmp_path) -> Lab:
    """The lab alone, in a house of its own, to be spoilt."""
    for folder in new_lab.FOLDERS:
        shutil.copytree(house / folder / SLUG, tmp_path / folder / SLUG, symlinks=True,
                        ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "sim").symlink_to(ROOT / "sim")
    return labs.load(SLUG, tmp_path, house / "build/kit")


PAGE, SEEN, HINTS = (f"labs/{SLUG}/{name}" for name in ("README.md", "test_visible.py", "hints.md"))
HIDDEN, TABLE, STATED = (f"grader/hidden/{SLUG}/{name}" for name in ("test_hidden.py", "README.md", "contract.py"))
SOLVED = f"solutions/{SLUG}/chat.c"
SPOILT = [
    (PAGE, "## Key points", "## Points", "its parts", 'has no part "key points"'),
    (PAGE, "## Stretch goals", "## Where asyncio differs\n## Stretch goals", "its parts", "stands too early"),
    (PAGE, "**Time it takes:**", "Time:", "its parts", "does not say how long"),
    (PAGE, "](hints.md)", "](hint.md)", "Links", "README.md:40: the link to hint.md leads nowhere"),
    (PAGE, "\n2. **All", "\n3. **All", "numbered from 1", "numbered 1, 3, 3, 4, 5"),
    (PAGE, "### What your", "### All your", "numbered from 1", "has no section"),
    (PAGE, "total_length", "total", "speaks of each function", "says nothing of total_length"),
    (SEEN, "fetch (2)", "fetch", "names its requirements", "test_at_once: its title does not end with the numbers"),
    (SEEN, "lines (5)", "lines (9)", "names its requirements", "the handout has no requirement 9"),
    (SEEN, "It takes as long", "It takes, whatever else the pages of that world may be like, as long",
     "names its requirements", "the scorecard has room for 60"),
    (SEEN, "behind (3)", "behind (1)", "that students see", "no check samples requirement 3"),
    (SEEN, "def pages(lab,", "def pages(lab:", "names its requirements", "this is no Python"),
    (HIDDEN, "def test_searched_sum", "def test_sum", "names of their own", "test_sum is the name of two checks"),
    (TABLE, "| `test_searched_longest`", "| `test_searched`", "rests on a sentence",
     "test_searched_longest has no row"),
    (TABLE, "exactly as long as the *longest*", "about as long as the *longest*", "rests on a sentence",
     "requirement 2 of the handout does not say: It takes about as long"),
    (TABLE, "`test_at_once`", "`test_twice`", "rests on a sentence", "there is no visible check test_twice"),
    (TABLE, f"## {SLUG}", "## 09-other", "rests on a sentence", "has no section"),
    (STATED, ', 5: "test_coverage"', "", "contract says", "nothing speaks of requirement 5"),
    (STATED, '"test_coverage"', '"test_sum"', "contract says", "test_sum is no visible check of requirement 5"),
    (STATED, "exactly as long", "as long", "contract says", "requirement 2 of the handout does not say"),
    (STATED, "contract = Contract(", "contract = Contrat(", "contract says", "cannot be loaded: NameError"),
    (HIDDEN, "should_keep(3)", "should_keep(2)", "contract says", "no check is worth points"),
    (HINTS, "where does it leave the length?", "say where it leaves the length.", "three hints", "asks nothing"),
    (HINTS, "2. A direction", "2. An idea", "three hints", "has not its three hints"),
    (HINTS, "## TODO 1:", "## TODO 2:", "three hints", "has hints for the TODOs 2"),
    (f"labs/{SLUG}/chat.c", "/* TODO 1:", "/* TO DO:", "three hints", "its TODOs are none"),
    (SOLVED, "the reference solution.", "TODO: write it.", "has no TODO", "still says TODO"),
    (SOLVED, "int rc = co_join", "int unused, rc = co_join", "without a warning", "unused variable"),
    (f"labs/{SLUG}/worlds/mixed.json", '"sites"', '"seits"', "Each world", "the reference ends with code 2"),
    (PAGE, "mixed.json", "three.json", "Each world", "does not name mixed.json"),
]


def spoil(lab: Lab, name: str, old: str, new: str) -> None:
    text = (lab.root / name).read_text("utf-8")
    assert old in text
    (lab.root / name).write_text(text.replace(old, new), "utf-8")


def told_of(lab: Lab) -> dict[str, str]:
    """By the titles of the rules that are broken: what is wrong."""
    told = {rule.title: "\n".join(map(str, rule.wrongs(lab))) for rule in lab_rules.RULES}
    return {title: said for title, said in told.items() if said}


def test_nothing_is_wrong_with_it(lab):
    assert told_of(lab) == {}


@pytest.mark.parametrize("name, old, new, title, said", SPOILT, ids=lambda word: word[-24:].strip())
def test_what_is_wrong_is_told_with_its_place_and_what_to_do(name, old, new, title, said, lab):
    spoil(lab, name, old, new)
    told = [one for rule in lab_rules.RULES if title in rule.title for one in rule.wrongs(lab)]
    assert [one for one in told if said in str(one)], told
    for one in told:
        assert one.do and (lab.root / one.where.split(":")[0]).exists()


@pytest.mark.parametrize("name, title, said", [
    (f"labs/{SLUG}/hints.md", "All its files", f"labs/{SLUG}/hints.md: is not there"),
    (f"grader/hidden/{SLUG}/test_hidden.py", "All its files", "holds no test_*.py"),
    (f"labs/{SLUG}/timeline.md", "Links", "the link to timeline.md leads nowhere"),
    (f"labs/{SLUG}/worlds/default.json", "Each world", "is no link to one of the worlds"),
    (f"grader/hidden/{SLUG}/contract.py", "contract says", "is not there, but situations.py is"),
    (f"grader/tests/alternatives/{SLUG}/gather.c", "another design", "holds 2 right programs"),
    (f"grader/tests/corpus/{SLUG}/one-by-one/chat.c", "wrong submission", "holds no wrong submission"),
    (f"grader/tests/corpus/{SLUG}/one-by-one/verdict.json", "wrong submission", "has no verdict.json")])
def test_what_is_missing_is_told(name, title, said, lab):
    (lab.root / name).unlink()
    told = [str(one) for rule in lab_rules.RULES if title in rule.title for one in rule.wrongs(lab)]
    assert [one for one in told if said in one], told


def test_a_world_in_which_the_reference_never_ends_is_told(lab, monkeypatch):
    monkeypatch.setattr(lab_rules, "WORLD_S", 0.0)
    assert "does not end within" in lab_rules.world_said(lab, lab.worlds / "three.json")


# ---- What is wrong with a grading ---------------------------------------------------------------


def check(name: str, score: int, worth: int, status: str, message: str = "", kind: str = "correctness") -> dict:
    return {"id": name, "score": score, "max_score": worth, "status": status, "message": message, "category": kind}


def result(*checks: dict, **more: Any) -> dict:
    return {"status": "graded", "score": sum(one["score"] for one in checks), "max_score": 100, "message": "",
            "checks": list(checks), **more}


TODO = "begin with total_length, TODO 1"


@pytest.mark.parametrize("graded, card, said", [
    (result(check("test_sum", 40, 40, "passed"), check("test_at_once", 0, 60, "failed", TODO)), "TODO 1",
     "the skeleton scores 40"),
    (result(check("test_sum", 0, 100, "failed", "it is wrong")), "TODO 1", "test_sum does not say where to begin"),
    (result(check("test_sum", 0, 50, "failed", TODO), check("test_at_once", 0, 50, "skipped", "so")), "TODO 1",
     "does not say what it needs"),
    (result(check("test_sum", 0, 100, "failed", TODO)), "", "the scorecard does not name TODO 1"),
    (result(check("test_sum", 10, 10, "passed")), "TODO 1", "no check fails for the skeleton"),
    (result(status="ungradable", score=None, message="it does not compile"), "", "the skeleton is ungradable")])
def test_a_skeleton_that_is_graded_wrongly_is_told(graded, card, said, lab):
    assert [one for one in lab_rules.of_skeleton(lab, graded, card) if said in str(one)]


def test_points_that_do_not_add_up_are_told(lab):
    told = "\n".join(map(str, lab_rules.of_points(lab, result(check("test_sum", 0, 90, "failed")))))
    for said in ("worth 90 points", "test_coverage is not among the checks", "no check is one of robustness"):
        assert said in told


ENTRY = {"score": 50, "failed": ["test_sum"], "skipped": [], "names": "one after", "misconception": "so they overlap"}


@pytest.mark.parametrize("told, message, score, said", [
    (ENTRY, "one after the other", 50, ""), (ENTRY, "one after the other", 60, "score: the grader says 60"),
    (ENTRY, "too slow", 50, "does not name one after"), ({**ENTRY, "names": ""}, "too slow", 50, "which cause"),
    ({**ENTRY, "score": 90}, "one after the other", 90, "a wrong program scores 90"),
    ({**ENTRY, "misconception": ""}, "one after the other", 50, "without a misconception scores 50")])
def test_a_verdict_that_is_another_one_is_told(told, message, score, said):
    graded = result(check("test_sum", score, 100, "failed", message))
    wrongs = [str(one) for one in lab_rules.of_corpus("entry", graded, told)]
    assert (not wrongs) if not said else [one for one in wrongs if said in one]


def test_a_right_program_that_loses_points_is_told():
    graded = result(check("test_sum", 90, 100, "failed", "expected 3"))
    assert "a right program scores 90: test_sum: expected 3" in str(lab_rules.of_right("x", graded)[0])
    assert lab_rules.of_right("x", result(check("test_sum", 100, 100, "passed"))) == []


# ---- The command --------------------------------------------------------------------------------


@pytest.fixture
def command(house, capsys) -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["check-lab", *words], house)
        said = capsys.readouterr()
        return code, said.out, said.err
    return run


def test_it_tells_of_a_lab_that_is_not_there(command):
    code, _, err = command("--lab", "77")
    assert code == 2 and "there is no lab '77'" in err and err.count("\n") == 1


def test_a_folder_that_is_no_lab_yet_is_wrong_and_no_fault_of_the_grader(house, command):
    extra = house / f"labs/{SLUG}/second.c"
    extra.write_text("int x;\n")
    try:
        code, out, err = command("--lab", "9")
    finally:
        extra.unlink()
    assert (code, err) == (1, "") and "must hold exactly one C file besides main.c" in out and "to do:" in out


def test_a_lab_without_all_its_files_is_told_of_and_not_graded(house, command):
    hints = house / f"labs/{SLUG}/hints.md"
    text = hints.read_text("utf-8")
    hints.unlink()
    try:
        code, out, _ = command("--lab", "9")
    finally:
        hints.write_text(text, "utf-8")
    assert code == 1 and "hints.md: is not there" in out and "to do: write the hints" in out
    assert re.search(rf"^{SLUG}: \d of {len(lab_rules.RULES)} rules are broken$", out, re.MULTILINE)
