"""`looplab watch`: waits for a save, grades, shows; and listens to single keys meanwhile."""

from __future__ import annotations

import argparse
import json
import os
import select
import shlex
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, Optional

from ..course import hints, lab as labs
from ..course.lab import Lab
from ..plain import seed as seeds
from ..plain.failure import UsageError
from ..plain.stream import for_stream
from ..telling.scorecard import Style
from ..telling.source import source_of
from . import grading, screen
from .screen import ALL, FIRST, HINT, LIST, NOTE, View

POLL_S = 0.05       # how often the file is looked at
STILL_S = 0.03      # a file that has not changed for so long is whole


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "watch". Raises UsageError, LabError, SeedError."""
    parser = argparse.ArgumentParser(prog="looplab watch",
                                     description="Grades on every save. Keys: h hint, l list, r report, a all, "
                                     "n next lab, q quit.")
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


class Place:
    """Where one was: build/watch.json. A file that is damaged counts as none."""

    def __init__(self, root: Path):
        self._file = root / "build" / "watch.json"
        try:
            lab = json.loads(self._file.read_text()).get("lab", "")
            self.lab = lab if lab in labs.slugs(root) else ""
        except (OSError, ValueError, AttributeError):
            self.lab = ""

    def remember(self, lab: Lab) -> None:
        """Remembers the lab; where nothing can be written, nothing is remembered."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps({"lab": lab.slug}) + "\n")
        except OSError:
            pass


class Watch:
    """The loop. One grading at most is under way; a save while it is stops it and begins anew."""

    def __init__(self, lab: Lab, source: Path, seed: int, place: Place):
        self.source, self.seed, self.place = source, seed, place
        self.out = lab.root / "build" / "grade"
        self.terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.style = Style(colour=self.terminal and "NO_COLOR" not in os.environ)
        self.under_way: Optional[grading.Grading] = None
        self.saved_at = 0.0
        self.dirty = True
        self._go_to(lab)

    def _go_to(self, lab: Lab) -> None:
        self.lab = lab
        folder = self.source / lab.slug
        self.folder = folder if folder.is_dir() else self.source
        self.file = self.folder / lab.source
        self.seen: object = None        # the file as it was graded last
        self.view = View(lab.slug, lab.source)
        self.place.remember(lab)
        self.dirty = True

    # ---- the loop ----

    def run(self) -> int:
        """Until q, the end of the terminal, or Ctrl-C. Returns the exit code."""
        grading.load()
        # also where a shell has started us in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with _keys(self.terminal) as keys:
            try:
                while True:
                    self._look()
                    self._settle()
                    if self.dirty:
                        self._draw()
                    key = _next_key(keys, POLL_S)
                    if key == "q":
                        return 0
                    if key:
                        self._press(key)
            finally:
                if self.under_way:
                    self.under_way.stop()

    def _look(self) -> None:
        """Has the file been saved? Then grades it."""
        now = _stamp(self.file)
        if now == self.seen:
            return
        if now is not None:
            time.sleep(STILL_S)
            if _stamp(self.file) != now:
                return          # still being written
        self.seen, self.dirty = now, True
        if self.under_way:
            self.under_way.stop()
            self.under_way = None
        if now is None:
            self.view.result, self.view.state = None, ""
            self._say(FIRST if self.terminal else NOTE,
                      [f"{self.lab.source} is gone: save it again, or put it back from git."])
            self.view.show = NOTE
            return
        self.saved_at = time.monotonic()
        self.view.state, self.view.offset = "grading …", 0
        self.view.show = FIRST if self.view.show == NOTE else self.view.show
        self.under_way = grading.Grading(self.lab, self.folder, self.out, self.seed)

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
        if not self.terminal:
            print(screen.one_line(self.view, time.strftime("%H:%M:%S")), flush=True)

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
        sys.stdout.write("\x1b[H\x1b[2J\x1b[3J" + text)
        sys.stdout.flush()

    # ---- the keys ----

    def _press(self, key: str) -> None:
        self.dirty = True
        if key in ("resize", "redraw"):
            return
        if key in ("down", "up", "space"):
            self.view.offset += {"down": 1, "up": -1, "space": max(shutil.get_terminal_size().lines - 8, 1)}[key]
            return
        self.view.offset = 0
        if key in "la":
            wanted = LIST if key == "l" else ALL
            self.view.show = FIRST if self.view.show == wanted else wanted
        elif key == "h":
            self._say(HINT, self._hint())
        elif key == "r":
            self._say(NOTE, self._report())
        elif key == "n":
            self._next_lab()
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
            return ["No check has failed, so there is no report. For a run of your own: make report LAB="
                    + self.lab.number]
        path = self.out / self.lab.slug / page
        if (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) and shutil.which("xdg-open"):
            import subprocess

            subprocess.Popen(["xdg-open", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
            return ["Opened in the browser:", *_whole(path)]
        return ["Open this in a browser:", *_whole(path)]

    def _next_lab(self) -> None:
        names = labs.slugs(self.lab.root)
        following = names[(names.index(self.lab.slug) + 1) % len(names)]
        if self.under_way:
            self.under_way.stop()
            self.under_way = None
        self._go_to(labs.load(following, self.lab.root))


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


# ---- the terminal ----

_ARROWS = {"[A": "up", "[B": "down", "OA": "up", "OB": "down", "[6~": "space"}


@contextmanager
def _keys(terminal: bool) -> Iterator[Optional[int]]:
    """Standard input as single keys without echo, put back in the end; None where it is no terminal."""
    if not terminal or not sys.stdin.isatty():
        yield None
        return
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    ours, theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    old = signal.signal(signal.SIGWINCH, lambda number, frame: None)
    waker = signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    global _resized
    _resized = ours
    try:
        tty.setcbreak(descriptor)
        sys.stdout.write("\x1b[?1049h\x1b[?25l")
        yield descriptor
    finally:
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGWINCH, old)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
        _resized = -1
        os.close(ours)
        os.close(theirs)


_resized = -1


def _next_key(keys: Optional[int], wait_s: float) -> str:
    """The next key, "resize", or "" after wait_s. "q" also when the terminal is gone."""
    if keys is None:
        time.sleep(wait_s)
        return ""
    ready, _, _ = select.select([keys, _resized], [], [], wait_s)
    if _resized in ready:
        os.read(_resized, 512)
        return "resize"
    if keys not in ready:
        return ""
    pressed = os.read(keys, 16).decode("ascii", "replace")
    if not pressed or pressed == "\x04":
        return "q"
    if pressed[0] == "\x1b":
        return _ARROWS.get(pressed[1:], "redraw")
    return {" ": "space", "j": "down", "k": "up"}.get(pressed[0], pressed[0].lower())
