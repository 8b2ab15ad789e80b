"""Exercism's test runner interface, version 3 (building/tooling/test-runners/interface.md in exercism/docs): "error" is
for where no test could run."""

from __future__ import annotations

from ..plain.text import cut
from .shown import Files, Setting, as_json, body, notes

NAME = "exercism.json"
OUTPUT_MOST = 500
MESSAGE_MOST = 65_535


def render(result: dict, setting: Setting) -> Files:
    if not result["checks"] or result["status"] == "ungradable":
        return {NAME: as_json({"version": 3, "status": "error", "message": cut("\n".join(notes(result)) or "no checks",
                                                                               MESSAGE_MOST), "tests": []})}
    tests = [_test(check) for check in result["checks"]]
    failed = next((test for test in tests if test["status"] == "fail"), None)
    if failed and result.get("program_output"):
        failed["output"] = cut(result["program_output"], OUTPUT_MOST)
    passed = all(test["status"] == "pass" for test in tests)
    return {NAME: as_json({"version": 3, "status": "pass" if passed else "fail", "message": None, "tests": tests})}


def _test(check: dict) -> dict:
    status = {"passed": "pass", "error": "error"}.get(check["status"], "fail")
    said = body(check) if check["status"] != "skipped" else f"This check was not made. {body(check)}".strip()
    return {"name": check["title"], "status": status, **({"message": said} if status != "pass" else {})}
