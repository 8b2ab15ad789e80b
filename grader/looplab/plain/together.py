"""Several pieces of work at the same time, a process each; what comes out is handed on in their order.

The processes share nothing: each is a fork of this one, ends with its piece of work, and sends what came out through a
pipe.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from multiprocessing import connection, get_context
from typing import Any, Callable, Iterator, Sequence

Tell = Callable[[int, int, str], None]
"""How a piece of work says how far it is: (done, of, what comes next)."""


class WorkLost(Exception):
    """A process ended without a word, or its work raised what nobody foresaw."""


@dataclass
class _Worker:
    process: Any
    pipe: connection.Connection


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(pieces: Sequence[Any], do: Callable[[Any, Tell], Any], most: int,
         progress: Callable[[int, int, int, str], None]) -> Iterator[Any]:
    """do(piece, tell) for every piece, at most `most` at a time: yields what they return, in their order, as soon as it
    is known.

    What `do` returns must survive pickling. progress(k, done, of, title) is called for what piece k tells. Raises
    WorkLost. A single piece of work, or most = 1, is done in this process.
    """
    if len(pieces) < 2 or most < 2:
        for k, piece in enumerate(pieces):
            yield do(piece, lambda done, of, title, k=k: progress(k, done, of, title))
        return
    waiting, running = list(enumerate(pieces)), {}      # type: ignore[var-annotated]
    outcomes: dict[int, Any] = {}
    try:
        for k in range(len(pieces)):
            while k not in outcomes:
                while waiting and len(running) < most:
                    number, piece = waiting.pop(0)
                    running[number] = _start(do, piece)
                _listen(running, outcomes, progress)
            yield outcomes.pop(k)
    finally:
        for worker in running.values():
            worker.process.terminate()
            worker.process.join()


def _start(do: Callable[[Any, Tell], Any], piece: Any) -> _Worker:
    fork = get_context("fork")
    mine, theirs = fork.Pipe(duplex=False)
    process = fork.Process(target=_work, args=(do, piece, theirs))
    process.start()
    theirs.close()
    return _Worker(process, mine)


def _work(do: Callable[[Any, Tell], Any], piece: Any, pipe: connection.Connection) -> None:
    """What a process does."""
    try:
        pipe.send(("done", do(piece, lambda done, of, title: pipe.send(("at", done, of, title)))))
    except Exception as fault:
        pipe.send(("lost", f"{type(fault).__name__}: {fault}"))
    except KeyboardInterrupt:       # the parent has got it, too
        pass


def _listen(running: dict[int, _Worker], outcomes: dict[int, Any],
            progress: Callable[[int, int, int, str], None]) -> None:
    """Waits until some of them say something."""
    by_pipe = {worker.pipe: k for k, worker in running.items()}
    for pipe in connection.wait(list(by_pipe)):
        k = by_pipe[pipe]       # type: ignore[index]
        try:
            said = running[k].pipe.recv()
        except EOFError:
            said = ("lost", "its process ended without a word")
        if said[0] == "at":
            progress(k, *said[1:])
            continue
        running.pop(k).process.join()
        if said[0] == "lost":
            raise WorkLost(said[1])
        outcomes[k] = said[1]
