"""Writes reports: one for each failed check of a grading, or one for a run that was asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Optional

from ..asking.check import Check
from ..grading.recorded import Recorded
from ..grading.session import Session
from ..plain.stream import in_utf8
from ..plain.text import fill
from ..reading.trace import TraceError, read
from . import ascii, beside, chrome, page, svg
from . import timeline as shape
from .subject import Subject

FORMATS = {"html": page.render, "chrome": lambda subject: chrome.render(subject.mine),
           "svg": lambda subject: figure(subject), "text": lambda subject: text(subject)}
SUFFIXES = {"html": ".html", "chrome": ".trace.json", "svg": ".svg", "text": ".txt"}


def write_failed(session: Session, checks: list[Check], out: Path, figures: bool = False) -> dict[str, Path]:
    """A page for each failed check that made a run: OUT/NN-slug/reports/<check>.html. Returns check id -> file.
    figures: a picture, too, beside each: <check>.svg.

    Raises OSError where nothing can be written.
    """
    written = {}
    for check in checks:
        if check.status == "failed":
            subject = of_check(session, check)
            if subject:
                check.report = f"reports/{_plain(check.id)}.html"
                written[check.id] = file = out / check.report
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(in_utf8(page.render(subject)))
                if figures:
                    file.with_suffix(".svg").write_bytes(in_utf8(figure(subject)))
    return written


def of_check(session: Session, check: Check) -> Optional[Subject]:
    """What a failed check is about; None if it has no run with a trace."""
    recorded = session.recorded_of(check)
    if not recorded or not recorded.trace or recorded.trace.cut:
        return None
    return Subject(session.lab.slug, check.title, shape.of(recorded.trace), _timeline(session, recorded),
                   _said(check, "cause") or _said(check, "happened"), check.src, _said(check, "expected"),
                   _said(check, "happened"), session.lab.source, source(session), check.replay or "")


def of_run(session: Session, recorded: Recorded, title: str) -> Subject:
    """What a run without a check is about. recorded has a trace."""
    assert recorded.trace
    return Subject(session.lab.slug, title, shape.of(recorded.trace), _timeline(session, recorded),
                   source_name=session.lab.source, source=source(session), replay=recorded.replay)


def _timeline(session: Session, recorded: Recorded) -> Optional[shape.Timeline]:
    """The reference in the same world; None where there is none, or it cannot be run there."""
    try:
        text_of_it = session.reference_text(recorded.call)
        return shape.of(read(text_of_it)) if text_of_it else None
    except TraceError:
        return None


def source(session: Session) -> str:
    """The student's file; "" if it cannot be read."""
    try:
        return (session.source_dir / session.lab.source).read_text(errors="replace")
    except OSError:
        return ""


def _said(check: Check, label: str) -> str:
    """What the message says behind a label, in one piece."""
    found = re.search(rf"^{label}: (.*(?:\n(?!\w+: ).*)*)", check.message, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("_")


def figure(subject: Subject) -> str:
    """The run as one picture; the reference's under it where they part."""
    return beside.render(subject) if subject.divergence else svg.render(subject.mine, title=subject.title)


def text(subject: Subject) -> str:
    """The report for terminals and logs."""
    lines = [f"{subject.lab}: {subject.title}", ""]
    said = subject.diagnosis if not subject.src or subject.src in subject.diagnosis \
        else f"{subject.src}: {subject.diagnosis}"
    lines += fill(said)
    for label, words in (("expected", subject.expected), ("happened", subject.happened)):
        lines += fill(f"{label}: {words}", indent="  ") if words else []
    lines.append("")
    for row in subject.figures():
        beside = f" reference {row.reference:>14} {row.ratio:>7}" if subject.reference else ""
        lines.append(f"  {row.name:20}{row.mine:>14}{beside}".rstrip())
    start, end = 0, max(subject.mine.end, subject.reference.end if subject.reference else 0)
    if subject.part and subject.part.needed:
        start, end = subject.part.start, subject.part.end
        lines += ["", subject.part.text()]
    lines += ["", "your run", *ascii.draw(subject.mine, end, start)]
    if subject.reference:
        lines += ["", "reference", *ascii.draw(subject.reference, end, start)]
    lines += ["", ascii.LEGEND]
    if subject.divergence:
        lines += ["", *fill(subject.divergence.text)]
    if subject.replay:
        lines += ["", f"again: {subject.replay}"]
    return "\n".join(lines) + "\n"
