"""`looplab course`: checks a course file, and shows what it says."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..asking.points import CATEGORIES
from ..course import lab as labs
from ..plain.stream import for_stream
from ..plain.text import printable
from . import course_file
from .course_file import Course


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "course". Raises UsageError with all that is wrong in the file."""
    parser = argparse.ArgumentParser(prog="looplab course", description="Checks a course file, and shows it.")
    parser.add_argument("--course", metavar="TOML", default="course.toml", help="the file (default: course.toml)")
    print(for_stream(sys.stdout, "\n".join(show(course_file.read(Path(parser.parse_args(argv).course), root)))))
    return 0


def show(course: Course) -> list[str]:
    """The lines of the table. The secret is not in it."""
    lines = [printable(course.title)] if course.title else []
    lines.append(f"{'lab':<20} {'points':>6} {'weight':>6}  due")
    for use in course.uses:
        due = use.due.isoformat(" ", "minutes") if use.due else "-"
        lines.append(f"{use.lab.slug:<20} {use.points:>6} {use.weight:>6}  {due}")
    late = course.late
    lines += ["", "feedback  " + ", ".join(f"{category} {course.feedback[category]}" for category in CATEGORIES),
              "late      " + (f"{late.percent_a_day} % a day, {late.most} % at most, after {late.grace_minutes} min"
                              if late.percent_a_day else "nothing is lost"),
              "seeds     " + ("each student's own" if course.seeds == "student" else f"{course.seed} for all"),
              "tier      " + (course.tier or "none is asked for")]
    return lines
