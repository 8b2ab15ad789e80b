"""The visible checks of lab 05. The numbers in brackets are the requirements' in README.md, "What your functions must
do"."""

from __future__ import annotations

import errno
import itertools
import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Callable, Iterable, Optional

from looplab import Fault, World, ms, points, us
from looplab.plain import seed
from looplab.plain.duration import Duration, show
from looplab.plain.failure import Cause, CheckFailed, Failure
from looplab.plain.text import count, cut
from looplab.plain.words import error

LEAST_COVERED = 85     # per cent of the lines; the rest is room for what handles a failed malloc
STAGES = ("fetch", "transform", "write")
COST = us(500)         # ns_per_byte where a check sets nothing else (main.c)
WANTED = {"Accept": "application/json"}
NOT_JSON, NO_FIELD = -errno.EBADMSG, -errno.ENODATA
NAMES = ("Ada", "Grace", "Edsger", "Barbara", "Dennis", "Radia", "Ken", "Frances", "Leslie", "Margaret")
GOODS = {"tea": 350, "cup": 900, "kettle": 4200, "honey": 640, "lemon": 80}


# ---- Worlds ---------------------------------------------------------------------------------


def order(rng: Random, number: int, items: int = -1, **more) -> dict:
    """A good order of the student's own."""
    goods = rng.sample(sorted(GOODS), rng.randint(1, 3) if items < 0 else items)
    return {"id": number, "customer": {"name": rng.choice(NAMES)},
            "items": [{"sku": name, "price": GOODS[name], "quantity": rng.randint(1, 9)} for name in goods],
            "note": "x" * rng.randint(0, 90), **more}


def text(document: object) -> str:
    """As a server sends it."""
    return json.dumps(document, ensure_ascii=False)


def summary(document: dict) -> str:
    """What pipeline.h asks for: json_dumps with JSON_COMPACT | JSON_SORT_KEYS."""
    items = document["items"]
    return json.dumps({"customer": document["customer"]["name"], "id": document["id"],
                       "total": sum(item["price"] * item["quantity"] for item in items),
                       "units": sum(item["quantity"] for item in items)}, ensure_ascii=False, separators=(",", ":"),
                      sort_keys=True)


def path_of(document: dict) -> str:
    return f"out/order-{document['id']}.json"


class Shop:
    """A world of orders, and what a right pipeline makes of it."""

    def __init__(self, lab, name: str, **site) -> None:
        self.rng = seed.rng(lab.seed, name)
        self.world = World(seed=lab.seed, **({"cpus": site.pop("cpus")} if "cpus" in site else {}))
        self.world.site("http://shop.test", **{"rtt": ms(20), "connect": ms(30), **site})
        self.numbers = iter(self.rng.sample(range(100, 10**7), 80))
        self.paths = itertools.count(1)
        self.good: list[dict] = []                      # the orders that end up as files, in the order of their URLs
        self.bodies: list[str] = []                     # the answers that reach the transform, in that order
        self.failures: list[tuple[str, str, int]] = []  # (stage, url, error), in the order of the URLs

    def order(self, latency: int, document: dict | None = None, wrong: int = 0) -> dict:
        """Adds a good order; wrong: the disk (see World.disk) refuses it with this error."""
        document = document or order(self.rng, next(self.numbers))
        self._route(latency, text(document))
        self.bodies.append(text(document))
        if wrong:
            self.failures.append(("write", self.world.urls()[-1], wrong))
        else:
            self.good.append(document)
        return document

    def broken(self, latency: int, body: str, wrong: int) -> None:
        """Adds an answer that transform_order refuses."""
        self._route(latency, body)
        self.bodies.append(body)
        self.failures.append(("transform", self.world.urls()[-1], wrong))

    def unfetched(self, latency: int, wrong: int, **how) -> None:
        """Adds a URL that cannot be fetched: a fault, or another status."""
        self._route(latency, text(order(self.rng, next(self.numbers))), **how)
        self.failures.append(("fetch", self.world.urls()[-1], wrong))

    def _route(self, latency: int, body: str, **how) -> None:
        self.world.route(f"/{next(self.paths)}", latency=latency, body=body.encode() if "\0" in body else body,
                         require=WANTED, **how)

    @property
    def files(self) -> dict[str, str]:
        return {path_of(document): summary(document) for document in self.good}

    @property
    def failed(self) -> dict[str, int]:
        return {stage: sum(failure[0] == stage for failure in self.failures) for stage in STAGES}

    @property
    def done(self) -> dict[str, int]:
        written = len(self.good)
        transformed = written + self.failed["write"]
        return {"fetch": transformed + self.failed["transform"], "transform": transformed, "write": written}


def usual(lab) -> Shop:
    """Ten good orders; each stage is now and then the slowest. Many checks look at the same run of it."""
    shop = Shop(lab, "usual")
    for _ in range(10):
        shop.order(us(shop.rng.randint(50_000, 250_000)))
    shop.world.disk(ms(9), bandwidth=5_000)
    return shop


def slow_disk(lab) -> Shop:
    """Sixteen orders in front of a disk that takes far longer than all the rest."""
    shop = Shop(lab, "slow disk")
    for _ in range(16):
        shop.order(us(shop.rng.randint(20_000, 60_000)))
    shop.world.disk(ms(150))
    return shop


def slow_transform(lab) -> Shop:
    """Sixteen orders whose transform takes far longer than all the rest; more CPUs than anybody needs."""
    shop = Shop(lab, "slow transform", cpus=8)
    for _ in range(16):
        shop.order(us(shop.rng.randint(20_000, 60_000)))
    shop.world.disk(ms(2))
    return shop


SLOW_DISK = {"workers": 2, "bound": 3}
SLOW_TRANSFORM = {"workers": 3, "bound": 2, "cost": ms(3)}


# ---- Assertions -----------------------------------------------------------------------------


def work(lab, shop: Shop, mode: str = "pipeline", **settings):
    """lab.run, and a word on deadlocks from one who knows what a pipeline is."""
    try:
        return lab.run(mode, shop.world, settings=settings or None, may_fail=bool(shop.failures),
                       todo="pipeline, TODOs 3 to 7")
    except CheckFailed as failed:
        failure = with_reason(failed.failure, settings.get("workers", 3), bool(shop.failures))
        raise CheckFailed(failure, failed.replay, failed.virtual_ns) from None


def with_reason(failure: Failure, workers: int, failing: bool) -> Failure:
    """The failure of a run that did not end, and what in a pipeline leads to it. failing: some items fail in it."""
    cause, more = failure.cause, ""
    if cause and cause.kind == "deadlock" and "at a barrier" in cause.text:
        more = ". No order has to wait for another one: take the barrier away"
    elif cause and cause.kind == "deadlock" and "for an item from a queue" in cause.text:
        more = (". These workers have nothing to do, and nobody has told them so: "
                f"a sentinel ends the one worker that gets it, so there must be one for each of the {workers} workers "
                "of a stage, and the last stage needs them, too")
    elif cause and cause.kind == "deadlock" and "for room in a queue" in cause.text:
        more = (". Nobody takes anything out of that queue any more: " + (
            "a worker whose item fails must go on with the next one (continue). If it ends there (return, "
            "break), soon none is left"
            if failing else "have the workers behind it ended too early, or not begun, "
                            "or are there fewer of them than sentinels?"))
    elif cause and cause.kind == "livelock" and "was cancelled" not in cause.text:
        more = (". co_queue_put waits until there is room, and co_queue_get until there is an item: neither need "
                "be tried again and again. And a worker that gets its sentinel ends: who passes it on and goes "
                "round may get it again for ever")
    return replace(failure, cause=replace(cause, text=cause.text + more)) if cause and more else failure


def failures_of(run) -> list[tuple[str, str, int]]:
    """What log_error was called with."""
    return [(report["value"]["stage"], report["value"]["url"], report["value"]["error"]) for report in run.trace.reports
            if report["name"] == "failure"]


def said(failure: tuple[str, str, int]) -> str:
    stage, url, wrong = failure
    return f"{url} in {stage}: {error(wrong)}"


def should_leave(run, files: dict[str, str]) -> None:
    """Exactly these files."""
    got = run.files
    missing, wrong = [path for path in files if path not in got], [path for path in files
                                                                   if got.get(path, files[path]) != files[path]]
    extra = sorted(path for path in got if path not in files)
    if not got and files and not run.requests:
        run.fail(f"{len(files)} files", "no file, and no request", topic="requests",
                 hint="begin with pipeline, TODOs 3 to 7")
    if missing:
        run.fail(f"{len(files)} files, {missing[0]} among them",
                 f"{missing[0]} is not there" + (f" (nor are {len(missing) - 1} more)"
                 if len(missing) > 1 else ""), why_missing(run, missing[0], extra), topic="requests")
    if wrong:
        hint = why_text(files[wrong[0]], got[wrong[0]])
        if got[wrong[0]] in files.values():
            hint = ("that is the summary of another order: does each item have its own memory, "
                    "from the fetch to the file?")
        run.should(False, f"{wrong[0]} holds {cut(files[wrong[0]], 200).strip()}",
                   f"it holds {cut(got[wrong[0]], 200).strip() or 'nothing'}"
                   + (f" ({len(wrong) - 1} more files are wrong)" if len(wrong) > 1 else ""), hint=hint)
    run.should(not extra, f"{len(files)} files and no other", f"{', '.join(extra[:3])} is there, too",
               hint=why_extra(extra))


def why_missing(run, path: str, extra: list[str]) -> str:
    refused = [request for request in run.requests if request.status == 401]
    logged = failures_of(run)
    if refused:
        return (f"the server answered {len(refused)} requests with 401, as it was not told what you accept: set "
                ".headers of the session to \"Accept: application/json\\n\"")
    if path + ".tmp" in extra:
        return f"{path}.tmp is there: rename it to {path} when it is complete (TODO 2)"
    other = [one for one in extra if not one.endswith(".tmp")]
    if other:
        return (f"there is {other[0]} instead: the path is out/order-ID.json, with the id of the document, a "
                "json_int_t (%lld of a long long). Has it been copied before the order is given back?")
    if len(logged) == len(run.requests) and {(stage, wrong) for stage, _, wrong in logged} == {("transform", NOT_JSON)}:
        return (f"each of the {len(logged)} answers was good when it came, and -NOT_JSON when the transform read it. "
                "co_response_free, and CO_RESPONSE at the end of its block, take the body away: keep the response (not "
                "only a pointer to its body) in the item until the transform is done")
    if any(wrong == -errno.EPERM for _, _, wrong in logged):
        return ("-EPERM: of co.h the function on the CPU worker may call only co_cpu and co_now. It computes and "
                "returns; what waits (co_queue_put) belongs to the task that called co_to_thread")
    if logged:
        return f"log_error was told of {count(len(logged), 'failure')}, {said(logged[0])} first"
    if not run.trace.files and not early_leaver(run):
        return "nothing was written at all: does stage 3 call write_whole? (TODO 6)"
    return early_leaver(run) or "does that item get lost on its way, in a queue or in a worker that ended too early?"


def early_leaver(run) -> str:
    """A worker that was sent home while there were still orders before it; "" if there is none."""
    fetched = max((request.end for request in run.requests if request.end is not None), default=0)
    last = max([fetched] + [job.end for job in run.cpu if job.end is not None])
    fetchers, writers = {request.task for request in run.requests}, {call.task for call in run.trace.files}
    started = Counter(task.src for task in run.trace.tasks.values())
    for task in run.trace.tasks.values():
        if task.number in fetchers or task.number == 1 or task.done is None or task.rc \
                or started[task.src] == 1 < len(fetchers):      # a helper, and no worker
            continue
        what, until = ("transformed", last) if task.number in writers else ("fetched", fetched)
        if task.done < until:
            return (f"{task.name} (task {task.number}) ended at {show(Duration(task.done))}, while orders were still "
                    f"being {what}. Sentinels stand behind the last item of all: they are put when every worker of the "
                    "stage before has ended, not when one of them has nothing more to do")
    return ""


def meeting(run) -> str:
    """Where workers wait for each other, which in a pipeline nobody does; "" if they do not."""
    told = run.cause("meet")
    return told.text if told else ""


def sleeper(run) -> str:
    """Where the program sleeps, which a pipeline never does; "" if it does not."""
    src = next((event["src"] for event in run.trace.of("await", "runtime") if event.get("on") == "sleep"
                and (event.get("src") or "").startswith("pipeline.c")),
               None)
    return (f"{src} sleeps, and looks again later whether something has come: co_queue_get and co_queue_put wait by "
            "themselves, and go on at that very instant" if src else "")


def why_extra(extra: list[str]) -> str:
    if any(path.endswith(".tmp") for path in extra):
        return "a temporary file that was left: rename it when it is complete, remove it when anything fails (TODO 2)"
    return "only a good order has a file"


def why_text(right: str, got: str) -> str:
    """What a wrong summary says of its maker; "" if nothing."""
    if got == "never written":
        return "*text was never set"
    if got.strip() == right:
        return "no line break, no blank around it: exactly what json_dumps gives"
    if right.startswith(got):
        return f"it ends after {len(got.encode())} of {len(right.encode())} bytes"
    if got.startswith(right):
        return "something stands behind it: exactly the bytes that were given, no '\\0' and nothing of before"
    try:
        value = json.loads(got)
    except ValueError:
        return ("that is no JSON: in a string, quotes, backslashes and the like are escaped. Let json_pack make the "
                "object and json_dumps the text"
                if got.startswith("{") else "")
    if not isinstance(value, dict):
        return "the summary is an object"
    wanted = json.loads(right)
    if value == wanted:
        compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        if got.isascii() and not right.isascii():
            return "letters of other alphabets stay as they are: without JSON_ENSURE_ASCII"
        if compact == got:
            return "the members are sorted by their names: JSON_SORT_KEYS"
        return "no blanks and no line breaks: JSON_COMPACT"
    if set(value) != set(wanted):
        return f"the members are {', '.join(wanted)}; these are {', '.join(sorted(value))}"
    for key in wanted:
        if value[key] == wanted[key]:
            continue
        if isinstance(value[key], str) and value[key].startswith("#") and not value[key].strip("#"):
            return (f"{key} was read after its document had been given back: "
                    "what json_string_value points to is gone with it. json_decref comes last")
        if isinstance(value[key], str) and isinstance(wanted[key], int):
            return f"{key} is a number, not a string"
        if isinstance(value[key], float):
            return f"{key} is an integer: price and quantity are, too"
        if isinstance(wanted[key], int) and isinstance(value[key], int) and (value[key] - wanted[key]) % 2**32 == 0:
            return f"{key} does not fit into an int: sum up in json_int_t, and use I (not i) in json_pack"
        return f"{key} is {wanted[key]}, not {value[key]}"
    return ""


def should_log(run, shop: Shop) -> None:
    """Each failure once, with its stage, URL and error; and counted there."""
    got, right = failures_of(run), shop.failures
    on_worker = any(report["value"].get("on_worker") for report in run.trace.reports if report["name"] == "failure")
    run.should(not on_worker, "log_error is called in the task", "it is called on a CPU worker",
               hint="the function that co_to_thread runs only computes and returns: look at what it returned, "
                    "and log it then")
    for failure in right:
        stage, url, wrong = failure
        same = [one for one in got if one[1] == url]
        if not same:
            hint = "once for each item that fails, where it fails"
            if not run.requests_for(url):
                hint = ("it was never asked for: no fetcher was left. One whose item fails goes on with the next URL "
                        "(continue); if it ends there (return, break), there is one worker less after each failure")
            elif not got and run.report["failed"] == shop.failed:
                hint = (f"failed counts all {len(right)} of them, but log_error was never called: "
                        "call it where you count")
            elif stage == "fetch" and wrong > 0:
                hint = (f"co_session_get returns 0 for it, for a {wrong} is an answer. But every status other than "
                        "200 is a failure of the fetch")
            run.should(False, f"log_error is told of {said(failure)}", "it was not", hint=hint)
        stages = list(dict.fromkeys(one[0] for one in same))
        run.should(len(same) == 1, f"log_error is told of {url} once, in {stage}",
                   f"{len(same)} times, in {' and in '.join(stages)}",
                   hint="an item that fails goes no further: do not put it into the next queue, free it"
                   if len(stages) > 1 else
                   "once for each item that fails: who calls it a second time?")
        if same[0] != failure:
            hint = "error is what the failing call returned; with an answer that is no 200, it is the status"
            if same[0][0] != stage:
                hint = f"that order fails in {stage}: the table in the handout says which stage finds what"
            elif same[0][2] == -wrong or same[0][2] == 0:
                hint = f"pass it on as it is: {error(wrong)}"
            run.should(False, said(failure), f"log_error was told: {said(same[0])}", hint=hint)
    extra = [failure for failure in got if failure[1] not in {one[1] for one in right}]
    run.should(not extra, f"{len(right)} failures are logged", f"{said(extra[0]) if extra else ''} was, too",
               hint="that order is good")
    should_count(run, shop)


def should_count(run, shop: Shop) -> None:
    """done and failed of each stage."""
    for key, right in (("failed", shop.failed), ("done", shop.done)):
        for stage in STAGES:
            got = run.report[key][stage]
            hint = f"{key} counts the items that {'failed in' if key == 'failed' else 'went through'} the stage"
            if -1 in (*run.report["failed"].values(), *run.report["done"].values()):
                hint = "it was never set: *stats holds garbage when you get it"
            elif key == "done" and shop.failed[stage] and got == right[stage] + shop.failed[stage]:
                hint = (f"the {shop.failed[stage]} that failed in {stage} are counted, too: "
                        "an item is either done or failed")
            run.should(got == right[stage], f"{key}[{stage}] is {right[stage]}", f"it is {got}", hint=hint)


def should_succeed(run) -> None:
    """Failing items are no failure of the pipeline."""
    if run.report["rc"] != 0:
        failed = failures_of(run)
        hint = "an item that fails ends there, but its worker goes on with the next one; pipeline returns 0"
        if any(one[2] == run.report["rc"] for one in failed) or run.report["rc"] in (NOT_JSON, NO_FIELD):
            hint = ("that is the error of one item. A worker that returns it ends, "
                    "and the first task of a group that fails cancels all the others: count it, log it, "
                    "and go on with the next item")
        run.fail("pipeline returns 0, whatever becomes of single items", f"it returned {error(run.report['rc'])}",
                 hint, topic="-")


def waiting(run) -> tuple[int, int]:
    """The most orders at the end of an instant that were asked for but not yet handed to a CPU worker; and that were
    handed to one, but whose file was not yet begun. Where all orders are good."""
    most, now, begun = [0, 0], [0, 0], set()
    for _, instant in itertools.groupby(run.events, key=lambda event: event["t"]):
        for event in instant:
            if event["from"] != "world":
                continue
            if event["ev"] == "http.start":
                now[0] += 1
            elif event["ev"] == "cpu.submit":
                now[0] -= 1
                now[1] += 1
            elif event["ev"] == "file.start" and event["path"].removesuffix(".tmp") not in begun:
                begun.add(event["path"].removesuffix(".tmp"))
                now[1] -= 1
        most = [max(pair) for pair in zip(most, now)]
    return most[0], most[1]


def should_refuse_none(run) -> None:
    """A full queue makes its stage wait; it refuses nothing. Where all orders are good."""
    told = failures_of(run)
    if not told:
        return
    full = any(wrong == -errno.EAGAIN for _, _, wrong in told)
    run.should(False, "all orders are good, and log_error is told of none",
               f"it was told of {count(len(told), 'order')}, {said(told[0])} first",
               hint="a full queue is no failure: co_queue_try_put returns -EAGAIN instead of waiting, co_queue_put "
                    "waits until there is room"
               if full else "")


def busiest(spans: list[tuple[int, int]]) -> int:
    """How many of these spans of time overlap at most; one that begins when another ends does not."""
    now = most = 0
    for _, change in sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans]):
        now += change
        most = max(most, now)
    return most


def file_spans(run) -> list[tuple[int, int]]:
    """From the first call for each file to the end of the last one."""
    spans: dict[str, tuple[int, int]] = {}
    for call in run.file_calls:
        path, end = call.path.removesuffix(".tmp"), call.end if call.end is not None else call.t
        spans[path] = (spans[path][0] if path in spans else call.t, end)
    return list(spans.values())


# ---- transform_order -------------------------------------------------------------------------


def should_transform(run, documents: list[dict]) -> None:
    """The right id and text of each of these documents."""
    said_of_all = {result["rc"] for result in run.results}
    if said_of_all in ({NO_FIELD}, {NOT_JSON}):
        run.should(False, "a good order has a summary", f"transform_order says {name_of(*said_of_all)} of every order",
                   hint="begin with transform_order, TODO 1" if said_of_all == {NO_FIELD} else
                   "body has `length` bytes and no '\\0' behind them: json_loadb(body, length, 0, …), "
                   "not json_loads (TODO 1)")
    for result, document in zip(run.results, documents):
        right = summary(document)
        run.should(result["rc"] == 0, f"{cut(text(document), 200)} gives {right}",
                   f"transform_order returned {name_of(result['rc'])}",
                   hint="this order is good: nothing that is needed is missing, and what is not needed does no harm")
        run.should(result.get("id") == document["id"], f"id {document['id']}", f"id {result.get('id')}",
                   hint="*id is the integer `id` of the document, a json_int_t: no int can hold all of them")
        run.should(result["text"] == right, f"the summary {right}", f"it is {result['text']}",
                   hint=why_text(right, result["text"]))


def name_of(rc: int) -> str:
    """As pipeline.h writes it."""
    return {NOT_JSON: "-NOT_JSON", NO_FIELD: "-NO_FIELD"}.get(rc, error(rc))


def transform(lab, *documents: dict):
    """The run of transform_order on these."""
    shop = Shop(lab, "transform")
    for document in documents:
        shop.order(ms(1), document)
    return lab.run("transform", shop.world, todo="transform_order, TODO 1")


@points(2, "correctness")
def test_summary(lab):
    """transform_order makes the right summary (1)"""
    documents = [order(lab.rng, lab.rng.randint(100, 10**6)) for _ in range(3)]
    should_transform(transform(lab, *documents), documents)


@points(2, "correctness", needs="test_summary")
def test_odd_orders(lab):
    """transform_order takes every order that is good (1)"""
    rng = lab.rng
    more = order(rng, rng.randint(100, 10**6), paid=True, total=1, units={"of": ["something", None]})
    more["customer"] = {"title": "Dr", "name": rng.choice(NAMES), "id": 5}
    turned = dict(reversed(order(rng, rng.randint(100, 10**6), 3).items()))
    foreign = order(rng, rng.randint(100, 10**6))
    foreign["customer"]["name"] = rng.choice(["Zoë \"Z\" Šimůnek", "Ольга\\Петровна", "王 小明\t(Bei Jing)"])
    rich = order(rng, 2**40 + rng.randint(100, 10**6), 2)
    rich["items"][0].update(price=rng.randint(10**9, 2 * 10**9), quantity=rng.randint(1000, 9999))
    documents = [more, turned, foreign, order(rng, rng.randint(100, 10**6), 0), rich]
    should_transform(transform(lab, *documents), documents)


def no_json(lab) -> dict[str, str]:
    """What is no JSON, by a name of it."""
    rng = seed.rng(lab.seed, "no json")
    good = text(order(rng, rng.randint(100, 10**6)))
    return {"cut off in the middle": good[:-1 - rng.randint(0, 20)],
            "a page in HTML": "<html><body>Sorry.</body></html>", "empty": "",
            "something behind the end of the document": good + " {}",
            "a '\\0' behind the end of the document": good + "\0x"}


def lacking(lab) -> dict[str, object]:
    """Documents that lack something, by a name of it."""
    rng = seed.rng(lab.seed, "fields")
    cases: dict[str, object] = {"no object but an array": [1, 2]}

    def spoil(name: str, change: Callable[[dict], object]) -> None:
        document = order(rng, rng.randint(100, 10**6), 3)
        change(document)
        cases[name] = document

    spoil("no id", lambda it: it.pop("id"))
    spoil("an id that is a string", lambda it: it.update(id=str(it["id"])))
    spoil("no customer", lambda it: it.pop("customer"))
    spoil("a customer that is a string", lambda it: it.update(customer="Ada"))
    spoil("a customer without a name", lambda it: it["customer"].pop("name"))
    spoil("a name that is a number", lambda it: it["customer"].update(name=7))
    spoil("no items", lambda it: it.pop("items"))
    spoil("items that are no array", lambda it: it.update(items={}))
    spoil("an item without a price", lambda it: it["items"][1].pop("price"))
    spoil("a price that is a string", lambda it: it["items"][2].update(price="350"))
    spoil("a price of 3.5", lambda it: it["items"][0].update(price=3.5))
    spoil("an item without a quantity", lambda it: it["items"][2].pop("quantity"))
    spoil("a quantity of null", lambda it: it["items"][1].update(quantity=None))
    spoil("an item that is a number", lambda it: it["items"].insert(1, 5))
    return cases


def refused(lab, bodies: Iterable[str], wrong: int):
    """The run of transform_order on bodies that it refuses."""
    shop = Shop(lab, "refused")
    for body in bodies:
        shop.broken(ms(1), body, wrong)
    return lab.run("transform", shop.world)


@points(3, "correctness", needs="test_summary")
def test_no_json(lab):
    """transform_order tells what is no JSON (2)"""
    cases = no_json(lab)
    run = refused(lab, cases.values(), NOT_JSON)
    for name, result in zip(cases, run.results):
        hint = "json_loadb(body, length, 0, …) returns NULL for it"
        if "'\\0'" in name and result["rc"] == 0:
            hint = "there are `length` bytes, and a '\\0' is one of them: give all of them to json_loadb"
        run.should(result["rc"] == NOT_JSON, f"{name}: -NOT_JSON", f"{name_of(result['rc'])}", hint=hint)


@points(3, "correctness", needs="test_summary")
def test_missing_fields(lab):
    """transform_order tells which orders lack a field (3)"""
    cases = lacking(lab)
    run = refused(lab, map(text, cases.values()), NO_FIELD)
    for name, result in zip(cases, run.results):
        hint = ("json_is_integer (string, array) says whether a member is there and of the right kind; "
                "ask it for each field, in each item")
        if result["rc"] == NOT_JSON:
            hint = "-NOT_JSON is for what json_loadb refuses. This is JSON, only not what we need: -NO_FIELD"
        elif "3.5" in name:
            hint = "json_is_number says yes to 3.5, json_is_integer says no"
        run.should(result["rc"] == NO_FIELD, f"{name}: -NO_FIELD", f"{name_of(result['rc'])}", hint=hint)


@points(2, "robustness", needs="test_summary")
def test_json_given_back(lab):
    """What Jansson gives is given back, once (19)"""
    document = order(seed.rng(lab.seed, "given back"), 77)
    cases = no_json(lab)
    fields = lacking(lab)
    runs = [(transform(lab, document), ["a good order"]), (refused(lab, cases.values(), NOT_JSON), list(cases)),
            (refused(lab, map(text, fields.values()), NO_FIELD), list(fields))]
    for run, names in runs:
        for name, result in zip(names, run.results):
            left, twice = result.get("never_given_back", 0), result.get("given_back_twice", 0)
            hint = ("what json_loadb, json_pack, json_object and json_integer make is yours: json_decref it on every "
                    "way out. (json_object_set_new takes it over; json_object_set does not)") \
                if name == "a good order" else \
                "is there a return in front of json_decref? What json_loadb made must be given back on every way out"
            run.should(not left, f"{name}: nothing of Jansson's is left behind",
                       f"{left} pieces of its memory are never given back", hint=hint)
            run.should(not twice, f"{name}: nothing is given back twice", f"{twice} pieces of Jansson's memory are",
                       hint="json_object_get and json_array_get only show you what belongs to the order: json_decref "
                            "the order, and nothing in it")


# ---- write_whole -------------------------------------------------------------------------------


def line_of(run, path: str, call: str) -> Optional[str]:
    """Where the program made that call to the disk."""
    op = next((op.op for op in run.trace.files if op.path == path and op.call == call), None)
    return next((event.get("src") for event in run.trace.of("await", "runtime") if event.get("on") == "file"
                 and event.get("op") == op), None)


def should_write_whole(run, path: str) -> None:
    """Only by writing PATH.tmp and renaming it: open, write, rename."""
    calls = [call for call in run.file_calls if call.path.removesuffix(".tmp") == path and call.call != "close"]
    direct = next((call for call in calls if call.path == path), None)
    if direct:
        hint = (f"co_file_save({path}) does it in one step, but here you are asked to do it yourself: PATH.tmp, "
                "then a rename" if direct.call == "save"
                else f"while it is being written, whoever reads {path} finds half of it. Open {path}.tmp, and rename "
                     "it when it is complete (TODO 2)")
        src = line_of(run, path, direct.call)
        run.should(False, f"nobody ever sees half of {path}", f"its {direct.call} goes to that very name",
                   hint=f"{src}: {hint}" if src else hint, src=src)
    got = [call.call for call in calls]
    if got != ["open", "write", "rename"]:
        hint = f"open {path}.tmp, write all bytes with one call, close it, rename it (TODO 2)"
        other = next((call.path for call in run.file_calls if call.to == path), "")
        if not got and other:
            hint = (f"{other} is renamed to it: the name of the temporary file is PATH.tmp, here {path}.tmp, "
                    "so that no two of them meet")
        if got == ["save", "rename"]:
            hint = "co_file_save takes the place of open, write and close, but here you are asked for these"
        elif got.count("write") > 1:
            hint = "write all of it with one co_file_write: each call waits for the disk"
        elif got == ["open", "rename"]:
            hint = "co_file_write is called once for every file, also for one of 0 bytes"
        run.should(False, "co_file_open, co_file_write, co_file_close and co_file_rename, each once",
                   f"{', '.join(got) or 'no call'}", hint=hint)
    rename = calls[-1]
    opened, renamed = (next(op for op in run.trace.files if op.path == path + ".tmp" and op.call == call)
                       for call in ("open", "rename"))
    run.should(opened.closed is not None and opened.closed <= renamed.start,
               f"{path}.tmp is closed before it is renamed", "it is still open then",
               hint="CO_FILE closes the file at the end of its block: let open and write be a function (or a block) of "
                    "their own, or call co_file_close")
    run.should(rename.to == path, f"{path}.tmp is renamed to {path}", f"it is renamed to {rename.to}",
               hint="from PATH.tmp to PATH")


@points(4, "correctness")
def test_write_whole(lab):
    """write_whole writes PATH.tmp, then renames it (4)"""
    rng = seed.rng(lab.seed, "whole")
    bodies = ["the first\n", "", "the third: " + "y" * rng.randint(1000, 3000), "zwölf Öfen"]
    world = World(seed=lab.seed).site("http://texts.test")
    for i, body in enumerate(bodies, 1):
        world.route(f"/{i}", latency=ms(1), body=body)
    world.disk(ms(5), bandwidth=100_000, files={"out/3.json": "older and longer" * 400,
                                                "out/4.json.tmp": "left over from a crash" * 20,
                                                "out/5.json": "of another program"})
    run = lab.run("write", world, todo="write_whole, TODO 2")
    refused = next((result["rc"] for result in run.results if result["rc"] != 0), 0)
    run.should(any(call.call in ("open", "save") for call in run.file_calls),
               "four files are written on the world's disk", "none was opened there"
               + (f", and write_whole returned {error(refused)}" if refused else ""),
               hint="fopen, write, rename and remove know only this machine's own disk: co_file_open, co_file_write, "
               "co_file_close, co_file_rename and co_file_remove know the world's" if refused else
               "begin with write_whole, TODO 2. (fopen and write know only this machine's own disk)")
    for i, body in enumerate(bodies, 1):
        if run.results[i - 1]["rc"] != 0:
            run.should(False, f"write_whole(\"out/{i}.json\", …) returns 0",
                       f"it returned {error(run.results[i - 1]['rc'])}",
                       hint="CO_CREATE refuses a file that is there: open with CO_WRITE"
                       if run.results[i - 1]["rc"] == -errno.EEXIST else
                       "no call to the disk fails here (TODO 2)")
    for i, body in enumerate(bodies, 1):
        should_write_whole(run, f"out/{i}.json")
    should_leave(run, {f"out/{i}.json": body for i, body in enumerate(bodies, 1)})


@points(4, "robustness", needs="test_write_whole")
def test_write_fails(lab):
    """write_whole cleans up after each failure (5)"""
    world = World(seed=lab.seed).site("http://texts.test")
    cases = {1: ("open", "EACCES", "co_file_open"), 2: ("write", "EIO", "co_file_write"),
             3: ("rename", "EACCES", "co_file_rename"), 4: ("write", "ENOSPC", "co_file_write")}
    for i in range(1, 6):
        world.route(f"/{i}", latency=ms(1), body=f"text {i} " + "z" * lab.rng.randint(5, 500))
    world.disk(ms(5), files={f"out/{i}.json": f"older {i}" for i in (2, 3)},
               faults=[Fault.disk(wrong, op, f"out/{i}.json") for i, (op, wrong, _) in cases.items()])
    run = lab.run("write", world)
    removed = {call.path for call in run.file_calls if call.call == "remove" and call.rc == 0}
    for i, (op, wrong, call) in cases.items():
        path, rc = f"out/{i}.json", run.results[i - 1]["rc"]
        right = -getattr(errno, wrong)
        with lab.part(1, f"{call} fails with -{wrong}"):
            hint = "return what the failing call returned" + (", not what the removal of PATH.tmp returned" if rc != 0
                                                              else
                                                              "; keep it in a variable of its own while you remove "
                                                              "PATH.tmp")
            run.should(rc == right, f"write_whole returns -{wrong}", f"it returned {error(rc)}", hint=hint)
            run.should(path + ".tmp" not in run.files, f"{path}.tmp is gone", "it is still there",
                       hint="whatever fails: remove PATH.tmp (TODO 2)")
            run.should(path not in run.files and path not in removed, f"{path} is as it was before", "it is not",
                       hint="until the rename, nothing happens to PATH itself")


# ---- pipeline: what comes out ----------------------------------------------------------------------


@points(4, "correctness")
def test_files(lab):
    """pipeline makes a file for each good order (6)"""
    shop = usual(lab)
    run = work(lab, shop)
    should_leave(run, shop.files)


@points(2, "correctness", needs="test_files")
def test_one_request_for_each(lab):
    """Each URL is asked for once, in their order (7)"""
    run = work(lab, usual(lab))
    run.should_ask_once()
    asked = [request.url for request in run.requests]
    late = next((url for url, right in zip(asked, run.asked) if url != right), None)
    run.should(late is None, "the requests begin in the order of the URLs", f"{late} does not come in its turn",
               hint="the next fetcher that is free takes the next URL: one index for all of them")


@points(3, "correctness", needs="test_files")
def test_one_session(lab):
    """All requests share one session (8)"""
    run = work(lab, usual(lab))
    opened = run.opened
    sessions = {event.get("session", 0) for event in run.trace.of("http.start", "world")}
    hint = "are there as many fetchers as options->workers says? Or is the session's limit too small for them?" \
        if opened < 3 else ""
    if opened > 3 and len(sessions - {0}) == 1 and run.peak > 3:
        hint = (f"{run.peak} requests were under way at once, each on a connection of its own: with 3 fetchers, of "
                "which each makes one request after the other, there are 3. Does something start a task for each URL?")
    if opened != 3 or len(sessions) != 1:
        run.fail("one session, and 3 connections for 10 orders, one for each fetcher",
                 f"{count(len(sessions - {0}), 'session')}, {count(opened, 'connection')}", hint, topic="connections")


@points(4, "correctness", needs="test_files")
def test_statistics(lab):
    """The statistics are right (14)"""
    shop = usual(lab)
    run = work(lab, shop, delay=ms(300))
    with lab.part(2, "done and failed"):
        should_count(run, shop)
    with lab.part(1, "elapsed_ns"):
        run.should_report("elapsed_ns", run.elapsed, hint="co_now() at the end of pipeline, minus co_now() at its "
                                                          "beginning; it does not begin at 0"
                          if run.report["elapsed_ns"] > 0 else "it was never set: take co_now() at the beginning and "
                                                               "at the end (TODO 7)")
    with lab.part(1, "throughput"):
        written, took = run.report["done"]["write"], run.report["elapsed_ns"]
        right = written * 1e9 / took if took > 0 else 0.0
        got = run.report["throughput"]
        hint = f"{written} files in {took / 1e9:g} s: files per second"
        if isinstance(got, float) and got == -1:
            hint = "it was never set"
        elif isinstance(got, float) and right and got == right // 1:
            hint = "an integer division drops the fraction: make the numbers double before you divide them"
        elif isinstance(got, float) and got and abs(got - 1 / right) < 1e-9:
            hint = "it is the wrong way round: files divided by seconds"
        elif isinstance(got, float) and got and any(abs(got * unit / right - 1) < 1e-6 for unit in (1e3, 1e6, 1e9)):
            hint = "it counts files in a second, and elapsed_ns is in ns: a second has 1e9 of them"
        run.should_report("throughput", right, tolerance=1e-9 * right, hint=hint)


@points(2, "robustness", needs="test_files")
def test_none_one_few(lab):
    """No URL, one, and fewer than workers (14, 16)"""
    with lab.part(1, "no URL"):
        run = lab.run("pipeline", World(seed=lab.seed), [])
        run.should(not run.trace.files, "no file is touched", f"{len(run.trace.files)} calls to the disk")
        run.should_take(0, what="n is 0, there is nothing to wait for")
        run.should_report("throughput", 0.0, hint="it was never set: *stats holds garbage when you get it"
                          if run.report["throughput"] == -1 else
                          "no time passed: do not divide, say 0.0")
    with lab.part(1, "one URL, and two for three workers; an id that no int can hold"):
        for n in (1, 2):
            shop = Shop(lab, f"few {n}")
            for i in range(n):
                shop.order(us(shop.rng.randint(20_000, 90_000)), order(shop.rng, 10**10 * i + next(shop.numbers)))
            run = work(lab, shop, bound=1)
            should_leave(run, shop.files)
            should_count(run, shop)


# ---- pipeline: when ----------------------------------------------------------------------------------


@points(4, "timing", needs="test_files")
def test_transform_on_a_cpu_worker(lab):
    """The transform computes on a CPU worker (9)"""
    shop = usual(lab)
    run = work(lab, shop)
    blocked, hint = run.cause("block"), "co_cpu in the task itself stops all three stages: " \
        "call it in the function that co_to_thread runs"
    if blocked:
        hint = f"{blocked.text}: call it in the function that co_to_thread runs" if "co_cpu" in blocked.text \
            else blocked.text
    run.should(not run.blocks, "the loop never stands still", f"it stood still for {show(run.block_ns)}", hint=hint,
               src=blocked and blocked.src)
    costs = sorted(len(body.encode()) * COST for body in shop.bodies)
    jobs = sorted(job.ns for job in run.cpu)
    hint = ("co_to_thread once for each body; the function it runs calls co_cpu(length * ns_per_byte) and "
            "transform_order (TODO 5)")
    run.should(len(jobs) == len(costs), f"{len(costs)} jobs for CPU workers, one for each body", f"{len(jobs)}",
               hint=hint)
    if jobs != costs:
        if not any(jobs):
            hint = "the jobs take no time: call co_cpu(length * ns_per_byte) in the function that co_to_thread runs"
        elif sum(jobs) < sum(costs):
            hint = "length is the length of the whole body, and the cost is for every one of its bytes"
        run.should(False, f"they compute for {show(Duration(sum(costs)))} in all, {show(COST)} a byte",
                   f"{show(Duration(sum(jobs)))}", hint=hint)


def why_few(run, stage: str, most: int) -> str:
    """Why fewer are at work at once than a stage has workers."""
    at_work = {"fetch": run.requests, "transform": run.trace.jobs, "write": run.trace.files}[stage]
    tasks = {one.task for one in at_work}
    if len(tasks) < most:
        return f"start options->workers tasks for stage {stage}"
    src = next((event["src"] for event in run.trace.of("await", "runtime") if event["task"] in tasks
                and event.get("on") in ("lock", "sem", "event", "cond", "barrier") and event.get("src")), None)
    return f"{len(tasks)} tasks do the work of stage {stage}, but not at once: " + (
        f"at {src} some wait although there is something to do" if src else "what does one wait for, although there is "
                                                                            "something to do?")


@points(3, "timing", needs="test_transform_on_a_cpu_worker")
def test_workers_of_each_stage(lab):
    """Each stage has as many workers as asked for (10)"""
    slow, busy = work(lab, slow_disk(lab), **SLOW_DISK), work(lab, slow_transform(lab), **SLOW_TRANSFORM)
    jobs = [(job.submit, job.end) for job in busy.cpu if job.end is not None]
    for stage, run, right, got in (("fetch", busy, 3, busy.peak), ("transform", busy, 3, busiest(jobs)),
                                   ("write", slow, 2, busiest(file_spans(slow)))):
        with lab.part(1, stage):
            what = {"fetch": "requests", "transform": "jobs", "write": "files"}[stage]
            hint = why_few(run, stage, right) if got else ""
            if got > right:
                hint = (f"a worker does one thing at a time, and there are {right} of them in each stage; does "
                        "something start a task for each item?")
                if got == 3:
                    hint = "3 is only what options->workers is by default; here it is 2"
            elif got == 1:
                lock = next((event.get("src") for event in run.trace.of("await", "runtime")
                             if event.get("on") in ("lock", "sem")), None)
                hint = (f"one worker only, or one after the other: start options->workers tasks for stage {stage}, "
                        "and let each go on by itself")
                if lock:
                    hint = (f"{lock} waits for its turn, so the workers work one after the other. No lock is needed: "
                            "an item belongs to the one worker that took it out of the queue")
            run.should(got == right, f"with workers = {right}, {right} {what} under way at the busiest moment",
                       f"{got}", hint=hint)


@points(6, "timing", needs="test_transform_on_a_cpu_worker")
def test_back_pressure(lab):
    """The queues stay within their bound (11)"""
    for worth, place, shop, settings, before, behind in (
            (3, 0, slow_transform(lab), SLOW_TRANSFORM, "fetched, or being fetched", "whose transform has not begun"),
            (3, 1, slow_disk(lab), SLOW_DISK, "transformed, or being transformed", "whose file has not been begun")):
        with lab.part(worth, ("the queue before the transform", "the queue before the disk")[place]):
            run = work(lab, shop, **settings)
            should_refuse_none(run)
            most, bound, workers = waiting(run)[place], settings["bound"], settings["workers"]
            hint = (f"{workers} in the workers' hands and {most - workers} in the queue, whose bound is {bound}: "
                    "give options->bound to co_queue_init, and let co_queue_put wait")
            if most >= len(shop.good) - workers - bound:
                hint = ("nothing holds the stage before it back. A maxsize of 0 means no limit: "
                        "give options->bound to co_queue_init, put with co_queue_put in the worker itself, "
                        "and start no task for each item")
                jobs, ends = [job.submit for job in run.cpu], [request.end
                                                               for request in run.requests if request.end is not None]
                if place == 0 and jobs and ends and min(jobs) >= max(ends):
                    hint = ("no order was transformed before the last one was fetched. All workers of all stages are "
                            "started at the beginning, and each hands on an item as soon as it has it")
            run.should(most <= workers + bound, f"with {workers} workers and a bound of {bound}, at "
                                                f"most {workers + bound} orders are {before}, {behind}",
                       f"{most} at the busiest moment", hint=hint)


def one_by_one(shop: Shop, bound: int, cost: int, latency: int, bandwidth: int) -> tuple[list[int], int]:
    """When each request begins, and when all is done, with one worker a stage: the rule of requirement 12, written
    down.

    A worker takes its next item as soon as it has put the last one; a put waits until the item `bound` places ahead has
    been taken.
    """
    # when requests begin; when items are taken out of the first and the second queue
    starts, taken, taken_too = [], [], []
    fetcher = transformer = writer = 0          # when each worker is free again
    for i, document in enumerate(shop.good):
        starts.append(fetcher)
        # the session has its connection from the first one on
        fetch = shop.world.total(shop.world.urls()[i]) - (ms(30) if i else 0)
        fetcher = max(fetcher + fetch, taken[i - bound] if i >= bound else 0)
        taken.append(max(fetcher, transformer))
        transform = taken[i] + len(shop.bodies[i].encode()) * cost
        transformer = max(transform, taken_too[i - bound] if i >= bound else 0)
        taken_too.append(max(transformer, writer))
        writer = taken_too[i] + 3 * latency + -(-len(summary(document).encode()) * 10**9 // bandwidth)
    return starts, writer


@points(5, "timing", needs=("test_transform_on_a_cpu_worker", "test_write_whole", "test_one_session",
                            "test_back_pressure"))
def test_stages_overlap(lab):
    """The stages overlap: exactly as long as it takes (12)"""
    with lab.part(2, "three orders, three workers"):
        shop = Shop(lab, "overlap")
        for _ in range(3):
            shop.order(us(shop.rng.randint(30_000, 400_000)))
        shop.world.disk(ms(11), bandwidth=2_000)
        run = work(lab, shop)
        steps = [(int(shop.world.total(url)), len(body.encode()) * int(COST),
                  int(3 * ms(11)) + -(-len(summary(one).encode()) * 10**9 // 2_000))
                 for url, body, one in zip(shop.world.urls(), shop.bodies, shop.good)]
        batches = sum(max(step[i] for step in steps) for i in range(3))
        hint = meeting(run) or sleeper(run) or early_leaver(run) or \
            "each order goes through by itself: nobody waits for the other two"
        if run.elapsed == batches:
            hint = ("each stage waits until the one before it is all done. All nine workers must be started at the "
                    "beginning, and each hands on an item as soon as it has it")
        elif run.elapsed == sum(map(sum, steps)) or run.elapsed == sum(map(sum, steps)) - 2 * ms(30):
            hint = "one order after the other: start all workers first, then wait for them"
        run.should(run.elapsed == max(map(sum, steps)), f"{show(Duration(max(map(sum, steps))))}, as long as the "
                                                        "longest of three orders alone",
                   f"it took {show(run.elapsed)}", hint=hint)
    with lab.part(3, "ten orders, one worker a stage"):
        shop = usual(lab)
        run = work(lab, shop, workers=1, bound=2)
        starts, end = one_by_one(shop, 2, COST, ms(9), 5_000)
        first = run.requests[0].start
        late = next(((request, right) for request,
                     right in zip(run.requests, starts) if request.start - first != right), None)
        if late:
            request, right = late
            early = request.start - first < right
            hint = ("then its fetcher has put the order before it into the queue, and is free again" if not early else
                    "before that the queue behind it is full, and its fetcher waits")
            if not early and request.start in [span[1] for span in file_spans(run)]:
                hint = ("it waits until the file of an order before it is in place. Its fetcher is free as soon as it "
                        "has put that order into the queue: fetch, transform and write are work for different tasks")
            run.should(False, f"the request for {request.url} begins after {show(Duration(right))}",
                       f"after {show(Duration(request.start - first))}",
                       hint=hint)
        run.should(run.elapsed == end, f"{show(Duration(end))}, with one worker a stage and a bound of 2",
                   f"it took {show(run.elapsed)}",
                   hint=meeting(run) or sleeper(run) or
                   "a worker that has something to do and somewhere to put it never waits")


# ---- pipeline: when something goes wrong --------------------------------------------------------------


def should_cope(run, shop: Shop) -> None:
    """Failures stay where they are: logged, counted, and all others end as they would without."""
    should_succeed(run)
    should_log(run, shop)
    should_leave(run, shop.files)


def any_latency(shop: Shop) -> int:
    return us(shop.rng.randint(20_000, 150_000))


@points(3, "robustness", needs="test_files")
def test_fetch_failures(lab):
    """What cannot be fetched fails in fetch (13)"""
    shop = Shop(lab, "unfetched")
    rng = shop.rng
    shop.order(any_latency(shop))
    for status in (500, 404, 203):
        shop.unfetched(any_latency(shop), status, status=status)
        shop.order(any_latency(shop))
    shop.unfetched(any_latency(shop), -errno.ECONNRESET, fault=Fault.reset(after=rng.randint(5, 50)))
    shop.unfetched(any_latency(shop), -errno.EPROTO, fault=Fault.truncate(after=rng.randint(5, 50)))
    shop.unfetched(0, -errno.ETIMEDOUT, fault=Fault.hang())
    shop.world.site("http://closed.test", rtt=ms(10), fault=Fault.refused())
    shop.unfetched(0, -errno.ECONNREFUSED)
    shop.world.site("http://unknown.test", resolve=ms(5), fault=Fault.unresolved())
    shop.unfetched(0, -errno.ENXIO)
    shop.world.site("http://last.test", rtt=ms(10))
    for _ in range(3):
        shop.order(any_latency(shop))
    shop.world.disk(ms(5))
    run = work(lab, shop)
    should_cope(run, shop)
    run.should_ask_once()


@points(3, "robustness", needs=("test_files", "test_transform_on_a_cpu_worker"))
def test_transform_failures(lab):
    """What is no order fails in transform (9, 13)"""
    shop = Shop(lab, "broken")
    for i in range(4):
        good = text(order(shop.rng, next(shop.numbers)))
        shop.broken(any_latency(shop), good[:shop.rng.randint(10, 40)], NOT_JSON)
        shop.order(any_latency(shop))
        document = order(shop.rng, next(shop.numbers))
        document.pop(("id", "customer", "items")[i % 3])
        shop.broken(any_latency(shop), text(document), NO_FIELD)
    shop.world.disk(ms(5))
    run = work(lab, shop)
    should_cope(run, shop)
    costs = sorted(len(body.encode()) * COST for body in shop.bodies)
    run.should(sorted(job.ns for job in run.cpu) == costs, "every body costs the CPU worker its time, "
                                                           "also one that is no JSON", "it does not",
               hint="the cost first, then the look: co_cpu stands before transform_order")


@points(3, "robustness", needs=("test_files", "test_write_fails"))
def test_write_failures(lab):
    """What cannot be written fails in write (13)"""
    shop = Shop(lab, "unwritten")
    faults, files = [], {}
    for op, wrong in ((None, 0), ("open", "EACCES"), (None, 0), ("write", "EIO"), ("write", "ENOSPC"), (None, 0),
                      ("rename", "EIO"), (None, 0)):
        document = shop.order(any_latency(shop), wrong=-getattr(errno, wrong) if wrong else 0)
        if op:
            faults.append(Fault.disk(wrong, op, path_of(document)))
            files[path_of(document)] = "of last week"
    shop.world.disk(ms(5), faults=faults, files=files)
    run = work(lab, shop)
    should_cope(run, shop)


@points(3, "robustness", needs=("test_fetch_failures", "test_transform_failures", "test_write_failures"))
def test_workers_survive(lab):
    """Workers survive more failures than there are workers (13)"""
    for stage in STAGES:
        with lab.part(1, f"seven failures in {stage}"):
            shop = Shop(lab, f"seven in {stage}")
            faults = []
            for _ in range(7):
                if stage == "fetch":
                    shop.unfetched(any_latency(shop), 503, status=503)
                elif stage == "transform":
                    shop.broken(any_latency(shop), "Sorry.", NOT_JSON)
                else:
                    faults.append(Fault.disk("EIO", "write", path_of(shop.order(any_latency(shop), wrong=-errno.EIO))))
            for _ in range(3):
                shop.order(any_latency(shop))
            shop.world.disk(ms(5), faults=faults)
            run = work(lab, shop, workers=2, bound=1)
            should_cope(run, shop)


@points(2, "robustness", needs="test_files")
def test_workers_end_by_themselves(lab):
    """Every worker ends by itself, once (15)"""
    run = work(lab, usual(lab))
    cancelled = next((event for event in run.trace.of("cancel", "runtime") if event.get("why") in ("call", "group")),
                     None)
    run.should(cancelled is None, "nobody is cancelled: a sentinel ends each worker",
               f"task {run.trace.tasks[cancelled['task']].name if cancelled else ''} was cancelled",
               hint="put one sentinel for each worker behind the last item, and wait until they have ended",
               src=(cancelled or {}).get("src"))
    if any(leak.what == "task" for leak in run.leaks):
        run.should_leak_nothing()


@points(4, "robustness", needs=("test_write_whole", "test_transform_on_a_cpu_worker", "test_workers_end_by_themselves"))
def test_cancelled_half_way(lab):
    """Cancelled, it ends and leaves no half file (18, 19)"""
    shop = slow_disk(lab)
    writes = [call.t for call in work(lab, shop, **SLOW_DISK).file_calls if call.call == "write"]
    after = int(writes[4] + ms(50))         # while the fifth file is being written
    run = work(lab, shop, mode="cancel", after=after, **SLOW_DISK)
    should_end_cancelled(run, shop, after, ms(150), COST)


def should_end_cancelled(run, shop: Shop, after: int, latency: int, cost: int) -> None:
    """-ECANCELED, soon; nothing half done is left."""
    if run.report["rc"] != -errno.ECANCELED:
        run.fail("pipeline returns -ECANCELED", f"it returned {error(run.report['rc'])}", topic="cancelled",
                 hint="return what co_join returned; and a worker that is cancelled returns -ECANCELED")
    told = [failure for failure in failures_of(run) if failure[2] == -errno.ECANCELED]
    run.should(not told, "being cancelled is no failure of an item",
               f"log_error was told of {said(told[0]) if told else ''}",
               hint="when a call returns -ECANCELED: free what you hold, and return")
    left = [path for path in run.files if path.endswith(".tmp")]
    run.should(not left, "no .tmp file is left", f"{left[0] if left else ''} is",
               hint="write_whole removes it when anything fails. But in a task that was "
               "cancelled co_file_remove, like every call that waits, returns -ECANCELED and does nothing: put it "
               "between co_shield_begin and co_shield_end (TODO 2)")
    half = [path for path in run.files if run.files[path] != shop.files.get(path)]
    run.should(not half, "each file that is there is whole", f"{half[0] if half else ''} is not",
               hint="write PATH.tmp, and rename it when it is complete")
    late = [request.url for request in run.requests if request.end is None
            or request.start >= run.requests[0].start + after]
    shielded = run.cause("shield")
    run.should(not late, "no request is under way afterwards", f"{late[0] if late else ''} was",
               hint=shielded.text if shielded else "a fetcher that gets -ECANCELED returns it",
               src=shielded.src if shielded else None)
    most = after + max(latency, max(len(body.encode()) for body in shop.bodies) * cost)
    run.should(after <= run.elapsed <= most, f"it ends within {show(Duration(most))}: jobs that have begun and the "
                                             "removal of temporary files, nothing else",
               f"it took {show(run.elapsed)}", hint="what waits after a cancellation? Only the removal stands in a "
                                                    "shield, and nothing is put, got or written any more")
    should_keep_nothing(run, "also after a cancellation")
    if run.leaks:
        run.should_leak_nothing()


def should_keep_nothing(run, when: str) -> None:
    """Every answer is freed, every file closed."""
    for what, hint in (("response", "co_response_free, or a way out that leaves it out. What is still in a queue at "
                                    "the end needs freeing, too"),
                       ("file", "a co_file_close, or CO_FILE(file), which closes itself on every way out")):
        left = [leak for leak in run.leaks if leak.what == what]
        if left:
            named = {"response": "answer that is never freed", "file": "file that is never closed"}[what]
            run.should(False, f"nothing is left behind, {when}",
                       f"{len(left)} times an {named}".replace("an f", "a f"), src=left[0].src,
                       hint=f"{left[0].src or 'the call that'} gets it. Missing is {hint}")


@points(1, "robustness", needs="test_files")
def test_nothing_is_left_behind(lab):
    """Every answer is freed, every file is closed (19)"""
    should_keep_nothing(work(lab, usual(lab)), "when pipeline returns")


@points(2, "robustness", needs="test_files")
def test_in_any_order(lab):
    """The files are the same in any order of tasks (17)"""
    shop = usual(lab)
    for run in lab.run_orders("pipeline", shop.world, orders=4, settings={"bound": 1}):
        should_leave(run, shop.files)
        should_count(run, shop)


# ---- The code -------------------------------------------------------------------------------


@points(2, "robustness", needs="test_summary", last=True)
def test_clean_under_sanitizers(lab):
    """Clean under the sanitizers in all runs (19, 20)"""
    try:
        lab.should_be_clean()
    except CheckFailed as failed:
        told = failed.failure
        if not told.cause or not told.happened.startswith("memory leak") or "MODE=cancel" not in (failed.replay or ""):
            raise
        more = (". That was in a run that was cancelled: each worker then frees the item that it holds, and pipeline "
                "frees what still lies in the queues (co_queue_try_get, until they are empty)")
        raise CheckFailed(Failure(told.expected, told.happened, Cause(told.cause.kind, told.cause.text + more,
                                                                      told.cause.src)), failed.replay,
                          failed.virtual_ns) from None


@points(3, "coverage", needs=("test_summary", "test_write_whole", "test_files"))
def test_coverage(lab):
    """The checks run 85 % of your lines (21)"""
    seen = lab.coverage()
    if seen.line_percent >= LEAST_COVERED:
        return
    pieces = [piece for piece in seen.pieces() if piece.lines]
    named = ", ".join(f"{piece.src} ({piece.lines} line{'s' if piece.lines > 1 else ''})" for piece in pieces[:5])
    lab.fail(f"the checks run at least {LEAST_COVERED} % of your lines",
             f"{seen.line_percent:.0f} %; never ran: {named}",
             f"{pieces[0].describe().rstrip(';')}. Which of the situations in the handout reaches it? If none does, "
             "what is it for?", pieces[0].src)
