"""A span of virtual time: an int of nanoseconds that prints in the unit a reader would choose."""

from __future__ import annotations

_UNITS = (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1))


class Duration(int):
    """Nanoseconds. Sums, differences and integer multiples stay Durations; `max` and `min` keep them anyway."""

    what: str = ""      # "as long as the reference solution takes": for messages; arithmetic drops it

    def __add__(self, other: int) -> "Duration":
        return Duration(int(self) + int(other))

    __radd__ = __add__

    def __sub__(self, other: int) -> "Duration":
        return Duration(int(self) - int(other))

    def __rsub__(self, other: int) -> "Duration":
        return Duration(int(other) - int(self))

    def __mul__(self, factor: int) -> "Duration":
        return Duration(int(self) * factor) if isinstance(factor, int) else NotImplemented

    __rmul__ = __mul__

    def __repr__(self) -> str:
        return show(self)

    __str__ = __repr__


def us(n: int) -> Duration:
    """n microseconds."""
    return Duration(n * 1_000)


def ms(n: int) -> Duration:
    """n milliseconds."""
    return Duration(n * 1_000_000)


def sec(n: int) -> Duration:
    """n seconds."""
    return Duration(n * 1_000_000_000)


def exact(ns: int) -> str:
    """As world files write it: an integer and the largest unit that loses nothing ("300ms", "1500us")."""
    ns = int(ns)
    for name, size in _UNITS:
        if ns % size == 0 and (ns or name == "ms"):
            return f"{ns // size}{name}"
    raise AssertionError("every int is a multiple of 1 ns")


def show(ns: int) -> str:
    """As messages write it: milliseconds with no needless digits ("300 ms", "0.25 ms", "30,000 ms")."""
    whole, rest = divmod(abs(int(ns)), 1_000_000)
    digits = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{'-' if ns < 0 else ''}{whole:,}{digits} ms"
