"""Watch, stopped and ended from outside: the terminal is as it was, the exit code tells the signal, nothing is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "grader/tests/corpus/01-sync-vs-async"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "grader"), "TERM": "xterm", "NO_COLOR": "1", "PS1": "prompt> "}
WORDS = ["watch", "--lab", "01", "--seed", "7", "--from"]


@pytest.fixture
def folder(tmp_path):
    shutil.copy(CORPUS / "awaits-each/compare.c", tmp_path)
    return tmp_path


@pytest.fixture
def on(folder):
    """Starts a program on a terminal."""
    there = []

    def start(*argv: str) -> Terminal:
        there.append(Terminal(list(argv), ROOT, ENVIRONMENT))
        return there[-1]

    yield start
    for terminal in there:
        terminal.close()


@pytest.fixture
def watching(on, folder):
    return on(sys.executable, "-m", "looplab", *WORDS, str(folder))


def left(folder: Path) -> str:
    """The processes that work on this folder: of the watch, the grading, the compiler, the student."""
    return subprocess.run(["pgrep", "-a", "-f", str(folder)], capture_output=True, text=True).stdout


@pytest.mark.parametrize("name, when", [("SIGINT", "grading"), ("SIGTERM", "grading"), ("SIGHUP", "grading"),
                                        ("SIGQUIT", "grading"), ("SIGTERM", "verdict after")])
def test_a_signal_ends_it_and_the_terminal_is_as_it_was(watching, folder, name, when):
    watching.until(when)
    assert watching.raw
    os.kill(watching.pid, getattr(signal, name))
    assert watching.end() == 128 + getattr(signal, name)
    assert watching.as_before and left(folder) == ""


@pytest.mark.parametrize("key, number", [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_so_do_the_keys_for_it(watching, folder, key, number):
    watching.until(r"grading")
    watching.press(key)
    assert watching.end() == 128 + number
    assert watching.as_before and left(folder) == ""


def test_a_terminal_that_goes_away_is_a_hangup(watching, folder):
    watching.until(r"grading")
    os.close(watching.fd)
    watching.fd = -1
    pid, status = os.waitpid(watching.pid, 0)
    watching.pid = 0
    assert os.waitstatus_to_exitcode(status) == 128 + signal.SIGHUP and left(folder) == ""


def test_a_fault_of_its_own_leaves_the_terminal_as_it_was(on, folder):
    broken = "from looplab.watch import screen; screen.one_line = screen.draw = lambda *_: 1 / 0; "
    begin = f"import sys; from looplab.cli import main; sys.exit(main({[*WORDS, str(folder)]!r}))"
    watching = on(sys.executable, "-c", broken + begin)
    assert watching.end() == 3
    assert "ZeroDivisionError" in watching.screen and watching.as_before and left(folder) == ""


def test_without_a_terminal_a_signal_ends_it_too(folder):
    watching = subprocess.Popen([sys.executable, "-m", "looplab", *WORDS, str(folder)], cwd=ROOT, env=ENVIRONMENT,
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        assert "50/100" in watching.stdout.readline()
        watching.send_signal(signal.SIGTERM)
        assert watching.wait(60) == 128 + signal.SIGTERM
    finally:
        watching.kill()
        watching.wait()
        watching.stdout.close()


# ---- stopped, and gone on with ----------------------------------------------------------------


@pytest.fixture
def shell(on, folder):
    """A shell with job control, in which a watch has shown its first verdict."""
    shell = on("/bin/sh", "-i")
    shell.until(r"prompt> ")
    shell.press(f"{sys.executable} -m looplab {' '.join(WORDS)} '{folder}'\n")
    shell.until(r"verdict after")
    assert shell.raw
    return shell


def go_on_and_quit(shell: Terminal) -> None:
    shell.screen = ""
    shell.press("fg\n")
    shell.until(r"\x1b\[H\x1b\[2J[\s\S]*50/100 points[\s\S]*q quit")
    assert shell.raw
    shell.press("q")
    shell.until(r"prompt> ")
    assert shell.as_before
    shell.press("echo code=$?\n")
    shell.until(r"code=0")


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(shell):
    shell.press("\x1a")
    shell.until(r"\x1b\[\?1049l[\s\S]*prompt> ")
    assert shell.as_before
    go_on_and_quit(shell)


def test_a_stop_from_outside_gives_the_terminal_back_too(shell, folder):
    os.kill(int(left(folder).split()[0]), signal.SIGTSTP)
    shell.until(r"\x1b\[\?1049l[\s\S]*prompt> ")
    assert shell.as_before
    go_on_and_quit(shell)


def test_after_a_stop_that_nobody_can_catch_fg_takes_the_terminal_again(shell, folder):
    os.kill(int(left(folder).split()[0]), signal.SIGSTOP)
    shell.until(r"prompt> ")
    termios.tcsetattr(shell.fd, termios.TCSANOW, shell.before)      # as most shells do by themselves
    go_on_and_quit(shell)


def test_a_grading_that_was_stopped_begins_anew(shell, folder):
    """It would be held up otherwise, and the program blamed for the time that went by."""
    shell.screen = ""
    shutil.copy(CORPUS / "batches/compare.c", folder)
    shell.until(r"grading")
    shell.press("\x1a")
    shell.until(r"prompt> ")
    shell.screen = ""
    shell.press("fg\n")
    shell.until(r"grading")
    shell.until(r"makes the others wait|50/100 points")
    shell.press("q")
    shell.until(r"prompt> ")
