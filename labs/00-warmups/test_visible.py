"""The checks of the warm-ups: what each must do stands beside its file, in NN-name.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from looplab import points
from looplab.course import lab as labs, warmups

WARMUPS = warmups.read(labs.load(Path(__file__).parent.name))


@points(2, "correctness", alone=True)
@pytest.mark.parametrize("warmup", WARMUPS, ids=lambda warmup: warmup.name)
def test_warmup(lab, warmup):
    """{warmup.number} {warmup.title}"""
    lab.warmup(warmup)
