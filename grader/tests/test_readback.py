"""What a program leaves behind, read back: whatever it is, its check fails or passes, and nobody else is at fault.

Real traces of the reference solutions are damaged, a few bytes, values or lines at a time, and a lab is graded whose
program leaves such a one: the trace is read, a check asks it, a cause is looked for, the run is drawn.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from conftest import End, well
from looplab import cli
from looplab.reading import sound, trace
from looplab.reading.forged import unlike
from looplab.reading.woven import weave

ROOT = Path(__file__).resolve().parents[2]
RUNS = [("01-sync-vs-async", "default.json", "async"), ("02-url-fetcher", "bodies.json", "all"),
        ("03-scraper", "default.json", "all"), ("04-worker-queue", "busy.json", ""),
        ("05-data-pipeline", "default.json", "")]
CASES = 20_000 if "LOOPLAB_ALL" in os.environ else 40
ODD = [None, True, -1, 0, 2**63, -2**63, 10**30, 0.5, 1e308, "", "x", "../../x", "\u202e", "%s%n", [], {}, [[]],
       {"a": {}}, float("nan"), float("inf"), "9" * 300, [1] * 50]


def line_of(rng: random.Random, lines: list[str]) -> int:
    return rng.randrange(1, max(2, len(lines)))


def another_value(rng: random.Random, lines: list[str]) -> None:
    at = line_of(rng, lines) % len(lines)
    event = json.loads(lines[at])
    inner = event["value"] if isinstance(event.get("value"), dict) and rng.random() < 0.5 else event
    if inner:
        inner[rng.choice(list(inner))] = rng.choice(ODD)
    lines[at] = json.dumps(event, separators=(",", ":"))


def without_a_key(rng: random.Random, lines: list[str]) -> None:
    at = line_of(rng, lines) % len(lines)
    event = json.loads(lines[at])
    event.pop(rng.choice(list(event)))
    lines[at] = json.dumps(event, separators=(",", ":"))


def one_line_more(rng: random.Random, lines: list[str]) -> None:
    lines.insert(line_of(rng, lines), rng.choice(lines))


def one_line_less(rng: random.Random, lines: list[str]) -> None:
    del lines[line_of(rng, lines) % len(lines)]


def two_lines_change_places(rng: random.Random, lines: list[str]) -> None:
    a, b = line_of(rng, lines) % len(lines), line_of(rng, lines) % len(lines)
    lines[a], lines[b] = lines[b], lines[a]


def other_bytes(rng: random.Random, lines: list[str]) -> None:
    at = rng.randrange(len(lines))
    text = list(lines[at])
    for _ in range(rng.randrange(1, 4)):
        if text:
            text[rng.randrange(len(text))] = rng.choice(['"', "{", "}", "[", ",", "\\", "\0", "\x1b", "é", "9", "\n",
                                                         ""])
    lines[at] = "".join(text)


def deeply_nested(rng: random.Random, lines: list[str]) -> None:
    depth = rng.choice([50, 2_000, 200_000])
    lines.insert(line_of(rng, lines), '{"t":0,"from":"runtime","ev":"report","name":"x","value":'
                 + "[" * depth + "]" * (depth if rng.random() < 0.5 else 0) + "}")


def cut_off(rng: random.Random, lines: list[str]) -> None:
    text = "\n".join(lines)
    lines[:] = text[:rng.randrange(len(text))].split("\n")


DAMAGES: list[Callable[[random.Random, list[str]], None]] = [
    another_value, another_value, another_value, without_a_key, one_line_more, one_line_less, two_lines_change_places,
    other_bytes, deeply_nested, cut_off]


@pytest.fixture(scope="module")
def traces(tmp_path_factory) -> list[str]:
    """One of each lab's reference solution."""
    place, texts = tmp_path_factory.mktemp("traces"), []
    for slug, world, mode in RUNS:
        program = ROOT / "build/kit" / slug / "reference"
        if not program.exists():
            pytest.skip(f"{program.relative_to(ROOT)} is not built")
        subprocess.run([program, "--world", ROOT / "labs" / slug / "worlds" / world, "--trace", place / slug,
                        *([mode] if mode else [])], stdout=subprocess.DEVNULL, check=True, timeout=60)
        texts.append((place / slug).read_text())
    return texts


def damaged(rng: random.Random, text: str) -> str:
    lines = text.split("\n")[:-1]
    for _ in range(rng.randrange(1, 4)):
        try:
            rng.choice(DAMAGES)(rng, lines)
        except (ValueError, AttributeError, IndexError, RecursionError):
            pass                # one of those before has left no JSON there
        if not lines:
            break
    return "\n".join(lines) + rng.choice(["\n", "\n", "\n", ""])


CHECK = '''
@points(10, "timing")
def test_one(lab):
    """Whatever a check may ask."""
    run = lab.run("async", urls(3))
    run.elapsed, run.results, run.requests, run.order, run.in_flight(), run.peak, run.opened, run.blocks, run.block_ns
    run.leaks, run.files, run.file_calls, run.cpu, run.spawns, run.events
    run.cancelled_at("http://a.test/0"), run.closed_at("http://a.test/0"), run.requests_for("http://a.test/0")
    run.should_give()
    run.should_take(1)
'''


def test_a_damaged_trace_is_never_the_graders_fault(house, traces, capsys):
    """Graded, with whatever points, and a card and pages that can be written."""
    house.lab(CHECK)
    reference = house.root / "build/kit/01-toy/reference"
    reference.parent.mkdir(parents=True)
    reference.touch()
    for case in range(CASES):
        rng = random.Random(f"damage/{case}")
        left = damaged(rng, rng.choice(traces))
        house.behave = lambda ran: well(ran) if ran.binary == "reference" else End(left)
        code = cli.main(["grade", "--lab", "1", "--seed", "7"], root=house.root)
        result = json.loads((house.root / "build/grade/01-toy/results.json").read_text())
        (house.root / "last").write_text(left, "utf-8", "replace")
        assert code in (0, 1) and result["status"] == "graded", (case, result)
        capsys.readouterr()


def test_no_damage_gets_a_line_of_the_worlds_in(traces):
    """Whatever the program's own trace is, the lines that prove are the judge's, each once and in its order."""
    for case in range(20 * CASES):
        rng = random.Random(f"weave/{case}")
        text = rng.choice(traces)
        first, *lines = text.split("\n")[:-1]
        record = "\n".join([first, *(line for line in lines if '"from":"world"' in line[:60])]) + "\n"
        woven = weave(damaged(rng, text), record)
        proofs = [line for line in woven.split("\n") if json_from(line) == "world"]
        assert proofs == [line for line in record.split("\n") if json_from(line) == "world"], case


def json_from(line: str) -> str:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    return event.get("from", "") if isinstance(event, dict) else ""


@pytest.mark.parametrize("line, key", [
    ('{"t":0.5,"from":"runtime","ev":"run","task":1}', "t"),
    ('{"t":0,"from":"runtime","ev":"run","task":[]}', "task"),
    ('{"t":0,"from":"runtime","ev":"run","task":true}', "task"),
    ('{"t":0,"from":"runtime","ev":"await","task":1,"on":"sleep","src":"no line"}', "src"),
    ('{"t":0,"from":"world","ev":"report","name":"x","value":1,"t":[]}', "t"),
    ('{"from":"runtime","ev":"run"}', "t"),
    ('{"t":99999999999999999999,"from":"runtime","ev":"run"}', "t")])
def test_a_value_of_the_wrong_kind_is_named(line, key):
    header = '{"trace":"looplab/trace/v1","program":"x","seed":1}'
    with pytest.raises(trace.TraceError, match=f"line 2: .* lacks or distorts '{key}'"):
        trace.read(f"{header}\n{line}\n")


def test_what_the_kit_writes_is_of_the_right_kind(traces):
    for text in traces:
        assert trace.read(text).ended


RIGHT = {"start": {"n": 2}, "result": {"rc": 0, "results": [{"error": 0, "title": None}], "speedup": 1.5}}


@pytest.mark.parametrize("reports, name", [
    (RIGHT, None),
    ({**RIGHT, "more": 1}, None),
    ({"start": {"n": 7}, "result": {"rc": -5, "results": [{"error": -5, "title": "A"}], "speedup": 2}}, None),
    ({**RIGHT, "result": {**RIGHT["result"], "results": []}}, "result"),
    ({**RIGHT, "start": {"n": None}}, "start"),
    ({**RIGHT, "result": {**RIGHT["result"], "results": [{"error": 0, "title": "A"}] * 3}}, None),
    ({"start": {"n": 2}}, "result"),
    ({**RIGHT, "start": {}}, "start"),
    ({**RIGHT, "start": {"n": "2"}}, "start"),
    ({**RIGHT, "start": {"n": True}}, "start"),
    ({**RIGHT, "result": {**RIGHT["result"], "results": {}}}, "result"),
    ({**RIGHT, "result": {**RIGHT["result"], "results": [{"error": 0}]}}, "result")])
def test_a_report_that_main_has_not_written_is_known(reports, name):
    assert unlike(reports, RIGHT) == name


def kind_of(said: dict, definitions: dict) -> str:
    """What the schema lets a property be: "number", "word", "anything"."""
    if "$ref" in said:
        return kind_of(definitions[said["$ref"].rpartition("/")[2]], definitions)
    if "allOf" in said:
        return kind_of(said["allOf"][0], definitions)
    values = said.get("enum", [said["const"]] if "const" in said else [])
    kinds = {"integer": "number", "string": "word"}
    return kinds.get(said.get("type", ""), "") or ("anything" if not values else
                                                  "word" if isinstance(values[0], str) else "number")


def test_the_kinds_are_the_schemas():
    schema = json.loads((ROOT / "sim/trace/trace.schema.json").read_text())
    found = {(name, kind_of(said, schema["definitions"]))
             for definition in schema["definitions"].values()
             for name, said in definition.get("properties", {}).items()}
    named = {(name, kind) for names, kind in [(sound.NUMBERS, "number"), (sound.WORDS + sound.PLACES, "word"),
                                              (sound.ANYTHING, "anything")] for name in names}
    of_the_header = {("trace", "word"), ("seed", "number"), ("program", "word"), ("program", "number")}
    assert found - of_the_header == named


def test_what_the_runtime_always_writes_is_the_schemas():
    schema = json.loads((ROOT / "sim/trace/trace.schema.json").read_text())
    needed = {name.partition(":")[2]: set(said["required"]) - {"t", "from", "ev"}
              for name, said in schema["definitions"].items() if name.startswith("runtime:")}
    assert {ev: set(keys) for ev, keys in sound.NEEDED.items()} == needed


@pytest.mark.parametrize("ev, key", [(ev, key) for ev, keys in sound.NEEDED.items() for key in keys])
def test_a_line_that_lacks_what_the_runtime_always_writes(ev, key):
    """No reader meets it: neither in a whole trace, nor in the ends of one that was cut."""
    whole = {"t": 0, "from": "runtime", "ev": ev, **dict.fromkeys(sound.NEEDED[ev], 1)}
    whole.update({name: "x" for name in ("name", "on", "why", "what") if name in whole})
    header = '{"trace":"looplab/trace/v1","program":"p","seed":0}\n'
    lacking = {name: value for name, value in whole.items() if name != key}
    texts = [header + json.dumps(one, separators=(",", ":")) + "\n" for one in (whole, lacking)]
    assert trace.read(texts[0]).events == [whole]
    with pytest.raises(trace.TraceError, match=key):
        trace.read(texts[1])
    assert [trace.read_cut(text, "\n" + text).events[1:] for text in texts] == [[whole], []]


def test_in_the_ends_of_a_trace_no_task_has_another_name_than_a_word():
    header = '{"trace":"looplab/trace/v1","program":"p","seed":0}\n'
    line = '{"t":0,"from":"runtime","ev":"spawn","task":2,"name":%s,"by":1}\n'
    assert [list(trace.read_cut(header + line % name, "\n").tasks) for name in ('"x"', "5")] == [[2], []]
