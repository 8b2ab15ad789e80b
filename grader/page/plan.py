"""Writes what the page must know of the warm-ups, and the headers that a student's file is compiled with.

python3 plan.py PLAN HEADERS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import judge    # noqa: E402

SEED = 7


def main(plan: str, headers: str) -> None:
    """Writes both files."""
    places = {"part.h": "grader/page/c/part.h", "errno.h": "grader/page/c/include/errno.h",
              "co.h": "sim/include/co.h", "co_db.h": "sim/include/co_db.h", "warmup.h": f"labs/{judge.SLUG}/warmup.h"}
    text = {name: (judge.ROOT / place).read_text(encoding="utf-8") for name, place in places.items()}
    Path(plan).write_text(json.dumps({"seed": SEED, "warmups": judge.plan(SEED)}))
    Path(headers).write_text(json.dumps({
        "page": {"part.h": text["part.h"], "include": {"errno.h": text["errno.h"]}},
        "include": {name: text[name] for name in ("co.h", "co_db.h")}, "lab": {"warmup.h": text["warmup.h"]}}))


if __name__ == "__main__":
    main(*sys.argv[1:])
