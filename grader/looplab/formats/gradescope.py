"""Gradescope's results.json, as its autograder documentation has it (docs/specs.md in gradescope/autograder_samples).

It knows no grader's fault but a file that is missing, so there is none then.
"""

from __future__ import annotations

from .shown import Files, Setting, as_json, body, notes, score

NAME = "gradescope.json"
_STATUS = {"passed": "passed", "failed": "failed", "skipped": "failed"}


def render(result: dict, setting: Setting) -> Files:
    if result["status"] == "error":
        return {}
    said = [*notes(result), *([f"What the program printed:\n{result['program_output']}"]
                              if result.get("program_output") else [])]
    return {NAME: as_json({
        "score": score(result), **({"output": "\n\n".join(said), "output_format": "text"} if said else {}),
        "tests": [_test(check) for check in result["checks"]],
        "extra_data": {key: result[key] for key in ("lab", "seed", "max_score", "status") if key in result}})}


def _test(check: dict) -> dict:
    return {"name": check["title"], "score": min(check["score"], check["max_score"]), "max_score": check["max_score"],
            "status": _STATUS[check["status"]], "output": body(check), "output_format": "text", "name_format": "text",
            "tags": [check["category"]]}
