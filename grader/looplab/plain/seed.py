"""The seed of a grading: numbers differ from student to student, so none can be passed on or printed from memory."""

from __future__ import annotations

import getpass
import hashlib
import random
from typing import Mapping, Optional

MOST = 999_999


class SeedError(ValueError):
    """Not a seed; the message is one line."""


def parse(text: str) -> int:
    """The seed that is written: "7" is 7. Raises SeedError for all that is not a whole number in 1..999999."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST):
        raise SeedError(f"SEED={text}: expected a whole number from 1 to {MOST}")
    return int(text)


def of_student(name: str) -> int:
    """The same seed for the same name, on every machine."""
    return int.from_bytes(hashlib.sha256(b"looplab/seed/v1\0" + name.encode()).digest()[:8], "big") % MOST + 1


def choose(given: Optional[str], env: Mapping[str, str]) -> int:
    """The seed that is given, else that of $LOOPLAB_STUDENT, else that of the login name."""
    if given:
        return parse(given)
    return of_student(env.get("LOOPLAB_STUDENT") or _login())


def _login() -> str:
    try:
        return getpass.getuser()
    except Exception:       # no name for this user id, as in some containers: everybody there is the same student
        return "nobody"


def rng(seed: int, check: str) -> random.Random:
    """The numbers of one check: they depend on the seed and its id alone, not on which other checks run."""
    return random.Random(f"{seed}/{check}")
