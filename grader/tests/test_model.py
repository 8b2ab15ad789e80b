"""Random programs over co.h do on the real runtime what a model of the manual says: the same results at the same times.

The model (grader/tests/model/model.py) is written from co.h, not from sim/runtime. LOOPLAB_PROGRAMS=N runs N programs
instead of 10,000, LOOPLAB_SEED=N begins at another one. A disagreement is made as small as possible and shown, both
logs side by side; when it is settled who was wrong, the program goes to model/kept/ with the log that it must have.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from model.model import agrees, log_of
from model.program import Program, parse, random_program, smaller
from variants import BUILD, ROOT, VARIANTS, command

PROGRAMS = int(os.environ.get("LOOPLAB_PROGRAMS", "10000"))
FIRST = int(os.environ.get("LOOPLAB_SEED", "0"))
BATCH = 1000
KEPT = sorted((ROOT / "grader" / "tests" / "model" / "kept").glob("*.txt"))


def interpreter(variant: str) -> list[str]:
    return command(variant, BUILD / "tests" / variant / "fuzz" / "interpreter")


def run(program: list[str], text: str, path: Path, seconds: int = 60) -> tuple[dict[int, list[str]], str]:
    """Runs programs in one process. The log of each that was begun, and what went wrong, if anything did."""
    path.write_text(text)
    with path.with_suffix(".err").open("w") as err:         # deadlocks and leaks are told there
        try:
            process = subprocess.run([*program, str(path)], stdout=subprocess.PIPE, stderr=err, text=True,
                                     timeout=seconds)
            output, fault = process.stdout, f"the process ended with {process.returncode}" if process.returncode else ""
        except subprocess.TimeoutExpired as late:
            output, fault = (late.stdout or b"").decode(), f"the process did not end within {seconds} s"
    logs = {}
    for piece in output.split("program ")[1:]:
        seed, _, log = piece.partition("\n")
        logs[int(seed)] = log.splitlines()
    if fault and logs:
        told = path.with_suffix(".err").read_text().splitlines()
        list(logs.values())[-1].extend(told[-3:] + [fault])
    return logs, fault


def real_log(program: list[str], one: Program, path: Path) -> list[str]:
    return run(program, one.text(), path, seconds=5)[0].get(one.seed, [])


def smallest(program: list[str], one: Program, path: Path) -> Program:
    """Leaves out what can be left out: the two logs still differ."""
    tries = 0
    shrinks = True
    while shrinks and tries < 1000:
        shrinks = False
        for candidate in smaller(one):
            tries += 1
            if not agrees(candidate, real_log(program, candidate, path)):
                one, shrinks = candidate, True
                break
    return one


def side_by_side(one: Program, real: list[str]) -> str:
    model = log_of(one)
    lines = [f"seed {one.seed}: the model and the runtime disagree (LOOPLAB_SEED={one.seed} LOOPLAB_PROGRAMS=1)",
             one.text(), f"  {'the model':<38} | the runtime"]
    for i in range(max(len(model), len(real))):
        ours, theirs = (log[i] if i < len(log) else "" for log in (model, real))
        lines.append(f"{' ' if ours == theirs else '*'} {ours:<38} | {theirs}")
    return "\n".join(lines)


def check_batch(program: list[str], seeds: range, path: Path) -> None:
    programs = {seed: random_program(seed) for seed in seeds}
    real, fault = run(program, "".join(one.text() for one in programs.values()), path)
    for seed, one in programs.items():
        if not agrees(one, real.get(seed, [fault])):
            small = smallest(program, one, path)
            pytest.fail(side_by_side(small, real_log(program, small, path)), pytrace=False)


@pytest.mark.parametrize("first", range(FIRST, FIRST + PROGRAMS, BATCH))
def test_random_programs(first, tmp_path):
    check_batch(interpreter("plain"), range(first, min(first + BATCH, FIRST + PROGRAMS)), tmp_path / "programs.txt")


@pytest.mark.parametrize("variant", [variant for variant in ("asan", "ucontext", "aarch64") if variant in VARIANTS])
def test_random_programs_in_other_builds(variant, tmp_path):
    check_batch(interpreter(variant), range(1_000_000, 1_000_300), tmp_path / "programs.txt")


@pytest.mark.parametrize("path", KEPT, ids=[path.stem for path in KEPT])
def test_kept(path, tmp_path):
    """A program that the model and the runtime once disagreed about, and the log that was settled upon ("| " lines)."""
    text = path.read_text()
    one = parse(text)
    wanted = [line[2:] for line in text.splitlines() if line.startswith("| ")]
    assert log_of(one) == wanted, "the model"
    assert real_log(interpreter("plain"), one, tmp_path / "one.txt") == wanted, "the runtime"


def test_every_operation_occurs():
    """The random programs use all of the language, and come back with all kinds of results."""
    from model.model import BLOCKS, PLAIN, WAITING

    names, logs = set(), []
    for seed in range(300):
        one = random_program(seed)
        names |= {op.name for op in one.operations()}
        logs += log_of(one)
    assert {*PLAIN, *BLOCKS, *WAITING} - names == set()
    results = {line.split()[3] for line in logs if len(line.split()) > 3}
    for rc in (0, -125, -110, -108, -35, -32, -22, -11, -1, -75):
        assert str(rc) in results, f"no call ever returns {rc}"


def test_the_text_says_it_all():
    for seed in range(50):
        text = random_program(seed).text()
        assert parse(text).text() == text
