"""What is to be graded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from .lab import Lab


@dataclass(frozen=True)
class Order:
    """An order to grade some labs. out: the folder that gets a NN-slug folder for each. check: only this one."""

    labs: list[Lab]
    source: Path
    out: Path
    seed: int
    check: Optional[str]
