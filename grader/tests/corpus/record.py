"""Grades the corpus and writes what came out into each verdict.json; `names` and `misconception` stay as they are.
Where `names` is empty, it becomes what the first message says: read whether that is the cause.

    python3 grader/tests/corpus/record.py [entry...]       # or NN-slug/entry; then read the diff: each change wants a
                                                           reason

What lies in ../corpus-more is as good: further misconceptions, and more of the same. `make test` leaves it out to stay
within ten minutes, `make test ALL=1` does not.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CORPUS = Path(__file__).resolve().parent
sys.path[:0] = [str(CORPUS.parent), str(CORPUS.parents[1])]
from looplab.teaching.lab_rules import verdict  # noqa: E402
from warm import looplab  # noqa: E402

SEED = 7
CORE = sorted(path.parent for path in CORPUS.glob("*/*/*.c"))      # a folder for each submission
MORE = sorted(path.parent for path in (CORPUS.parent / "corpus-more").glob("*/*/*.c"))
ENTRIES = CORE + (MORE if os.environ.get("LOOPLAB_ALL") else [])


def grade(entry: Path, out: Path) -> dict:
    """results.json of a submission."""
    lab = entry.parent.name
    done = looplab("grade", "--lab", lab, "--from", entry, "--out", out, "--seed", SEED, timeout_s=120)
    result = out / lab / "results.json"
    assert result.exists(), done.stdout + done.stderr
    return json.loads(result.read_text())


def of_entry(entry: Path) -> dict:
    """The verdict.json of a submission; empty if there is none yet."""
    file = entry / "verdict.json"
    return json.loads(file.read_text()) if file.exists() else {}


def first_cause(result: dict) -> str:
    """The beginning of the first cause that a submission is told, as a regular expression."""
    told = next((check["message"] for check in result["checks"] if check["status"] == "failed"), "")
    cause = re.findall(r"^(?:cause|happened): (.{0,100})", told, re.M)[-1:]
    return re.sub(r"\d[\d,.]*", r"\\d\\S*", re.escape(cause[0].rpartition(" ")[0] or cause[0])) if cause else ""


def record(entry: Path) -> None:
    with tempfile.TemporaryDirectory() as out:
        result = grade(entry, Path(out))
    got, told = verdict(result), of_entry(entry)
    names = told.get("names") or first_cause(result) if told.get("misconception") else ""
    got.update(names=names, misconception=told.get("misconception", ""))
    new = entry / "verdict.json.new"            # whoever ends this leaves whole files
    new.write_text(json.dumps(got, indent=2, ensure_ascii=False) + "\n")
    new.replace(entry / "verdict.json")
    print(f"{'-' if got['score'] is None else got['score']:>3}  {entry.parent.name}/{entry.name}")


if __name__ == "__main__":
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(record, entry) for entry in CORE + MORE
                     if len(sys.argv) == 1 or {entry.name, f"{entry.parent.name}/{entry.name}"} & {*sys.argv[1:]}]:
            done.result()
