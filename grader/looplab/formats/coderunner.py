"""CodeRunner's combinator template grader: one JSON object on the standard output, of fields that it knows
(classes/jobrunner.php in trampgeek/moodle-qtype_coderunner). An unknown one fails the whole, so there are four only;
`showoutputonly` would give full marks. Where it is the grader's fault nothing is printed, which it reports."""

from __future__ import annotations

import json
from html import escape

from .shown import Files, Setting, body, fraction, notes

NAME = "coderunner.json"


def render(result: dict, setting: Setting) -> Files:
    if result["status"] == "error":
        return {}
    rows: list[list] = [["iscorrect", "Check", "Points", "What was found"]]
    rows += [[int(check["status"] == "passed"), check["title"], f"{check['score']}/{check['max_score']}", body(check)]
             for check in result["checks"]]
    known: dict = {"fraction": fraction(result),
                   "prologuehtml": "".join(f"<p>{escape(note)}</p>" for note in notes(result)).replace("\n", "<br>")}
    if result["checks"]:
        known["testresults"] = rows
    if result.get("program_output"):
        known["epiloguehtml"] = f"<pre>{escape(result['program_output'])}</pre>"
    return {NAME: json.dumps(known) + "\n"}         # in ASCII: a wrong byte would cost all points
