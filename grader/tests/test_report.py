"""The run report: its timeline, where two runs part, its four formats, and the page as a browser shows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from story import Story, one_by_one, overlapped
from variants import chromium, some

from looplab.reading.trace import read
from looplab.report import ascii, beside, chrome, divergence, labels, page, part, svg, timeline, writer
from looplab.report.subject import Subject
from looplab.report.timeline import BLOCKED, CANCELLED, DONE, FAILED, LEAKED, OPEN, READY, RUNNING, WAITING

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "grader/tests/corpus/01-sync-vs-async"
NODE = ROOT / "build/node"


def report(*words: str, code: int = 0) -> str:
    """Runs `looplab report`; returns what it printed."""
    done = subprocess.run([sys.executable, "-m", "looplab", "report", *words], capture_output=True, text=True,
                          cwd=ROOT, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr



@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """The page of a submission that waits for each fetch before it starts the next."""
    file = tmp_path_factory.mktemp("report") / "wrong.html"
    report("--lab", "01", "--from", str(CORPUS / "awaits-each"), "--seed", "7", "--check",
           "test_async_takes_the_longest", "--out", str(file))
    return file


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "right.html"
    report("--lab", "01", "--from", "solutions", "--seed", "7", "--mode", "async", "--world", "mixed.json", "--out",
           str(file))
    return file


# ---- the timeline -----------------------------------------------------------------------------


def lines(*events: dict) -> timeline.Timeline:
    """The timeline of a trace written by hand; each event is a runtime's unless it says otherwise."""
    head = {"trace": "looplab/trace/v1", "program": "toy", "seed": 1}
    return timeline.of(read("".join(json.dumps(line) + "\n"
                                    for line in [head, *({"from": "runtime", **event} for event in events)])))


SPAWN = {"t": 0, "ev": "spawn", "task": 1, "name": "main", "src": "kit.c:1", "by": 0}
CHILD = {"t": 0, "ev": "spawn", "task": 2, "name": "fetch", "src": "toy.c:9", "by": 1}


def run(t, task):
    return {"t": t, "ev": "run", "task": task}


def states(lane):
    return [(span.state, span.start, span.end) for span in lane.spans]


def test_a_task_runs_waits_is_woken_and_ends():
    shape = lines(SPAWN, run(0, 1), {"t": 0, "ev": "await", "task": 1, "on": "sleep", "src": "toy.c:5"},
                  {"t": 50, "ev": "ready", "task": 1, "by": 0}, run(50, 1), {"t": 50, "ev": "done", "task": 1, "rc": 0})
    assert states(shape.lanes[0]) == [(READY, 0, 0), (RUNNING, 0, 0), (WAITING, 0, 50), (READY, 50, 50),
                                      (RUNNING, 50, 50)]
    assert shape.lanes[0].spans[2].src == "toy.c:5" and shape.lanes[0].ending == DONE and shape.end == 50


def test_a_block_reaches_back_to_its_beginning():
    shape = lines(SPAWN, run(0, 1), {"t": 80, "ev": "block", "task": 1, "ns": 80, "on": "sleep", "src": "toy.c:3"},
                  {"t": 80, "ev": "done", "task": 1, "rc": -5})
    assert states(shape.lanes[0]) == [(READY, 0, 0), (RUNNING, 0, 0), (BLOCKED, 0, 80), (RUNNING, 80, 80)]
    assert shape.lanes[0].ending == FAILED and shape.blocked == 80


def test_who_could_run_while_another_one_blocks():
    shape = lines(SPAWN, run(0, 1), CHILD, {"t": 0, "ev": "ready", "task": 2, "by": 1},
                  {"t": 90, "ev": "block", "task": 1, "ns": 90, "on": "cpu"},
                  {"t": 90, "ev": "await", "task": 1, "on": "group"}, run(90, 2))
    assert (READY, 0, 90) in states(shape.lanes[1])
    assert [(wake.by, wake.task, wake.t) for wake in shape.wakes] == [(1, 2, 0)]


def test_endings_are_told_apart():
    shape = lines(SPAWN, run(0, 1), CHILD, run(0, 2), {"t": 3, "ev": "cancel", "task": 2, "by": 1, "why": "timeout"},
                  {"t": 4, "ev": "done", "task": 2, "rc": -125})
    assert shape.lanes[1].ending == CANCELLED and shape.lanes[1].cancelled_at == 3 \
        and shape.lanes[1].cancelled_why == "timeout"
    assert shape.lanes[0].ending == OPEN and shape.lanes[0].end == 4
    leaked = lines(SPAWN, CHILD, {"t": 5, "ev": "leak", "what": "task", "task": 2, "src": "toy.c:9"})
    assert leaked.lanes[1].ending == LEAKED


def test_what_a_lane_does_after_an_event():
    shape = lines(SPAWN, run(0, 1), {"t": 0, "ev": "await", "task": 1, "on": "sleep"},
                  {"t": 9, "ev": "ready", "task": 1, "by": 0})
    at = [next(span for span in shape.lanes[0].spans if span.first <= index < span.last) for index in range(4)]
    assert [span.state for span in at] == [READY, RUNNING, WAITING, READY]


# ---- where two runs part ----------------------------------------------------------------------


def story(*urls: str, gap: int = 0, status: int = 200):
    """A run that asks for each URL, `gap` ms after the one before, and has each answer 100 ms later."""
    said = Story()
    todo = [(gap * number, 0, number) for number in range(len(urls))] + [(gap * number + 100, 1, number)
                                                                         for number in range(len(urls))]
    for ms, ends, number in sorted(todo):
        said.got(ms, number + 1, status=status) if ends else said.get(ms, number + 1, 1, urls[number])
    return said.trace()


def test_equal_runs_do_not_part():
    assert divergence.find(story("http://a/1", "http://a/2"), story("http://a/1", "http://a/2")) is None


def test_the_order_within_an_instant_is_free():
    assert divergence.find(story("http://a/1", "http://a/2"), story("http://a/2", "http://a/1")) is None


def test_they_part_where_the_world_first_saw_another_thing():
    parts = divergence.find(story("http://a/1", "http://a/2", gap=100), story("http://a/1", "http://a/2"))
    assert parts.t == 0 and "in the reference comes the request for http://a/2" in parts.text
    late = divergence.find(story("http://a/1", status=404), story("http://a/1"))
    assert late.t == 100_000_000 and "100 ms" in late.text


# ---- the formats ------------------------------------------------------------------------------


def test_text_fits_80_columns_and_names_the_line():
    said = report("--lab", "01", "--from", str(CORPUS / "awaits-each"), "--seed", "7", "--check",
                  "test_async_takes_the_longest", "--format", "text")
    assert re.search(r"compare.c:58 waits for each fetch", " ".join(said.split()))
    assert "reference" in said and "at most 10" in said and "they part" in said
    assert all(len(line) <= 80 for line in said.splitlines() if not line.startswith("again:"))


def test_text_draws_waits_and_blocks():
    shape = lines(SPAWN, run(0, 1), {"t": 50_000_000, "ev": "block", "task": 1, "ns": 50_000_000, "on": "sleep"},
                  {"t": 50_000_000, "ev": "await", "task": 1, "on": "sleep"},
                  {"t": 100_000_000, "ev": "ready", "task": 1, "by": 0}, run(100_000_000, 1),
                  {"t": 100_000_000, "ev": "done", "task": 1, "rc": 0})
    row = ascii.draw(shape)[1]
    assert re.fullmatch(r"1 main +#{23,24}\|?-{22,23}\| done", row), row


def test_svg_is_whole_and_escapes_names():
    drawn = svg.render(lines({**SPAWN, "name": "<b>&"}, run(0, 1), {"t": 9, "ev": "done", "task": 1, "rc": 0}),
                       title="<i>")
    from xml.etree import ElementTree

    ElementTree.fromstring(drawn)
    assert "<b>" not in drawn and "<i>" not in drawn


def test_svg_shows_the_reference_beneath_where_they_part(tmp_path):
    from xml.etree import ElementTree

    file, space = tmp_path / "run.svg", "{http://www.w3.org/2000/svg}"
    parted = ["your run: 6,000 ms", "the reference: 2,000 ms"]
    for source, runs in ((str(CORPUS / "awaits-each"), parted), ("solutions", [])):
        report("--lab", "01", "--from", source, "--mode", "async", "--world", "three.json", "--format", "svg",
               "--out", str(file))
        drawn = ElementTree.parse(file).getroot()
        assert [text.text for text in drawn.iter(space + "text") if text.get("font-weight") == "bold"] == runs
        inner = drawn.findall(space + "svg")
        assert len(inner) == len(runs)
        assert len({(part.get("x"), part.get("width")) for part in inner}) <= 1     # one axis for both
        assert sum(float(part.get("height")) for part in inner) < float(drawn.get("height"))


PHASES = {"M": {"name", "pid", "tid", "args"}, "X": {"name", "cat", "pid", "tid", "ts", "dur"},
          "i": {"name", "pid", "tid", "ts", "s"},
          "s": {"name", "cat", "id", "pid", "tid", "ts"}, "f": {"name", "cat", "id", "pid", "tid", "ts", "bp"},
          "C": {"name", "pid", "ts", "args"}}


def check_chrome(text: str) -> list[dict]:
    """The rules of Perfetto's importer for JSON traces: fields of each phase, numbers, flows that begin before they end
    and lie in slices."""
    events = json.loads(text)["traceEvents"]
    slices: dict[int, list[tuple[float, float]]] = {}
    for event in events:
        assert PHASES[event["ph"]] <= set(event), event
        for key in ("ts", "dur"):
            assert event.get(key, 0) >= 0 and isinstance(event.get(key, 0), (int, float)), event
        if event["ph"] == "X":
            slices.setdefault(event["tid"], []).append((event["ts"], event["ts"] + event["dur"]))
        if event["ph"] == "C":
            assert all(isinstance(value, (int, float)) for value in event["args"].values())
    flows: dict[int, dict[str, dict]] = {}
    for event in events:
        if event["ph"] in "sf":
            flows.setdefault(event["id"], {})[event["ph"]] = event
            assert any(begin <= event["ts"] <= end for begin, end in slices[event["tid"]]), event
    for ends in flows.values():
        assert ends["s"]["ts"] <= ends["f"]["ts"]
    for tid, of_one in slices.items():      # slices of a thread lie beside each other, never across
        for (_, end), (begin, _) in zip(sorted(of_one), sorted(of_one)[1:]):
            assert begin >= end - 1e-6, tid
    return events


def test_chrome_trace_is_what_perfetto_reads(tmp_path):
    file = tmp_path / "trace.json"
    report("--lab", "01", "--from", "solutions", "--mode", "async", "--world", "mixed.json", "--format", "chrome",
           "--out", str(file))
    events = check_chrome(file.read_text())
    assert {event["ph"] for event in events} >= {"M", "X", "s", "f", "C"}
    names = {event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert any("fetch_one" in name for name in names)
    assert max(event["args"]["requests"] for event in events if event["ph"] == "C") > 1


def test_chrome_times_are_microseconds():
    shape = lines(SPAWN, run(0, 1), {"t": 0, "ev": "await", "task": 1, "on": "sleep"},
                  {"t": 2_000_000, "ev": "ready", "task": 1, "by": 0})
    waits = next(event for event in check_chrome(chrome.render(shape)) if event["name"] == "waits: sleep")
    assert waits["dur"] == 2000


def test_a_usual_page_is_small_and_asks_for_nothing(wrong):
    text = wrong.read_text()
    assert len(text.encode()) < 45_000
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)|url\(|@import|import\s*\(|fetch\(""", text)


def test_what_a_program_says_is_never_markup():
    evil = "</script><script>alert(1)</script>"
    shape = lines({**SPAWN, "name": evil}, run(0, 1), {"t": 1, "ev": "done", "task": 1, "rc": 0})
    text = page.render(Subject("01-x", evil, shape, diagnosis=evil, source_name="a.c",
                               source=f"int x; /* {evil} {{{{css}}}} */", replay=evil))
    assert "<script>alert" not in text and text.count("</script>") == 2
    assert "{{css}}" in text        # a file that holds our own marks keeps them


@pytest.mark.parametrize("words, said", [
    (["--lab", "01", "--world", "no.json"], "labs/01-sync-vs-async/worlds has"),
    (["--lab", "01", "--mode", "nix"], "there is no mode 'nix'"),
    (["--lab", "01", "--from", "nowhere"], "FROM=nowhere"), (["--lab", "01", "--check", "test_nix"],
                                                             "there is no check 'test_nix'"), ([], "--lab"),
    (["--lab", "01", "--from", "solutions", "--check", "test_clean_under_sanitizers"], "made no run")])
def test_what_cannot_be_drawn_is_said_in_one_line(words, said):
    told = report(*words, code=2)
    assert said in told and len(told.strip().splitlines()) == 1


def test_a_grading_leaves_a_page_for_each_failed_check(tmp_path):
    done = subprocess.run([sys.executable, "-m", "looplab", "grade", "--lab", "01", "--from", str(CORPUS / "batches"),
                           "--out", str(tmp_path)],
                          capture_output=True, text=True, cwd=ROOT, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    result = json.loads((tmp_path / "01-sync-vs-async/results.json").read_text())
    failed = [check for check in result["checks"] if check["status"] == "failed"]
    assert failed and done.returncode == 1
    for check in failed:
        text = (tmp_path / "01-sync-vs-async" / check["report"]).read_text()
        assert check["title"].split("<")[0] in text
    assert f"drawn:    {tmp_path}" in done.stdout.replace("\\\n", "")


# ---- a run that is many times as long as the reference's ---------------------------------------


def fetching(story: Story) -> timeline.Timeline:
    return timeline.of(story.trace())


def of_many(n: int = 27) -> Subject:
    """n fetches one after the other, where the reference has all at once."""
    urls, took = [f"http://a.test/item/{number}" for number in range(1, n + 1)], [100.0 + number for number in range(n)]
    return Subject("01-toy", f"{n} fetches", fetching(one_by_one(urls, took)), fetching(overlapped(urls, took)),
                   source_name="compare.c", source="int x;\n" * 60)


def test_of_a_very_long_run_text_shows_where_they_part():
    text = writer.text(of_many())
    assert "shown: 0 ms to 160 ms of 3,051 ms, where the two runs part" in text
    lanes = re.findall(r"^3 fetch_one …/2 +(.*) done$", text, re.MULTILINE)
    assert len(lanes) == 2 and all(line.count("-") > 10 for line in lanes)       # both are more than a stripe
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "shown:" not in writer.text(of_many(4))


def test_of_a_very_long_run_svg_shows_where_they_part():
    drawn = writer.figure(of_many())
    assert "shown: 0 ms to 160 ms of 3,051 ms, where the two runs part</text>" in drawn and "→ 3,051 ms" in drawn
    waits = re.findall(r'<rect class="wait" x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)
    assert len(waits) > 27 and all(float(x) + float(wide) <= beside.WIDTH for x, wide in waits)
    assert sum(float(wide) > 100 for _, wide in waits) > 20
    assert "shown:" not in writer.figure(of_many(4))


@pytest.mark.parametrize("t, mine, other, start, end, needed", [
    (0, 3_051, 126, 0, 160, True), (2_000, 3_000, 100, 1_970, 2_100, True), (3_000, 3_000, 100, 2_970, 3_000, True),
    (50, 100, 100, 44, 75, False), (0, 1, 0, 0, 1, False), (0, 0, 0, 0, 1, False), (7, 10, 900, 5, 17, True)])
def test_the_part_around_an_instant(t, mine, other, start, end, needed):
    runs = [timeline.Timeline(None, [], [], [], long) for long in (mine, other)]
    found = part.find(*runs, t)
    assert (found.start, found.end, found.needed) == (start, end, needed)


@pytest.mark.parametrize("end", [1, 999, 4_000_000, 123_456_789, 400_000_000, 27_000_000_000, 123_456_000_000_000,
                                 98_765_432_123_456_789])
def test_labels_of_an_axis_never_touch(end):
    shape_of_it = lines(SPAWN, run(0, 1), {"t": end, "ev": "done", "task": 1, "rc": 0})
    for width in (400, 500, 760, 960):
        drawn = svg.render(shape_of_it, width=width)
        said = [(float(x), anchor, label) for x, anchor, label in
                re.findall(r'<text class="dim" x="([\d.]+)" y="\d+" text-anchor="(\w+)">([^<]+)<', drawn)]
        edges = [(x - 4 * len(label) * (anchor == "middle"), x + (8 - 4 * (anchor == "middle")) * len(label))
                 for x, anchor, label in said]
        assert len(said) >= 2 or len(said[0][2]) * 8 > width - 300
        assert all(one[1] < two[0] for one, two in zip(edges, edges[1:])) or end > 10**16, (width, said)
    ruler = ascii.draw(shape_of_it)[0]
    assert len(ruler) <= 67 and re.fullmatch(r" +[\d.,]+ ms(  +[\d.,]+ ms)+", ruler), ruler


# ---- what tells lanes of one name apart -------------------------------------------------------


def labelled(shape_of_it: timeline.Timeline, most: int = 40) -> list[str]:
    return list(labels.of(shape_of_it.lanes, most).values())


def test_lanes_of_one_name_say_what_they_ask_for():
    urls = ["http://a.test/1", "http://a.test/2", "http://b.test/1"]
    shape_of_it = fetching(overlapped(urls, [1.0, 2.0, 3.0]))
    assert labelled(shape_of_it) == ["1 async", "2 fetch_one http://a.test/1", "3 fetch_one http://a.test/2",
                                     "4 fetch_one http://b.test/1"]
    assert labelled(shape_of_it, 20) == ["1 async", "2 fetch_one a.test/1", "3 fetch_one a.test/2",
                                         "4 fetch_one b.test/1"]
    assert labelled(shape_of_it, 10) == ["1 async", "2 a.test/1", "3 a.test/2", "4 b.test/1"]
    assert labelled(shape_of_it, 7) == ["1 async", "2 …st/1", "3 …st/2", "4 …st/1"]


def test_a_lane_that_asks_for_several_things_says_so():
    story = Story().spawn(0, 2).spawn(0, 3)
    for op, task in ((1, 2), (2, 3), (3, 2)):
        story.get(op, op, task, f"http://a.test/{op}").got(op, op)
    assert labelled(fetching(story)) == ["1 async", "2 fetch_one http://a.test/1 …", "3 fetch_one http://a.test/2"]


def test_else_lanes_of_one_name_say_where_they_were_spawned_or_nothing():
    apart = Story().spawn(0, 2, src="toy.c:54").spawn(0, 3, src="toy.c:55").spawn(0, 4, src="toy.c:9", name="other")
    assert labelled(fetching(apart)) == ["1 async", "2 fetch_one line 54", "3 fetch_one line 55", "4 other"]
    alike = Story().spawn(0, 2).spawn(0, 3)
    assert labelled(fetching(alike)) == ["1 async", "2 fetch_one", "3 fetch_one"]


def test_a_figure_is_given_names_where_the_trace_knows_none():
    alike = fetching(Story().spawn(0, 2, name="pass").spawn(0, 3, name="pass"))
    drawn = svg.render(alike, main=False, names=["Argo", "Beagle"])
    assert ">2 pass Argo<" in drawn and ">3 pass Beagle<" in drawn


# ---- in a browser -----------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser():
    """Looks at a page in headless chromium."""
    program = chromium()

    def look(file: Path, width: int = 1280, scheme: str = "light") -> dict:
        done = subprocess.run(["node", "grader/tests/browser/look.mjs", str(file), program, str(width), scheme,
                               str(file.with_suffix(f".{width}.png"))],
                              cwd=ROOT, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "NODE_FOLDER": str(NODE)})
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    return look


@pytest.mark.parametrize("width, scheme", some([(390, "dark"), (1280, "light")]))
def test_a_very_long_run_is_zoomed(browser, tmp_path, width, scheme):
    file = tmp_path / "long.html"
    file.write_text(page.render(of_many()))
    saw = browser(file, width, scheme)
    zoom = saw["zoom"]
    assert saw["console"] == [] and zoom["opens"] == zoom["parts"] == "shown: 0 ms to 160 ms of 3,051 ms"
    assert zoom["whole"] == zoom["further"] == "shown: all of 3,051 ms"
    assert re.fullmatch(r"shown: 1,5[\d.]+ ms to 3,051 ms of 3,051 ms", zoom["closer"])        # it stood at the end
    for way, begins, ends in (("drawn", 762.75, 2288.25), ("touched", 1525.5, 2288.25)):
        one, two = (float(number.replace(",", "")) for number in re.findall(r"([\d,.]+) ms", zoom[way])[:2])
        assert abs(one - begins) < 30 and abs(two - ends) < 30, zoom[way]      # a pixel is 10 to 20 ms
    assert zoom["touching"] == []
    assert [one for one in saw["axe"] if one["impact"] in ("serious", "critical")] == [] and saw["wide"] <= 0


@pytest.mark.parametrize("width, scheme", some([(1280, "light"), (390, "dark")]))
def test_the_page_of_a_wrong_submission(browser, wrong, width, scheme):
    saw = browser(wrong, width, scheme)
    assert saw["console"] == [] and [url for url in saw["requests"] if not url.startswith("file:")] == []
    assert "compare.c:58 waits for each fetch before the next one starts" in saw["diagnosis"]
    assert saw["parting"].startswith("At 0 ms they part") and len(saw["lanes"]) == 2 and "11 tasks" in saw["lanes"][0]
    assert saw["start"]["step"] > 0         # it opens where the two runs part
    assert [saw[key]["step"] for key in ("home", "two_on", "one_back")] == [0, 2, 1]
    assert saw["by_slider"]["step"] == saw["end"]["step"] - 1 == saw["walk"]["steps"] - 2
    assert "L58" in saw["walk"]["lit"] and "event 1 of" in saw["home"]["now"]
    assert saw["rows"] > 50 and "spawned" in saw["first_rows"][0]
    assert [one for one in saw["axe"] if one["impact"] in ("serious", "critical")] == []
    assert saw["wide"] <= 0                 # nothing sticks out sideways


def test_the_page_of_a_right_one(browser, right):
    saw = browser(right, 1280, "dark")
    assert saw["console"] == [] and saw["parting"] == "" and "does what the reference does" in saw["diagnosis"]
    assert [one for one in saw["axe"] if one["impact"] in ("serious", "critical")] == []


def test_thirty_thousand_events_stay_smooth(browser, tmp_path):
    """No timing is asserted here but that the page comes to its end: the figures are printed (pytest -s) for whoever
    asks."""
    events = [SPAWN, run(0, 1)]
    for task in range(2, 302):
        events += [{**CHILD, "task": task, "t": 0}, {"t": 0, "ev": "ready", "task": task, "by": 1}]
    for turn in range(34):
        for task in range(2, 302):
            t = turn * 1_000_000
            events += [{"t": t, "ev": "run", "task": task}, {"t": t, "ev": "await", "task": task, "on": "sleep",
                                                             "src": "toy.c:9"}]
        events += [{"t": (turn + 1) * 1_000_000, "ev": "ready", "task": task, "by": 0} for task in range(2, 302)]
    assert len(events) > 30_000
    file = tmp_path / "many.html"
    file.write_text(page.render(Subject("01-toy", "many", lines(*events), source_name="toy.c", source="\n" * 20)))
    saw = browser(file)
    print({key: saw["walk"][key] for key in ("median_ms", "worst_ms", "steps")}, "ready_ms", saw["ready_ms"], "bytes",
          file.stat().st_size)
    assert saw["console"] == [] and saw["walk"]["steps"] == len(events)
