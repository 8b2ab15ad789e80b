"""`looplab class`: a folder of submissions in, a result a student, tables and pages out.

What is graded already, from the same file by the same kit, is not graded again; so a run that was ended in the middle
goes on where it was, and ends with the same bytes as one that was not.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Iterator, Mapping, Optional, Sequence

from ..course import lab as labs
from ..plain import alone, seed as seeds, together
from ..plain.failure import UsageError
from ..plain.stream import for_stream
from ..plain.text import WIDTH, count, cut, printable
from ..running.tier import asked_for
from ..telling import results
from ..telling.progress_line import ProgressLine
from . import (course_file, engine, feedback, gradebook, handed_in, intake, matrix, page, pool, roster, shards, shelf,
               slurm, tables)
from .intake import Submission
from .outcome import Outcome

TABLES = ("grades.csv", "attention.csv", "class.html")
ALL_WELL, PERSON = 0, 1     # exit codes: everything was graded; something needs a person (attention.csv)


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "class"; returns the exit code."""
    options = _arguments(argv)
    intake.check_places(options.source, options.out)
    course = course_file.read(Path(options.course), root) if options.course else None
    with asked_for(course.tier if course and course.tier in ("A", "B") else None):      # C is tried anyway
        return _class(options, course, root)


def _class(options: argparse.Namespace, course: Optional[course_file.Course], root: Path) -> int:
    source, out = Path(options.source), Path(options.out)
    shard = shards.parse(options.shard) if options.shard else None
    listed = roster.read(Path(options.roster)) if options.roster else None
    chosen = _chosen(options, course, root)
    if options.engine and not _on_engine(options, root, chosen, listed):
        return ALL_WELL
    with _alone(out, shard), _scratch(out, shard) as scratch:
        taken = intake.of_source(source, chosen, scratch)
        if not taken.submissions and not taken.troubles:
            raise UsageError(f"FROM={options.source}: nobody's files are there; expected a folder, a zip or a file of "
                             "Canvas's for each student")
        book, another = _gradebook(options, out, taken, chosen, listed)
        outcome = Outcome(chosen, taken.students, troubles=[*taken.troubles, *another], course=course)
        own = _seeds(options, course, taken.students, listed)
        _leave_out_unused(taken.submissions, outcome, options)
        if options.join:
            _join(taken.submissions, outcome, out, root, own)
        elif shard:
            return _one_shard(taken.submissions, outcome, out, root, shard, options, own)
        else:
            _grade(taken.submissions, outcome, out, root, options, own)
        if listed:
            _call_roll(outcome, listed)
        if course:
            outcome.apply_late(_times(taken, outcome, book, scratch, source), taken.marked_late)
            outcome.check_tier()
    filled = {}
    if book:
        filled[Path(options.gradebook).name], troubles = gradebook.fill(book, outcome)
        outcome.troubles += troubles
    _write(outcome, out, filled, options.names)
    shards.clear(out)
    return _told(outcome, out)


def _on_engine(options: argparse.Namespace, root: Path, chosen: Sequence[labs.Lab],
               listed: Optional[roster.Roster]) -> bool:
    """Has the shards of the class graded elsewhere; then they are to be joined. False: that is a workflow's to do."""
    out = Path(options.out)
    with _alone(out, None), _scratch(out, None) as scratch:
        taken = intake.of_source(Path(options.source), chosen, scratch)
    _gradebook(options, out, taken, chosen, listed)         # what is wrong with it is told now
    hosts = tuple((options.hosts or "").replace(",", " ").split())
    most = {"slurm": slurm.MOST, "github": matrix.MOST}.get(options.engine, shards.MOST)
    of = engine.shards_for(len(taken.submissions), options.shards or "", len(hosts), most)
    said = {"FROM": options.source, "ROSTER": options.roster, "COURSE": options.course}
    if options.engine == "github":
        _write_workflow(options, root, of, {name: word for name, word in said.items() if word})
        return False
    each = options.jobs if options.engine == "slurm" else options.each
    words = ["class", "--out", engine.absolute(options.out), *(["--jobs", each] if each else [])]
    words += [f"--{name.lower()}={engine.absolute(word)}" for name, word in said.items() if word]
    words += [f"--{name}={word}" for name, word in (("lab", options.lab), ("seed", options.seed)) if word]
    engine.run(engine.Work(options.engine, engine.command(root, words), out.absolute(), of,
                           int(options.jobs), hosts))
    options.join = options.out
    return True


def _write_workflow(options: argparse.Namespace, root: Path, of: int, places: Mapping[str, str]) -> None:
    said = {name: matrix.within(name, word, root) for name, word in places.items()}
    said.update({name: word for name, word in (("LAB", options.lab), ("SEED", options.seed)) if word})
    file = root / matrix.FILE
    matrix.write(file, matrix.text(of, said))
    print(f"{matrix.FILE}: {count(of, 'shard')}, and a job that joins them. Commit it, push it to a\n"
          'private repository, and start it there (Actions, class, "Run workflow"); the artifact "class" holds what '
          "comes out.")


@contextmanager
def _alone(out: Path, shard: Optional[shards.Shard]) -> Iterator[None]:
    """One class at a time in a folder; shards of it beside each other, but each of them once."""
    with alone.in_folder(out, f"another class that is graded into {out}", shared=shard is not None):
        if not shard:
            yield
            return
        with alone.in_folder(shard.folder(out), f"the same shard, {shard}, that is graded into {out}"):
            yield


@contextmanager
def _scratch(out: Path, shard: Optional[shards.Shard]) -> Iterator[Path]:
    """An empty folder for what is unpacked. It lies where results go: what one that was killed has left there goes away
    with the next."""
    folder = (shard.folder(out) if shard else out) / ".unpacked"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _chosen(options: argparse.Namespace, course: Optional[course_file.Course], root: Path) -> list[labs.Lab]:
    """The labs that are graded."""
    known = [use.lab for use in course.uses] if course \
        else [lab for lab in labs.find_labs(root) if not lab.warmups]
    if not options.lab:
        return known
    asked = labs.asked(options.lab, root)
    if course and asked not in known:
        raise UsageError(f"LAB={options.lab}: COURSE={options.course} does not use it; it uses "
                         f"{', '.join(lab.slug for lab in known)}")
    return [asked]


def _seeds(options: argparse.Namespace, course: Optional[course_file.Course], students: Sequence[str],
           listed: Optional[roster.Roster]) -> dict[str, int]:
    """Each student's seed. With a course file it is the course's, by the id on the roster where there is one."""
    if options.seed:
        return dict.fromkeys(students, seeds.parse(options.seed))
    if not course:
        return {student: seeds.of_student(student) for student in students}
    ids = {}
    for student in students:
        found = listed.of(student) if listed else []
        ids[student] = found[0].id or student if len(found) == 1 else student
    by_id = course.seeds_of(sorted(set(ids.values())))
    return {student: by_id[ids[student]] for student in students}


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="looplab class", description="Grade a class: every student's files.")
    parser.add_argument("--from", dest="source", metavar="DIR", required=True,
                        help="a folder (or zip) with an entry for each student, as Moodle, Canvas, Gradescope or git "
                             "leave it")
    parser.add_argument("--out", metavar="DIR", help="where results go (default: build/class)")
    parser.add_argument("--roster", metavar="CSV", help="who is in the class: columns id, name, email")
    parser.add_argument("--gradebook", metavar="CSV", help="Canvas's or Moodle's export: OUT gets it with the grades")
    parser.add_argument("--lab", metavar="L", help="only this lab (default: every lab of which files are there)")
    parser.add_argument("--course", metavar="TOML", help="a course file: labs, points, dates, feedback, seeds")
    parser.add_argument("--jobs", metavar="N", help="so many at a time (default: cores)")
    parser.add_argument("--seed", metavar="N", help="the same numbers for all (default: each student's own)")
    parser.add_argument("--shard", metavar="K/N", help="only this part of the class: 2/7; all parts have one OUT")
    parser.add_argument("--join", metavar="DIR", help="grade nothing: make the tables of shards whose OUT this was")
    parser.add_argument("--names", action="store_true", help="say on the class page who has made which mistake")
    parser.add_argument("--engine", metavar="E", help=f"who runs the shards: {', '.join(engine.NAMES)}")
    parser.add_argument("--shards", metavar="N", help=f"so many (default: one for {engine.EACH} submissions)")
    parser.add_argument("--hosts", metavar="H,H", help="parallel's, as ssh knows them; they see this checkout and OUT")
    options = parser.parse_args(argv)
    _check_engine(options)
    options.each = options.jobs                 # on other machines: None leaves it to each of them
    options.jobs = options.jobs or str(together.cores())
    if options.shard and (options.join or options.gradebook):
        raise UsageError("SHARD: JOIN and GRADEBOOK are for the whole class, when all shards have ended")
    if options.join and not Path(options.join).is_dir():
        raise UsageError(f"JOIN={options.join}: there is no such folder")
    if options.join and options.out and Path(options.out).resolve() != Path(options.join).resolve():
        raise UsageError(f"JOIN={options.join}: that is where results go; leave OUT={options.out} out")
    options.out = options.join or options.out or "build/class"
    if not (options.jobs.isascii() and options.jobs.isdigit() and 1 <= int(options.jobs) <= 256):
        raise UsageError(f"JOBS={options.jobs}: expected a whole number from 1 to 256")
    if options.seed is not None:
        seeds.parse(options.seed)
    return options


def _check_engine(options: argparse.Namespace) -> None:
    """Raises UsageError."""
    if options.engine and options.engine not in engine.NAMES:
        raise UsageError(f"ENGINE={options.engine}: expected {', '.join(engine.NAMES[:-1])} or {engine.NAMES[-1]}")
    if options.engine and (options.shard or options.join):
        raise UsageError(f"ENGINE={options.engine}: SHARD and JOIN are said by the engine itself")
    if options.engine == "github" and (options.out or options.gradebook):
        raise UsageError("ENGINE=github: OUT and GRADEBOOK are for the machine that grades: leave them out, and fill "
                         "the gradebook from the results that come back")
    for name, for_whom in (("shards", engine.NAMES), ("hosts", ("parallel",))):
        if getattr(options, name) and options.engine not in for_whom:
            raise UsageError(f"{name.upper()}={getattr(options, name)}: that is for ENGINE={for_whom[0]}")


# ---- Grading ----


def _leave_out_unused(submissions: Sequence[Submission], outcome: Outcome, options: argparse.Namespace) -> None:
    """A lab of which nobody has handed in anything is none of this class."""
    used = {submission.lab.slug for submission in submissions}
    if not options.lab:
        outcome.labs = [lab for lab in outcome.labs if lab.slug in used]
        outcome.troubles = [one for one in outcome.troubles
                            if not one.lab or one.lab in used or one.kind not in ("nothing", "not begun")]


def _keyed(submissions: Sequence[Submission], outcome: Outcome, out: Path, root: Path,
           own: dict[str, int]) -> Iterator[tuple[Submission, str, shelf.Place]]:
    """Each submission, what its result depends on, and where that lies."""
    rules = shelf.version(root, outcome.labs)
    for submission in submissions:
        yield (submission, shelf.key(submission, own[submission.student], rules[submission.lab.slug]),
               shelf.place(out, submission))


def _grade(submissions: Sequence[Submission], outcome: Outcome, out: Path, root: Path,
           options: argparse.Namespace, own: dict[str, int]) -> dict[shards.Key, bool]:
    """Grades what is not graded yet. Returns those that have no lasting result, and whether they were cut off."""
    pieces, keys = [], []
    without: dict[shards.Key, bool] = {}
    for submission, key, place in _keyed(submissions, outcome, out, root, own):
        known = place.result(key)
        if known:
            outcome.add(submission.student, submission.lab, known, False)
            continue
        place.clear(submission)
        pieces.append(pool.Piece(len(pieces), submission.lab, place.handed_in, place.folder.parent,
                                 own[submission.student]))
        keys.append((submission, key, place))
    for piece, result, was_cut in _with_progress(pieces, int(options.jobs), len(submissions)):
        submission, key, place = keys[piece.number]
        if result and not was_cut and result["status"] != "error":
            result = place.finish(result, key)
        else:
            without[submission.student, submission.lab.slug] = was_cut
        outcome.add(submission.student, submission.lab, result, was_cut)
    return without


def _one_shard(submissions: Sequence[Submission], outcome: Outcome, out: Path, root: Path, shard: shards.Shard,
               options: argparse.Namespace, own: dict[str, int]) -> int:
    """Grades a part of the class; the tables are made when all parts are joined."""
    mine = shard.part(submissions)
    shard.begin(out)
    shard.end(out, _grade(mine, outcome, out, root, options, own))
    there = for_stream(sys.stdout, os.fspath(out))
    print(f"shard {shard}: {len(mine)} of {count(len(submissions), 'submission')} graded in {there}; when all shards "
          f"have ended, JOIN={there} makes the tables")
    return ALL_WELL


def _join(submissions: Sequence[Submission], outcome: Outcome, out: Path, root: Path, own: dict[str, int]) -> None:
    """Takes every result from the shards; grades nothing. Raises UsageError where something is missing."""
    joined, missing = shards.joined(out), []
    for submission, key, place in _keyed(submissions, outcome, out, root, own):
        cut = joined.without.get((submission.student, submission.lab.slug))
        result = place.result(key)
        if result is None and cut is None:
            missing.append(submission)
            continue
        was_cut = bool(cut) and result is None
        outcome.add(submission.student, submission.lab, result if result or was_cut else place.result(), was_cut)
    joined.check(missing)


def _with_progress(pieces: Sequence[pool.Piece], jobs: int, of: int) -> Iterator[pool.Done]:
    """Says how far it is: on a terminal in one line, else every half minute."""
    begun, told, known = time.monotonic(), time.monotonic(), of - len(pieces)
    line = ProgressLine(sys.stderr)
    for done, one in enumerate(pool.each(pieces, jobs), start=1):
        yield one
        now = time.monotonic()
        said = f"graded, {_span((now - begun) / done * (len(pieces) - done))} left"
        line.step(0, known + done, of, said)
        if not sys.stderr.isatty() and now - told >= 30:
            told = now
            print(f"{known + done}/{of} {said}", file=sys.stderr, flush=True)
    line.clear()


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


# ---- What comes out ----


def _times(taken: intake.Intake, outcome: Outcome, book: Optional[gradebook.Book], *tops: Path) -> dict[
        tuple[str, str], datetime]:
    """When each was handed in, where something tells: by student and lab. tops: the folders that all of it lies in."""
    times: dict[tuple[str, str], datetime] = {}
    assert outcome.course
    for one in taken.submissions if outcome.course.late.percent_a_day else ():
        use = outcome.course.use(one.lab.slug)
        rows = book.row(one.student, outcome.people.get(one.student)) if book and book.handed_in else []
        told = handed_in.of_moodle(book.handed_in[rows[0]], use.due.tzinfo) if book and len(rows) == 1 and use.due \
            else None
        top = next((top for top in tops if top in one.file.parents), None)
        clones = [handed_in.of_clone(file, top) for _, file in one.files] if top and use.due else []
        when = taken.times.get(one.student) or told or max(filter(None, clones), default=None)
        times.update({(one.student, one.lab.slug): when} if when else {})
    return times


def _call_roll(outcome: Outcome, listed: roster.Roster) -> None:
    """Says who of the roster each folder is, who is absent, and whom nobody knows."""
    present: set[roster.Student] = set()
    for folder in outcome.students:
        found = listed.of(folder)
        if len(found) == 1:
            outcome.people[folder] = found[0]
        else:
            said = " or ".join(student.name or student.id for student in found) or "nobody on the roster"
            kind = "two on the roster" if found else "not on the roster"
            outcome.troubles.append(intake.Trouble(folder, "", kind, f"{folder} may be {said}"))
        present.update(found)
    outcome.troubles += [intake.Trouble(word, "", "roster", said) for word, said in listed.twice]
    outcome.absent = [student for student in listed.students if student not in present]
    outcome.troubles += [intake.Trouble(student.name or student.id, "", "absent", "nothing was handed in")
                         for student in outcome.absent]


def _gradebook(options: argparse.Namespace, out: Path, taken: intake.Intake, chosen: Sequence[labs.Lab],
               listed: Optional[roster.Roster]) -> tuple[Optional[gradebook.Book], list[intake.Trouble]]:
    """The teacher's export, looked at before anything is graded. One of another course is told of, and left as it is.
    Raises UsageError."""
    if not options.gradebook:
        return None, []
    path = Path(options.gradebook)
    if path.name in (*TABLES, *taken.students):
        raise UsageError(f"GRADEBOOK={options.gradebook}: OUT gets a file of that name; give yours another one")
    if path.resolve() == (out / path.name).resolve():
        raise UsageError(f"GRADEBOOK={options.gradebook}: it lies in OUT, where it would be written over")
    used = {submission.lab.slug for submission in taken.submissions}
    book = gradebook.read(path, [lab for lab in chosen if lab.slug in used or options.lab])
    another = gradebook.another_course(book, taken.students, listed)
    return (None, [intake.Trouble("", "", "gradebook", another)]) if another else (book, [])


def _write(outcome: Outcome, out: Path, filled: Mapping[str, bytes], names: bool) -> None:
    """The tables and pages, each whole or not at all. filled: files as they are, by name. names: on the class page."""
    texts: dict[str, str] = {"grades.csv": tables.grades(outcome), "attention.csv": tables.attention(outcome),
             "class.html": page.render(outcome, out, names)}
    levels = outcome.course.feedback if outcome.course else {}
    for student in outcome.students:
        mine = [outcome.results[student, lab.slug] for lab in outcome.labs if (student, lab.slug) in outcome.results]
        troubles = [one for one in outcome.sorted_troubles() if one.student == student
                    and one.kind not in ("grader fault", "gradebook")
                    and not (one.lab and (student, one.lab) in outcome.results)]
        texts[f"{student}/feedback.md"] = feedback.markdown(student, mine, troubles, levels)
        texts[f"{student}/feedback.html"] = feedback.page(student, mine, troubles, levels)
    whole = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    for name, data in {**whole, **filled}.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        beside = out / f"{name}.new"
        beside.write_bytes(data)
        beside.replace(out / name)
    for left in out.iterdir():          # of students who are not there any more
        if left.is_dir() and left.name not in outcome.students and (left / "feedback.md").exists():
            shutil.rmtree(left, ignore_errors=True)


def _told(outcome: Outcome, out: Path) -> int:
    """Says what came of it; returns the exit code."""
    there = for_stream(sys.stdout, os.fspath(out))
    print(f"{count(len(outcome.students), 'student')}, {count(len(outcome.results), 'result')} in {there}: grades.csv, "
          "class.html, and feedback.html in each student's folder")
    for one in outcome.sorted_troubles()[:10]:
        print(for_stream(sys.stdout, cut(f"  {one.kind}: {printable(one.student)} {one.lab}: {printable(one.said)}",
                                         WIDTH)))
    if outcome.untold:
        print(f"  late rules were not applied to {count(outcome.untold, 'result')}: the export does not tell when")
    more = len(outcome.troubles) - 10
    if outcome.troubles:
        print((f"  and {more} more; " if more > 0 else "  ") + "attention.csv lists what needs a person")
    if any(one.kind == "grader fault" for one in outcome.troubles):
        return results.FAULT
    return PERSON if outcome.troubles else ALL_WELL
