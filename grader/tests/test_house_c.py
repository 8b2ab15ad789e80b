"""The C house: which room may include what, how long a function and a file may be. (Lines: test_house.py.)"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, Optional

import pytest

from test_house import QUOTED, ROOT, FILES

USES: dict[str, tuple[str, ...]] = {
    "include": (),
    "trace": (),
    "explore": (),
    "protocol": (),
    "world": ("trace", "explore"),
    "world/sql": (),
    "world/virtual": ("world/sql", "world", "protocol", "trace", "explore"),
    "world/remote": ("world", "trace", "explore"),
    "world/serve": ("world/virtual", "world"),
    "judge": ("world/virtual", "world/remote", "world", "trace", "explore"),
    "world/real": ("world/sql", "world", "trace"),
    "runtime/switch": (),
    "runtime/state": ("runtime/switch", "include", "world", "trace", "explore"),
    "runtime/watch": ("runtime/state", "runtime/switch", "include", "trace"),
    "runtime/tasks": ("runtime/watch", "runtime/state", "runtime/switch", "include"),
    "runtime/sync": ("runtime/tasks", "runtime/watch", "runtime/state", "runtime/switch", "include"),
    "runtime/outside": ("runtime/sync", "runtime/tasks", "runtime/watch", "runtime/state", "runtime/switch", "include",
                        "world/sql", "world", "protocol"),
    "runtime/run": ("runtime/outside", "runtime/sync", "runtime/tasks", "runtime/watch", "runtime/state",
                    "runtime/switch", "include"),
    "explore/search": ("runtime/state", "runtime/switch", "include", "world", "trace", "explore"),
    "kit": ("runtime/outside", "runtime/state", "world", "trace", "include", "explore"),
}
"""Each room of sim/ and those below it whose headers it may include. What only watches the whole (tests, bench,
examples) is no room."""

WATCHES_ALL = ("tests", "bench", "examples")
WAIST = "sim/world/world.h"             # of the world the runtime, the kit and the real world know this header alone
FUNCTION_MOST = 60
FILE_MOST = {"sim/tests/": 1200, "": 500}       # lines; the first that fits. Tests are lists: one file a feature
LONG = {
    "sim/include/co.h": 700,            # the manual, read from top to bottom: that is its point
    "sim/trace/line_table.c": 550,      # DWARF's line program: one table, one reader
    "sim/world/virtual/exchange.c": 550,        # the steps of one exchange, in their order: a table of phases
}

SOURCES = [name for name in FILES if name.endswith((".c", ".h", ".S")) and not name.startswith(QUOTED)]
SIM = [name for name in SOURCES if name.startswith("sim/")]


# ---- Arrows -----------------------------------------------------------------------------------


def room(name: str) -> Optional[str]:
    """The room that a file of sim/ lies in: the deepest folder that USES names. None: it lies in none."""
    parts = Path(name).relative_to("sim").parts[:-1]
    for deep in range(len(parts), 0, -1):
        if "/".join(parts[:deep]) in USES:
            return "/".join(parts[:deep])
    return None


def included(name: str, text: str) -> Iterator[tuple[int, str]]:
    """(line, file from the top) of each #include "..." in it, found as the compiler finds it."""
    roads = [Path(name).parent, *(Path(road) for road in ("sim/include", "sim", "sim/world", "sim/world/virtual",
                                                          "sim/trace", "sim/explore", "sim/kit"))]
    for number, line in enumerate(text.split("\n"), start=1):
        said = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if said:
            found = [road / said[1] for road in roads if (ROOT / road / said[1]).is_file()]
            assert found, f"{name}:{number}: {said[1]} is nowhere"
            yield number, str((ROOT / found[0]).resolve().relative_to(ROOT))


def wrong_arrows(name: str, text: str) -> list[str]:
    """What it includes and may not."""
    mine = room(name)
    if mine is None:
        return []
    wrong = []
    for number, header in included(name, text):
        other = room(header)
        allowed = other == mine or (other is not None and other in USES[mine])
        if other == "world" and mine.startswith(("runtime", "kit", "world/real")):
            allowed = allowed and header == WAIST
        if not allowed:
            wrong.append(f"{name}:{number} includes {header}")
    return wrong


def test_each_folder_of_sim_is_a_room_or_watches_all() -> None:
    folders = {str(Path(name).relative_to("sim").parent) for name in SIM}
    loose = sorted(folder for folder in folders if folder not in USES and folder.split("/")[0] not in WATCHES_ALL)
    assert loose == [] and set(USES) <= folders


def test_no_arrow_leads_back() -> None:
    """USES itself has no circle: a room comes after all that it uses."""
    order = list(USES)
    assert [(mine, other) for mine in order for other in USES[mine] if order.index(other) >= order.index(mine)] == []


@pytest.mark.parametrize("name", SIM)
def test_a_file_includes_only_what_lies_below_its_room(name: str) -> None:
    assert wrong_arrows(name, (ROOT / name).read_text("utf-8")) == []


@pytest.mark.parametrize("name, line", [
    ("sim/runtime/switch/stack.c", '#include "runtime/state/task.h"'),
    ("sim/runtime/watch/leak.c", '#include "runtime/tasks/ready.h"'),
    ("sim/runtime/tasks/ready.c", '#include "runtime/sync/lock.h"'),
    ("sim/runtime/outside/work.c", '#include "world/virtual/job.h"'),
    ("sim/runtime/tasks/time.c", ' # include "../run/../outside/http.h"'),
    ("sim/world/virtual/job.c", '#include "../../runtime/state/task.h"'),
    ("sim/world/virtual/job.c", '#include "co.h"'),
    ("sim/world/real/real.c", '#include "../virtual/unit.h"'),
    ("sim/trace/trace.c", '#include "world.h"'),
    ("sim/kit/kit.c", '#include "runtime/tasks/ready.h"'),
])
def test_a_wrong_include_is_seen(name: str, line: str) -> None:
    assert len(wrong_arrows(name, line)) == 1


@pytest.mark.parametrize("name", [name for name in SIM if name.startswith("sim/runtime/") and name.endswith(".c")])
def test_no_file_declares_what_a_header_should(name: str) -> None:
    """Else an arrow would go unseen."""
    own = re.findall(r"^(?!static)\w[\w\s*]*\bco__\w+\([^;{]*\);", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    assert own == []


def test_peers_know_the_clock_and_not_who_serves() -> None:
    """serve.c uses peer.c, which uses clock.c; none knows who uses it."""
    files = ("clock", "peer", "serve")
    for place, stem in enumerate(files):
        text = "".join((ROOT / f"sim/world/serve/{stem}{end}").read_text() for end in (".c", ".h")
                       if (ROOT / f"sim/world/serve/{stem}{end}").is_file())
        for above in files[place + 1:]:
            assert not re.search(rf'"{above}\.h"|\b{above}_\w+\(', text), (stem, above)


# ---- Lengths ----------------------------------------------------------------------------------


def functions(text: str) -> Iterator[tuple[int, int]]:
    """(first line, number of lines) of each function: from its head to the brace at the margin."""
    lines = text.split("\n")
    begun: Optional[int] = None
    for at, line in enumerate(lines):
        if line.startswith("{"):
            begun = at
            while begun > 0 and re.match(r"[\w\s]", lines[begun - 1]) and not lines[begun - 1].rstrip().endswith(";"):
                begun -= 1
        elif line.startswith("}") and begun is not None:
            yield begun + 1, at - begun + 1
            begun = None
        elif re.match(r"\w.*\)\s*\{$", line):        # the brace behind the head
            begun = at


@pytest.mark.parametrize("name", SOURCES)
def test_no_function_of_c_is_longer_than_a_screen(name: str) -> None:
    long = [f"{name}:{first}: {count} lines" for first, count in functions((ROOT / name).read_text("utf-8"))
            if count > FUNCTION_MOST]
    assert long == []


@pytest.mark.parametrize("head", ["int f(void)\n{\n", "static int f(int a,\n             int b)\n{\n",
                                  "int f(void) {\n"])
def test_a_long_function_is_seen(head: str) -> None:
    text = "int before;\n\n" + head + "    ;\n" * FUNCTION_MOST + "}\n"
    assert [first for first, count in functions(text) if count > FUNCTION_MOST] == [3]
    assert [count for _, count in functions("int g;\n" + head + "}\n")] == [head.count("\n") + 1]


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_is_one_noun_and_so_not_long(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").count("\n")
    most = LONG.get(name) or next(limit for start, limit in FILE_MOST.items() if name.startswith(start))
    assert lines <= most, f"{name} has {lines} lines, at most {most}: which noun of its own is in it?"


def test_no_exception_outlives_its_reason() -> None:
    kept = {name: (ROOT / name).read_text("utf-8").count("\n") for name in LONG}
    assert {name: count for name, count in kept.items() if count <= FILE_MOST[""]} == {}
