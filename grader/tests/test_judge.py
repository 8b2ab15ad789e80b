"""The judge (sim/judge): it holds the world of a program that cannot reach it. What the two say to each other is in
sim/world/remote/wire.h; more of the wire is in sim/tests/judge."""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from grading import grade
from judged import FINISH, JUDGE, Judge, ask, block, get, happened, hello, lines, message, run_judged, submit, wait
from looplab.course.lab import load
from looplab.reading import trace as reading
from looplab.reading.woven import weave
from looplab.running.build import compiler
from variants import ALL, BUILD, ROOT

LABS = sorted(path.parent.name for path in (ROOT / "labs").glob("*/worlds") if path.parent.name != "00-warmups")
WORLDS = [(lab, path.name) for lab in LABS for path in sorted((ROOT / "labs" / lab / "worlds").glob("*.json"))]
EXAMPLES = sorted(path.stem for path in (ROOT / "sim/examples").glob("*.json"))     # those that have a world
SEVERAL_RUNS = {"46-rate-limiter", "54-anti-unbounded-tasks", "59-leaky-bucket", "63-impatience", "64-shared-link"}
TAPE = "1=1,2=1,4=1,7=2,11=1"
THREE = ROOT / "labs/01-sync-vs-async/worlds/three.json"
URL = b"http://breakfast.test/tea"


def modes(program: Path) -> list[str]:
    """The modes that a lab's program has."""
    shown = subprocess.run([program, "--help"], text=True, capture_output=True, check=True).stdout
    return re.findall(r"^  ([\w-]+) +\S", shown.split("Modes")[1].split("Options:")[0], re.MULTILINE)


def assert_same(folder: Path, program: list[object], *, world: Path | str = "", seed: int = 0, tape: str = "",
                name: str = "program", env: dict[str, str] | None = None) -> bytes:
    """A program does, prints and leaves the same, whether its world is its own or a judge's. Returns the record."""
    alone = folder / "alone"
    words = ["--world", world, "--seed", seed] if world else []
    words += ["--tape", tape] if tape else []
    run = subprocess.run([*map(str, program), *map(str, words)], cwd=ROOT, env={"CO_TRACE": str(alone), **(env or {})},
                         capture_output=True, timeout=60)
    judged = run_judged(folder, [*program, "--judge", "{judge}", "--seed", seed], words, name)
    assert (judged.code, judged.stdout, judged.stderr) == (run.returncode, run.stdout, run.stderr)
    text = alone.read_bytes()
    assert lines(judged.record, "world") == lines(text, "world")
    assert lines(judged.own, "runtime") == lines(text, "runtime") and lines(judged.own, "world") == []
    assert weave(judged.own.decode(), judged.record.decode()) == text.decode()
    assert judged.record.splitlines()[0] == text.splitlines()[0] == judged.own.splitlines()[0]
    return judged.record


# ---- The same, with a judge and without ------------------------------------------------------------------


@pytest.mark.parametrize("lab, world", WORLDS)
def test_a_reference_does_the_same_in_a_judges_world(lab, world, tmp_path):
    program = BUILD / "kit" / lab / "reference"
    for mode in modes(program):
        record = assert_same(tmp_path, [program, mode], world=f"labs/{lab}/worlds/{world}", seed=7, name=lab)
        read = reading.read(record.decode())
        assert read.of("leave", "judge")[0]["why"] == "ended"


@pytest.mark.parametrize("lab", LABS)
def test_it_does_so_in_another_order_too(lab, tmp_path):
    """The judge holds the tape: the program's questions and the world's are one row."""
    program = BUILD / "kit" / lab / "reference"
    for mode in modes(program):
        assert_same(tmp_path, [program, mode], world=f"labs/{lab}/worlds/default.json", tape=TAPE, name=lab)


@pytest.mark.parametrize("lab", LABS if ALL else LABS[:1])      # of the others make builds no such program each time
def test_it_does_so_with_sanitizers_and_json(lab, tmp_path):
    program = BUILD / "solutions" / "asan" / lab / "program"
    assert_same(tmp_path, [program, "--json"], world=f"labs/{lab}/worlds/default.json", name=lab)


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """All examples that have a world, as one program."""
    folder = tmp_path_factory.mktemp("examples")
    objects = [folder / f"{example}.o" for example in EXAMPLES]
    for example, made in zip(EXAMPLES, objects):
        subprocess.run([*compiler(), "@sim/kit/student.flags", "-Isim/include", f"-Dmain=main_{example[:2]}", "-c",
                        f"sim/examples/{example}.c", "-o", made], cwd=ROOT, check=True)
    names = [f"main_{example[:2]}" for example in EXAMPLES]
    calls = "".join(f"    case {int(name[5:])}: return {name}();\n" for name in names)
    (folder / "all.c").write_text("#include <stdlib.h>\n" + "".join(f"int {name}(void);\n" for name in names) +
                                  "int main(int argc, char **argv)\n{\n    switch (argc > 1 ? atoi(argv[1]) : 0) {\n"
                                  f"{calls}    }}\n    return 3;\n}}\n")
    subprocess.run([*compiler(), folder / "all.c", *objects, "build/kit/libco.a", "@sim/kit/link.flags", "-o",
                    folder / "all"], cwd=ROOT, check=True)
    return folder / "all"


@pytest.mark.parametrize("example", sorted(set(EXAMPLES) - SEVERAL_RUNS))
def test_an_example_does_the_same_in_a_judges_world(example, examples, tmp_path):
    """CO_WORLD=judge:N goes before the file that the program names. (A judge serves one run: those that call co_run
    more than once are left out.)"""
    alone = tmp_path / "alone"
    run = subprocess.run([examples, example[:2]], cwd=ROOT, env={"CO_TRACE": str(alone)}, capture_output=True,
                         timeout=60)
    assert run.returncode == 0
    judged = run_judged(tmp_path, [examples, example[:2]], ["--world", f"sim/examples/{example}.json"],
                        env={"CO_WORLD": "judge:{judge}"})
    assert (judged.code, judged.stdout, judged.stderr) == (0, run.stdout, run.stderr)
    assert lines(judged.record, "world") == lines(alone.read_bytes(), "world")
    assert weave(judged.own.decode(), judged.record.decode()).split("\n")[1:] == alone.read_text().split("\n")[1:]


def test_what_does_not_fit_into_a_packet_comes_whole(tmp_path):
    """Bodies and files larger than a message, either way."""
    world = {"world": "looplab/world/v1", "sites": [{"url": "http://a.test", "routes": [
        {"path": f"/{i}", "latency": "5ms", "body": chr(97 + i) * 300_000} for i in range(3)]}]}
    (tmp_path / "world.json").write_text(json.dumps(world))
    record = assert_same(tmp_path, [BUILD / "kit/01-sync-vs-async/reference", "async"], world=tmp_path / "world.json",
                         name="01-sync-vs-async")
    assert record.count(b'"bytes":300000') == 3
    urls = [{"path": f"/{'x' * 200}{i}", "body": "x"} for i in range(500)]
    (tmp_path / "world.json").write_text(json.dumps({**world, "sites": [{"url": "http://a.test", "routes": urls}]}))
    record = assert_same(tmp_path, [BUILD / "kit/01-sync-vs-async/reference", "async"], world=tmp_path / "world.json",
                         name="01-sync-vs-async")
    assert record.count(b'"ev":"http.start"') == 500


# ---- Whatever the program does, the judge comes to its end ------------------------------------------------


def leaves(record: str) -> list[tuple[int, str, str]]:
    """(program, why, told) of each that has left."""
    return [(event["program"], event["why"], event.get("told", ""))
            for event in reading.read(record).of("leave", "judge")]


@pytest.mark.parametrize("variant", ["plain", "asan"])
def test_each_wrong_message_is_told(variant):
    """sim/tests/judge/test_judge.c"""
    run = subprocess.run([BUILD / "tests" / variant / "judge" / "test_judge"], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, cwd=ROOT, timeout=300)
    assert run.returncode == 0, run.stdout[-3000:]


def test_drawn_messages_do_the_judge_no_harm():
    """sim/tests/judge/fuzz_wire.c, with ASan and UBSan."""
    count = 1_000_000 if ALL else 10_000
    run = subprocess.run([BUILD / "tests/asan/judge/fuzz_wire", str(count)], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, cwd=ROOT, timeout=3000)
    assert run.returncode == 0, run.stdout[-3000:]
    assert int(run.stdout.split()[0]) >= count


def test_a_program_that_is_killed_is_gone(tmp_path):
    with Judge(tmp_path / "record") as judge:
        program = judge.start(["sleep", "1000"])
        program.send_signal(signal.SIGKILL)
        program.communicate()
        assert leaves(judge.finish()) == [(1, "gone", "")]


def test_a_program_that_never_reads_is_left(tmp_path):
    with Judge(tmp_path / "record") as judge:
        judge.ends[0].send(hello())
        with pytest.raises(OSError):
            while True:
                judge.ends[0].send(wait(0))
        assert leaves(judge.finish()) == [(1, "wrong", "it does not read what it is answered")]


def test_a_program_that_sends_for_ever_is_left(tmp_path):
    with Judge(tmp_path / "record", "--messages", 3000) as judge:
        assert ask(judge.ends[0], hello())[0] == "WELCOME"
        while ask(judge.ends[0], wait(0))[0]:
            pass
        assert leaves(judge.finish()) == [(1, "limit", "it sent more messages than a run may")]


def test_a_program_that_says_nothing_is_left(tmp_path):
    with Judge(tmp_path / "record", "--seconds", 0) as judge:
        assert leaves(judge.finish()) == [(1, "limit", "its time was up")]


def test_a_program_that_is_left_ends_and_its_trace_tells_how_far_it_came(tmp_path):
    judged = run_judged(tmp_path, [BUILD / "kit/01-sync-vs-async/reference", "--judge", "{judge}", "async"],
                        ["--world", THREE, "--messages", 5])
    assert (judged.code, judged.stderr) == (70, b"the judge has ended this run\n")
    assert leaves(judged.record.decode()) == [(1, "limit", "it sent more messages than a run may")]
    assert lines(judged.own, "runtime") != []


def test_the_world_is_not_within_reach(tmp_path):
    """The program has the connection, and no other descriptor that it was not given before; what is sent along cannot
    be changed."""
    world = {"world": "looplab/world/v1", "sites": [{"url": "http://a.test",
                                                     "routes": [{"path": "/", "body": "x" * 100_000}]}]}
    with Judge(tmp_path / "record", "--world", json.dumps(world)) as judge:
        end = judge.ends[0]
        ask(end, hello())
        ask(end, get(b"http://a.test/", user=5))
        end.send(wait(1 << 62))
        answer, descriptors, _, _ = socket.recv_fds(end, 1 << 17, 4)
        assert happened(answer[16:])[1] == [(5, 7, 0)] and len(descriptors) == 1
        bytes_at = descriptors[0]
        assert os.pread(bytes_at, 1 << 20, 0).endswith(b"x" * 100_000)
        for change in (lambda: os.pwrite(bytes_at, b"y", 0), lambda: os.ftruncate(bytes_at, 3),
                       lambda: os.ftruncate(bytes_at, 1 << 20)):
            with pytest.raises(PermissionError):
                change()
        assert fcntl.fcntl(bytes_at, 1034) == 15        # F_GET_SEALS: write, grow, shrink, seal
        os.close(bytes_at)
        ask(end, FINISH)
        end.close()
        assert leaves(judge.finish()) == [(1, "ended", "")]


def test_what_a_program_hands_over_is_not_taken(tmp_path):
    """A descriptor that it sends along goes nowhere."""
    with Judge(tmp_path / "record") as judge:
        end = judge.ends[0]
        assert ask(end, hello())[0] == "WELCOME"
        held = os.listdir(f"/proc/{judge.process.pid}/fd")
        for _ in range(3):
            socket.send_fds(end, [wait(0)], [end.fileno()] * 5)
            assert end.recv(1 << 17)
        assert os.listdir(f"/proc/{judge.process.pid}/fd") == held
        end.close()
        assert leaves(judge.finish()) == [(1, "gone", "")]


def test_a_message_to_the_judge_and_back_can_be_measured():
    """sim/tests/judge/round_trip.c; how long it takes depends on who else uses the machine."""
    run = subprocess.run([BUILD / "tests/plain/judge/round_trip", "200"], text=True, capture_output=True, timeout=60)
    assert run.returncode == 0 and re.findall(r"^(\w+) +[\d.]+ us median", run.stdout, re.M) == ["message", "fetch"]


# ---- The record --------------------------------------------------------------------------------------------


def test_each_line_of_a_record_fits_the_schema(tmp_path):
    schema = pytest.importorskip("test_trace_schema", reason="no python3-jsonschema here (make deps-dev)")
    with Judge(tmp_path / "record", "--world", THREE, n=2) as judge:
        one, other = judge.ends
        ask(one, hello())
        ask(one, get(URL))
        ask(one, submit(4, [b"x"]))             # WORLD_SESSION_CLOSE takes no data
        ask(other, hello())
        ask(other, get(URL))
        ask(other, submit(3, [b"result", b"[1]"]))
        ask(other, submit(2, fn=1, job=1))      # WORLD_JOB
        assert ask(other, block(1000))[0] == "CALL"
        assert ask(other, message("RETURNED", struct.pack("<iiq", 0, 0, 500)))[0] == "TIME"
        ask(other, FINISH)
        other.close()
        record = judge.finish()
    kinds = schema.check(record)
    assert {"header", "judge:join", "judge:leave", "world:http.start", "world:report", "world:cpu.submit",
            "world:cpu.block"} <= kinds
    told = {event.get("program") for event in map(json.loads, record.splitlines()[1:])
            if event["ev"] in ("http.start", "report", "cpu.submit", "cpu.block")}
    assert told == {1, 2}


@pytest.mark.parametrize("words, said", [
    (["--world", '{"world":"looplab/world/v1","sites":3}'], "/sites: expected"),
    (["--tape", "x"], 'tape: "x"'),
    (["--seed", "-1"], "expected a whole number"),
    (["--speed", "1"], "there is no such option"),
    (["--serve", "999999"], "no SOCK_SEQPACKET"),
])
def test_the_judges_own_words_may_be_wrong(words, said, tmp_path):
    with Judge(tmp_path / "record", *words) as judge:
        _, told = judge.process.communicate(timeout=60)
        assert judge.process.returncode == 2 and said in told and len(told.splitlines()) == 1


def test_a_judge_needs_somebody_to_serve(tmp_path):
    run = subprocess.run([JUDGE, "--record", tmp_path / "record"], text=True, capture_output=True, timeout=60)
    assert run.returncode == 2 and "--serve" in run.stderr


def test_a_judge_holds_the_tape_alone(tmp_path):
    judged = run_judged(tmp_path, [BUILD / "kit/01-sync-vs-async/reference", "--judge", "{judge}", "--tape", "1=1"])
    assert judged.code == 2 and b"the judge holds the tape" in judged.stderr


@pytest.mark.parametrize("number", ["", "x", "-1", "3x", "12345678"])
def test_a_program_is_told_of_a_descriptor(number):
    run = subprocess.run([BUILD / "kit/01-sync-vs-async/reference", "--judge", number], text=True, capture_output=True,
                         timeout=60)
    assert run.returncode == 2 and "expected a descriptor" in run.stderr


# ---- Several programs on one clock --------------------------------------------------------------------------


def nothing_came(end: socket.socket) -> bool:
    """Is there no answer yet? To be asked when the judge has answered another program since."""
    try:
        end.recv(1 << 17, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    return False


def answered(end: socket.socket) -> tuple[int, list[tuple[int, int, int]]]:
    """The next answer, HAPPENED."""
    return happened(end.recv(1 << 17)[16:])


def test_time_moves_when_all_wait(tmp_path):
    with Judge(tmp_path / "record", "--world", THREE, n=2) as judge:
        one, other = judge.ends
        ask(one, hello())
        one.send(wait(1000))
        assert ask(other, hello())[0] == "WELCOME" and nothing_came(one)
        assert ask(other, get(URL, user=8))[0] == "ID" and nothing_came(one)
        other.send(wait(5000))
        assert answered(one) == (1000, []) and nothing_came(other)
        one.send(wait(5000))
        assert answered(one) == (5000, [])
        assert answered(other) == (5000, [])
        one.send(wait((1 << 63) - 1))
        other.send(wait((1 << 63) - 1))
        now, found = answered(other)
        assert now > 5000 and [user for user, _, _ in found] == [8] and nothing_came(one)
        ask(other, FINISH)
        other.close()
        assert answered(one) == (now, [])       # nothing will ever happen any more
        ask(one, FINISH)
        one.close()
        assert leaves(judge.finish()) == [(2, "ended", ""), (1, "ended", "")]


def test_what_comes_while_a_program_computes_waits_for_it(tmp_path):
    with Judge(tmp_path / "record", "--world", THREE, n=2) as judge:
        one, other = judge.ends
        for end in judge.ends:
            ask(end, hello())
            ask(end, get(URL, user=end.fileno()))
            end.send(block(10_000_000_000) if end is one else wait((1 << 63) - 1))
        now, found = answered(other)
        assert now < 10_000_000_000 and [user for user, _, _ in found] == [other.fileno()]
        ask(other, FINISH)
        other.close()
        assert struct.unpack("<q", one.recv(1 << 17)[16:])[0] == 10_000_000_000
        assert [user for user, _, _ in happened(ask(one, wait(0))[1])[1]] == [one.fileno()]
        one.close()
        assert leaves(judge.finish()) == [(2, "ended", ""), (1, "gone", "")]


def test_what_a_dead_program_had_under_way_dies_with_it(tmp_path):
    with Judge(tmp_path / "record", "--world", THREE, n=2) as judge:
        one, other = judge.ends
        ask(one, hello())
        ask(one, get(URL))
        one.close()
        ask(other, hello())
        assert ask(other, submit(3, [b"late", b"1"]))[0] == "ID"
        other.close()
        record = judge.finish()
    assert leaves(record) == [(1, "gone", ""), (2, "gone", "")]
    assert record.index('"http.cancelled"') < record.index('"late"')


def test_two_programs_share_a_world(tmp_path):
    """Each does what it does alone; both stand in one record, which is the same whoever comes first."""
    program = [BUILD / "kit/01-sync-vs-async/reference", "--judge", "{judge}", "async"]
    alone = subprocess.run([program[0], "--world", THREE, "async"], capture_output=True, timeout=60)
    records = []
    for first in (0, 1):
        with Judge(tmp_path / "record", "--world", THREE, n=2) as judge:
            running = [judge.start(program, end) for end in (first, 1 - first)]
            for one in running:
                assert one.communicate(timeout=60) == (alone.stdout, alone.stderr)
            records.append(judge.finish())
    assert records[0] == records[1]
    assert leaves(records[0]) == [(1, "ended", ""), (2, "ended", "")]
    read = reading.read(records[0])
    assert len(read.requests) == 6 and read.peak == 6


# ---- The record and the program's own trace, as one --------------------------------------------------------


HEAD = '{"trace":"looplab/trace/v1","program":"p","seed":0}\n'
RECORD = (HEAD + '{"t":0,"from":"judge","ev":"join","program":1}\n' +
          "".join(f'{{"t":{t},"from":"world","ev":"report","name":"n","value":{t}}}\n' for t in (1, 2, 3)))


def woven(own: str) -> list[str]:
    """Which lines come out: w1 w2 w3 for the world's, r1… for the runtime's."""
    events = map(json.loads, weave(HEAD + own, RECORD).splitlines()[1:])
    return [event["from"][0] + str(event["t"]) for event in events]


def seen(lines: object) -> str:
    return f'{{"t":9,"from":"judge","ev":"seen","lines":{json.dumps(lines)}}}\n'


RUN = '{"t":7,"from":"runtime","ev":"run","task":1}\n'


@pytest.mark.parametrize("own, expected", [
    ("", "w1 w2 w3"),
    (RUN + seen(2) + RUN + seen(4), "r7 w1 r7 w2 w3"),
    (seen(4) + RUN + seen(2) + RUN, "w1 w2 w3 r7 r7"),                      # it says that lines went away
    (seen(-1) + RUN, "r7 w1 w2 w3"), (seen(10 ** 30) + RUN, "w1 w2 w3 r7"),
    (seen(True) + seen("2") + seen(None) + seen(1.5) + RUN, "r7 w1 w2 w3"),
    ('{"t":5,"from":"world","ev":"report","name":"n","value":1}\n' + RUN, "r7 w1 w2 w3"),      # a forged proof
    ('[]\n3\nnull\n{\n\n' + "[" * 100_000 + "\n" + RUN, "r7 w1 w2 w3"),
    (RUN + '{"t":7,"from":"runti', "r7 w1 w2 w3"),                          # cut
    ('{"t":5,"from":"runtime","ev":"run","from":"world"}\n' + RUN, "r7 w1 w2 w3"),            # the last one counts
    ('{"t":5,"from":"runtime","\\u0066rom":"world"}\n' + RUN, "r7 w1 w2 w3"),
    ('{"t":5,"ev":"report"}\n{"t":8,"from":"runtime","in":{"from":"world"}}\n' + RUN, "r8 r7 w1 w2 w3"),
    ('{"t":5,"from" :"world"}\n{"from":"runtime","t":8}\n' + RUN, "r8 r7 w1 w2 w3"),
])
def test_each_line_of_the_record_is_there_once(own, expected):
    assert woven(own) == expected.split()


def test_without_a_record_there_is_no_trace():
    assert weave(HEAD + RUN, "") == "" and weave("", HEAD) == ""


# ---- A grading whose runs a judge holds ---------------------------------------------------------------------


def verdict(result: dict) -> list[tuple]:
    """What a grading says, without how long it took."""
    return [tuple(check.get(key) for key in ("id", "status", "score", "message", "src"))
            for check in result["checks"]]


@pytest.mark.parametrize("lab, source", [
    *((lab, "solutions/" + lab) for lab in (LABS if ALL else ["04-worker-queue"])),
    ("03-scraper", "grader/tests/corpus/03-scraper/sequential"),
])
def test_a_grading_with_judges_says_the_same(lab, source, tmp_path, monkeypatch):
    judged = grade(load(lab), ROOT / source, tmp_path)
    monkeypatch.setenv("LOOPLAB_JUDGE", "0")
    alone = grade(load(lab), ROOT / source, tmp_path)
    assert verdict(judged.result) == verdict(alone.result) and judged.code == alone.code


def test_a_grading_with_judges_needs_one(tmp_path):
    """So the one above has had it."""
    text = ("import sys; from pathlib import Path; from looplab.course.lab import Lab; Lab.judge = Path('none'); "
            "from looplab.cli import main; sys.exit(main(sys.argv[1:]))")
    run = subprocess.run([sys.executable, "-c", text, "grade", "--lab", "01", "--from", "solutions", "--out", tmp_path],
                         env={**os.environ, "PYTHONPATH": str(ROOT / "grader")}, cwd=ROOT,
                         text=True, capture_output=True, timeout=300)
    assert run.returncode == 3 and "make build/kit/judge" in run.stdout + run.stderr
