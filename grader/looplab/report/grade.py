"""Grades one lab: its checks, a page for each that fails, results.json, and the card."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Optional

from ..course.lab import Lab
from ..course.order import Order
from ..grading.begin import begin
from ..grading.run_checks import run_checks
from ..grading.session import Session
from ..plain import alone, together
from ..running import process
from ..telling import results
from ..telling.scorecard import Source, Style, card
from ..telling.source import source_of
from ..telling.ticks import Ticks
from . import writer

if TYPE_CHECKING:       # it pulls in pytest, which is imported while the compilers run
    from ..grading.plugin import Checks


@dataclass(frozen=True)
class Graded:
    """What came of one lab."""

    result: Optional[dict]      # results.json; None: it could not be written
    text: str                   # the scorecard; or the fault in one line


def grade(lab: Lab, order: Order, style: Style, tell: together.Tell) -> Graded:
    """Grades one lab and writes its results."""
    try:
        with alone.in_folder(order.out / lab.slug, f"another grading that writes to {order.out / lab.slug}"):
            result, source = _graded(lab, order, tell)
            results.write(result, order.out / lab.slug)
    except OSError as fault:
        return Graded(None, f"looplab: {lab.slug}: {fault.strerror}: {fault.filename}")
    return Graded(result, card(result, style, source))


def _graded(lab: Lab, order: Order, tell: together.Tell) -> tuple[dict, Source]:
    """Raises OSError where results cannot be written."""
    began = time.monotonic()
    folder = order.source / lab.slug if (order.source / lab.slug).is_dir() else order.source
    out = order.out / lab.slug
    _clear(out)
    session = begin(lab, folder, out, order.seed)
    try:
        checks = run_checks(session, order.check, tell)
        _draw(session, checks, out, order.figures)
        elapsed = time.monotonic() - began
        again = f"make grade LAB={lab.number}"
        if folder.resolve() != lab.folder.resolve():
            again += f" FROM={shlex.quote(session.short(folder))}"
        result = _result(lab, order, session, checks, elapsed)
        if result["status"] == "graded" and lab.launch.is_file():
            results.shut_in(result, process.shut_in(lab.launch).tier, session.judged)
        if lab.warmups and result["status"] == "graded":
            Ticks(lab, order.out, folder).note(result)
        digest = results.digest_of(lab, folder)
        result.update({"file_sha256": digest} if digest else {})
        return result, source_of(lab, folder, again, session.short(out))
    except KeyboardInterrupt:
        session.give_up()
        raise
    finally:
        session.close()


def _draw(session: Session, checks: Checks, out: Path, figures: bool) -> None:
    """The pages of the failed checks. Where the disk has filled up meanwhile there are none, and the result says so."""
    try:
        if not session.room.fault:
            writer.write_failed(session, checks.checks, out, figures)
    except OSError:
        session.room.look()
        if not session.room.fault:
            raise


def _clear(out: Path) -> None:
    """Takes away the last grading's result and worlds, so that none of them is ever taken for this one's."""
    out.mkdir(parents=True, exist_ok=True)
    for old in [out / "results.json", *(out / "worlds").glob("*.json"), *(out / "worlds").glob("*.urls"),
                *(out / "reports").glob("*.html"), *(out / "reports").glob("*.svg")]:
        old.unlink(missing_ok=True)


def _result(lab: Lab, order: Order, session: Session, checks: "Checks", elapsed_s: float) -> dict:
    if checks.fault:
        return results.error(lab.slug, checks.fault, order.seed, elapsed_s)
    if checks.ungradable:
        src, said = checks.ungradable.src, checks.ungradable.message
        placed = f"{src}: {said}" if src and ":" in src and src not in said else said
        return results.ungradable(lab.slug, placed, checks.ungradable.src, order.seed, elapsed_s,
                                  sum(check.worth for check in checks.checks))
    assert session.program
    return results.graded(lab.slug, checks.checks, order.seed, elapsed_s, session.program.advice, session.output,
                          order.check)
