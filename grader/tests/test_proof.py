"""What earns points is what a judge has seen: one judge a run, all of them copies of one process."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

import pytest

from grading import grade
from judged import FINISH, JUDGE, ask, get, happened, hello, message, wait
from looplab.course.lab import load
from looplab.running.judge import FD, Judges
from looplab.running.process import LaunchError
from test_hostile import LAB, hostile_source
from variants import some

WORLD = ('{"world":"looplab/world/v1","sites":[{"url":"http://a.test","connect":"0ms","rtt":"0ms",'
         '"routes":[{"path":"/","latency":"30ms","body":"%s"}]}]}')
FOREVER = (1 << 63) - 1


@pytest.fixture
def judges():
    made = Judges(JUDGE, "program", 7)
    yield made
    made.close()


def fetched(judges: Judges, body: str) -> str:
    """The record of a run that fetches the one page of a world."""
    judge = judges.appoint(WORLD % body, None)
    assert judge.fd >= FD
    with socket.socket(fileno=os.dup(judge.fd)) as end:
        judge.is_served()
        assert ask(end, hello())[0] == "WELCOME"
        assert ask(end, get(b"http://a.test/", user=5))[0] == "ID"
        kind, told = ask(end, wait(FOREVER))
        assert (kind, happened(told)[0]) == ("HAPPENED", 30_000_000)
        ask(end, FINISH)
    try:
        return judge.finish()
    finally:
        judge.close()


def test_each_run_has_a_judge_of_its_own(judges):
    first, other = fetched(judges, "one"), fetched(judges, "three")
    assert '"bytes":3' in first and '"bytes":5' in other
    assert fetched(judges, "one") == first
    assert {line for line in first.split("\n") if "three" in line} == set()


def test_they_are_copies_of_one_process(judges):
    runs = [judges.appoint(WORLD % "one", None) for _ in range(3)]
    ends = [socket.socket(fileno=os.dup(run.fd)) for run in runs]
    for run, end in zip(runs, ends):
        run.is_served()
        assert ask(end, hello())[0] == "WELCOME"
    pid = judges._first.pid
    assert len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()) == 3
    judges.close()                      # all of them end with it
    for run, end in zip(runs, ends):
        with pytest.raises(LaunchError, match="the judge failed: it was ended"):
            run.finish()
        run.close()
        end.close()


def test_a_world_that_cannot_be_read_is_told(judges):
    judge = judges.appoint('{"world": 3}', None)
    judge.is_served()
    with pytest.raises(LaunchError, match="world.*\n?2$"):
        judge.finish()
    judge.close()


def test_a_wrong_message_to_a_judge_harms_no_other(judges):
    judge = judges.appoint(WORLD % "one", None)
    with socket.socket(fileno=os.dup(judge.fd)) as end:
        judge.is_served()
        end.send(message("HELLO", struct.pack("<Q", 99)))
        assert end.recv(1) == b""
    assert '"why":"wrong"' in judge.finish()
    judge.close()
    assert "http.end" in fetched(judges, "one")


HAS_JUDGE = "(fcntl(100, F_GETFD) >= 0 || fcntl(101, F_GETFD) >= 0)"


@pytest.mark.parametrize("where", [HAS_JUDGE, "!" + HAS_JUDGE], ids=["judged", "alone"])
def test_it_must_be_right_before_the_judge_and_alone(where, tmp_path):
    """A program that does one thing where a judge looks and another where none does."""
    folder = tmp_path / "two-faced"
    folder.mkdir()
    source = hostile_source(f"return {where} ? fetch_sync(urls, n, out) : sound_fetch_async(urls, n, out);")
    (folder / "compare.c").write_text("#include <fcntl.h>\n" + source.replace("__attribute__((unused)) ", ""))
    result = grade(load(LAB), folder, tmp_path / "out").result
    searched = [check for check in result["checks"] if "requirement" in (check.get("replay") or "")]
    assert searched and all(check["status"] == "failed" for check in searched)


# ---- What a program writes is no proof, and no burden ---------------------------------------------------------


WRITES = """int fd = open("../trace", O_WRONLY | O_APPEND);
static char block[1 << 16];
size_t used = 0;
while (used + 100 < sizeof block)
    used += (size_t)sprintf(block + used, "%s");
for (int i = 0; i < %d; i++)
    if (write(fd, block, used) < 0)
        break;
close(fd);
return sound_fetch_async(urls, n, out);
"""
LINE = r'{\"t\":0,\"from\":\"runtime\",\"ev\":\"ready\",\"task\":1,\"by\":1}\n'
REFUSES = """
__attribute__((constructor)) static void refuse(void)
{
    fputs("world.json: /sites/0: expected a string\\n", stderr);
    _exit(2);
}
"""
HARMLESS = {
    "an-endless-trace": (WRITES % (LINE, 2000), ""),
    "a-long-trace": (WRITES % (LINE, 200), ""),
    "no-trace": (WRITES % ("nonsense\\n", 1), ""),
    "a-distorted-trace": (WRITES % (LINE.replace("ready", "spawn"), 1), ""),
    "a-refusal": ("return 0;", REFUSES),
}


@pytest.mark.parametrize("name", some(HARMLESS))
def test_what_it_writes_is_never_the_graders_fault(name, tmp_path):
    body, more = HARMLESS[name]
    folder = tmp_path / name
    folder.mkdir()
    (folder / "compare.c").write_text("#include <fcntl.h>\n" + hostile_source(body) + more)
    graded = grade(load(LAB), folder, tmp_path / "out")
    assert graded.code == 1 and graded.result["status"] == "graded" and graded.score <= 80
    assert {check["status"] for check in graded.result["checks"]} <= {"passed", "failed", "skipped"}
