"""`python -m looplab`. What ends it before there is a verdict ends it with 3 or a signal's code, never with Python's
own 1, which would read as a grade."""

import os
import signal
import sys
import time
from typing import Any

FAULT = 3           # results.FAULT, known before anything of the grader is imported
_ended_by = signal.SIGINT
_ended_s = -10.0


def _end(number: int, frame: Any) -> None:
    """Ends what is under way as Ctrl-C does. It may come twice: from the terminal, and from make (make_exit.c)."""
    global _ended_by, _ended_s
    if time.monotonic() - _ended_s > 1:
        _ended_by, _ended_s = signal.Signals(number), time.monotonic()
        raise KeyboardInterrupt


def _listen() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Else whoever started us wants it ignored.
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end)


def _open_streams() -> None:
    """Gives this process the standard streams that it was started without, so that no other file takes their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:      # Python's way to say that it was closed
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))


def _run() -> int:
    try:
        _open_streams()
        _listen()
        from .cli import main
        from .plain.stream import bytes_as_they_are

        bytes_as_they_are(sys.stdout)
        code = main(sys.argv[1:])
        sys.stdout.flush()
        return code
    except SystemExit as ended:         # argparse has answered
        return ended.code if ended.code in (0, 2) else FAULT
    except KeyboardInterrupt:
        return 128 + _ended_by
    except BrokenPipeError:             # `… | head`: nobody reads on
        return 128 + signal.SIGPIPE
    except OSError as fault:
        about = f": {fault.filename}" if fault.filename else ""
        return _told(f"this machine cannot go on: {fault.strerror or fault}{about}")
    except ImportError as fault:
        return _told(f"{sys.executable} cannot run the grader: {fault}. Say make clean, then the same again: make "
                     "looks for a Python anew")
    except BaseException as fault:
        return _told(f"internal error: {type(fault).__name__}: {fault}")


def _told(said: str) -> int:
    try:
        print(f"looplab: {said}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass                            # nobody to tell
    return FAULT


def _let_go(stream: Any, number: int) -> None:
    """What could not be written stays unwritten, so that Python does not fail over it in the end, with its own code."""
    try:
        stream.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)


if sys.pycache_prefix:      # in build/: byte code kept there is in nobody's way, and makes the next start much quicker
    sys.dont_write_bytecode = False
code = _run()
_let_go(sys.stdout, 1)
_let_go(sys.stderr, 2)
sys.exit(code)
