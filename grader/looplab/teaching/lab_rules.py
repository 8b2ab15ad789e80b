"""What is asked of a lab, rule by rule: of its files, and of what the grader makes of its skeleton, of right programs
and of wrong ones. `make check-lab` and the project's own tests (test_labs.py, test_corpus.py, test_search.py) ask the
same.
"""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

from ..asking.contract import Contract
from ..course.lab import Lab
from ..grading import contracts
from ..plain.text import count
from ..running.build import compiler

PARTS = ("the questions", "what you will be able", "predict the timeline", "run the reference", "build", "check",
         "stretch goals", "key points", "where asyncio differs")
"""The handout's headings, in their order: how each begins."""
LEVELS = ("1. A question", "2. A direction", "3. Nearly the answer")
SKELETON_MOST, RIGHT, WRONG_MOST = 15, 100, 80      # points
ALTERNATIVES_LEAST = 3
TITLE_MOST = 60         # characters: more do not fit onto the scorecard
WORLD_S = 20            # of the clock on the wall; the longest world of ours takes the tenth of one
_DECLARED = re.compile(r"^(?!static|typedef|#)[a-z][\w *]*?\b(\w+)\(", re.M)


@dataclass(frozen=True)
class Wrong:
    """One thing that is wrong."""

    where: str      # "labs/09-chat/README.md:12"
    said: str       # what is wrong
    do: str         # what to do about it

    def __str__(self) -> str:
        return f"{self.where}: {self.said}\nto do: {self.do}"


@dataclass(frozen=True)
class Rule:
    """One requirement on a lab's files. find: what of it is not kept."""

    title: str
    find: Callable[[Lab], Iterator[Wrong]]

    def wrongs(self, lab: Lab) -> list[Wrong]:
        """What is wrong; a file that cannot be read is, too."""
        try:
            return list(self.find(lab))
        except SyntaxError as fault:
            where = f"{short(lab, Path(fault.filename or '?'))}:{fault.lineno}"
            return [Wrong(where, f"this is no Python: {fault.msg}", "mend this line")]
        except OSError as fault:
            return [Wrong(short(lab, Path(str(fault.filename))), f"{fault.strerror}", "write this file")]
        except (ValueError, KeyError, TypeError) as fault:
            return [Wrong(f"labs/{lab.slug}", f"a file of it cannot be read: {type(fault).__name__}: {fault}",
                          "mend that file")]


def short(lab: Lab, path: Path) -> str:
    """A file of the lab, from the top of the house."""
    return str(path.relative_to(lab.root)) if path.is_relative_to(lab.root) else path.name


# ---- What the files say -----------------------------------------------------------------------


@functools.lru_cache(maxsize=200)
def _titles(text: str, name: str) -> dict[str, tuple[str, int]]:
    return {node.name: ((ast.get_docstring(node) or "").split("\n\n")[0], node.lineno)
            for node in ast.parse(text, name).body
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def files_of_checks(lab: Lab) -> list[Path]:
    """The visible ones, then the hidden ones."""
    return [lab.folder / "test_visible.py", *sorted(lab.hidden.glob("test_*.py"))]


def checks(file: Path) -> dict[str, str]:
    """Each check of a file and its title. Raises SyntaxError, OSError."""
    return {name: title for name, (title, _) in _titles(file.read_text("utf-8"), str(file)).items()}


def visible(lab: Lab) -> dict[str, str]:
    """The checks that students see, and their titles."""
    return checks(lab.folder / "test_visible.py")


def hidden(lab: Lab) -> dict[str, str]:
    """Those that they do not."""
    return {name: title for file in files_of_checks(lab)[1:] for name, title in checks(file).items()}


def words(text: str) -> str:
    """The text with every run of white space as one blank."""
    return " ".join(text.split())


def handout(lab: Lab) -> str:
    """The text of the lab's page."""
    return (lab.folder / "README.md").read_text("utf-8")


def requirements(lab: Lab) -> dict[int, str]:
    """The numbered paragraphs of "What your function must do" (or functions, or suite); {} without that section."""
    return dict(_paragraphs(lab))


def _paragraphs(lab: Lab) -> list[tuple[int, str]]:
    parts = re.split(r"^### What your \w+ must do$", handout(lab), flags=re.M)
    if len(parts) != 2:
        return []
    return [(int(number), words(text)) for number, text in
            re.findall(r"^(\d+)\. (.*(?:\n {3,}.*|\n)*)", parts[1].split("\n## ")[0], re.M)]


def numbers_of(title: str) -> set[int]:
    """The requirements that a check's title names: those of "It waits (3, 7)"."""
    found = re.search(r"\((\d+(?:, \d+)*)\)\.?$", title)
    return {int(number) for number in found[1].split(", ")} if found else set()


def todos(lab: Lab) -> list[int]:
    """The numbers of the skeleton's TODOs."""
    text = (lab.folder / lab.source).read_text("utf-8")
    return sorted(int(number) for number in re.findall(r"/\* TODO (\d+):", text))


def worlds(lab: Lab) -> list[Path]:
    """The lab's world files."""
    return sorted(lab.worlds.glob("*.json"))


def declared(lab: Lab) -> set[str]:
    """The functions that the contract declares."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", (lab.folder / lab.header).read_text("utf-8"), flags=re.S)
    return set(_DECLARED.findall(text))


def alternatives(lab: Lab) -> list[Path]:
    """Right programs of another design than the solution."""
    return sorted((lab.root / "grader/tests/alternatives" / lab.slug).glob("*.c"))


def corpus(lab: Lab) -> list[Path]:
    """The folders of submissions whose verdicts are known."""
    return sorted(file.parent for file in (lab.root / "grader/tests/corpus" / lab.slug).glob(f"*/{lab.source}"))


def table_of_hidden(lab: Lab) -> tuple[str, str]:
    """(the file, its text) that holds the lab's table: README.md in its own hidden folder, or one for all labs."""
    own, shared = lab.hidden / "README.md", lab.hidden.parent / "README.md"
    file = own if own.is_file() or not shared.is_file() else shared
    return short(lab, file), file.read_text("utf-8")


# ---- Rules for the handout --------------------------------------------------------------------


def _files(lab: Lab) -> Iterator[Wrong]:
    for file, what in ((lab.folder / "README.md", "the handout"), (lab.folder / "timeline.md", "the drawn answers"),
                       (lab.folder / "hints.md", "the hints"), (lab.folder / "main.c", "what calls the function"),
                       (lab.folder / "test_visible.py", "the checks that students see"),
                       (lab.solution / lab.source, "the reference solution")):
        if not file.is_file():
            yield Wrong(short(lab, file), "is not there", f"write {what}")
    if not list(lab.hidden.glob("test_*.py")):
        yield Wrong(f"grader/hidden/{lab.slug}", "holds no test_*.py", "write at least one hidden check")


def _parts(lab: Lab) -> Iterator[Wrong]:
    text = handout(lab)
    headings = [line[3:].lower() for line in text.splitlines() if line.startswith("## ")]
    page, before = f"labs/{lab.slug}/README.md", -1
    for start in PARTS:
        place = next((i for i, heading in enumerate(headings) if heading.startswith(start)), None)
        if place is None:
            yield Wrong(page, f'has no part "{start}"', f'add a heading "## {start[0].upper()}{start[1:]} ..."')
        elif place < before:
            yield Wrong(page, f'the part "{start}" stands too early', f"the order is: {', '.join(PARTS)}")
        before = place if place is not None else before
    if "**Time it takes:**" not in text:
        yield Wrong(page, "does not say how long it takes", 'add a line "**Time it takes:** about 30 minutes."')
    if "](timeline.md)" not in text:
        yield Wrong(page, "does not lead to timeline.md", "link it where the timeline is predicted")


def _links(lab: Lab) -> Iterator[Wrong]:
    for file in sorted(lab.folder.glob("*.md")):
        for number, line in enumerate(file.read_text("utf-8").split("\n"), start=1):
            for target in re.findall(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)", line):
                if not (lab.folder / target).exists():
                    yield Wrong(f"{short(lab, file)}:{number}", f"the link to {target} leads nowhere",
                                "write that file, or mend the link")


def _numbered(lab: Lab) -> Iterator[Wrong]:
    got = [number for number, _ in _paragraphs(lab)]
    if not got:
        yield Wrong(f"labs/{lab.slug}/README.md", 'has no section "### What your function must do" with numbered '
                    "paragraphs", "write what is asked for, one numbered paragraph a requirement")
    elif got != list(range(1, len(got) + 1)):
        yield Wrong(f"labs/{lab.slug}/README.md", f"the requirements are numbered {', '.join(map(str, got))}",
                    f"number them from 1 to {len(got)}")


def _declares(lab: Lab) -> Iterator[Wrong]:
    if not declared(lab):
        yield Wrong(f"labs/{lab.slug}/{lab.header}", "declares no function", "declare what the student is to write")
    for name in sorted(declared(lab)):
        if not re.search(rf"\b{name}\b", handout(lab)):
            yield Wrong(f"labs/{lab.slug}/README.md", f"says nothing of {name}, which {lab.header} declares",
                        "say what it must do")


# ---- Rules for the checks ---------------------------------------------------------------------


def _titles_name_requirements(lab: Lab) -> Iterator[Wrong]:
    known = set(requirements(lab))
    for file in files_of_checks(lab):
        for name, (title, line) in _titles(file.read_text("utf-8"), str(file)).items():
            where = f"{short(lab, file)}:{line}"
            if not numbers_of(title):
                yield Wrong(where, f"{name}: its title does not end with the numbers of its requirements",
                            'end the first line of its docstring as in "It waits for all (3)"')
            elif not numbers_of(title) <= known:
                yield Wrong(where, f"{name}: the handout has no requirement {min(numbers_of(title) - known)}",
                            f"the numbers are those of \"What your function must do\", 1 to {len(known)}")
            if len(title) > TITLE_MOST:
                yield Wrong(where, f"{name}: its title has {len(title)} characters, and the scorecard has room for "
                            f"{TITLE_MOST}", "say it shorter")


def _each_is_visible(lab: Lab) -> Iterator[Wrong]:
    """What a student cannot see checked is asked for nowhere."""
    seen = {number for title in visible(lab).values() for number in numbers_of(title)}
    for number in sorted(set(requirements(lab)) - seen):
        yield Wrong(f"labs/{lab.slug}/test_visible.py", f"no check samples requirement {number}",
                    f'write one whose title ends with "({number})"')


def _unique(lab: Lab) -> Iterator[Wrong]:
    names = [name for file in files_of_checks(lab) for name in checks(file)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Wrong(f"grader/hidden/{lab.slug}", f"{name} is the name of two checks", "give one of them another name")
    if not hidden(lab):
        yield Wrong(f"grader/hidden/{lab.slug}", "has no hidden check", "write at least one")


def _table(lab: Lab) -> Iterator[Wrong]:
    file, text = table_of_hidden(lab)
    if f"## {lab.slug}" not in text:
        yield Wrong(file, f'has no section "## {lab.slug}"', "list the hidden checks there, as grader/template does")
        return
    part = text.split(f"## {lab.slug}")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(test_\w+)` \| ([\d, ]+) \| (.*) \| (.*) \|$", part, re.M)
    for name in sorted(set(hidden(lab)) ^ {name for name, *_ in rows}):
        yield Wrong(file, f"{name} has no row" if name in hidden(lab) else f"there is no hidden check {name}",
                    "a row for each hidden check: its name, its requirements, the handout's sentence, its visible twin")
    for name, numbers, sentence, twins in rows:
        asked = {int(number) for number in numbers.split(", ")}
        texts = [requirements(lab)[number] for number in asked if number in requirements(lab)]
        if not any(sentence in text for text in texts):
            yield Wrong(file, f"{name}: requirement {numbers} of the handout does not say: {sentence}",
                        "quote it word by word, or ask for it in the handout")
        if name in hidden(lab) and numbers_of(hidden(lab)[name]) != asked:
            yield Wrong(file, f"{name}: its title names other requirements than {numbers}", "let both say the same")
        for twin in sorted(set(re.findall(r"`(\w+)`", twins)) - set(visible(lab))):
            yield Wrong(file, f"{name}: there is no visible check {twin}", "name the check that students see")


def _contract(lab: Lab) -> Iterator[Wrong]:
    """Each requirement is held against runs or has its check, and the contract has the handout's words. A lab may do
    without a search."""
    where = f"grader/hidden/{lab.slug}/contract.py"
    try:
        contract = contracts.load(lab.hidden)
    except Exception as fault:      # the author's Python: whatever it raises
        yield Wrong(where, f"cannot be loaded: {type(fault).__name__}: {fault}", "mend it, or situations.py")
        return
    if contract:
        yield from contract_wrongs(lab, contract, where)
        yield from _keeps(lab, contract)
    elif (lab.hidden / "situations.py").exists():
        yield Wrong(where, "is not there, but situations.py is", "say what holds in those situations")


def contract_wrongs(lab: Lab, contract: Contract, where: str) -> Iterator[Wrong]:
    """What is wrong with a contract beside the lab's handout and checks."""
    asked, known = {one.number for one in contract.requirements}, requirements(lab)
    for number in sorted(set(known) - asked - set(contract.elsewhere)):
        yield Wrong(where, f"nothing speaks of requirement {number}",
                    f"state it, or say elsewhere={{{number}: the visible check that holds it}}")
    for number in sorted(asked - set(known)):
        yield Wrong(where, f"the handout has no requirement {number}", "number it as the handout does")
    for number in sorted(asked & set(contract.elsewhere)):
        yield Wrong(where, f"requirement {number} is stated, and said to be held elsewhere", "keep one of the two")
    for number, name in contract.elsewhere.items():
        if number not in numbers_of(visible(lab).get(name, "")):
            yield Wrong(where, f"elsewhere: {name} is no visible check of requirement {number}",
                        f'name one whose title ends with "({number})"')
    for one in contract.requirements:
        text = known.get(one.number, "").replace("**", "")
        for said in words(one.sentence).split(" … "):
            if said not in text:
                yield Wrong(where, f"requirement {one.number} of the handout does not say: {said}",
                            "quote it word by word; … stands for what is left out")


def _keeps(lab: Lab, contract: Contract) -> Iterator[Wrong]:
    """Every requirement that is searched is worth points, and each check of the search asks for what its title says."""
    text = "".join(file.read_text("utf-8") for file in files_of_checks(lab)[1:])
    said = {name: {int(number) for number in numbers.split(", ")} for name, numbers in
            re.findall(r"def (test_\w+)\(lab\):\n    \"\"\"[^\n]*\n    lab\.should_keep\(([\d, ]+)\)", text)}
    where, asked = f"grader/hidden/{lab.slug}", {one.number for one in contract.requirements}
    for number in sorted(asked - {number for numbers in said.values() for number in numbers}):
        yield Wrong(where, f"requirement {number} is stated in contract.py, and no check is worth points for it",
                    f"write a check that says lab.should_keep({number})")
    for name, numbers in said.items():
        if not numbers <= asked:
            yield Wrong(where, f"{name}: contract.py states no requirement {min(numbers - asked)}", "state it there")
        if numbers != numbers_of(hidden(lab)[name]):
            yield Wrong(where, f"{name}: it keeps other requirements than its title names", "let both say the same")


# ---- Rules for what is compiled and run -------------------------------------------------------


def _hints(lab: Lab) -> Iterator[Wrong]:
    got, source = todos(lab), f"labs/{lab.slug}/{lab.source}"
    if not got or got != list(range(1, len(got) + 1)):
        yield Wrong(source, f"its TODOs are {', '.join(map(str, got)) or 'none'}", 'write "/* TODO 1: ...", and on')
    page = f"labs/{lab.slug}/hints.md"
    parts = re.split(r"^## TODO (\d+): .*$", (lab.folder / "hints.md").read_text("utf-8"), flags=re.M)[1:]
    if [int(number) for number in parts[::2]] != got:
        yield Wrong(page, f"has hints for the TODOs {', '.join(parts[::2]) or 'none'}",
                    f"a heading each for {', '.join(map(str, got))}: \"## TODO 1: name\"")
    for number, text in zip(parts[::2], parts[1::2]):
        levels = re.findall(r"<details><summary>(\d\. [^<]+)</summary>\n\n(.+?)\n\n</details>", text, re.S)
        if [level for level, _ in levels] != list(LEVELS):
            yield Wrong(page, f"TODO {number} has not its three hints", f"as grader/template: {', '.join(LEVELS)}")
        elif "?" not in levels[0][1]:
            yield Wrong(page, f"TODO {number}: the first hint asks nothing", "make a question of it")


def _solved(lab: Lab) -> Iterator[Wrong]:
    if "TODO" in (lab.solution / lab.source).read_text("utf-8"):
        yield Wrong(f"solutions/{lab.slug}/{lab.source}", "still says TODO", "write what is missing")


def _compiles(lab: Lab) -> Iterator[Wrong]:
    for file in (lab.folder / lab.source, lab.solution / lab.source, lab.folder / "main.c", *alternatives(lab)):
        said = compile_said(lab, file)
        if said:
            yield Wrong(short(lab, file), said, "it must compile with -Wall -Wextra without a word")


def compile_said(lab: Lab, source: Path) -> str:
    """What the compiler finds wrong with a C file of the lab, its first line; "": nothing."""
    with tempfile.TemporaryDirectory(prefix="looplab-compiles-") as scratch:
        done = subprocess.run([*compiler(), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-I",
                               lab.root / "sim/include", "-I", lab.folder, "-c", source, "-o", f"{scratch}/x.o"],
                              capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.split("\n") if "error:" in line] or done.stderr.split("\n")
    return lines[0].replace(f"{source}:", "line ", 1)


def _worlds(lab: Lab) -> Iterator[Wrong]:
    if lab.suite:
        return          # its students' file is no program that takes a world
    folder = f"labs/{lab.slug}/worlds"
    if not lab.reference.is_file():
        yield Wrong(f"solutions/{lab.slug}", "was not built", "make says why: mend it first")
        return
    if not (lab.worlds / "default.json").is_symlink():
        yield Wrong(f"{folder}/default.json", "is no link to one of the worlds",
                    f"cd {folder} && ln -sf ANOTHER.json default.json")
    for world in worlds(lab):
        said = world_said(lab, world)
        if said:
            yield Wrong(f"{folder}/{world.name}", said, "the reference must run to its end in it")
        if world.name != "default.json" and world.name not in handout(lab):
            yield Wrong(f"labs/{lab.slug}/README.md", f"does not name {world.name}", "say what is in it, under Check")


def world_said(lab: Lab, world: Path) -> str:
    """What goes wrong when the reference runs in a world; "": nothing."""
    with tempfile.TemporaryDirectory(prefix="looplab-world-") as scratch:
        trace = Path(scratch) / "trace"
        try:
            done = subprocess.run([lab.reference, "--world", world, "--trace", trace], cwd=scratch,
                                  capture_output=True, text=True, errors="replace", timeout=WORLD_S)
        except subprocess.TimeoutExpired:
            return f"the reference does not end within {WORLD_S} s"
        if done.returncode:
            said = (done.stderr.strip().split("\n") or [""])[-1]
            return f"the reference ends with code {done.returncode}: {said}"
        last = trace.read_text("utf-8").splitlines()[-1:]
        return "" if last and json.loads(last[0])["ev"] == "end" else "the reference ends early"


def _alternatives(lab: Lab) -> Iterator[Wrong]:
    got = len(alternatives(lab))
    if got < ALTERNATIVES_LEAST:
        yield Wrong(f"grader/tests/alternatives/{lab.slug}", f"holds {count(got, 'right program')}",
                    f"write {ALTERNATIVES_LEAST} of another design: they show that the checks ask for no more than "
                    "the handout does")


def _corpus(lab: Lab) -> Iterator[Wrong]:
    wrong = [entry for entry in corpus(lab) if not entry.name.startswith("honest-")]
    if not wrong:
        yield Wrong(f"grader/tests/corpus/{lab.slug}", "holds no wrong submission",
                    f"write ENTRY/{lab.source} with one mistake that students make, and its verdict.json")
    for entry in corpus(lab):
        if not (entry / "verdict.json").is_file():
            yield Wrong(short(lab, entry), "has no verdict.json",
                        'write {"names": "words of its message", "misconception": "what its author believes"} and say '
                        f"make check-lab LAB={lab.number} RECORD=1 writes it")


RULES = (
    Rule("All its files are there", _files),
    Rule("The handout has its parts, in their order", _parts),
    Rule("Links of the handout lead somewhere", _links),
    Rule("Requirements are numbered from 1", _numbered),
    Rule("The handout speaks of each function of the contract", _declares),
    Rule("Each check names its requirements", _titles_name_requirements),
    Rule("Each requirement has a check that students see", _each_is_visible),
    Rule("Checks have names of their own, and some are hidden", _unique),
    Rule("Each hidden check rests on a sentence of the handout", _table),
    Rule("The search's contract says what the handout says", _contract),
    Rule("Each TODO has its three hints", _hints),
    Rule("The solution has no TODO", _solved),
    Rule("All of it compiles without a warning", _compiles),
    Rule("Each world runs, and stands in the handout", _worlds),
    Rule("There are right programs of another design", _alternatives),
    Rule("There is a wrong submission, with its verdict", _corpus),
)
"""Asked of the files; what is asked of gradings is below."""


# ---- What the grader makes of it --------------------------------------------------------------


def of_skeleton(lab: Lab, result: Mapping[str, Any], card: str) -> list[Wrong]:
    """What is wrong with the grading of the skeleton. card: the scorecard."""
    where = f"labs/{lab.slug}/{lab.source}"
    if result["status"] != "graded":
        return [Wrong(where, f"the skeleton is {result['status']}: {result.get('message', '')}", "it must compile and "
                      "run")]
    wrongs = []
    if not 0 <= result["score"] <= SKELETON_MOST:
        wrongs.append(Wrong(where, f"the skeleton scores {result['score']}, at most {SKELETON_MOST} are given for "
                            "nothing", 'let checks need the first one: @points(..., needs="test_...")'))
    failed = [check for check in result["checks"] if check["status"] == "failed"]
    if not failed:
        wrongs.append(Wrong(where, "no check fails for the skeleton", "what is there to do?"))
    for check in failed:
        if not re.search(r"TODOs? \d", check["message"]):
            wrongs.append(Wrong(where, f"{check['id']} does not say where to begin",
                                'give lab.run(..., todo="name, TODO 1"), and each situation its todo'))
    wrongs += [Wrong(where, f"{check['id']} is skipped, and does not say what it needs", "say needs= in @points")
               for check in result["checks"] if check["status"] == "skipped" and "needs" not in check["message"]]
    if "TODO 1" not in card:
        wrongs.append(Wrong(where, "the scorecard does not name TODO 1", 'write "/* TODO 1: ..." in the skeleton'))
    return wrongs


def of_points(lab: Lab, result: Mapping[str, Any]) -> list[Wrong]:
    """What is wrong with what the checks are worth. result: any grading's."""
    where, listed = f"labs/{lab.slug}/test_visible.py", result["checks"]
    worth = sum(check["max_score"] for check in listed)
    wrongs = []
    if worth != RIGHT:
        wrongs.append(Wrong(where, f"all checks together, the hidden ones too, are worth {worth} points",
                            f"make it {RIGHT}: @points(N, ...)"))
    for name in sorted({check["id"].split("[")[0] for check in listed} ^ {*visible(lab), *hidden(lab)}):
        wrongs.append(Wrong(where, f"{name} is not among the checks that were graded", "give it @points"))
    for kind in sorted({"correctness", "robustness", "coverage"} - {check["category"] for check in listed}):
        wrongs.append(Wrong(where, f"no check is one of {kind}", f'write one: @points(N, "{kind}")'))
    return wrongs


def of_right(where: str, result: Mapping[str, Any]) -> list[Wrong]:
    """What is wrong with the grading of a right program."""
    if (result["status"], result["score"], result["max_score"]) == ("graded", RIGHT, RIGHT):
        return []
    lost = [check for check in result["checks"] if check["score"] < check["max_score"]]
    said = f"{lost[0]['id']}: {words(lost[0]['message'])}" if lost else result.get("message", "")
    what = f"scores {result['score']}" if result["status"] == "graded" else f"is {result['status']}"
    return [Wrong(where, f"a right program {what}: {said}",
                  "either it is wrong, or the check asks for more than the handout")]


def verdict(result: Mapping[str, Any]) -> dict[str, Any]:
    """What of a grading is compared with a verdict.json: the score (None: ungradable), and which checks failed or were
    skipped."""
    return {"score": result["score"],
            "failed": [check["id"] for check in result["checks"] if check["status"] == "failed"],
            "skipped": [check["id"] for check in result["checks"] if check["status"] == "skipped"]}


def of_corpus(where: str, result: Mapping[str, Any], told: Mapping[str, Any]) -> list[Wrong]:
    """What is wrong with the grading of a submission of the corpus. told: its verdict.json."""
    got = verdict(result)
    failed = _first_message(result)
    wrongs = [Wrong(where, f"{key}: the grader says {_shown(got[key])}, verdict.json {_shown(told.get(key))}",
                    "find out which of the two is right; RECORD=1 writes the grader's") for key in got
              if got[key] != told.get(key)]
    if failed is not None and not told.get("names"):
        wrongs.append(Wrong(where, "verdict.json does not say which cause is to be named", 'write "names": a regular '
                            "expression for its first message"))
    elif failed is not None and not re.search(told["names"], failed):
        wrongs.append(Wrong(where, f"the first message does not name {told['names']}: {words(failed)}",
                            "let the check name the cause, or mend verdict.json"))
    if told.get("misconception"):
        if result["status"] != "ungradable" and result["score"] > WRONG_MOST:
            wrongs.append(Wrong(where, f"a wrong program scores {result['score']}", "which check should have seen it?"))
    elif result["score"] != result["max_score"]:
        wrongs.append(Wrong(where, f"a program without a misconception scores {_shown(result['score'])}",
                            'write "misconception": what its author believes'))
    return wrongs


def _shown(value: object) -> str:
    """As it stands in verdict.json."""
    return json.dumps(value)


def _first_message(result: Mapping[str, Any]) -> Optional[str]:
    """The first thing that a submission is told; None: nothing is wrong with it."""
    if result["status"] == "ungradable":        # there is no score, and one message for all
        return str(result["message"])
    failed: Sequence[str] = [check["message"] for check in result["checks"] if check["status"] == "failed"]
    return failed[0] if failed else None
