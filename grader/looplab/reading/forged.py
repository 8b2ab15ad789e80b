"""Reports that no lab's main.c has written: a program that means no good can report, too.

A check reads what main.c reports without asking whether it is there. Where that goes wrong, this tells whose doing it
is: in the reference's run of the same situation the same names must have values of the same kinds.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional

from ..plain.failure import Cause, Failure


def told(happened: str) -> Failure:
    """The failure of a program that has done so, or has kept main.c from reporting."""
    return Failure("each call returns to main.c, which reports it", happened,
                   Cause("never reported", "does something cancel tasks that are not its own, or end them in another "
                                           "way, or report by itself?"))


def no_memory() -> Failure:
    """The failure of a program whose word on its memory is not there in the end."""
    return Failure("the kit's part of the program tells how much memory it took", "that was not there to be read",
                   Cause("no memory told", "does the program write or remove files that it did not make?"))


def written(name: Optional[str]) -> Failure:
    """The failure of a program that has reported by itself: what is called `name`; None: nobody knows which."""
    return told("what is reported is not what main.c can report" if name is None else
                f"what is reported as {name!r} is not what main.c reports")


def unlike(reports: Mapping[str, Any], right: Mapping[str, Any]) -> Optional[str]:
    """The name of the first report that is missing, or is not of the kind of the right one. None: there is none."""
    return next((name for name in right if name not in reports or not _alike(right[name], reports[name])), None)


def _alike(right: Any, found: Any) -> bool:
    if right is None:
        return True                     # what is not there may be of any kind
    if isinstance(right, dict):
        return isinstance(found, dict) and right.keys() == found.keys() \
            and all(_alike(right[key], found[key]) for key in right)
    if isinstance(right, list):
        return isinstance(found, list) and len(found) >= len(right) \
            and (not right or all(_alike(right[0], one) for one in found))
    if type(right) is int:
        return type(found) is int
    if isinstance(right, (int, float)) and not isinstance(right, bool):
        return isinstance(found, (int, float)) and not isinstance(found, bool)
    return type(found) is type(right)
