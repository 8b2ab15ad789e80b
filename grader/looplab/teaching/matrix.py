"""A class on GitHub's machines: a workflow of a matrix of shards, and a job that joins them.

What it may say is GitHub's workflow syntax (docs.github.com); a matrix has 256 jobs at most. What an artifact's files
may be called is narrower than what ours are called, so each is one tar file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Mapping

from ..plain.failure import UsageError

MOST = 256
FILE = ".github/workflows/class.yml"
OUT = "build/class"

_TEXT = """\
# Grades a class in @OF@ parts, and joins them: written by `make class ENGINE=github`. Start it by hand (Actions,
# class, "Run workflow"). Who can read the repository reads what was handed in: let it be a private one.
name: class
on: workflow_dispatch
permissions:
  contents: read
env:
@ENV@
jobs:
  shard:
    runs-on: ubuntu-24.04
    timeout-minutes: 180
    strategy:
      fail-fast: false
      matrix:
        number: [@NUMBERS@]
    env:
      SHARD: ${{ matrix.number }}/@OF@
    steps:
      - uses: actions/checkout@v4
      - name: Build the container
        run: docker build --tag looplab --file .devcontainer/Containerfile .devcontainer
      - name: Grade a shard; one that dies is run again
        run: |
          @DOCKER@
          for try in 1 2 3; do
            code=0
            looplab --env SHARD || code=$?
            [ "$code" != 0 ] || break
          done
          tar --create --file=shard.tar --directory="$OUT" .
          exit "$code"
      - uses: actions/upload-artifact@v4
        if: always()
        with:
          name: shard-${{ matrix.number }}
          path: shard.tar
          retention-days: 7
  join:
    needs: shard
    if: ${{ !cancelled() }}
    runs-on: ubuntu-24.04
    timeout-minutes: 180
    steps:
      - uses: actions/checkout@v4
      - name: Build the container
        run: docker build --tag looplab --file .devcontainer/Containerfile .devcontainer
      - uses: actions/download-artifact@v4
        with:
          pattern: shard-*
          path: shards
      - name: Run a shard that is missing, and join all
        run: |
          mkdir -p "$OUT"
          for tar in shards/*/shard.tar; do
            [ ! -f "$tar" ] || tar --extract --file="$tar" --directory="$OUT"
          done
          @DOCKER@
          for number in $(seq @OF@); do
            [ -f "$OUT/.shards/$number-of-@OF@/ended" ] || looplab --env SHARD="$number/@OF@"
          done
          code=0
          looplab --env JOIN="$OUT" || code=$?
          tar --create --file=class.tar --directory="$OUT" .
          [ "$code" -le 1 ]      # 1: something needs a person, and attention.csv lists it
      - uses: actions/upload-artifact@v4
        with:
          name: class
          path: class.tar
"""
_DOCKER = """\
looplab() {
            docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:$PWD" --workdir "$PWD" \\
              @WORDS@ "$@" looplab make class
          }"""


def text(of: int, said: Mapping[str, str]) -> str:
    """The workflow. said: what make is told, by name (FROM, COURSE, …); paths are within the checkout. Raises
    UsageError."""
    words = {**said, "OUT": OUT}
    for name, value in words.items():
        if "${{" in value or "\n" in value:
            raise UsageError(f"{name}={value!r}: such a name cannot stand in a workflow")
    docker = _DOCKER.replace("@WORDS@", " ".join(f"--env {name}" for name in words))
    env = "\n".join(f"  {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in words.items())
    return _TEXT.replace("@ENV@", env).replace("@NUMBERS@", ", ".join(map(str, range(1, of + 1)))) \
        .replace("@DOCKER@", docker).replace("@OF@", str(of))


def within(name: str, word: str, root: Path) -> str:
    """A path as GitHub's machines have it. Raises UsageError for one that is not in the checkout."""
    path, top = os.path.realpath(word), os.path.realpath(root)
    if os.path.commonpath([path, top]) != top or path == top:
        raise UsageError(f"{name}={word}: GitHub's machines have what is committed: expected a place in this checkout")
    return os.path.relpath(path, top)


def write(file: Path, whole: str) -> None:
    """The file, whole or not at all. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.new")
    beside.write_text(whole, "utf-8")
    beside.replace(file)
