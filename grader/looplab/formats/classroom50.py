"""Classroom 50's result.json (its schemas/result-v1.schema.json). Its runner says who is graded in the environment; it
takes whole numbers only, and a script that exits with another code than 0 for the grader's fault."""

from __future__ import annotations

import time

from .shown import Files, Setting, as_json, headline, score

NAME = "classroom50.json"


def render(result: dict, setting: Setting) -> Files:
    if result["status"] == "error":
        return {}
    env = setting.env
    server, repository = env.get("GITHUB_SERVER_URL", "https://github.com"), env.get("GITHUB_REPOSITORY", "-/-")
    tag = env.get("SUBMISSION_TAG", "submit/unknown")
    commit = env.get("COMMIT_URL") or f"{server}/{repository}/commit/{env.get('GITHUB_SHA', 'unknown')}"
    classroom, assignment = env.get("CLASSROOM") or "unknown", env.get("ASSIGNMENT") or result["lab"]
    name = repository.rpartition("/")[2]
    owner = name[len(f"{classroom}-{assignment}-"):] if name.startswith(f"{classroom}-{assignment}-") else ""
    return {NAME: as_json({
        "schema": "classroom50/result/v1", "classroom": classroom, "assignment": assignment,
        "assignment_type": "group" if env.get("MODE") == "group" else "individual",
        "owner": owner or env.get("OWNER") or env.get("GITHUB_ACTOR") or "unknown",
        "submission": tag if tag.startswith("submit/") else f"submit/{tag}", "commit": commit,
        "release": env.get("RELEASE_URL") or f"{server}/{repository}/releases/tag/{tag}",
        "review": env.get("REVIEW_URL") or commit, "datetime": _datetime(env.get("SOURCE_DATE_EPOCH", "")),
        "score": score(result), "max-score": result["max_score"] or 0, "tests": _tests(result)})}


def _datetime(epoch_s: str) -> str:
    """The runner writes its own over it; SOURCE_DATE_EPOCH, in seconds, makes it the same each time."""
    known = int(epoch_s) if epoch_s.isascii() and epoch_s.isdigit() and len(epoch_s) < 12 else time.time()
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(known))


def _tests(result: dict) -> list[dict]:
    """Without tests a result would count as a success: one that cannot be graded has one that failed."""
    if result["status"] == "ungradable":
        return [{"test-name": "the file can be graded", "passed": False, "score": 0,
                 "max-score": result["max_score"] or 0, "message": result.get("message", "")}]
    return [{"test-name": check["title"], "passed": check["status"] == "passed",
             "score": min(check["score"], check["max_score"]), "max-score": check["max_score"],
             **({"message": headline(check)} if check["status"] != "passed" else {})} for check in result["checks"]]
