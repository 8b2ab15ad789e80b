"""What a student gets back: their scorecards, as Markdown and as a page."""

from __future__ import annotations

import re
from html import escape
from types import MappingProxyType
from typing import Mapping, Sequence

from ..plain.text import count, printable
from ..telling.scorecard import card
from .intake import Trouble

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 46rem; padding: 0 1rem; }}
h1, h2, li {{ overflow-wrap: anywhere; }}
pre {{ font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }}
</style></head><body><main>
<h1>{title}</h1>
{body}
</main></body></html>
"""


def markdown(student: str, results: Sequence[dict], troubles: Sequence[Trouble],
             levels: Mapping[str, str] = MappingProxyType({})) -> str:
    """levels: how much is said of each category (course_file.LEVELS); full where it is not named."""
    lines = [f"# {_plain(student)}", ""]
    for result in results:
        text = _card(result, levels)
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
        lines += [f"## {result['lab']}: {_points(result)}", "", fence + "text", text.rstrip("\n"), fence, ""]
    lines += [f"- {one.lab or 'in general'}: {_plain(one.said)}" for one in troubles]
    return "\n".join(lines).rstrip("\n") + "\n"


def page(student: str, results: Sequence[dict], troubles: Sequence[Trouble],
         levels: Mapping[str, str] = MappingProxyType({})) -> str:
    """The same as a page."""
    parts = [f"<h2>{escape(result['lab'])}: {escape(_points(result))}</h2>\n<pre>{escape(_card(result, levels))}</pre>"
             for result in results]
    said = [f"<li>{escape(one.lab or 'in general')}: {escape(printable(one.said))}</li>" for one in troubles]
    return _PAGE.format(title=escape(printable(student)), body="\n".join(parts + (["<ul>", *said, "</ul>"] if said
                                                                                 else [])))


def _points(result: dict) -> str:
    return f"{result['score']} of {result['max_score']}" if result["score"] is not None else result["status"]


def _card(result: dict, levels: Mapping[str, str]) -> str:
    """The scorecard, with as much of each category as is to be said."""
    shown, numbers = [], []
    for check in _own(result)["checks"]:
        level = levels.get(check["category"], "full")
        if level == "full":
            shown.append(check)
        elif level == "names":
            kept = {key: check[key] for key in ("id", "category", "title", "score", "max_score", "status")}
            shown.append({**kept, "message": ""})
    for category in dict.fromkeys(check["category"] for check in result["checks"]):
        mine = [check for check in result["checks"] if check["category"] == category]
        if levels.get(category) == "number":
            numbers.append(f"{category}: {sum(check['status'] == 'passed' for check in mine)} of "
                           f"{count(len(mine), 'check')} pass")
    head = f"score {result['score']}/{result['max_score']}\n" if result["checks"] and not shown \
        else card({**_own(result), "checks": shown})
    return head + "".join(f"{line}\n" for line in numbers)


def _own(result: dict) -> dict:
    """Without the commands and pages that are to be found on the teacher's machine only."""
    return {**result, "checks": [{key: value for key, value in check.items() if key not in ("replay", "report")}
                                 for check in result["checks"]]}


def _plain(text: str) -> str:
    """Text that means nothing to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", printable(text).replace("\n", " "))
