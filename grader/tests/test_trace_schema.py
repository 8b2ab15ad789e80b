"""Every line that a program writes into its trace fits sim/trace/trace.schema.json, and every kind of line is seen."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from variants import ALL, BUILD, ROOT

jsonschema = pytest.importorskip("jsonschema", reason="no python3-jsonschema here (make deps-dev)")

SCHEMA = json.loads((ROOT / "sim" / "trace" / "trace.schema.json").read_text())
PROGRAM = BUILD / "solutions" / "plain" / "01-sync-vs-async" / "program"
WORLDS = sorted((ROOT / "labs" / "01-sync-vs-async" / "worlds").glob("*.json"))


def validators() -> dict[str, "jsonschema.Draft7Validator"]:
    """One validator for each kind of line, by "from:ev"; "header" for the first line."""
    found = {}
    for one in SCHEMA["oneOf"]:
        name = one["$ref"].rsplit("/", 1)[1]
        schema = {"definitions": SCHEMA["definitions"], **SCHEMA["definitions"][name]}
        found[name] = jsonschema.Draft7Validator(schema)
    return found


KINDS = validators()


def check(text: str) -> set[str]:
    """Holds each line of a trace to the schema of its kind; returns the kinds seen."""
    seen = set()
    for number, line in enumerate(text.splitlines(), 1):
        entry = json.loads(line)
        kind = "header" if number == 1 else f"{entry['from']}:{entry['ev']}"
        assert kind in KINDS, f"line {number}: no such kind in the schema: {line}"
        problems = [error.message for error in KINDS[kind].iter_errors(entry)]
        assert not problems, f"line {number}: {problems[0]}: {line}"
        seen.add(kind)
    return seen


@pytest.mark.parametrize("mode", ["sync", "async", "compare", "cancel"])
@pytest.mark.parametrize("world", WORLDS, ids=lambda path: path.stem)
def test_a_lab_program(world, mode, tmp_path):
    trace = tmp_path / "trace.jsonl"
    subprocess.run([str(PROGRAM), "--world", str(world), "--trace", str(trace), mode], capture_output=True, timeout=20)
    assert {"header", "runtime:spawn", "runtime:end", "world:report", "world:http.start"} <= check(trace.read_text())


TROUBLE = """
#include "co.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int quick(void *job) { return (void)job, co_sleep(CO_MS(1)); }
static int deep(void *job) { volatile char frame[4096]; frame[0] = 1; return deep(job) + frame[0]; }
static int work(void *job) { (void)job; co_cpu(CO_MS(5)); return 0; }

static int leaks(void *job)
{
    (void)job;
    static struct co_lock lock = CO_LOCK_INIT;
    struct co_response answer;
    struct co_timeout limit;
    CO_GROUP(group);
    co_spawn(&group, quick, NULL);
    co_timeout_begin(&limit, CO_SEC(9));
    sleep(1);
    co_cpu(CO_MS(2));
    return co_lock_acquire(&lock) | co_to_thread(work, NULL) | co_http_get("http://a.test/", &answer);
}

static int cancels(void *job)
{
    (void)job;
    struct co_response answer;
    int rc = co_wait_for(quick, NULL, 1000);
    struct co_timeout limit;
    co_timeout_begin(&limit, CO_MS(1));
    rc = co_http_get("http://a.test/", &answer);
    rc = co_timeout_end(&limit, rc);
    CO_GROUP(group);
    co_task *task = co_spawn(&group, quick, NULL);
    co_task *other = co_spawn(&group, work, NULL);
    rc = co_sleep(0) | co_wait(&other, 1, CO_ALL_COMPLETED, CO_SEC(1));
    co_cancel(task);
    rc = co_await(task, NULL) | co_join(&group);
    for (int i = 0; i < 60000; i++)
        co_yield();
    return rc;
}

static int stuck(void *job) { (void)job; struct co_event never = CO_EVENT_INIT; return co_event_wait(&never); }
static int spins(void *job) { (void)job; for (;;) co_yield(); }
static int crashes(void *job) { *(volatile int *)job = 1; return 0; }

int main(int argc, char **argv)
{
    static const struct { const char *name; co_fn fn; } all[] = {
        {"leaks", leaks}, {"cancels", cancels}, {"stuck", stuck},
        {"spins", spins}, {"crashes", crashes}, {"deep", deep}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (argc > 1 && strcmp(argv[1], all[i].name) == 0)
            return co_run(all[i].fn, NULL, NULL) < 0;
    return 2;
}
"""
WORLD = {"world": "looplab/world/v1",
         "sites": [{"url": "http://a.test", "rtt": "2ms", "routes": [{"path": "/", "latency": "1s", "body": "x"}]}]}


@pytest.fixture(scope="module")
def trouble(tmp_path_factory) -> Path:
    """A program with every kind of trouble, one a word."""
    folder = tmp_path_factory.mktemp("trouble")
    (folder / "trouble.c").write_text(TROUBLE)
    (folder / "world.json").write_text(json.dumps(WORLD))
    subprocess.run(["gcc", "@sim/kit/student.flags", "-w", "-Isim/include", str(folder / "trouble.c"),
                    "build/kit/libco.a", "@sim/kit/link.flags", "-o", str(folder / "trouble")], cwd=ROOT, check=True)
    return folder


@pytest.mark.parametrize("word, kinds", [
    ("leaks", {"runtime:leak", "runtime:block", "world:cpu.block", "world:cpu.submit", "world:cpu.start",
               "world:cpu.end"}),
    ("cancels", {"runtime:cancel", "runtime:silence", "world:http.cancelled"}),
    ("stuck", {"runtime:deadlock"}), ("spins", {"runtime:livelock"}), ("crashes", {"runtime:crash"}),
    ("deep", {"runtime:overflow"})])
def test_trouble(trouble, word, kinds):
    trace = trouble / f"{word}.jsonl"
    subprocess.run([str(trouble / "trouble"), word],
                   env={"CO_TRACE": str(trace), "CO_WORLD": str(trouble / "world.json")},
                   capture_output=True, timeout=60)
    lines = trace.read_text().splitlines(True)      # a livelock has 150,000 of them
    assert kinds <= check("".join(lines if ALL or len(lines) < 2000 else lines[:1000] + lines[-1000:]))


def test_a_line_that_does_not_fit_is_seen():
    header = '{"trace":"looplab/trace/v1","program":"p","seed":0}\n'
    check(header + '{"t":0,"from":"runtime","ev":"run","task":1}')
    for wrong in ('{"t":0,"from":"runtime","ev":"run"}', '{"t":0,"from":"runtime","ev":"run","task":1,"more":2}',
                  '{"t":-1,"from":"runtime","ev":"run","task":1}', '{"t":0,"from":"world","ev":"run","task":1}'):
        with pytest.raises(AssertionError):
            check(header + wrong)
