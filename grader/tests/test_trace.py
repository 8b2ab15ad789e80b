"""Reading traces."""

import errno
import json
from pathlib import Path

import pytest

from looplab.plain.duration import ms
from looplab.reading.rounds import without_most
from looplab.reading.trace import TraceError, first_difference, read, read_cut
from story import MS, Story, blocking, one_by_one, overlapped

jsonschema = pytest.importorskip("jsonschema", reason="no python3-jsonschema here (make deps-dev)")

URLS = ["http://a.test/1", "http://a.test/2", "http://a.test/3"]


def test_requests_have_their_times_and_answers():
    trace = overlapped(URLS, [30, 10, 20]).trace()
    assert [(request.url, request.start, request.ns, request.status, request.rc) for request in trace.requests] == \
        [(URLS[0], 0, ms(30), 200, 0), (URLS[1], 0, ms(10), 200, 0), (URLS[2], 0, ms(20), 200, 0)]
    assert [request.url for request in trace.finished] == [URLS[1], URLS[2], URLS[0]]


def test_in_flight_follows_the_order_of_the_lines():
    assert max(now for _, now in overlapped(URLS, [3, 1, 2]).trace().in_flight()) == 3
    assert max(now for _, now in one_by_one(URLS, [3, 1, 2]).trace().in_flight()) == 1


def test_a_run_that_ended_says_so_on_its_last_line():
    story = overlapped(URLS, [3, 1, 2])
    assert story.trace().ended
    story.lines.pop()
    assert not story.trace().ended
    assert not Story().world(0, "end", rc=0).trace().ended      # the world's word is not the runtime's


def test_reports_are_the_worlds_and_the_last_of_a_name_counts():
    trace = Story().result(1, rc=-5).result(2, rc=0).runtime(3, "report", name="result", value=9).trace()
    assert trace.report("result")["value"]["rc"] == 0 and trace.report("start") is None


def test_a_block_begins_where_its_line_says_less_its_length():
    block, = blocking(URLS[:1], [320]).trace().blocks()
    assert (block.t, block.ns, block.on, block.src) == (0, ms(320), "http", "compare.c:22")


def test_the_price_of_an_answer_is_not_the_programs_block():
    story = Story().get(0, 1, 1, URLS[0]).got(5, 1, cpu=7 * MS).runtime(12, "block", task=1, ns=7 * MS, on="cpu",
                                                                        src="compare.c:20")
    assert story.trace().blocks() == []
    story.runtime(19, "block", task=1, ns=7 * MS, on="cpu", src="compare.c:20")     # once more: that one is
    assert len(story.trace().blocks()) == 1


def test_a_request_whose_own_time_was_up_was_not_given_up():
    timed = Story().get(0, 1, 2, URLS[0]).runtime(30_000, "cancel", task=2, by=0,
                                                  why="timeout").world(30_000, "http.cancelled", op=1).trace()
    assert (timed.requests[0].rc, timed.requests[0].given_up, len(timed.finished)) == (-errno.ETIMEDOUT, False, 1)
    ended = Story().get(0, 1, 2, URLS[0]).runtime(5, "cancel", task=2, by=3, why="group").world(5, "http.cancelled",
                                                                                                op=1).trace()
    assert (ended.requests[0].rc, ended.requests[0].given_up, ended.finished) == (-errno.ECANCELED, True, [])
    blocked = Story().get(0, 1, 1, URLS[0], blocking=True).world(30_000, "http.cancelled", op=1).trace()
    assert blocked.requests[0].rc == -errno.ETIMEDOUT


def test_half_a_last_line_is_left_out():
    text = overlapped(URLS, [3, 1, 2]).text()
    trace = read(text[:-20])
    assert trace.cut and not trace.ended


@pytest.mark.parametrize("text, told", [
    ("", "line 1"), ("{}\n", "line 1"), ('{"trace":"looplab/trace/v2"}\n', "looplab/trace/v1"),
    (Story().text() + "nonsense\n", "line 3"), (Story().text() + "[1]\n", "line 3"),
    (Story().text() + "{},{}\n", "line 3"),
    (Story().text() + '{"from":"world","ev":"http.end","op":9,"t":0}\n', "line 3"),
    (Story().text() + '{"from":"world","ev":"http.start","op":9,"t":0}\n', "task")])
def test_a_damaged_trace_is_refused_with_its_line(text, told):
    with pytest.raises(TraceError, match=told):
        read(text)


def test_of_a_stopped_run_both_ends_are_read():
    story = Story().spawn(0, 2)
    for turn in range(1000):
        story.runtime(turn, "run", task=2)
    text = story.text()
    trace = read_cut(text[:300], text[-300:])
    assert trace.tasks[2].name == "fetch_one" and trace.events[-1]["t"] == 999 * MS and trace.cut
    with pytest.raises(TraceError):
        read_cut("not a trace\n", "")


def test_of_a_livelock_most_rounds_are_left_out():
    """And of no other trace anything."""
    def rounds(count: int, last: str, between: str = "run") -> bytes:
        story = Story().spawn(0, 2)
        for turn in range(count):
            story.runtime(0, "run" if turn != count // 2 else between, task=2)
        return story.runtime(0, last, task=2, steps=count).text().encode()

    long = rounds(30_000, "livelock")
    short = without_most(long)
    assert 510 << 10 < len(short) < 520 << 10 and len(long) > 2 * len(short)
    events = read(short.decode()).events
    assert events[-1]["ev"] == "livelock" and {event["ev"] for event in events[:-1]} == {"spawn", "run"}
    others = rounds(30_000, "endless"), rounds(30_000, "livelock", between="cancel"), rounds(3_000, "livelock")
    for other in (*others, b"", b"{"):
        assert without_most(other) == other


def test_the_first_difference_is_named_by_its_line():
    assert first_difference("a\nb\nc\n", "a\nx\nc\n") == (2, "b", "x")
    assert first_difference("a\n", "a\nb\n") == (2, "", "b")
    assert first_difference("a\n", "a\n") == (0, "", "")


def test_the_stories_these_tests_tell_are_traces():
    """What is made by hand here keeps to the schema that the real ones are held to."""
    schema = json.loads((Path(__file__).resolve().parents[2] / "sim/trace/trace.schema.json").read_text())
    kinds = {name: jsonschema.Draft7Validator({**definition, "definitions": schema["definitions"]})
             for name, definition in schema["definitions"].items()}
    odd = Story().runtime(1, "deadlock", task=1, on="lock", src="compare.c:1", since=0,
                          holder=1).runtime(1, "crash", signal=11, src="compare.c:1") \
        .runtime(1, "livelock", task=1, src="compare.c:1", steps=5).runtime(1, "overflow", task=1, name="deep",
                                                                            src="compare.c:1", size=262144) \
        .runtime(1, "leak", what="response", src="compare.c:1").runtime(1, "cancel", task=1, by=0, why="timeout",
                                                                        src="compare.c:1") \
        .world(1, "http.cancelled", op=1).wait(1, 1, "sleep", "compare.c:1")
    for story in (overlapped(URLS, [3, 1, 2]), one_by_one(URLS, [3, 1, 2]), blocking(URLS, [3, 1, 2]), odd):
        for line in map(json.loads, story.lines[1:]):
            kinds[f"{line['from']}:{line['ev']}"].validate(line)
