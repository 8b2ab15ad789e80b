"""GitLab: the JUnit report, and a code quality report, which shows what was found beside the line.

It stops reading at the first entry that lacks a description, a fingerprint, a severity or a place
(lib/gitlab/ci/parsers/codequality/code_climate.rb), so what has no place is left out.
"""

from __future__ import annotations

import hashlib

from . import junit
from .shown import Files, Setting, as_json, headline, place

QUALITY = "gl-code-quality.json"


def render(result: dict, setting: Setting) -> Files:
    found: list[tuple[str, str, object, str]] = []
    if result["status"] == "ungradable":
        found.append(("ungradable", "blocker", result.get("src"), result.get("message", "")))
    found += [(check["id"], "major", check.get("src"), f"{check['title']}: {headline(check)}")
              for check in result["checks"] if check["status"] == "failed"]
    found += [("warning", "info", one["src"], one["text"]) for one in result.get("advice", ())]
    entries = [_entry(result, setting, *one) for one in found if place(one[2])]
    return {**junit.render(result, setting), QUALITY: as_json(list({one["fingerprint"]: one
                                                                    for one in entries}.values()))}


def _entry(result: dict, setting: Setting, name: str, severity: str, src: object, text: str) -> dict:
    where = place(src)
    assert where
    mark = hashlib.sha256("\0".join((result["lab"], name, str(src), text)).encode("utf-8", "replace")).hexdigest()
    return {"description": " ".join(text.split("\n")) or name, "check_name": name, "fingerprint": mark,
            "severity": severity, "location": {"path": setting.file(result, where[0]), "lines": {"begin": where[1]}}}
