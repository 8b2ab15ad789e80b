"""What a check can ask a run: a small program that uses the network, the disk and workers, and is then asked."""

from __future__ import annotations

import errno
import subprocess
from pathlib import Path

import pytest

from looplab import Fault, World, ms, sec
from looplab.plain.failure import CheckFailed, GraderFault
from looplab.reading import ending
from looplab.reading.run import Run
from looplab.reading.trace import read
from looplab.running.build import compiler
from looplab.running.process import Outcome
from story import Story
from variants import ROOT

PROGRAM = r"""
#include "co.h"
#include "kit.h"

#include <stdlib.h>

static int compute(void *job)
{
    co_cpu(*(int64_t *)job);
    return 0;
}

static int fetch(const char *url)
{
    struct co_response resp;
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_SEC(2));
    int rc = co_timeout_end(&limit, co_http_get(url, &resp));
    if (rc == 0)
        co_response_free(&resp);
    return rc;
}

static int disk(void)
{
    CO_FILE(file);
    int rc = co_file_open(&file, "out/a.part", CO_CREATE);
    if (rc == 0)
        rc = co_file_write(&file, "hello", 5);
    co_file_close(&file);
    if (rc >= 0)
        rc = co_file_rename("out/a.part", "out/a");
    return rc < 0 ? rc : co_file_save("out/b", "\xff\xfe", 2);
}

static int all(void *job)
{
    const struct kit_run *run = job;
    static int64_t long_job = CO_MS(30), short_job = CO_MS(10);
    CO_POOL(pool, 2);
    int rc = co_sleep(CO_MS(100));
    kit_report("start", json_pack("{s:s}", "mode", "all"));
    for (size_t i = 0; i < run->n && rc == 0; i++)
        rc = fetch(run->urls[i]) == -ECANCELED ? -ECANCELED : 0;
    if (rc == 0)
        rc = disk();
    if (rc == 0)
        rc = co_to_thread(compute, &long_job);
    if (rc == 0)
        rc = co_pool_run(&pool, compute, &short_job);
    co_cpu(CO_MS(7));
    co_cpu(CO_MS(8));
    free(memset(malloc(32 << 20), 1, 32 << 20));
    kit_report("result", json_pack("{s:i}", "rc", rc));
    return rc;
}

int main(int argc, char **argv)
{
    static const struct kit_mode modes[] = {{"all", all, "everything"}, {0}};
    return kit_main(argc, argv, "all", modes);
}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    """One run of PROGRAM: a good page, one that hangs, then the disk, then workers."""
    folder: Path = tmp_path_factory.mktemp("all")
    (folder / "all.c").write_text(PROGRAM)
    subprocess.run([*compiler(), "-O0", "-include", "string.h", "-Isim/include", folder / "all.c",
                    "build/kit/libco.a",
                    "@sim/kit/link.flags", "-o", folder / "all"], cwd=ROOT, check=True)
    world = World(cpus=2).site("http://a.test", rtt=ms(20)).route("/good", latency=ms(60), body="x") \
        .route("/hangs", fault=Fault.hang()).disk(ms(1))
    (folder / "world").write_text(world.text())
    subprocess.run([folder / "all", "--world", folder / "world", "--trace", folder / "trace", "--memory",
                    folder / "memory"], check=True,
                   capture_output=True)
    return Run(read((folder / "trace").read_text()), world, "all", world.urls(), "",
               memory=int((folder / "memory").read_text()))


def test_files_left_on_the_disk(run):
    assert run.files.pop("out/a") == "hello"
    assert list(run.files) == ["out/a", "out/b"] and len(run.files["out/b"]) == 16


def test_calls_to_the_disk_in_their_order(run):
    began = ms(100 + 2000)
    calls = [tuple(call) for call in run.file_calls]
    assert [(call, path, rc) for _, call, path, rc in calls] == [
        ("open", "out/a.part", 0), ("write", "out/a.part", 0), ("rename", "out/a.part", 0), ("save", "out/b", 0)]
    assert [t for t, *_ in calls] == [began, began + ms(1), began + ms(2), began + ms(3)]
    assert [call.end for call in run.file_calls] == [began + ms(i) for i in range(1, 5)]
    assert run.file_calls[2].to == "out/a" and run.file_calls[1].bytes == 5 and run.file_calls[0].mode == "create"


def test_jobs_of_workers(run):
    one, two = run.cpu
    assert (one.start, one.end, one.ns, one.worker, one.pool, one.rc) == (one.submit, one.submit + ms(30), ms(30), 1,
                                                                          None, 0)
    assert (two.submit, two.ns, two.pool) == (one.end, ms(10), 1)


def test_what_was_given_up_and_what_was_closed(run):
    assert run.cancelled_at("http://a.test/hangs") == [ms(100) + sec(2)] == run.closed_at("http://a.test/hangs")
    assert run.cancelled_at("http://a.test/good") == [] and run.closed_at("http://a.test/good") == [ms(100)]


def test_time_that_the_loop_stood_still(run):
    assert run.block_ns == ms(15) and len(run.blocks) == 2


def test_memory_is_the_peak(run):
    assert 32 << 20 < run.memory < 48 << 20


def test_memory_that_is_not_told_in_the_end_was_taken_away():
    """By the program: who came to an end has told. Where the reference's is not there, somebody else is at fault."""
    story = Story().begin(0).result(0).end(0)
    with pytest.raises(CheckFailed, match="does the program write or remove files"):
        Run(story.trace(), World(), "async", [], "").memory
    with pytest.raises(GraderFault, match="mode async did not tell"):
        Run(story.trace(), World(), "async", [], "", reference=True).memory


def test_a_call_that_was_given_up_did_nothing():
    story = Story().begin(0)
    story.world(5, "file.start", op=1, task=1, call="save", path="a").world(7, "file.cancelled", op=1)
    story.world(8, "cpu.submit", op=2, task=1).world(9, "cpu.cancelled", op=2)
    story.world(9, "file.start", op=3, task=1, call="load", path="a")
    run = Run(story.result(9).end(9).trace(), World(), "async", [], "")
    assert [(call.rc, call.end) for call in run.file_calls] == [(-errno.ECANCELED, ms(7)), (None, None)]
    assert [(job.start, job.rc, job.end) for job in run.cpu] == [(None, -errno.ECANCELED, ms(9))]


@pytest.mark.parametrize("calls, forged", [((None,), False), ((1, 2), False), ((None, None), True), ((1, 2, 1), True)])
def test_a_call_begins_once(calls, forged):
    """Whoever reports it once more makes its time shorter."""
    story = Story()
    for t, call in enumerate(calls):
        story.world(t, "report", name="start", value={"n": 1} if call is None else {"n": 1, "call": call})
    outcome = Outcome(exit=0, signal=None, limit=None, stdout="", stderr="", cpu_s=0.0, wall_s=0.0)
    failed = ending.failure(outcome, story.result(9).end(9).trace())
    assert (failed is not None and "more than once" in failed.text()) == forged
