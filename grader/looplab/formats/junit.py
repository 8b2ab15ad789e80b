"""JUnit's XML, as Jenkins, GitLab, GitHub's reporters and others read it.

A failure is the student's, an error the grader's. GitLab drops a failure's message where there is a body, so the body
says all; it casts a body by the attribute `type`, so there is none; of two cases of one name it keeps one, so all
names differ (its lib/gitlab/ci/parsers/test/junit.rb and lib/gitlab/xml_converter.rb).
"""

from __future__ import annotations

from collections import Counter
from xml.sax.saxutils import escape, quoteattr

from .shown import Files, Setting, body, headline, notes

NAME = "junit.xml"


def render(result: dict, setting: Setting) -> Files:
    cases = _cases(result)
    kinds = Counter(kind for kind, _ in cases)
    counted = f'tests="{len(cases)}" failures="{kinds["failure"]}" errors="{kinds["error"]}" ' \
              f'skipped="{kinds["skipped"]}"'
    known = [(key, result[key]) for key in ("status", "score", "max_score", "points", "seed")
             if result.get(key) is not None]
    said = "\n".join([*notes(result), *([result["program_output"]] if result.get("program_output") else [])])
    return {NAME: "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="looplab" {counted}>',
        f' <testsuite name={quoteattr(result["lab"])} {counted}>', *_properties(known, "  "),
        *(text for _, text in cases), *([f"  <system-out>{escape(said)}</system-out>"] if said else []),
        " </testsuite>", "</testsuites>", ""])}


def _properties(known: list[tuple[str, object]], indent: str) -> list[str]:
    return [f"{indent}<properties>", *(f"{indent} <property name={quoteattr(key)} value={quoteattr(str(value))}/>"
                                       for key, value in known), f"{indent}</properties>"]


def _cases(result: dict) -> list[tuple[str, str]]:
    """Each with its kind: passed, failure, error or skipped."""
    titles = Counter(check["title"] for check in result["checks"])
    taken: Counter[str] = Counter()
    cases = []
    for check in result["checks"]:
        name = check["title"] if titles[check["title"]] == 1 else f"{check['title']} ({check['id']})"
        taken[name] += 1
        name += f" #{taken[name]}" if taken[name] > 1 else ""
        kind = {"passed": "", "failed": "failure"}.get(check["status"], check["status"])
        known = [(key, check[key]) for key in ("id", "score", "max_score", "src", "virtual_ns") if key in check]
        cases.append(_case(result["lab"], check["category"], name, kind, known, headline(check), body(check)))
    if result["status"] != "graded" and not any(kind == "error" for kind, _ in cases):
        kind = "failure" if result["status"] == "ungradable" else "error"
        said = result.get("message", "")
        cases.append(_case(result["lab"], "whole", "the file can be graded" if kind == "failure" else "the grader runs",
                           kind, [("src", result["src"])] if result.get("src") else [], said.split("\n")[0], said))
    return cases


def _case(lab: str, category: str, name: str, kind: str, known: list[tuple[str, object]], headline: str,
          body: str) -> tuple[str, str]:
    lines = [f"  <testcase classname={quoteattr(f'{lab}.{category}')} name={quoteattr(name)}>"]
    lines += _properties(known, "   ") if known else []
    if kind:
        lines.append(f"   <{kind} message={quoteattr(headline)}>{escape(body)}</{kind}>")
    return kind or "passed", "\n".join([*lines, "  </testcase>"])
