"""What a judge of Dodona prints: a JSON object a line, judgement > tab > context > testcase > test (its
public/schemas/partial_output.json and app/runners/result_constructor.rb). Rows count from 0. That an empty judgement
would be accepted is why the last line says it outright."""

from __future__ import annotations

import json

from .shown import Files, Setting, body, line, notes, place

NAME = "dodona.jsonl"
_STATUS = {"passed": "correct", "failed": "wrong", "skipped": "wrong", "error": "internal error"}


def render(result: dict, setting: Setting) -> Files:
    lines: list[dict] = [{"command": "start-judgement"}]
    for note in notes(result):
        lines.append({"command": "append-message", "message": _plain(note)})
    for tab in dict.fromkeys(check["category"] for check in result["checks"]):
        lines.append({"command": "start-tab", "title": tab.capitalize()})
        for check in result["checks"]:
            lines += _context(check) if check["category"] == tab else []
        lines.append({"command": "close-tab"})
    if result["status"] == "ungradable":
        lines += _annotation(result.get("src"), result.get("message", ""), "error")
    for advice in result.get("advice", ()):
        lines += _annotation(advice["src"], advice["text"], "warning")
    return {NAME: "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in [*lines, _close(result)])}


def _close(result: dict) -> dict:
    points = f"{result['score']} of {result['max_score']} points"
    status, said = {"graded": ("wrong", points), "ungradable": ("compilation error", "cannot be graded"),
                    "error": ("internal error", "the grader failed")}[result["status"]]
    if result["status"] == "graded" and result["checks"] and all(check["status"] == "passed"
                                                                 for check in result["checks"]):
        status = "correct"
    return {"command": "close-judgement", "accepted": status == "correct", "status": {"enum": status, "human": said}}


def _context(check: dict) -> list[dict]:
    points = f"{check['score']}/{check['max_score']}"
    status, good = _STATUS[check["status"]], check["status"] == "passed"
    lines: list[dict] = [{"command": "start-context"},
                         {"command": "start-testcase", "description": _plain(f"{check['title']} ({points})")}]
    if not good:
        lines += [{"command": "append-message", "message": _plain(body(check))}] if body(check) else []
        lines += _annotation(check.get("src"), body(check), "error" if check["status"] == "failed" else "info")
    lines += [{"command": "start-test", "expected": line(check["message"], "expected")},
              {"command": "close-test", "generated": line(check["message"], "happened"), "accepted": good,
               "status": {"enum": status, "human": check["status"]}}]
    return [*lines, {"command": "close-testcase"}, {"command": "close-context"}]


def _annotation(src: object, text: str, kind: str) -> list[dict]:
    found = place(src)
    return [{"command": "annotate-code", "row": found[1] - 1, "text": text, "type": kind}] if found else []


def _plain(text: str) -> dict:
    return {"format": "plain", "description": text}
