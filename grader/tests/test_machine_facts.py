"""What differs from machine to machine and from run to run: it is fixed where it can be; where a program's result hangs
on it all the same, that is a finding about the program, never a fault of the grader."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import grading
import pytest
from looplab.course import lab as labs
from looplab.running import process

ROOT = grading.ROOT
LAB = "01-sync-vs-async"
SOUND = (ROOT / "solutions" / LAB / "compare.c").read_text()
CALL = "int rc = co_http_get(job->url, &resp);"
NEVER_SET = "unsigned *never = malloc(64); unsigned ms = never ? never[0] % 97 : 0; free(never);"


def grade(folder: Path, before: str) -> grading.Graded:
    """Grades the reference solution with these statements before its request."""
    source = folder / "mine"
    source.mkdir()
    assert SOUND.count(CALL) == 1
    (source / "compare.c").write_text("#include <stdlib.h>\n#include <unistd.h>\n#include <sys/random.h>\n"
                                      + SOUND.replace(CALL, before + " " + CALL))
    return grading.grade(labs.load(LAB), source, folder / "out")


def clean_check(graded: grading.Graded) -> dict:
    return next(check for check in graded.result["checks"] if "sanitizers" in check["title"])


RANDOM = "({ unsigned char byte[4]; (void)!getrandom(byte, 4, 0); byte[0] * 65536 + byte[1] * 256 + byte[2]; })"


@pytest.mark.parametrize("fact", ["getpid()", RANDOM], ids=["pid", "random"])
def test_a_result_that_hangs_on_the_machine_is_the_students_finding(tmp_path, fact):
    graded = grade(tmp_path, f"if (co_sleep({fact}) < 0) return -ECANCELED;")
    assert (graded.code, graded.result["status"]) == (1, "graded")
    check = clean_check(graded)
    line = SOUND[:SOUND.index(CALL)].count("\n") + 1 + 3
    assert check["status"] == "failed" and check["src"] == f"compare.c:{line}"
    assert re.search(r"happened: not deterministic\ncause: compare.c:\d+ \(if \(co_sleep.*or asks the machine",
                     check["message"])


def test_memory_that_was_never_set_is_the_students_finding(tmp_path):
    graded = grade(tmp_path, NEVER_SET + " if (co_sleep(CO_MS(ms)) < 0) return -ECANCELED;")
    assert (graded.code, graded.result["status"]) == (1, "graded")
    check = clean_check(graded)
    assert check["status"] == "failed" and "reads memory that it never set" in check["message"]


def test_a_program_that_only_asks_loses_nothing(tmp_path):
    graded = grade(tmp_path, "if (getpid() == 0 || getppid() < 0) return 0; unsigned char byte; "
                             "if (getrandom(&byte, 1, 0) != 1) return 0;")
    assert graded.code == 0, graded.lost()


def test_memory_is_laid_out_alike_in_every_run(tmp_path):
    """Jansson's tables, too: what a world file leaves in the heap is found by whoever reads what they never set."""
    world = ROOT / "labs" / LAB / "worlds" / "ten.json"
    (tmp_path / "layout.c").write_text("""
        #include <jansson.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include "world.h"
        int main(int argc, char **argv)
        {
            char **urls, error[512];
            if (argc < 2 || world_file_urls(argv[1], &urls, error, sizeof error) <= 0)
                return 1;
            json_t *table = json_object();
            for (int i = 0; i < 40; i++) {
                char key[8];
                snprintf(key, sizeof key, "k%d", i);
                json_object_set_new(table, key, json_integer(i));
            }
            json_decref(table);
            unsigned long sum = 0;
            for (int size = 16; size < 256; size += 16)
                for (int i = 0; i < 40; i++) {
                    unsigned long *never = malloc(size);
                    sum = sum * 31 + never[0] + 7 * never[1];
                }
            printf("%lx\\n", sum);
        }
""")
    program = tmp_path / "layout"
    subprocess.run(["gcc", "-O0", "-w", "-Isim/include", "-Isim/world", tmp_path / "layout.c", "build/kit/libco.a",
                    "@sim/kit/link.flags", "-o", program], cwd=ROOT, check=True)
    said = {process.run([program, str(world)], cwd=tmp_path).stdout for _ in range(8)}
    assert len(said) == 1 and said != {""}
