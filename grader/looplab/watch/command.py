"""`looplab watch`: waits for a save, grades, shows; and listens to single keys meanwhile."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Optional

from ..course import hints, lab as labs, skeleton, warmups
from ..course.lab import Lab
from ..plain import seed as seeds
from ..plain.failure import UsageError
from ..plain.stream import for_stream
from ..telling import progress
from ..telling.scorecard import Style
from ..telling.source import source_of
from ..telling.ticks import Ticks
from . import grading, screen
from .place import Place
from .screen import ALL, FIRST, HINT, LIST, NOTE, View
from .signals import Signals
from .terminal import GONE, Terminal

POLL_S = 0.05       # how often the file is looked at
STILL_S = 0.03      # a file that has not changed for so long is whole


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "watch". Raises UsageError, LabError, SeedError."""
    parser = argparse.ArgumentParser(prog="looplab watch", description="Grades on every save. "
                                     f"Keys: {', '.join(screen.KEYS)}.")
    parser.add_argument("--lab", metavar="L", help="1, 01 or 01-sync-vs-async (default: where you were last time)")
    parser.add_argument("--from", dest="source", metavar="DIR", default="labs",
                        help="where the files are (default: labs)")
    parser.add_argument("--seed", metavar="N", help="1 to 999999")
    options = parser.parse_args(argv)
    seed = seeds.choose(options.seed, os.environ) if options.seed is None else seeds.parse(options.seed)
    source = Path(options.source) if options.source != "labs" or Path("labs").is_dir() else root / "labs"
    if not source.is_dir():
        raise UsageError(f"FROM={options.source}: there is no such folder")
    place = Place(root)
    lab = labs.resolve(options.lab or place.lab or labs.slugs(root)[0], root)
    return Watch(lab, source, seed, place).run()


class Watch:
    """The loop. One grading at most is under way; a save while it is stops it and begins anew."""

    def __init__(self, lab: Lab, source: Path, seed: int, place: Place):
        self.source, self.seed, self.place = source, seed, place
        self.out = lab.root / "build" / "grade"
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.style = Style(colour=self.terminal and "NO_COLOR" not in os.environ)
        self.keys: Optional[Terminal] = None        # None: nobody presses keys
        self.signals = Signals()
        self.under_way: Optional[grading.Grading] = None
        self.saved_at = 0.0
        self.dirty = True
        self._go_to(lab, place.source if lab.slug == place.lab else "")

    def _go_to(self, lab: Lab, source: str = "", also_done: bool = False) -> None:
        """source: which of several files; else, and where that one is done, the first that is not; also_done: that one
        in any case."""
        folder = self.source / lab.slug
        self.folder = folder if folder.is_dir() else self.source
        self.ticks = Ticks(lab, self.out, self.folder) if lab.warmups else None
        if self.ticks:
            wanted = source in lab.sources and (also_done or self.ticks.of(source) != "done")
            lab = lab.part(source if wanted else self.ticks.next() or lab.sources[0])
        self.lab = lab
        self.stays = bool(self.ticks) and self.ticks.of(lab.source) == "done"   # it is looked at again, on purpose
        self.file = self.folder / lab.source
        self.seen: object = None        # the file as it was graded last
        self.asked: Optional[Callable[[], list[str]]] = None    # what "y" does: the question is on the screen
        self.view = View(lab.slug, lab.source)
        self._count()
        self.place.remember(lab)
        self.dirty = True

    # ---- the loop ----

    def run(self) -> int:
        """Until q, a signal, or the end of the terminal. Returns the exit code: 0, or 128 and the signal's number."""
        grading.load()
        with ExitStack() as stack:
            stack.enter_context(self.signals)
            if self.terminal and sys.stdin.isatty():
                self.keys = stack.enter_context(Terminal())
            stack.callback(self._stop_grading)
            while not self.signals.ended:
                self._look()
                self._settle()
                if self.dirty:
                    self._draw()
                key = self._next_key()
                if key == "q":
                    return 0
                if key:
                    self._press(key)
            return 128 + self.signals.ended

    def _next_key(self) -> str:
        """The next key, or what a signal asks for; "" after POLL_S."""
        ready = self.signals.wait([self.keys.keys] if self.keys else [], POLL_S)
        if self.signals.ended:
            return ""
        if self.signals.take(signal.SIGTSTP):
            return self._pause(group=False)
        if self.signals.take(signal.SIGCONT) and self.keys:
            self.keys.enter()
            return "redraw"
        if self.signals.take(signal.SIGWINCH):
            return "redraw"
        key = self.keys.key() if self.keys and ready else ""
        if key == "stop":
            return self._pause(group=True)
        ends = {"interrupt": signal.SIGINT, "quit": signal.SIGQUIT, GONE: signal.SIGHUP}
        if key in ends:
            self.signals.ended = self.signals.ended or ends[key]
            return ""
        return key

    def _pause(self, group: bool) -> str:
        """Stops until we are continued. A grading under way would be held up in the middle, and blame the program for
        the time that went by: it begins anew afterwards."""
        if self._stop_grading():
            self.seen = None
        if self.keys:
            self.keys.leave()
        self.signals.stop(group)
        if self.keys:
            self.keys.enter()
        return "redraw"

    def _stop_grading(self) -> bool:
        """Ends the grading that is under way. False: there was none."""
        if not self.under_way:
            return False
        self.under_way.stop()
        self.under_way = None
        return True

    def _look(self) -> None:
        """Has the file been saved? Then grades it."""
        now = _stamp(self.file)
        if now == self.seen:
            return
        if now is not None:
            time.sleep(STILL_S)
            if _stamp(self.file) != now:
                return          # still being written
        self.seen, self.dirty, self.asked = now, True, None
        self._stop_grading()
        if now is None:
            self.view.result, self.view.state = None, ""
            self._say(FIRST if self.terminal else NOTE,
                      [f"{self.lab.source} is gone: save it again, or press x to have it as it was handed out."])
            self.view.show = NOTE
            return
        self.saved_at = time.monotonic()
        self.view.state, self.view.offset = "grading …", 0
        self.view.show = FIRST if self.view.show == NOTE else self.view.show
        self.under_way = grading.Grading(
            self.lab, self.folder, self.out, self.seed,
            only=f"test_warmup[{self.lab.source[:-2]}]" if self.ticks else None)

    def _settle(self) -> None:
        """Takes in the verdict, if it is there."""
        if not self.under_way or not self.under_way.done():
            return
        self.view.result, self.view.state, self.dirty = self.under_way.result(), "", True
        self.view.took_s = time.monotonic() - self.saved_at
        self.view.source = source_of(self.lab, self.folder, self._again(), str(self.out / self.lab.slug))
        self.under_way = None
        if self.view.result is None:
            self.view.state = "the grader did not finish; make grade says why"
        self._count()
        if not self.terminal:
            print(screen.one_line(self.view, time.strftime("%H:%M:%S")), flush=True)
        if self.ticks and not self.stays and self.view.result and self.view.result.get("score"):
            self._go_on()

    def _go_on(self) -> None:
        """A warm-up is right: on to the next that is not, by itself."""
        ticks = Ticks(self.lab, self.out, self.folder)
        following = ticks.next(self.lab.source)
        if following is None:
            self._say(NOTE, [f"All {len(ticks.sources)} warm-ups are done.", "", "n goes on to the first lab."])
            return
        right = warmups.one(self.lab, self.lab.source)
        self._go_to(self.lab, following)
        now = warmups.one(self.lab, following)
        so_far = f"{ticks.done} of {len(ticks.sources)} are done"
        self.view.lead = [f"  ✓ {right.number} {right.title}: right, and {so_far}.",
                          f"  Now open {following}: {now.title}", ""]

    def _again(self) -> str:
        words = f"make grade LAB={self.lab.number}"
        return words if self.folder == self.lab.folder else f"{words} FROM={shlex.quote(str(self.folder))}"

    def _draw(self) -> None:
        self.dirty = False
        if not self.terminal:
            return
        width, height = shutil.get_terminal_size((80, 24))
        lines = screen.draw(self.view, max(width, 20), max(height, 8), self.style)
        text = for_stream(sys.stdout, "\n".join(lines))
        if self.keys:
            self.keys.draw(text)
        else:
            print(text, flush=True)

    # ---- the keys ----

    def _press(self, key: str) -> None:
        self.dirty = True
        if key == "redraw":
            return
        if key in ("down", "up", "space"):
            self.view.offset += {"down": 1, "up": -1, "space": max(shutil.get_terminal_size().lines - 8, 1)}[key]
            return
        self.view.offset = 0
        if self.asked:
            act, self.asked = self.asked, None
            self._say(NOTE, act() if key == "y" else ["Nothing was changed."])
        elif key in ("l", "a"):
            wanted = LIST if key == "l" else ALL
            self.view.show = FIRST if self.view.show == wanted else wanted
        elif key == "h":
            self._say(HINT, self._hint())
        elif key == "r":
            self._say(NOTE, self._report())
        elif key in ("n", "p") and self.ticks and self._beside(1 if key == "n" else -1):
            self._stop_grading()
            self._go_to(self.lab, self._beside(1 if key == "n" else -1), True)
        elif key in ("n", "p"):
            names = labs.slugs(self.lab.root)
            self._jump(names[(names.index(self.lab.slug) + (1 if key == "n" else -1)) % len(names)])
        elif key == "g":
            self._say(NOTE, self._labs())
        elif key.isdigit():
            self._jump_to(int(key))
        elif key == "x":
            self._ask_reset()
        else:
            self.view.show = FIRST

    def _say(self, show: str, text: list[str]) -> None:
        self.view.show, self.view.text, self.view.offset = show, text, 0
        if not self.terminal:
            print("\n".join(text), flush=True)

    def _hint(self) -> list[str]:
        try:
            known = hints.read(self.lab)
        except OSError:
            return ["This lab has no hints."]
        if not known:
            return ["This lab has no hints."]
        todo = hints.current(self.lab, known, self.file)
        return hints.show(known[todo], hints.next_level(self.lab, todo, known[todo]))

    def _report(self) -> list[str]:
        """Opens the report of the first failed check where there is a desktop; says where it is in any case."""
        checks = self.view.result["checks"] if self.view.result else []
        page = next((check["report"] for check in checks if check["status"] == "failed" and "report" in check), None)
        if not page:
            return [f"A warm-up has no report. Run it: make run LAB={self.lab.number} MODE={self.lab.source[:2]}"
                    if self.ticks else "No check has failed, so there is no report. For a run of your own: "
                                       f"make report LAB={self.lab.number}"]
        path = self.out / self.lab.slug / page
        if (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and shutil.which("xdg-open"):
            import subprocess

            subprocess.Popen(["xdg-open", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
            return ["Opened in the browser:", *_whole(path)]
        return ["Open this in a browser:", *_whole(path)]

    def _jump(self, slug: str) -> None:
        self._stop_grading()
        self._go_to(labs.load(slug, self.lab.root))

    def _beside(self, step: int) -> str:
        """The warm-up in front of this one, or behind it; "" at the end."""
        at = self.lab.sources.index(self.lab.source) + step
        return self.lab.sources[at] if 0 <= at < len(self.lab.sources) else ""

    def _jump_to(self, number: int) -> None:
        slug = next((slug for slug in labs.slugs(self.lab.root) if int(slug[:2]) == number), None)
        if slug:
            self._jump(slug)
        else:
            self._say(NOTE, [f"There is no lab {number}.", "", *self._labs()])

    def _states(self) -> list[progress.State]:
        """Where each lab stands whose file is at hand."""
        found = labs.find_labs(self.lab.root)
        folders = [(lab, self.source / lab.slug if (self.source / lab.slug).is_dir() else self.source) for lab in found]
        return [progress.state(lab, self.out, folder / lab.source) for lab, folder in folders]

    def _labs(self) -> list[str]:
        states = self._states()
        return [*(f"{'>' if state.lab.slug == self.lab.slug else ' '}{state.line()}" for state in states), "",
                "Press a lab's number to go there; n and p go on and back by one."]

    def _count(self) -> None:
        states = self._states()
        self.view.labs, self.view.full = len(states), sum(state.full for state in states)
        if self.ticks:
            ticks = Ticks(self.lab, self.out, self.folder)
            self.view.done = f"{ticks.done}/{len(ticks.sources)} warm-ups"

    # ---- back to the beginning ----

    def _ask_reset(self) -> None:
        try:
            handed_out = skeleton.find(self.lab)
        except skeleton.NoSkeleton as fault:
            self._say(NOTE, [f"{self.lab.source} cannot be had as it was handed out: {fault}"])
            return
        if self.file.exists() and self.file.read_bytes() == handed_out.text:
            self._say(NOTE, [f"{self.lab.source} is as it was handed out (commit {handed_out.commit})."])
            return
        kept = "What you have is kept in a file beside it." if self.file.exists() else "There is no such file now."
        self._say(NOTE, [f"Begin lab {self.lab.number} again, with {self.lab.source} as it was handed out "
                         f"(commit {handed_out.commit})?", "", kept, "", "y yes   any other key no"])
        self.asked = lambda: self._reset(handed_out)

    def _reset(self, handed_out: skeleton.Skeleton) -> list[str]:
        try:
            kept = skeleton.put_back(self.file, handed_out.text)
        except OSError as fault:
            return [f"Nothing was changed: {fault.strerror}: {fault.filename}"]
        said = [f"{self.lab.source} is as it was handed out."]
        return said + ["", "What you had is in", *_whole(kept)] if kept else said


def _whole(path: Path) -> list[str]:
    """The path from here, in as many lines as it takes: cut short it would be of no use."""
    said, width = os.path.relpath(path), shutil.get_terminal_size().columns
    return [said[start:start + width] for start in range(0, len(said), width)]


def _stamp(file: Path) -> object:
    """Changes whenever the file is saved; None: it is not there."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
