"""Each cause is found where it is, named with its place, and not found where it is not."""

import errno

import pytest

from looplab.plain.duration import Duration, ms
from looplab.reading import ending
from looplab.reading.case import Case
from looplab.reading.diagnosis import find
from looplab.reading.stuck import busy, stuck
from looplab.reading.trace import read, read_cut
from looplab.running.process import Outcome
from looplab.running.sanitizer import Finding
from story import MS, OK, Story, blocking, one_by_one, overlapped

URLS = [f"http://a.test/{i}" for i in range(4)]
TOOK = [300, 320, 310, 200]


def cause(story, topic="", **more):
    return find(Case(story.trace(), more.pop("asked", URLS), topic=topic, **more))


def slow(story, expected=320, **more):
    """The cause of a run that should have taken less."""
    trace = story.trace()
    return find(Case(trace, URLS, topic="timing", expected=ms(expected), happened=Duration(trace.report("result")["t"]),
                     **more))


@pytest.mark.parametrize("topic", ["", "timing", "results", "requests", "block", "limit", "leaks"])
def test_a_right_program_has_no_cause(topic):
    assert cause(overlapped(URLS, TOOK), topic, expected=4, happened=4) is None


def test_nothing_was_fetched():
    found = cause(Story().begin().result(0).end(0), todo="fetch_async, TODOs 2 to 4")
    assert (found.kind, "write fetch_async, TODOs 2 to 4" in found.text,
            "4 URLs" in found.text) == ("nothing", True, True)
    assert cause(Story().begin().result(0).end(0), asked=[]) is None


def test_nothing_was_fetched_because_a_worker_may_not():
    story = Story().begin().spawn(0, 2).wait(0, 1, "group", "compare.c:35").wait(0, 2, "job",
                                                                                 "compare.c:24").result(0).end(0)
    found = cause(story, "requests", asked=URLS[:1])
    assert (found.kind, found.src) == ("on workers", "compare.c:24")
    assert "co_to_thread at compare.c:24" in found.text and "-EPERM" in found.text and "Call co_http_get" in found.text


def shared(job_of=True, src="compare.c:30", asks=URLS[3]):
    """Three tasks; all of them fetch the URL that was written last."""
    story = Story().begin(3).spawn(0, 2).spawn(0, 3, src=src, job_of=2 if job_of else None)
    story.spawn(0, 4, src=src, job_of=3 if job_of else None).wait(0, 1, "group", "compare.c:35")
    for i in range(3):
        story.get(0, i + 1, i + 2, asks).got(300, i + 1)
    return story.result(300).end(300)


@pytest.mark.parametrize("topic", ["", "requests", "results", "timing"])
def test_one_job_for_all_tasks(topic):
    found = cause(shared(), topic, asked=URLS[1:])
    assert (found.kind, found.src) == ("shared job", "compare.c:30")
    assert "compare.c:30 gives one and the same job to 3 tasks" in found.text and URLS[3] in found.text \
        and "Give each its own" in found.text


def test_a_job_may_be_shared_by_those_who_only_read_it():
    workers = overlapped(URLS, TOOK)            # each fetches another URL, as workers with one queue do
    workers.lines = [line.replace('"src":"compare.c:30"', '"src":"compare.c:30","job_of":2') for line in workers.lines]
    assert cause(workers, "requests") is None
    assert cause(shared(job_of=False), "requests", asked=URLS[1:]).kind == "double"
    assert cause(shared(src="compare.c:31"), "requests",
                 asked=URLS[1:]).text.startswith("compare.c:31 gives one and the same job to 2 tasks")
    assert cause(shared(), "requests", asked=[URLS[3]] * 3) is None
    assert cause(shared(asks=URLS[1]), "requests", asked=URLS[1:]).kind == "double"      # not what was written last
    assert cause(blocking(URLS, TOOK), "") is None                                      # nobody had to wait for it


def test_awaited_right_after_the_spawn():
    found = slow(one_by_one(URLS, TOOK))
    assert (found.kind, found.src) == ("sequential", "compare.c:31")
    assert found.text.startswith("compare.c:31 waits for each fetch before the next one starts")


def test_one_task_for_all():
    story, now = Story().begin().spawn(0, 2), 0
    for op, (url, took) in enumerate(zip(URLS, TOOK), start=1):
        story.get(now, op, 2, url)
        now += took
        story.got(now, op)
    found = slow(story.result(now).end(now))
    assert (found.kind, found.src) == ("sequential", "compare.c:20") and "a task for each URL" in found.text


def test_one_task_is_no_cause_where_it_is_a_little_late():
    """A timeout in whole ms, in a mode that calls the function for one page after the other."""
    story = Story().begin().spawn(0, 2).get(0, 1, 2, URLS[0]).got(100, 1).get(100, 2, 2, URLS[1]).got(201, 2)
    story = story.result(201).end(201)
    for expected, kind in ((200, None), (150, "sequential")):
        found = find(Case(story.trace(), URLS[:2], topic="timing", expected=ms(expected), happened=ms(201)))
        assert (found.kind if found else None) == kind


def test_what_follows_a_redirect_is_not_one_task_for_all():
    def story(status: int) -> Story:
        one = Story().begin().spawn(0, 2).get(0, 1, 2, URLS[0]).got(100, 1, status=status)
        return one.get(100, 2, 2, URLS[1]).got(200, 2).result(200).end(200)

    for status, kind in ((302, None), (304, "sequential"), (200, "sequential")):
        found = find(Case(story(status).trace(), URLS[:2], topic="timing", expected=ms(50), happened=ms(200)))
        assert (found.kind if found else None) == kind


def test_a_lock_lets_in_one_at_a_time():
    story = Story().begin()
    for i in range(2):
        story.spawn(0, i + 2)
    story.wait(0, 1, "group", "compare.c:35").get(0, 1, 2, URLS[0]).wait(0, 3, "lock", "compare.c:18").got(300, 1)
    story.get(300, 2, 3, URLS[1]).got(600, 2).result(600).end(600)
    found = find(Case(story.trace(), URLS[:2], topic="timing", expected=ms(300), happened=ms(600)))
    assert (found.kind, found.src) == ("sequential", "compare.c:18") and "take no lock" in found.text


def test_a_semaphore_holds_back():
    story = Story().begin()
    for i in range(3):
        story.spawn(0, i + 2)
    story.wait(0, 1, "group", "compare.c:35").get(0, 1, 2, URLS[0]).get(0, 2, 3,
                                                                        URLS[1]).wait(0, 4, "sem", "compare.c:18")
    story.got(300, 1).get(300, 3, 4, URLS[2]).got(400, 2).got(600, 3).result(600).end(600)
    found = find(Case(story.trace(), URLS[:3], topic="timing", expected=ms(300), happened=ms(600)))
    assert (found.kind, found.src) == ("held", "compare.c:18") and "take no lock (or semaphore)" in found.text


def test_batches_hold_back():
    story = Story().begin()
    for i in (0, 1):
        story.spawn(0, i + 2).get(0, i + 1, i + 2, URLS[i])
    story.wait(0, 1, "group", "compare.c:40").got(300, 1).got(320, 2)
    for i in (2, 3):
        story.spawn(320, i + 2).get(320, i + 1, i + 2, URLS[i])
    story.wait(320, 1, "group", "compare.c:40").got(520, 4).got(630, 3).result(630).end(630)
    found = slow(story)
    assert (found.kind, found.src) == ("held", "compare.c:40") and "only 2 of the 4" in found.text


def test_one_after_another_is_no_cause_where_it_is_asked_for():
    assert slow(one_by_one(URLS, TOOK), expected=sum(TOOK)) is None
    assert slow(blocking(URLS, TOOK), expected=sum(TOOK) - 1).kind == "blocked"     # less than the sum was asked


def test_blocked_by_the_blocking_call():
    found = slow(blocking(URLS, TOOK))
    assert (found.kind, found.src) == ("blocked", "compare.c:22")
    assert "1,130 ms in 4 calls" in found.text and "http_get_blocking" in found.text \
        and "Call co_http_get instead" in found.text


def test_blocked_by_sleeping_even_where_one_after_another_is_right():
    story = blocking(URLS, TOOK)
    story.lines[-2:] = []                   # before the result
    story.runtime(2130, "block", task=1, ns=1000 * MS, on="sleep", src="compare.c:50").result(2130).end(2130)
    found = slow(story, expected=sum(TOOK))
    assert (found.kind, found.src) == ("blocked", "compare.c:50") and "1,000 ms" in found.text and "sleep" in found.text


def test_the_longest_block_is_named():
    story = overlapped(URLS, TOOK)
    story.runtime(400, "block", task=1, ns=5 * MS, on="cpu", src="compare.c:9").runtime(410, "block", task=1, ns=MS,
                                                                                        on="usleep", src="compare.c:8")
    assert cause(story, "block").src == "compare.c:9" and "co_cpu" in cause(story, "block").text


def test_slept_on_when_all_was_there():
    story = overlapped(URLS, TOOK)
    story.lines[-2:] = []                   # before the result
    story.wait(320, 1, "sleep", "compare.c:50").runtime(1320, "run", task=1).result(1320).end(1320)
    found = slow(story)
    assert (found.kind, found.src) == ("slept", "compare.c:50")
    assert "sleeps for 1,000 ms, and the last answer was there after 320 ms" in found.text
    idle = Story().begin().wait(0, 1, "sleep", "compare.c:50").runtime(1000, "run", task=1).result(1000).end(1000)
    found = find(Case(idle.trace(), (), topic="timing", expected=ms(0), happened=ms(1000)))
    assert found.src == "compare.c:50" and "there was nothing to wait for" in found.text


def test_overlapped_where_one_after_another_was_asked():
    found = slow(overlapped(URLS, TOOK), expected=sum(TOOK))
    assert (found.kind, found.src) == ("overlapped", "compare.c:30") and "4 requests" in found.text


def test_overlapping_is_no_cause_where_it_is_right():
    """Each request ended long before its time, so their sum is less than the longest should have taken."""
    story = overlapped(URLS, [5, 5, 5, 5])
    case = dict(topic="timing", expected=ms(30_000), happened=Duration(5 * MS))
    assert find(Case(story.trace(), URLS, **case)).kind == "overlapped"             # nothing is known of the world
    assert find(Case(story.trace(), URLS, **case, alone=[ms(30_000), ms(5), ms(5), ms(5)])) is None
    assert find(Case(story.trace(), URLS, **case, alone=[ms(7_500)] * 4)).kind == "overlapped"


def aborted_by_join():
    story = Story().begin()
    for i in range(3):
        story.spawn(0, i + 2)
    story.wait(0, 1, "group", "compare.c:35")
    for i in range(3):
        story.get(0, i + 1, i + 2, URLS[i])
    story.got(40, 2, rc=-errno.ECONNREFUSED, status=0, bytes=0)
    for i in (0, 2):
        story.runtime(40, "cancel", task=i + 2, by=3, why="group").world(40, "http.cancelled", op=i + 1)
    return story.result(40).end(40)


def test_the_first_failure_cancels_the_rest():
    found = find(Case(aborted_by_join().trace(), URLS[:3], topic="timing", expected=ms(300), happened=ms(40)))
    assert (found.kind, found.src) == ("aborted", "compare.c:35")
    assert "after -ECONNREFUSED from http://a.test/1" in found.text and "2 requests" in found.text
    assert "Store the error as a result, and let the task return 0" in found.text


def test_the_first_failure_cancels_the_rest_of_a_gather():
    story = aborted_by_join()
    story.lines = [line.replace("compare.c:30", "compare.c:44").replace("compare.c:35", "compare.c:44")
                   for line in story.lines]
    found = find(Case(story.trace(), URLS[:3], topic="results"))
    assert (found.kind, found.src) == ("aborted",
                                       "compare.c:44") and "without an array rcs, co_gather cancels" in found.text


def test_the_student_cancels_the_rest():
    story = aborted_by_join()
    story.lines = [line.replace('"why":"group"', '"why":"call","src":"compare.c:40"') for line in story.lines]
    found = find(Case(story.trace(), URLS[:3], topic="results"))
    assert (found.kind, found.src) == ("aborted", "compare.c:40") and "do not cancel the others" in found.text


def test_an_error_returned_is_that_of_a_request_and_blocking_is_not_blamed():
    story = Story().begin().get(0, 1, 1, URLS[0], blocking=True).got(300, 1, rc=-errno.ECONNREFUSED, status=0)
    story.runtime(300, "block", task=1, ns=300 * MS, on="http",
                  src="compare.c:22").result(300, rc=-errno.ECONNREFUSED).end(300)
    found = find(Case(story.trace(), URLS[:1], topic="refusal"))
    assert (found.kind, found.src) == ("handed on",
                                       "compare.c:22") and "-ECONNREFUSED is what became of http://a.test/0" \
        in found.text
    assert find(Case(blocking(URLS, TOOK).trace(), URLS, topic="refusal")) is None


def test_the_first_failure_ends_the_loop():
    story = Story().begin().get(0, 1, 1, URLS[0], blocking=True).got(300, 1).runtime(300, "block", task=1, ns=300 * MS,
                                                                                     on="http", src="compare.c:22")
    story.get(300, 2, 1, URLS[1], blocking=True).got(340, 2, status=404).runtime(340, "block", task=1, ns=40 * MS,
                                                                                 on="http", src="compare.c:22")
    found = cause(story.result(340).end(340), "results")
    assert (found.kind, found.src) == ("aborted", "compare.c:22")
    assert "the 404 of http://a.test/1" in found.text and "2 URLs were never asked for, http://a.test/2 first" \
        in found.text


def test_a_limit_on_all_is_told_and_not_what_had_failed_before():
    """A site refuses at 20 ms; at 40 ms the time is up that somebody has set for all together."""
    story = aborted_by_join()
    story.lines = [line.replace('"t":40000000,"from":"world","ev":"http.end"',
                                '"t":20000000,"from":"world","ev":"http.end"') for line in story.lines]
    first = next(k for k, line in enumerate(story.lines) if '"ev":"cancel"' in line)
    limit = Story().runtime(40, "cancel", task=1, by=0, why="timeout", src="compare.c:33").lines[-1]
    story.lines.insert(first, limit)
    for topic in ("requests", "results", ""):
        found = find(Case(story.trace(), URLS[:3], topic=topic))
        assert (found.kind, found.src) == ("one limit", "compare.c:33"), topic
        assert "compare.c:33 was up at 40 ms, and ended 2 requests of other tasks" in found.text


def test_given_up_though_nothing_had_failed():
    """The first answer ended the others; what had failed before was taken notice of by nobody."""
    story = aborted_by_join()
    story.lines = [line.replace('"rc":-111,"status":0', '"rc":0,"status":200') for line in story.lines]
    found = find(Case(story.trace(), URLS[:3], topic="requests"))
    assert (found.kind, found.src) == ("given up", "compare.c:35") and "though nothing had failed" in found.text
    outside = [line.replace('"why":"group"', '"why":"call","src":"calls.c:70"') for line in story.lines]
    story.lines = outside
    assert find(Case(story.trace(), URLS[:3], topic="requests")) is None


def with_a_failure(story, op):
    story.lines = [line.replace('"rc":0,"status":200', '"rc":-111,"status":0')
                   if f'"ev":"http.end","op":{op},' in line else line for line in story.lines]
    return story


def test_a_list_cut_short_is_not_blamed_on_what_failed_in_it():
    """Nothing was begun after a failure, as all was begun before."""
    for op in (1, 2):
        found = cause(with_a_failure(overlapped(URLS[:2], TOOK[:2]), op), "requests")
        assert (found.kind, found.src) == ("cut short", "compare.c:30")
    assert cause(with_a_failure(one_by_one(URLS[:2], TOOK[:2]), 2), "requests").kind == "aborted"
    assert cause(with_a_failure(one_by_one(URLS[:2], TOOK[:2]), 1), "requests").kind == "cut short"
    handed_on = with_a_failure(overlapped(URLS[:2], TOOK[:2]), 2)
    handed_on.lines = [line.replace('"task":3,"rc":0', '"task":3,"rc":-111') for line in handed_on.lines]
    assert cause(handed_on, "requests").kind == "aborted"


@pytest.mark.parametrize("topic", ["timing", "cancelled", "shield"])
def test_a_shield_that_keeps_a_cancel_away(topic):
    def story(shield, woken=300):
        one = Story().begin().spawn(0, 2).get(0, 1, 2, URLS[0])
        one.runtime(100, "cancel", task=2, by=1, why="call", src="calls.c:70")
        one.lines = [line.replace('"src":"compare.c:20"', f'"src":"compare.c:20","shield":"{shield}"') if shield
                     else line for line in one.lines]
        return one.got(woken, 1).runtime(woken, "run", task=2).result(woken).end(woken)

    def told(one):
        return find(Case(one.trace(), URLS[:1], topic=topic, expected=ms(100), happened=ms(300)))

    found = told(story("compare.c:17"))
    assert (found.kind, found.src) == ("shielded", "compare.c:17")
    assert "the wait at compare.c:20 goes on until 300 ms" in found.text and "begins at compare.c:17" in found.text
    assert told(story(None)) is None and told(story("compare.c:17", woken=100)) is None


def test_rounds():
    found = cause(one_by_one(URLS, TOOK), "meet")
    assert (found.kind, found.src) == ("rounds", "compare.c:31") and "started is waited for before" in found.text \
        and "4 times" in found.text
    assert cause(overlapped(URLS, TOOK), "meet") is None
    later = overlapped(URLS, TOOK).wait(0, 1, "group", "compare.c:36").wait(0, 1, "group", "compare.c:36")
    assert cause(later, "meet") is None, "nothing was started between these waits"


def test_a_barrier():
    story = Story().begin().spawn(0, 2).spawn(0, 3).get(0, 1, 2, URLS[0]).get(0, 2, 3, URLS[1]).got(100, 1)
    story.wait(100, 2, "barrier", "pool.c:90").got(300, 2).runtime(300, "run", task=2).result(300).end(300)
    found = cause(story, "meet")
    assert (found.kind, found.src) == ("barrier", "pool.c:90") and "here for 200 ms" in found.text
    story.lines = [line.replace('"barrier"', '"event"') for line in story.lines]
    assert cause(story, "meet") is None


def test_failures_that_stop_nobody_are_no_cause():
    story = overlapped(URLS, TOOK)
    story.lines = [line.replace('"rc":0,"status":200', '"rc":-111,"status":0') for line in story.lines]
    assert cause(story, "timing", expected=ms(1), happened=ms(2)) is None
    hung = Story().begin().spawn(0, 2).get(0, 1, 2, URLS[0]).runtime(30_000, "cancel", task=2, by=0, why="timeout")
    hung.world(30_000, "http.cancelled", op=1).result(30_000).end(30_000)
    assert find(Case(hung.trace(), URLS[:1], topic="results")) is None


def test_a_url_that_was_forgotten():
    assert "the last one, was never asked for: does the loop stop one too early?" \
        in cause(overlapped(URLS[:3], TOOK[:3]), "results").text
    assert "only http://a.test/0 was asked for: does the loop go on" in cause(overlapped(URLS[:1], TOOK[:1]),
                                                                              "results").text
    found = cause(overlapped(URLS[:2] + URLS[3:], TOOK[:3]), "results")
    assert (found.kind, URLS[2] in found.text) == ("missing", True)
    assert cause(overlapped(URLS[1:3], TOOK[1:3]),
                 "results").text == "2 of the 4 requests were never made, http://a.test/0 first"


def test_a_list_that_is_cut_short():
    found = cause(overlapped(URLS[:2], TOOK[:2]), "requests")
    assert (found.kind, found.src) == ("cut short", "compare.c:30")
    assert "stops after the first 2 (compare.c:30), and http://a.test/2 is the next" in found.text \
        and "room for 2 only" in found.text


def test_a_url_given_twice_and_fetched_once():
    found = cause(overlapped(URLS[:2], TOOK[:2]), "requests", asked=[URLS[0], URLS[1], URLS[1], URLS[1]])
    assert (found.kind, found.src) == ("only once", "compare.c:20")
    assert "http://a.test/1 stands 3 times in the list, but was asked for only once (compare.c:20)" in found.text


def test_asked_for_twice():
    found = cause(overlapped(URLS + URLS[1:2], TOOK + [300]), "requests")
    assert (found.kind, found.src) == ("double", "compare.c:20") and "http://a.test/1 was asked for twice" in found.text
    assert found.text.endswith("start one task for it, not more")
    assert cause(blocking(URLS[:1] * 2, [1, 2]), "requests",
                 asked=URLS[:1]).text.endswith("take all you need out of the first answer")


def test_twice_is_right_for_a_url_given_twice_or_for_two_passes_or_after_a_redirect():
    assert cause(overlapped(URLS[:1] * 2, [1, 2]), "requests", asked=URLS[:1] * 2) is None
    assert cause(overlapped(URLS[:1] * 2, [1, 2]), "requests", asked=URLS[:1], passes=2) is None
    story = Story().begin().get(0, 1, 1, URLS[0]).got(5, 1, status=302).get(5, 2, 1,
                                                                            URLS[1]).got(9, 2).get(9, 3, 1,
                                                                                                   URLS[1]).got(11, 3)
    assert cause(story.result(11).end(11), "requests", asked=URLS[:2]) is None


def test_retries_are_told_before_what_they_lead_to():
    assert slow(blocking(URLS + URLS[3:], TOOK + [200]), expected=sum(TOOK)).kind == "double"
    tried = blocking(URLS[:1] * 3, [10, 10, 10])
    tried.lines = [line.replace('"rc":0,"status":200', '"rc":-110,"status":0') for line in tried.lines]
    assert "an error is a result, do not try again" in cause(tried, "requests", asked=URLS[:1]).text


def timed(ms_, src):
    story = Story().begin().spawn(0, 2).get(0, 1, 2, URLS[0]).runtime(ms_, "cancel", task=2, by=0, why="timeout",
                                                                      src=src)
    return story.world(ms_, "http.cancelled", op=1).result(ms_).end(ms_).trace()


def test_a_timeout_of_ones_own():
    case = Case(timed(5000, "compare.c:19"), URLS[:1], topic="timing", expected=ms(30_000), happened=ms(5000))
    assert (find(case).kind, find(case).src) == ("own timeout", "compare.c:19") and "5,000 ms" in find(case).text
    assert "take it away, the kit itself gives up after 30,000 ms" in find(case).text
    case = Case(timed(500, "compare.c:19"), URLS[:1], topic="timing", expected=ms(1000), happened=ms(500))
    # one was asked for, and it is too short
    assert find(case).kind == "own timeout" and "the kit" not in find(case).text


@pytest.mark.parametrize("topic", ["timing", "results", ""])
def test_the_kits_timeout_is_nobodys_fault(topic):
    """It begins with the call that fetches."""
    case = Case(timed(30_000, "compare.c:20"), URLS[:1], topic=topic, expected=ms(30_000), happened=ms(30_001))
    assert find(case) is None


def test_a_hanging_server_that_no_timeout_of_the_students_ended():
    found = find(Case(timed(30_000, "http.c:7"), URLS[:1], topic="timing", expected=ms(2_000), happened=ms(30_000)))
    assert (found.kind, found.src) == ("no timeout",
                                       "compare.c:20") and "put co_timeout_begin before the call" in found.text


def test_a_co_wait_that_came_back_and_left_its_request_running():
    def told(cancelled):
        story = Story().begin().spawn(0, 2).wait(0, 1, "wait", "compare.c:31").get(0, 1, 2, URLS[0], "http.c:7")
        story.runtime(2000, "cancel", task=1, by=0, why="timeout", src=cancelled)
        story.wait(2000, 1, "group", "compare.c:31").got(30_000, 1, -errno.ETIMEDOUT)
        return find(Case(story.result(30_000).end(30_000).trace(), URLS[:1], topic="timing", expected=ms(2000),
                         happened=ms(30_000)))

    assert (told("compare.c:31").kind, told("compare.c:31").src) == ("no longer waited for", "compare.c:31")
    assert "the co_wait at compare.c:31 came back" in told("compare.c:31").text \
        and "co_cancel" in told("compare.c:31").text
    assert told("compare.c:50").kind == "no timeout"        # not the wait's own


@pytest.mark.parametrize("topic", ["timing", "results", "leaks", ""])
def test_a_limit_without_its_end(topic):
    story = Story().begin().get(0, 1, 1, URLS[0]).got(20, 1, -errno.ECONNREFUSED).result(20)
    story.runtime(20, "leak", what="timeout", src="compare.c:18", task=1, name="page").end(20)
    found = find(Case(story.trace(), URLS[:2], topic=topic))
    assert (found.kind, found.src) == ("limit not ended", "compare.c:18") \
        and "a return before co_timeout_end?" in found.text


def raced(clock_ends=300, clock="compare.c:25", waits=True):
    """A task that fetches and one that sleeps: the answer is there after 100 ms."""
    story = Story().begin().spawn(0, 2).spawn(0, 3, name="run_clock").wait(0, 1, "wait",
                                                                           "compare.c:32").wait(0, 3, "sleep", clock)
    story.get(0, 1, 2, URLS[0]).got(100, 1).runtime(100, "done", task=2, rc=0)
    if waits:
        story.wait(100, 1, "group", "compare.c:32")
    story.runtime(clock_ends, "run", task=3).runtime(clock_ends, "done", task=3, rc=0)
    return Case(story.result(clock_ends).end(clock_ends).trace(), URLS[:1], topic="timing", expected=ms(100),
                happened=ms(clock_ends))


def test_a_clock_that_goes_on_when_the_answer_is_there():
    found = find(raced())
    assert (found.kind, found.src) == ("clock goes on", "compare.c:25")
    assert "the answer of http://a.test/0 was there after 100 ms" in found.text \
        and "run_clock sleeps on at compare.c:25" in found.text
    assert find(raced(waits=False)).kind == "slept"


def cancelled(waits="compare.c:45", rc=0):
    """main.c cancels task 2 after 100 ms."""
    story = Story().begin().spawn(0, 2, src="main.c:99", name="run_async").runtime(0, "run", task=2).spawn(0, 3, by=2)
    story.wait(0, 2, "group", waits).get(0, 1, 3, URLS[0]).runtime(100, "cancel", task=2, by=1, why="call",
                                                                   src="main.c:99")
    story.runtime(100, "cancel", task=3, by=1, why="group").world(100, "http.cancelled",
                                                                  op=1).runtime(100, "run", task=2)
    return story.result(100, rc=rc).runtime(100, "done", task=2, rc=rc).end(100)


def test_a_timeout_that_the_call_itself_was_given():
    """The kit's begins with the same call, but is 30 s, redirects included."""
    def told(ms_, **case):
        story = Story().begin().spawn(0, 2).get(0, 1, 2, URLS[0]).got(4000, 1, status=302).get(4000, 2, 2, URLS[1])
        story.runtime(ms_, "cancel", task=2, by=0, why="timeout", src="compare.c:20").world(ms_, "http.cancelled", op=2)
        return find(Case(story.result(ms_).end(ms_).trace(), URLS[:1], topic="results", **case))

    late = {"error": -errno.ETIMEDOUT, "status": 0, "length": 0}
    wrong = dict(expected=[OK], happened=[late], answers=[OK])
    found = told(10_000, **wrong)
    assert (found.kind, found.src) == ("own timeout", "compare.c:20")
    assert found.text.startswith("the request for http://a.test/0 was given up after 10,000 ms by the timeout that the "
                                 "call at compare.c:20 was given: take it away")
    assert told(30_000, **wrong) is None
    assert told(10_000, expected=[late], happened=[OK], answers=[late]) is None


def test_a_cancel_that_nobody_took_notice_of():
    found = find(Case(cancelled().trace(), URLS[:1], topic="cancelled"))
    assert (found.kind, found.src) == ("cancel ignored",
                                       "compare.c:45") and "the wait at compare.c:45 returned -ECANCELED" in found.text
    assert find(Case(cancelled(rc=-errno.ECANCELED).trace(), URLS[:1], topic="cancelled")) is None
    assert find(Case(cancelled(waits=None).trace(), URLS[:1], topic="cancelled")) is None


def answers(*lengths):
    return [{"error": 0, "status": 200, "length": length} for length in lengths]


def test_results_in_the_order_of_completion():
    story = overlapped(URLS, TOOK)              # they end in the order 3 0 2 1
    right = answers(1, 2, 3, 4)
    found = cause(story, "results", expected=right, happened=answers(4, 1, 3, 2), answers=right)
    assert (found.kind,
            "place 0 holds that of http://a.test/3, but urls[0] is http://a.test/0" in found.text) == ("order", True)


def test_other_wrong_results_are_not_an_order():
    right = answers(1, 2, 3, 4)
    for wrong in (answers(4, 3, 2, 1), answers(0, 0, 0, 0), right, right[:2]):
        assert cause(overlapped(URLS, TOOK), "results", expected=right, happened=wrong, answers=right) is None


def test_returned_while_a_request_was_under_way():
    story = Story().begin().spawn(0, 2).spawn(0, 3, src="compare.c:33").get(0, 1, 2,
                                                                            URLS[0]).get(0, 2, 3, URLS[1]).got(200, 1)
    story.result(200).runtime(200, "cancel", task=3, by=1, why="end").world(200, "http.cancelled", op=2).end(200)
    assert find(Case(story.trace(), URLS[:2],
                     topic="results")) is None     # it ended at that very instant: nothing proves it
    story = Story().begin().spawn(0, 2, src="compare.c:33").get(0, 1, 2, URLS[0]).result(100).got(200, 1).end(200)
    found = find(Case(story.trace(), URLS[:1], topic="results"))
    assert (found.kind, found.src) == ("unfinished", "compare.c:33") and "returned at 100 ms" in found.text


def test_over_the_limit():
    found = cause(overlapped(URLS, TOOK), "limit", expected=3, happened=4)
    assert (found.kind, found.src) == ("limit", "compare.c:30") \
        and "http://a.test/3 was the 4th under way" in found.text
    assert cause(overlapped(URLS, TOOK), "limit", expected=4, happened=4) is None


@pytest.mark.parametrize("what, kind, told",
                         [("task", "never awaited", "nobody ever waits for it: call co_join"),
                          ("response", "leaked response", "co_response_free"),
                                              ("lock", "held lock", "still held"),
                                              ("timeout", "limit not ended",
                                               "every later call that waits returns -ECANCELED"),
                                              ("shield", "leak", "leaves behind a shield")])
def test_leaks(what, kind, told):
    story = overlapped(URLS, TOOK).runtime(320, "leak", what=what, src="compare.c:20", task=2, name="fetch_one")
    found = cause(story, "leaks")
    assert (found.kind, found.src, told in found.text) == (kind, "compare.c:20", True)


def test_the_most_frequent_leak_is_named():
    story = overlapped(URLS, TOOK)
    for src in ("compare.c:5", "compare.c:9", "compare.c:9"):
        story.runtime(320, "leak", what="response", src=src)
    assert cause(story, "leaks").src == "compare.c:9" and "2 answers" in cause(story, "leaks").text


# ---- how it ended ----


def test_a_run_that_ended_well_was_not_stuck():
    assert stuck(overlapped(URLS, TOOK).trace()) is None


def test_deadlock_in_a_ring():
    story = Story().spawn(0, 2, name="left").spawn(0, 3, name="right")
    story.runtime(5, "deadlock", task=1, on="group", src="compare.c:40", since=0, holder=2)
    story.runtime(5, "deadlock", task=2, on="lock", src="compare.c:11", since=1 * MS, holder=3)
    story.runtime(5, "deadlock", task=3, on="lock", src="compare.c:21", since=1 * MS, holder=2).end(5, rc=-35)
    found = stuck(story.trace())
    assert (found.kind, found.src) == ("deadlock", "compare.c:11")
    assert "left (task 2) waits at compare.c:11 for a lock, which right (task 3) holds" in found.text \
        and "ring" in found.text


def test_deadlock_without_a_ring_names_who_waits_for_what():
    story = Story().spawn(0, 2, name="reader").runtime(5, "deadlock", task=1, on="group", src="compare.c:40", since=0,
                                                       holder=2)
    story.runtime(5, "deadlock", task=2, on="event", src="compare.c:11", since=0).end(5, rc=-35)
    found = stuck(story.trace())
    assert (found.kind, found.src) == ("deadlock",
                                       "compare.c:11") and "reader (task 2) waits at compare.c:11 for an event" \
        in found.text


@pytest.mark.parametrize("ev, fields, kind, told", [
    ("livelock", {"task": 1, "src": "compare.c:9", "steps": 1000000}, "livelock", "1,000,000 steps"),
    ("overflow", {"task": 1, "name": "deep", "src": "compare.c:9", "size": 262144}, "overflow", "256 KiB"),
    ("overflow", {"task": 1, "name": "deep", "src": "kit.c:363", "at": "compare.c:9", "size": 262144}, "overflow",
     "compare.c:9, in deep, needs"),
    ("crash", {"signal": 11, "src": "compare.c:9"}, "crashed", "not its own (SIGSEGV)"),
    ("block", {"task": 1, "ns": (1 << 63) - 1 - 5 * MS, "on": "pause", "src": "compare.c:9"}, "blocked for ever",
     "pause()")])
def test_other_ends(ev, fields, kind, told):
    found = stuck(Story().runtime(5, ev, **fields).trace())
    assert (found.kind, found.src, told in found.text) == (kind, "compare.c:9", True)


def test_a_loop_that_a_cancelled_task_does_not_leave():
    def told(**fields):
        return stuck(Story().runtime(5, "cancel", task=1, by=0, **fields).runtime(5, "livelock", task=1,
                                                                                  src="compare.c:9", steps=1000000)
                     .trace())

    found = told(why="call", src="main.c:9")
    assert (found.kind, found.src) == ("livelock", "compare.c:9") and "leave the loop" in found.text
    assert "wait for something that takes time" in told(why="timeout", src="compare.c:7").text


def witness(story, kind, message="reads 8 bytes", within="fetch_one"):
    """What is said of a crash that the sanitizers have seen."""
    class Crashed:
        limit, signal, exit, stderr = None, "SIGSEGV", None, ""

    return ending.failure(Crashed, story.trace(), [Finding(kind, message, "compare.c:22", "", "", within)]).cause.text


def test_a_crash_says_how_long_the_list_was():
    story = Story().world(0, "report", name="start", value={"mode": "async", "n": 500})
    assert witness(story, "index out of bounds").endswith("n = 500: is there room for n, and does every loop end with "
                                                          "index n - 1?)")
    assert witness(story, "null pointer") == "compare.c:22 reads 8 bytes"
    assert witness(story, "wild pointer") == "compare.c:22 reads 8 bytes (was that pointer ever set?)"
    story.spawn(0, 2, src="compare.c:41").spawn(0, 3, src="compare.c:41", job_of=2)
    assert witness(story, "heap buffer overflow").endswith("index n - 1?) (compare.c:41 gives one and the same job to "
                                                           "2 tasks)")
    assert witness(story, "heap buffer overflow", within="compare").endswith("index n - 1?)")
    empty = Story().world(0, "report", name="start", value={"mode": "async", "n": 0})
    for kind in ("heap buffer overflow", "null pointer"):
        assert "n = 0: no element is there, and n - 1 is a huge number" in witness(empty, kind)
    assert witness(Story(), "null pointer") == "compare.c:22 reads 8 bytes"


def test_a_call_of_a_function_that_nobody_gave():
    class Crashed:
        limit, signal, exit, stderr = None, "SIGSEGV", None, ""

    found = ending.failure(Crashed, Story().runtime(5, "crash", signal=11, src="compare.c:9").trace(),
                           [Finding("null pointer", "calls a function through a null pointer", None, "", "")])
    assert found.cause.src == "compare.c:9" \
        and found.cause.text.startswith("compare.c:9 calls a function through a null pointer")
    assert "Ask before you call it" in found.cause.text


def test_a_job_that_did_not_live_long_enough_names_where_its_tasks_were_started():
    story = Story().spawn(0, 2, src="compare.c:41").spawn(0, 3, src="compare.c:41", job_of=2)
    assert witness(story, "use after scope") == "compare.c:22 reads 8 bytes (compare.c:41 gives one and the same job " \
        "to 2 tasks)"
    assert witness(story, "use after free") == "compare.c:22 reads 8 bytes (fetch_one was started at compare.c:41)"
    assert witness(story, "use after free", within="compare") == "compare.c:22 reads 8 bytes"


def test_the_worlds_lines_cannot_tell_how_it_ended():
    assert stuck(Story().world(5, "crash", signal=11).trace()) is None


def cut(story):
    return read_cut(story.text(), "\n" + story.text())


def test_stopped_in_an_endless_loop():
    story = Story().spawn(0, 2).wait(0, 2, "sleep", "compare.c:12").runtime(5, "run", task=2)
    found = busy(cut(story))
    assert (found.kind, found.src) == ("endless", "compare.c:12") and "fetch_one (task 2)" in found.text
    spinning = busy(cut(Story().runtime(5, "crash", signal=24, src="compare.c:14")))
    assert (spinning.kind, spinning.src) == ("endless", "compare.c:14")
    assert busy(None).src is None and busy(cut(Story())).kind == "endless"


def test_stopped_while_going_round_at_one_instant():
    story = Story()
    for _ in range(600):
        story.wait(0, 1, "yield", "compare.c:12").runtime(0, "run", task=1)
    assert (busy(cut(story)).kind, busy(cut(story)).src) == ("livelock", "compare.c:12")
    assert busy(cut(story.runtime(1, "run", task=1))).kind == "endless"      # time did move


# ---- Pools, scrapers, pipelines (shapes.py) ----


def dripping(reads):
    """A body in pieces, read for 9 s by a task whose limit is 2 s."""
    story = Story().begin().spawn(0, 2).world(0, "http.start", op=1, task=2, url=URLS[0], method="GET")
    for k in range(reads):
        story.wait(1000 * k, 2, "stream", "scraper.c:44" if k else "scraper.c:40", op=1)
    return story.world(9000, "http.end", op=1, rc=0, status=200, bytes=9).result(9000).end(9000)


def test_a_timeout_for_each_read():
    found = slow(dripping(9), 2000)
    assert (found.kind, found.src) == ("timeout per read", "scraper.c:44") and "9,000 ms in 9 pieces" in found.text
    assert slow(dripping(1), 2000).kind != "timeout per read"
    assert find(Case(dripping(9).trace(), URLS[:1], topic="timing", expected=ms(9000), happened=ms(9001))) is None


def over_sessions(sessions):
    """One request after the other, over these sessions."""
    story = Story().begin()
    for k, session in enumerate(sessions):
        story.world(k, "http.start", op=k + 1, task=1, url=URLS[k], method="GET", session=session)
        story.wait(k, 1, "http", "fetcher.c:20", op=k + 1).got(k + 1, k + 1)
    return story.result(9).end(9)


def test_sessions():
    assert cause(over_sessions([1, 1, 1, 1]), "connections") is None
    found = cause(over_sessions([1, 2, 3, 4]), "connections")
    assert (found.kind, found.src) == ("many sessions",
                                       "fetcher.c:20") and "4 sessions were used, one for each request" in found.text
    assert "2 sessions were used, for 4 requests" in cause(over_sessions([1, 1, 2, 2]), "connections").text
    found = cause(over_sessions([1, 1, None, None]), "connections")
    assert (found.kind, found.src) == ("no session", "fetcher.c:20") and f"2 requests ({URLS[2]} first" in found.text


def two_workers(first_ends=None, jobs=6, sem=False, tasks=(2, 3)):
    """Workers that take jobs in turns, 100 ms each; the first one may end early."""
    story = Story().begin().spawn(0, 2, src="pool.c:60", name="work").spawn(0, 3, src="pool.c:60", name="work")
    for k in range(jobs):
        task = tasks[k % len(tasks)] if first_ends is None or k < first_ends else tasks[-1]
        if first_ends == k:
            story.wait(100 * k, 2, "queue.get", "pool.c:33").runtime(100 * k, "done", task=2, rc=0)
        if sem:
            story.wait(100 * k, task, "sem", "pool.c:41")
        story.get(100 * k + 0.5, k + 1, task, f"http://a.test/{k}", src="pool.c:44").got(100 * k + 100, k + 1)
    return story.result(100 * jobs).end(100 * jobs)


MANY = [f"http://a.test/{k}" for k in range(6)]


@pytest.mark.parametrize("topic", ["timing", "reach"])
def test_a_worker_that_ended_early(topic):
    numbers = {"expected": ms(300), "happened": ms(600)} if topic == "timing" else {"expected": 2, "happened": 1}
    found = find(Case(two_workers(first_ends=2).trace(), MANY, topic=topic, **numbers))
    assert (found.kind, found.src) == ("worker ended",
                                       "pool.c:33") and "work (task 2, spawned at pool.c:60) had ended at 200 ms" \
        in found.text
    assert "4 jobs were begun after that" in found.text
    assert getattr(find(Case(two_workers().trace(), MANY, topic=topic, **numbers)), "kind", None) != "worker ended"


def test_fewer_at_once_than_allowed():
    def held(**how):
        return find(Case(two_workers(**how).trace(), MANY, topic="reach", expected=2, happened=1))

    assert (held(sem=True).kind,
            held(sem=True).src) == ("held", "pool.c:41") \
        and "a semaphore, which lets only 1 through" in held(sem=True).text
    assert (held(tasks=(2,)).kind, held(tasks=(2,)).src) == ("one worker", "pool.c:44")
    assert held().kind == "held" and held().src is None
    assert find(Case(two_workers().trace(), MANY, topic="reach", expected=1, happened=1)) is None


def test_a_job_that_two_workers_took():
    story = two_workers()
    text = story.text().replace("a.test/3", "a.test/2")
    found = find(Case(read(text), [url for url in MANY if url != MANY[3]], topic="requests"))
    assert found.kind == "double" and "two workers have taken the same job" in found.text


def test_a_queue_without_a_bound():
    assert cause(two_workers(), "bound", asked=MANY).kind == "unbounded"
    story = Story().begin().get(0, 1, 1, URLS[0]).got(1, 1).wait(1, 1, "queue.put", "pipeline.c:9").result(2).end(2)
    assert cause(story, "bound", asked=URLS[:1]) is None


def written(path, write_rc=None, renamed=True):
    """A file is opened, written and perhaps renamed; write_rc None: the write is given up."""
    story = Story().begin().world(0, "file.start", op=1, task=1, call="open", path=path,
                                  mode="write").wait(0, 1, "file", "pipeline.c:5", op=1)
    story.world(1, "file.end", op=1, rc=0, bytes=0).world(1, "file.start", op=2, task=1, call="write", path=path,
                                                          file=1, bytes=9)
    story.wait(1, 1, "file", "pipeline.c:7", op=2)
    story.world(2, "file.cancelled", op=2) if write_rc is None else story.world(2, "file.end", op=2, rc=write_rc,
                                                                                bytes=0)
    if renamed:
        story.world(2, "file.start", op=3, task=1, call="rename", path=path,
                    to="out/b").world(3, "file.end", op=3, rc=0, bytes=0)
    return story.result(3).world(3, "file.left", path="out/b" if renamed else path, bytes=3, text="abc").end(3)


def test_files_that_are_half_there():
    found = cause(written("out/a", -errno.ENOSPC, renamed=False), "files", asked=[])
    assert (found.kind, found.src) == ("half written",
                                       "pipeline.c:7") and "failed (-ENOSPC) at pipeline.c:7" in found.text
    assert "was given up at pipeline.c:7" in cause(written("out/a", None, renamed=False), "files", asked=[]).text
    found = cause(written("out/a.tmp", 0, renamed=False), "files", asked=[])
    assert (found.kind, found.src) == ("temporary file",
                                       "pipeline.c:5") and "out/a.tmp, made at pipeline.c:5, is still there" \
        in found.text
    assert cause(written("out/a.tmp", 0), "files", asked=[]) is None
    assert cause(written("out/a", 0, renamed=False), "files", asked=[]) is None
    removed = written("out/a.tmp", -errno.ENOSPC, renamed=False)
    removed.lines = [line for line in removed.lines if "file.left" not in line]
    assert cause(removed, "files", asked=[]) is None


@pytest.mark.parametrize("what, told", [("session", "opens a session that is never closed: CO_SESSION closes it"),
                                        ("stream", "CO_STREAM closes it"), ("file", "(else co_file_close)")])
def test_what_was_opened_and_not_closed(what, told):
    story = Story().begin().result(0).runtime(0, "leak", what=what, src="fetcher.c:12").end(0)
    found = cause(story, "leaks")
    assert (found.kind, found.src) == (f"open {what}", "fetcher.c:12") and told in found.text


def test_a_cancel_is_not_blamed_on_the_kits_own_line():
    assert find(Case(cancelled(waits="main.c:45").trace(), URLS[:1], topic="cancelled")) is None


# ---- stuck, though something goes on ----


def test_a_ring_beside_which_others_go_on_is_blamed_on_the_ring():
    """Not on the task that sleeps and wakes meanwhile; and told with the instant at which it closed."""
    story = Story().begin().spawn(0, 2, "compare.c:30").spawn(0, 3, "compare.c:31").spawn(0, 4, "compare.c:32")
    for task, holder, src in ((2, 3, "compare.c:20"), (3, 2, "compare.c:25")):
        story.runtime(60_000, "deadlock", task=task, on="lock", src=src, since=5 * MS, holder=holder, others=2)
    failed = ending.failure(Outcome(70, None, None, "", "", 0.0, 0.0), story.trace())
    assert failed.happened == "at 5 ms some tasks began to wait for each other in a ring, and nobody ended that"
    assert failed.cause.kind == "deadlock" and failed.cause.text.startswith("they wait for each other in a ring: ")
    assert "compare.c:20" in failed.cause.text and "compare.c:25" in failed.cause.text
    assert "compare.c:32" not in failed.cause.text


def test_who_sleeps_and_wakes_for_ever_is_named():
    story = Story().begin().spawn(0, 2, "compare.c:30", name="heartbeat")
    story.runtime(9_000, "endless", task=2, src="compare.c:41", moves=1_000_000)
    failed = ending.failure(Outcome(70, None, None, "", "", 0.0, 0.0), story.trace())
    assert (failed.cause.kind, failed.cause.src) == ("endless", "compare.c:41")
    assert "heartbeat" in failed.cause.text and "1,000,000 moves of the clock" in failed.cause.text
