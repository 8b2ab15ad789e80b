"""`make bench`: every row is there, the JSON has the form that it promises, and the benchmarks themselves are sound C.
How fast anything is, no test says: that depends on the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from looplab.running.build import compiler

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "sim" / "bench"
NAMES = ("yield spawn queue rendezvous lock sem event cancel timeout sleep_1k sleep_10k sleep_100k sleep_1m http "
         "task_bytes").split()
TARGETS = ("yield", "spawn", "queue", "sleep_1k", "sleep_100k", "http", "task_bytes")
TRACED = ("yield", "spawn", "queue", "sleep_1k", "http")

sys.path.insert(0, str(ROOT / "grader" / "scripts"))
import bench  # noqa: E402

sys.path.pop(0)


def make(**variables: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", "bench", *(f"{name}={value}" for name, value in variables.items())], cwd=ROOT,
                          env=env, text=True, capture_output=True, timeout=300)


def test_a_quick_run_gives_every_row(tmp_path: Path) -> None:
    """The table has each row, its target where it has one, and a figure with the trace on; the JSON has exactly the
    names."""
    file = tmp_path / "with blank.json"
    run = make(QUICK="1", JSON=str(file))
    assert run.returncode == 0, run.stdout + run.stderr
    lines = {line.split()[0]: line for line in run.stdout.splitlines() if line[:1].isalpha() and "  " in line}
    for name in ["call", "yield_apart", *NAMES]:
        assert name in lines, run.stdout
    for name in TARGETS:
        assert "  ok" in lines[name] or "  MISSED" in lines[name], lines[name]
    for name in TRACED:
        assert lines[name].split()[-1][0].isdigit(), lines[name]
    rows = json.loads(file.read_text())
    assert [row["name"] for row in rows] == NAMES
    for row in rows:
        assert row["ns"] > 0 and row["peers"] == {}, row
        assert set(row) == {"name", "ns", "peers"} | ({"bytes"} if row["name"] == "task_bytes" else set()), row


def test_the_table_says_what_misses_its_target(capsys: pytest.CaptureFixture[str]) -> None:
    """On a slower machine targets are scaled by the yardstick, bytes are not; wall time is told where it differs."""
    rows = bench.table()
    for row in rows:
        row.cpu = row.wall = 20.0
    rows[0].cpu = rows[0].wall = 2.8
    by_name = {row.name: row for row in rows}
    by_name["yield"].cpu = 15.9
    by_name["spawn"].cpu = 44.1
    by_name["queue"].wall = 30.0
    by_name["task_bytes"].cpu = 4302.0
    by_name["yield"].peers = {"st": 31.8}
    bench.print_table(rows, [peer for peer in bench.peers() if peer.name == "st"])
    out = capsys.readouterr().out
    said = {line.split()[0]: line for line in out.splitlines()}
    assert "scaled by 2.00" in out
    assert "ok" in said["yield"] and "16.0" in said["yield"] and "31.8 (2.0x)" in said["yield"]
    assert "MISSED" in said["spawn"] and "MISSED" in said["task_bytes"] and "4,301" in said["task_bytes"]
    assert "queue 30.0" in out.splitlines()[-1]


def test_help_says_what_the_json_holds() -> None:
    run = subprocess.run([sys.executable, "-B", str(ROOT / "grader/scripts/bench.py"), "--help"], text=True,
                         capture_output=True)
    assert run.returncode == 0 and '"bytes"' in run.stdout and '"peers"' in run.stdout


@pytest.mark.parametrize("peer", bench.peers(), ids=lambda peer: peer.name)
def test_a_peer_measures_what_it_shares(peer: bench.Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the peer is installed: each row gives a figure, or says that it is not shared; something is shared."""
    monkeypatch.setattr(bench, "OUT", tmp_path)
    wrong = bench.prepare(peer)
    if wrong:
        pytest.skip(wrong)
    figures = [bench.measure([*peer.command, name, "1000"]) for name in NAMES]
    assert sum(figure is not None for figure in figures) >= 4
    for figure in figures:
        assert figure is None or (figure[0] > 0 and figure[1] > 0)


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmarks, built with ASan and UBSan."""
    library = ROOT / "build/kit/libco-asan.a"
    if not library.exists():
        pytest.skip("build/kit/libco-asan.a is not built")
    program = tmp_path_factory.mktemp("bench") / "bench"
    built = subprocess.run([*compiler(), "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
                            "-fsanitize=address,undefined", "-Isim/include", *map(str, sorted(BENCH.glob("*.c"))),
                            str(library), "-ljansson", "-lm", "-lpthread", "-o", str(program)],
                           cwd=ROOT, text=True, capture_output=True)
    assert built.returncode == 0, built.stderr
    return program


@pytest.mark.parametrize("trace", [False, True], ids=["silent", "traced"])
@pytest.mark.parametrize("name", ["call", "yield_apart", *NAMES])
def test_the_sanitizers_have_no_complaint(sanitized: Path, name: str, trace: bool) -> None:
    options = ["--repeat", "2", "--count", "1000", "--tasks", "40"] + (["--trace", "/dev/null"] if trace else [])
    run = subprocess.run([str(sanitized), *options, name], text=True, capture_output=True, timeout=60)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    word, cpu, wall = run.stdout.split()
    assert word == name and float(cpu) > 0 and float(wall) > 0


def test_wrong_words_are_refused(sanitized: Path) -> None:
    for words in ([], ["nonsense"], ["--count"], ["yield", "spawn"]):
        run = subprocess.run([str(sanitized), *words], text=True, capture_output=True, timeout=60)
        assert run.returncode == 2 and run.stderr.startswith("usage: ") and run.stdout == ""


def test_no_program_of_a_peer_is_forgotten() -> None:
    """Each file of peers/ is run by the driver, or is what the others share."""
    known = {peer.source for peer in bench.peers()} | {"peer.h", "peer.py"}
    known |= {"connections.c"}          # of make bench REAL=1
    assert {path.name for path in (BENCH / "peers").iterdir() if path.name != "__pycache__"} == known


