"""results.json, the one result of a grading (`looplab/result/v1`, described in result.schema.json)."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Optional, Sequence

from ..asking.check import Check
from ..course.lab import Lab
from ..grading.ceiling import ceiling
from ..plain.text import printable
from ..running.build import Advice

SCHEMA = "looplab/result/v1"
OK, BELOW, UNGRADABLE, FAULT = 0, 1, 2, 3       # exit codes; the worst of several labs counts


def graded(lab: str, checks: Sequence[Check], seed: int, elapsed_s: float, advice: Sequence[Advice] = (),
           output: str = "", only: Optional[str] = None) -> dict:
    """The result of a grading that took place; its status is "error" when a check met a fault of the grader."""
    faults = [check for check in checks if check.status not in ("passed", "failed", "skipped")]
    points, worth = sum(check.score for check in checks), sum(check.worth for check in checks)
    score = points if only else min(points, ceiling(checks, worth))
    result: dict[str, Any] = {
        "schema": SCHEMA, "lab": lab, "status": "error" if faults else "graded", "score": score, "max_score": worth,
        "seed": seed, "elapsed_s": round(elapsed_s, 2), "checks": [_check(check) for check in checks]}
    if score < points:
        result["points"] = points
    if faults:
        result["message"] = faults[0].message or f"{faults[0].id} did not run"
    if only:
        result["only"] = only
    if advice:
        result["advice"] = [{"src": one.src, "text": one.text} for one in advice]
    if output:
        result["program_output"] = printable(output)
    return result


def shut_in(result: dict, tier: str, judged: bool) -> None:
    """Adds how well the student's side was shut in, and whether it had something to forge points with: the grader's own
    files as the same user, or the record of its own runs."""
    result.update(tier=tier, forgeable=tier not in ("A", "B") or not judged)


def ungradable(lab: str, message: str, src: Optional[str], seed: int, elapsed_s: float,
               max_score: Optional[int]) -> dict:
    """The result of a file that cannot be graded: no score, which is not 0."""
    result = _without_checks(lab, "ungradable", message, seed, elapsed_s, max_score)
    if src:
        result["src"] = src
    return result


def error(lab: str, message: str, seed: int, elapsed_s: float) -> dict:
    """The result of a grading that the grader itself could not carry out."""
    return _without_checks(lab, "error", message, seed, elapsed_s, None)


def _without_checks(lab: str, status: str, message: str, seed: int, elapsed_s: float, max_score: Optional[int]) -> dict:
    return {"schema": SCHEMA, "lab": lab, "status": status, "score": None, "max_score": max_score, "seed": seed,
            "elapsed_s": round(elapsed_s, 2), "message": printable(message), "checks": []}


def _check(check: Check) -> dict:
    entry: dict[str, Any] = {
        "id": check.id, "category": check.category, "title": check.title, "status": check.status or "error",
        "score": check.score, "max_score": check.worth, "message": printable(check.message)}
    for key, value in (("src", check.src), ("replay", check.replay), ("report", check.report),
                       ("virtual_ns", check.virtual_ns)):
        if value is not None:
            entry[key] = value
    if check.parts:
        entry["parts"] = [{"title": part.title, "score": part.worth if part.passed else 0, "max_score": part.worth,
                           "message": printable(part.message), **({"src": part.src} if part.src else {})}
                          for part in check.parts]
    return entry


def digest(file: Path) -> str:
    """SHA-256 of a file, in hex: tells whether a result is about the file as it is now. "" if it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def digest_of(lab: Lab, folder: Path) -> str:
    """The same of all files that a student hands in for a lab."""
    if not lab.warmups:
        return digest(folder / lab.source)
    return hashlib.sha256("".join(f"{name} {digest(folder / name)}\n" for name in lab.sources).encode()).hexdigest()


def exit_code(result: dict) -> int:
    """0 full marks, 1 graded below, 2 ungradable, 3 a fault of the grader."""
    if result["status"] != "graded":
        return UNGRADABLE if result["status"] == "ungradable" else FAULT
    return OK if result["score"] == result["max_score"] else BELOW


def write(result: dict, folder: Path) -> Path:
    """Writes folder/results.json, whole or not at all. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    handle, name = tempfile.mkstemp(dir=folder, prefix=".results-")
    try:
        # A byte that is no UTF-8 (of a folder's name) becomes "\\udcff", which JSON knows.
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path
