"""What is to be graded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .lab import Lab


@dataclass(frozen=True)
class Order:
    """An order to grade some labs. out: the folder that gets a NN-slug folder for each. check: only this one.
    figures: with a picture of each failed check's run beside its page, for a class's."""

    labs: list[Lab]
    source: Path
    out: Path
    seed: int
    check: Optional[str]
    figures: bool = False
