"""World.disk: the part of the world file that is about files."""

import json
from pathlib import Path

import pytest

from looplab import Fault, World, WorldError, ms

jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema here (make deps-dev)")
SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "sim/world/world.schema.json").read_text())


def written(world: World) -> dict:
    """The disk as the file has it, which is as the schema wants it."""
    value = json.loads(world.text())
    jsonschema.Draft7Validator(SCHEMA).validate(value)
    return value["disk"]


def test_a_world_has_no_disk_unless_told():
    assert "disk" not in World().json()


def test_a_disk_of_its_own_limits():
    world = World().disk(ms(1), bandwidth=10**8, capacity=2**20, parallel=2, files={"in/a.txt": "text", "b": ""})
    assert written(world) == {"latency": "1ms", "bandwidth": 10**8, "capacity": 2**20, "parallel": 2,
                              "files": {"in/a.txt": "text", "b": ""}}


def test_a_plain_disk_and_sites_go_together():
    world = World().disk().site("http://a.test").route("/")
    assert written(world) == {"latency": "0ms"} and world.urls() == ["http://a.test/"]


def test_faults():
    faults = [Fault.disk("EIO", "write", "out/", nth=3), Fault.disk("EACCES", times=2),
              Fault.disk("ENOSPC", nth=1, times=0)]
    assert written(World().disk(faults=faults))["faults"] == [
        {"op": "write", "path": "out/", "error": "EIO", "nth": 3}, {"error": "EACCES", "times": 2},
        {"error": "ENOSPC", "nth": 1, "times": 0}]


@pytest.mark.parametrize("wrong, told", [
    (lambda: World().disk(-1), "latency"), (lambda: World().disk(1.5), "latency"),
    (lambda: World().disk(bandwidth=0), "bandwidth"),
    (lambda: World().disk(capacity=-1), "capacity"), (lambda: World().disk(parallel=0), "parallel"),
    (lambda: World().disk().disk(), "one disk"), (lambda: World().disk(files={"a": b"x"}), "expected a str"),
    (lambda: World().disk(files={"a": "äää"}, capacity=5), "6 bytes"),
    (lambda: World().disk(faults=[Fault.hang()]), "Fault.disk"), (lambda: World().disk(faults=["EIO"]), "Fault.disk"),
    (lambda: Fault.disk("EPERM"), "EPERM"), (lambda: Fault.disk("EIO", "close"), "close"),
    (lambda: Fault.disk("EIO", nth=0), "nth"),
    (lambda: Fault.disk("EIO", times=-1), "times")])
def test_what_the_c_side_would_refuse_is_refused(wrong, told):
    with pytest.raises(WorldError, match=told):
        wrong()


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", ".", "..", "a/..", "./a", "a\nb", "a\x7f", "x" * 256,
                                  "p/" * 2048 + "p"])
def test_what_is_no_path(path):
    with pytest.raises(WorldError, match="relative path"):
        World().disk(files={path: "x"})


@pytest.mark.parametrize("path", ["a", "...", ".a", "..a/b..", "a b", "ä", "x" * 255, "p/" * 2047 + "p"])
def test_what_is_a_path(path):
    assert written(World().disk(files={path: "x"}))["files"] == {path: "x"}
