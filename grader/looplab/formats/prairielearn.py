"""PrairieLearn's external grader: the file for /grade/results/results.json, of at most 1 MiB (docs/externalGrading.md
in PrairieLearn/PrairieLearn).

What cannot be graded, and what the grader could not do, costs no attempt.
"""

from __future__ import annotations

from .shown import Files, Setting, as_json, body, fraction, notes, within

NAME = "prairielearn.json"
BYTES_MOST = 1_000_000


def render(result: dict, setting: Setting) -> Files:
    return {NAME: within(BYTES_MOST, result, _text)}


def _text(result: dict) -> str:
    if result["status"] != "graded":
        return as_json({"gradable": False, "format_errors": notes(result), "message": "\n".join(notes(result))})
    return as_json({
        "gradable": True, "score": fraction(result), "message": "\n".join(notes(result)),
        "output": result.get("program_output", ""), "tests": [
            {"name": check["title"], "description": check["category"], "points": check["score"],
             "max_points": check["max_score"], "message": "" if check["status"] == "passed" else check["status"],
             "output": body(check)} for check in result["checks"]]})
