"""JSON as check50 writes it (its "JSON specification"): null for a check that could not run."""

from __future__ import annotations

from .shown import Files, Setting, as_json, body, headline, line

NAME = "check50.json"
VERSION = "3.0.0"       # of check50, whose specification this keeps to


def render(result: dict, setting: Setting) -> Files:
    known: dict = {"slug": f"looplab/{result['lab']}", "version": VERSION}
    if result["status"] == "error":
        known["error"] = {"type": "GraderFault", "value": result.get("message", ""), "traceback": [], "actions": {
            "show_traceback": False, "message": "The grader failed, which is not your fault."}, "data": {}}
    checks = [_entry(check) for check in result["checks"]]
    if result["status"] == "ungradable":
        checks = [{"name": "gradable", "description": "the file can be graded", "passed": False,
                   "log": result.get("message", "").split("\n"), "data": {}, "dependency": None,
                   "cause": {"rationale": result.get("message", "").split("\n")[0], "help": None}}]
    return {NAME: as_json({**known, "results": checks})}


def _entry(check: dict) -> dict:
    passed = {"passed": True, "failed": False}.get(check["status"])
    helps = line(check["message"], "rule", "expected") or None
    cause = None if passed else {"rationale": headline(check), "help": helps}
    return {"name": check["id"], "description": check["title"], "passed": passed,
            "log": [] if passed else body(check).split("\n"), "cause": cause,
            "data": {"score": check["score"], "max_score": check["max_score"]}, "dependency": None}
