"""World.database: the part of the world file that is about databases; and what a run says of them."""

from __future__ import annotations

import json
import subprocess

import pytest

from looplab import Fault, World, WorldError, ms, sec
from looplab.reading import trace as reading
from variants import ROOT

URL = "postgresql://db.test/shop"
SETUP = ["CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT)", "INSERT INTO goods VALUES (1, 'ink')"]
PROGRAM = """
#include "co.h"
#include "co_db.h"

static int writes(void *job)
{
    int rc = 0;
    CO_TRANSACTION(tx, job, &rc) {
        rc = co_sleep(CO_MS(5));
        if (rc >= 0)
            rc = co_db_exec(tx, "INSERT INTO goods VALUES ($1, $2)", 2, "pen");
        if (rc >= 0)
            rc = co_sleep(CO_MS(20));
    }
    return rc;
}

static int shop(void *job)
{
    (void)job;
    CO_DB(db);
    CO_GROUP(group);
    struct co_statement all;
    int rc = co_db_open(&db, "postgresql://db.test/shop", NULL);
    if (rc >= 0)
        rc = co_db_prepare(&db, &all, "SELECT * FROM goods");
    if (rc < 0)
        return rc;
    co_task *first = co_spawn(&group, writes, &db), *second = co_spawn(&group, writes, &db);
    co_await(first, &rc);
    co_await(second, &rc);
    CO_ROWS(rows);
    rc = co_wait_for(writes, &db, CO_MS(3));
    rc = co_db_query(&db, &rows, &all);
    rc = co_sleep(CO_SEC(2));
    rc = co_join(&group);
    return co_db_exec(&db, "SELECT 1");
}

int main(void) { return co_run(shop, NULL, NULL) < 0; }
"""


def written(world: World) -> list[dict]:
    """The databases as the file has them, which is as the schema wants them."""
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema here (make deps-dev)")
    schema = json.loads((ROOT / "sim/world/world.schema.json").read_text())
    value = json.loads(world.text())
    jsonschema.Draft7Validator(schema).validate(value)
    return value["databases"]


def test_a_world_has_no_database_unless_told():
    assert "databases" not in World().json()


def test_all_that_can_be_said():
    faults = [Fault.database("lost", "INSERT", nth=2, done=True), Fault.database("slow", latency=sec(1), times=3),
              Fault.database("serialization", "COMMIT")]
    world = World().database(URL, ms(1), ms(2), connect=ms(3), row=ms(4), parse=ms(5), connections=6, setup=SETUP,
                             down=[(sec(1), sec(2))], faults=faults).database("sqlite:a.db")
    assert written(world) == [
        {"url": URL, "rtt": "1ms", "latency": "2ms", "connect": "3ms", "row": "4ms", "parse": "5ms", "connections": 6,
         "setup": SETUP, "down": [["1s", "2s"]],
         "faults": [{"kind": "lost", "match": "INSERT", "nth": 2, "done": True},
                    {"kind": "slow", "times": 3, "latency": "1s"}, {"kind": "serialization", "match": "COMMIT"}]},
        {"url": "sqlite:a.db", "rtt": "0ms", "latency": "0ms", "setup": []}]


@pytest.mark.parametrize("wrong", [
    lambda: World().database("mysql://a"), lambda: World().database("sqlite:a b"),
    lambda: World().database(URL).database(URL), lambda: World().database(URL, -1),
    lambda: World().database(URL, connections=0), lambda: World().database(URL, down=[(2, 1)]),
    lambda: World().database(URL, faults=[Fault.hang()]), lambda: Fault.database("gone"),
    lambda: Fault.database("slow"), lambda: Fault.database("slow", latency=1, done=True)])
def test_what_cannot_be(wrong):
    with pytest.raises(WorldError):
        wrong()


@pytest.fixture(scope="module")
def traced(tmp_path_factory) -> str:
    """The trace of a program to which everything happens that has a line of its own."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "shop.c").write_text(PROGRAM)
    world = World().database(URL, ms(10), setup=SETUP, down=[(sec(1), sec(1.5))])
    (folder / "world.json").write_text(world.text())
    subprocess.run(["gcc", "@sim/kit/student.flags", "-w", "-Isim/include", str(folder / "shop.c"),
                    "build/kit/libco.a", "@sim/kit/link.flags", "-o", str(folder / "shop")], cwd=ROOT, check=True)
    subprocess.run([str(folder / "shop")], check=True, timeout=20,
                   env={"CO_TRACE": str(folder / "trace"), "CO_WORLD": str(folder / "world.json")})
    return (folder / "trace").read_text()


def test_each_line_fits_the_schema(traced):
    schema = pytest.importorskip("test_trace_schema", reason="no python3-jsonschema here (make deps-dev)")
    kinds = {kind for kind in schema.KINDS if kind.startswith("world:db.")}
    assert len(kinds) == 7 and kinds <= schema.check(traced)


def test_what_a_run_tells(traced):
    trace = reading.read(traced)
    assert trace.tables == {URL: {"goods": [[1, "ink"], [2, "pen"]]}}
    assert [call.call for call in trace.db_calls][:3] == ["connect", "prepare", "begin"]
    waited = [call for call in trace.db_calls if call.locked]
    assert [call.sql for call in waited] == ["INSERT INTO goods VALUES ($1, $2)"]
    assert waited[0].says == "could not serialize access due to concurrent update"
    assert set(trace.db_lost.values()) == {sec(1)}


def test_sqlite_is_looked_for_when_a_database_is_opened_and_not_before(tmp_path):
    """It is no part of a program, not even of one that uses co_db.h."""
    (tmp_path / "shop.c").write_text(PROGRAM)
    subprocess.run(["gcc", "@sim/kit/student.flags", "-w", "-Isim/include", str(tmp_path / "shop.c"),
                    "build/kit/libco.a", "@sim/kit/link.flags", "-o", str(tmp_path / "shop")], cwd=ROOT, check=True)
    said = subprocess.run(["ldd", str(tmp_path / "shop")], capture_output=True, text=True).stdout
    assert "libc" in said and "sqlite" not in said and "libpq" not in said


DECLARED = """
#include <sqlite3.h>
#include "world/sql/sqlite.h"
#define AS_DECLARED(result, name, parameters) \\
    _Static_assert(__builtin_types_compatible_p(__typeof__(&sqlite3_##name), __typeof__(((struct sqlite *)0)->name)), \\
                   "sqlite3_" #name " is another function");
SQLITE_CALLS(AS_DECLARED)
"""


def test_sqlite_is_declared_as_it_is(tmp_path):
    """Our own prototypes beside those of SQLite's header, where a machine has it."""
    (tmp_path / "declared.c").write_text(DECLARED)
    gcc = ["gcc", "-std=gnu11", "-fsyntax-only", "-Isim", "-Isim/world"]
    if subprocess.run([*gcc, "-include", "sqlite3.h", "-x", "c", "/dev/null"],
                      capture_output=True, cwd=ROOT).returncode:
        pytest.skip("there is no sqlite3.h here: apt-get install libsqlite3-dev")
    said = subprocess.run([*gcc, str(tmp_path / "declared.c")], cwd=ROOT, capture_output=True, text=True)
    assert (said.returncode, said.stderr) == (0, "")
