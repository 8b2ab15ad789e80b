"""What a student gets back: their scorecards, as Markdown and as a page."""

from __future__ import annotations

import re
from html import escape
from typing import Sequence

from ..plain.text import printable
from ..telling.scorecard import card
from .intake import Trouble

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 46rem; padding: 0 1rem; }}
pre {{ font: 13px/1.4 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }}
</style></head><body><main>
<h1>{title}</h1>
{body}
</main></body></html>
"""


def markdown(student: str, results: Sequence[dict], troubles: Sequence[Trouble]) -> str:
    lines = [f"# {_plain(student)}", ""]
    for result in results:
        text = card(_own(result))
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
        lines += [f"## {result['lab']}: {_points(result)}", "", fence + "text", text.rstrip("\n"), fence, ""]
    lines += [f"- {one.lab or 'in general'}: {_plain(one.said)}" for one in troubles]
    return "\n".join(lines).rstrip("\n") + "\n"


def page(student: str, results: Sequence[dict], troubles: Sequence[Trouble]) -> str:
    parts = [f"<h2>{escape(result['lab'])}: {escape(_points(result))}</h2>\n<pre>{escape(card(_own(result)))}</pre>"
             for result in results]
    said = [f"<li>{escape(one.lab or 'in general')}: {escape(printable(one.said))}</li>" for one in troubles]
    return _PAGE.format(title=escape(printable(student)), body="\n".join(parts + (["<ul>", *said, "</ul>"] if said
                                                                                 else [])))


def _points(result: dict) -> str:
    return f"{result['score']} of {result['max_score']}" if result["score"] is not None else result["status"]


def _own(result: dict) -> dict:
    """Without the commands and pages that are to be found on the teacher's machine only."""
    return {**result, "checks": [{key: value for key, value in check.items() if key not in ("replay", "report")}
                                 for check in result["checks"]]}


def _plain(text: str) -> str:
    """Text that means nothing to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", printable(text).replace("\n", " "))
