"""Machines that lack a piece: a program that takes a system call away from itself and then becomes another program."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from looplab.course.lab import ROOT
from toyhouse import compile_c

LANDLOCK = 444          # landlock_create_ruleset

_LACKING = """
#define _GNU_SOURCE
#include "kit/filter.h"
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv)
{
    char **word = argv + 1;
    load(NUMBER);
    for (; *word && strcmp(*word, "--"); word++) {
        if (strcmp(*word, "seccomp") == 0) {
            static const uint32_t set[] = {PR_SET_SECCOMP};
            deny_call(__NR_seccomp, ENOSYS);
            deny_values(__NR_prctl, ARG_0, set, 1, EINVAL);
        } else if (strcmp(*word, "namespaces") == 0) {
            equal(__NR_clone, 4);
            load(ARG_0);
            any_bit(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET, 1);
            deny(EPERM);
            load(NUMBER);
            deny_call(__NR_unshare, EPERM);
        } else
            deny_call(atoi(*word), ENOSYS);
    }
    allow();
    if (!filter_install()) return 99;
    execvp(word[1], word + 1);
    return 98;
}
"""


@functools.lru_cache(maxsize=None)
def lacking() -> Path:
    """`lacking CALL... -- PROGRAM...`: runs it as on a machine without these system calls, by number, or "seccomp", or
    "namespaces"."""
    folder = Path(tempfile.mkdtemp(prefix="looplab-lacking-"))
    return compile_c(folder, _LACKING, f"-I{ROOT}/sim")


def without(*calls: str | int) -> list[str]:
    """The words that start a program on such a machine, to stand in front of its own."""
    return [str(lacking()), *map(str, calls), "--"]
