"""A house as small as can be, for the judge's own tests: one lab, a kit of three lines, the real launcher.

So these tests need neither the runtime nor the real labs, and a fault there does not show up here.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from looplab.course.lab import ROOT, Lab, load
from looplab.running.build import Program, build
from looplab.running.gate import write_names

HEADER = """\
#ifndef TOY_H
#define TOY_H
#include <stddef.h>

/* Adds up n numbers. */
int sum(const int *numbers,
        size_t n);

/* Twice x. */
int twice(int x);
#endif
"""

MAIN = """\
#include "toy.h"
#include "toykit.h"
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int numbers[] = {1, 2, 3, 4};
    toy_hello();
    printf("%d %d\\n", sum(numbers, argc > 1 ? (size_t)atoi(argv[1]) : 4), twice(argc));
    return 0;
}
"""

GOOD = """\
#include "toy.h"

int sum(const int *numbers, size_t n)
{
    int total = 0;
    for (size_t i = 0; i < n; i++)
        total += numbers[i];
    return total;
}

int twice(int x)
{
    return 2 * x;
}
"""


@functools.lru_cache(maxsize=None)
def house() -> Lab:
    """The toy lab, built once for all tests and removed at the end."""
    root = Path(tempfile.mkdtemp(prefix="toyhouse-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    return make_house(root)


def compile_c(folder: Path, text: str, *flags: str) -> Path:
    """A little C program of its own, for tests of how processes are run."""
    (folder / "program.c").write_text(text)
    subprocess.run(["gcc", "-g", "-w", *flags, "program.c", "-o", "program", "-lpthread"], cwd=folder, check=True)
    return folder / "program"


def processes_of(folder: Path) -> list[int]:
    """The ids of all live processes whose program lies in this folder. Linux only: elsewhere none are found."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "exe").startswith(f"{folder}/"):
                found.append(int(entry.name))
        except OSError:             # it has just ended, or is not ours to look at
            pass
    return found


def compile_launch(target: Path) -> Path:
    """The real launcher, built with warnings as errors."""
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/sim",
                    ROOT / "grader/launcher/launch.c", "-o", target], check=True)
    return target


def make_house(root: Path) -> Lab:
    """Builds the house below `root` and returns its only lab, 01-toy."""
    folder, kit, objects = root / "labs/01-toy", root / "build/kit", root / "build/kit/01-toy"
    for path in (folder, objects, root / "sim/include", root / "sim/kit"):
        path.mkdir(parents=True)
    (folder / "toy.h").write_text(HEADER)
    (folder / "toy.c").write_text(GOOD)
    (folder / "main.c").write_text(MAIN)
    shutil.copy(ROOT / "sim/include/co.h", root / "sim/include")        # its allocations are known to the grader
    (root / "sim/include/toykit.h").write_text("int toy_hello(void);\nchar *toy_copy(const char *text);\n")
    (root / "sim/kit/toykit.c").write_text('#include "toykit.h"\n#include <string.h>\nint toy_hello(void) { return 0; '
                                           '}\n'
                                           "char *toy_copy(const char *text) { return strdup(text); }\n")
    for flags in ("student.flags", "link.flags"):
        (root / "sim/kit" / flags).write_text((ROOT / "sim/kit" / flags).read_text())
    # No --wrap here: the toy kit has nothing that catches the blocking calls.
    link = [flag for flag in (root / "sim/kit/link.flags").read_text().split() if "--wrap" not in flag]
    (root / "sim/kit/link.flags").write_text("\n".join(link))
    compile_launch(kit / "launch")
    for suffix, flags in (("", ["-O2"]), ("-asan", ["-O1", "-fsanitize=address,undefined"])):
        common = ["gcc", "-std=gnu11", "-g", "-fno-omit-frame-pointer", f"-ffile-prefix-map={root}=.", *flags,
                  "-Isim/include", "-c"]
        subprocess.run([*common, "-Ilabs/01-toy", "labs/01-toy/main.c", "-o", objects / f"main{suffix}.o"], cwd=root,
                       check=True)
        subprocess.run([*common, "sim/kit/toykit.c", "-o", f"toykit{suffix}.o"], cwd=root, check=True)
        subprocess.run(["ar", "rcs", kit / f"libco{suffix}.a", f"toykit{suffix}.o"], cwd=root, check=True)
    lab = load("01-toy", root)
    write_names(lab)
    return lab


def build_text(lab: Lab, folder: Path, text: str | bytes) -> Program:
    """Hands in this text as the student's file, and builds it. `folder` must be new."""
    hand_in = folder / "handed-in"
    hand_in.mkdir(parents=True)
    (hand_in / lab.source).write_bytes(text.encode() if isinstance(text, str) else text)
    return build(lab, hand_in, folder / "work")
