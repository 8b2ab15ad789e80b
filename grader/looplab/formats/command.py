"""`looplab convert`: a results.json that is there already, or all of a folder, in other systems' formats."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ..course import lab as labs
from ..plain.failure import UsageError
from ..plain.stream import for_stream
from . import write
from .shown import Setting, read


def main(argv: list[str], root: Path = labs.ROOT) -> int:
    """The command line behind the word "convert"; returns the exit code: 0, all was written."""
    parser = argparse.ArgumentParser(prog="looplab convert", description="results.json in other systems' formats.")
    parser.add_argument("--from", dest="source", metavar="PATH", default="build/grade",
                        help="a results.json, or a folder: then all results.json in it (default: build/grade)")
    parser.add_argument("--format", action="append", required=True, metavar="NAME", help=", ".join(write.FORMATS))
    parser.add_argument("--in", dest="within", metavar="DIR", default="",
                        help="the folder of the student's file as the receiver names it (default: labs/NN-slug)")
    options = parser.parse_args(argv)
    names, source = write.chosen(options.format), Path(options.source)
    files = sorted(source.rglob("results.json")) if source.is_dir() else [source]
    if not files:
        raise UsageError(f"FROM={options.source}: there is no results.json in it")
    results = [(file, read(file)) for file in files]
    for file, result in results:
        made = write.write(result, file.parent, names, Setting(options.within, os.environ))
        said = ", ".join(path.name for path in made) or "nothing: for a fault of the grader there is no word in it"
        print(for_stream(sys.stdout, f"{file.parent}: {said}"))
    return 0
