"""sim/tests/test_no_memory.c once more with ASan, UBSan and LeakSanitizer: what a failed allocation leaves is looked at
closely.

The sanitizers bring an allocator of their own, which no program can replace; so the calls of the kit are wrapped by the
linker. (Plain, the same program replaces malloc itself, and fails the allocations of the libraries, too, each of them:
that is test_sim.py's.) Every 61st allocation fails here; with ALL=1 every second one.
"""

from __future__ import annotations

import os
import subprocess

import pytest

from variants import ALL, BUILD, ROOT

WRAPPED = ["malloc", "calloc", "realloc", "free", "mmap", "munmap"]
FLAGS = ["-std=gnu11", "-g", "-O1", "-fsanitize=address,undefined", "-fno-omit-frame-pointer",
         "-fno-optimize-sibling-calls"]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("no-memory") / "program"
    wraps = ["-Wl," + ",".join(f"--wrap={name}" for name in WRAPPED)]
    subprocess.run(["gcc", *FLAGS, "-DWRAPPED", "-Isim/include", "-Isim", "sim/tests/test_no_memory.c",
                    BUILD / "kit" / "libco-asan.a",
                    "-lcmocka", "@sim/kit/link.flags", *wraps, "-o", path], cwd=ROOT, check=True)
    return path


def test_no_memory_under_the_sanitizers(program):
    run = subprocess.run([program], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, timeout=600,
                         env={**os.environ, "NO_MEMORY_STEP": "2" if ALL else "61"})
    if run.returncode != 0:
        telling = [line for line in run.stdout.splitlines() if "leak: " not in line]
        pytest.fail("\n".join(telling[-80:]), pytrace=False)
