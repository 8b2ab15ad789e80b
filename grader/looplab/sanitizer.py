"""What ASan, UBSan and LSan wrote on stderr, in a student's words.

    for finding in findings(outcome.stderr, program): finding.message, finding.src, finding.code
"""

from __future__ import annotations

from dataclasses import dataclass

from .build import Program


@dataclass(frozen=True)
class Finding:
    """One fault of memory or arithmetic in the student's code."""

    kind: str           # "use after free", "null pointer", "memory leak", "signed integer overflow", …
    message: str        # a sentence: "reads 4 bytes right past the end of a block of 40 bytes (allocated at compare.c:20)"
    src: str | None     # "compare.c:31": the first frame in the student's file; None: not in the student's file
    code: str           # the text of that line, stripped
    raw: str            # the sanitizer's own first line, without addresses


def findings(stderr: str, program: Program) -> list[Finding]:
    """All findings in the order they were printed, each (kind, src) once. [] when there is nothing."""
    raise NotImplementedError


def trouble(stderr: str) -> str | None:
    """Why the sanitizer itself did not work here (no ptrace for the leak check, …): a fault of the machine. None: it did."""
    raise NotImplementedError
