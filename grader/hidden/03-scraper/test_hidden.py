"""The hidden checks of lab 03: the requirements of the visible ones in other worlds. grader/hidden/README.md names each
one's sentence."""

from __future__ import annotations

import errno

from looplab import Fault, World, ms, points, sec
from looplab.asking.world import WorldError
from looplab.plain.duration import show
from looplab.plain.words import error

TIMEOUT = sec(2)       # main.c's, where a check sets no other
CAUSES = {errno.ECONNREFUSED: "connection refused: nobody listens there", errno.ENXIO: "no host of that name",
          errno.ECONNRESET: "connection reset by the server", errno.EPROTO: "the answer broke off before its end",
          errno.ELOOP: "too many redirects", errno.ETIMEDOUT: "timed out"}      # co_strerror's words


# ---- What is right, and what is asked of a run ------------------------------------------------


def right_page(world: World, url: str, timeout: int = TIMEOUT) -> dict:
    """What the page of a URL must be, but for its title. (A drip here always lasts longer than any timeout.)"""
    try:
        took, answer = world.total(url), world.answer(url)
    except WorldError:
        took, answer = sec(30), {}
    if took > timeout:
        return {"error": -errno.ETIMEDOUT, "status": 0, "took_ns": timeout}
    return {"error": answer["error"], "status": answer["status"], "took_ns": took}


def right_pages(run, timeout: int = TIMEOUT) -> list[dict]:
    return [right_page(run.world, url, timeout) for url in run.asked]


def is_success(page: dict) -> bool:
    return page["error"] == 0 and page["status"] < 400


def cause_of(page: dict) -> str:
    return CAUSES[-page["error"]] if page["error"] else f"HTTP {page['status']}"


def in_words(page: dict) -> str:
    took = page.get("took_ns")
    return (f"error {error(page['error']) if isinstance(page['error'], int) else page['error']}, "
            f"status {page['status']}"
            + (f", took {show(took) if isinstance(took, int) else took}" if "took_ns" in page else ""))


def should_be(run, right: list[dict], hint: str = "", fields: tuple[str, ...] = ("error", "status")) -> None:
    """These fields of all results, in input order."""
    right = [{field: page[field] for field in fields} for page in right]
    got = [{field: page[field] for field in fields} for page in run.results]
    wrong = [i for i, page in enumerate(right) if got[i] != page]
    if wrong:
        others = f" ({len(wrong)} of {len(right)} pages are wrong)" if len(wrong) > 1 else ""
        run.fail(f"{run.asked[wrong[0]]}: {in_words(right[wrong[0]])}", f"{in_words(got[wrong[0]])}{others}",
                 hint=hint, topic="results", values=(right, got))


def should_return(run, rc: int) -> None:
    if run.report["rc"] != rc:
        run.fail(f"it returns {error(rc)}", f"it returned {error(run.report['rc'])}",
                 topic="cancelled" if rc else "refusal")


def should_sum_up(run, right: list[dict], total_time: int) -> None:
    successes = sum(map(is_success, right))
    numbers = {"total": len(run.asked), "successful": successes, "failed": len(right) - successes,
               "total_time_ns": total_time}
    told = run.report["summary"]
    for name, number in numbers.items():
        run.should(told[name] == number, f"summary: {name} {number:,}", f"{name} {told[name]}")


def should_tell(run, name: str, right: dict[str, int]) -> None:
    """One call for each of these URLs, at its time (ns)."""
    start = run.trace.report("start")["t"]
    said = {event["value"]["url"]: event["t"] - start for event in run.trace.reports if event["name"] == name}
    calls = sum(event["name"] == name for event in run.trace.reports)
    run.should(calls == len(right) and set(said) == set(right), f"{name} is called once for each of {len(right)} pages",
               f"{calls} calls, for {len(said)} pages")
    late = next((url for url in right if said[url] != right[url]), None)
    run.should(late is None, f"{name} for {late} at {show(right.get(late, 0))}, when it is done",
               f"it came at {show(said.get(late, 0))}", hint="tell of each page as soon as it is done (co_next_done)")
    if name == "progress":
        numbers = [(event["value"]["done"], event["value"]["total"]) for event in run.trace.reports
                   if event["name"] == name]
        wrong = next((i for i, pair in enumerate(numbers) if pair != (i + 1, len(run.asked))), 0)
        run.should(all(pair == (i + 1, len(run.asked)) for i, pair in enumerate(numbers)),
                   f"call {wrong + 1} of progress says {wrong + 1} of "
                   f"{len(run.asked)}", "it says %d of %d" % (numbers or [(0, 0)])[wrong],
                   hint="done counts the pages that are done, failed ones, too")


def should_be_over(run, urls: list[str], at: int) -> None:
    """What was under way for these URLs, and for where they lead to, has ended by then, and its connection is
    closed."""
    closed = {event["conn"]: event["t"] for event in run.trace.of("http.closed", "world")}
    for url in urls:
        request = next(iter(run.requests_for(url)), None)
        if request is None:
            run.fail(f"{url} is asked for", "it was not", topic="requests")
        for mine in (other for other in run.requests if other.task == request.task and other.start >= request.start):
            late = mine.end is None or mine.end > at or mine.conn is not None and closed.get(mine.conn, at + 1) > at
            run.should(not late, f"{url} is given up at {show(at)}, and its connection is closed then",
                       f"its request went on until {show(mine.end)}" if mine.end is not None and mine.end > at
                       else "its connection stayed open",
                       hint="to stop waiting is not to end: cancel what you no longer want")


# ---- Timeouts ---------------------------------------------------------------------------------


def stubborn(lab) -> World:
    """Pages that are too slow in one part or another: name, connection, answer, body, redirects."""
    rng = lab.rng
    world = World(seed=lab.seed)
    world.site("http://name.test", resolve=sec(4)).route("/", body="<title>x</title>")
    world.site("http://far.test", rtt=ms(50), connect=sec(5)).route("/", body="<title>x</title>")
    world.site("http://slow.test", rtt=ms(rng.randint(1, 60)))
    world.route("/hangs", fault=Fault.hang())
    world.route("/late", latency=ms(rng.randint(1600, 9000)), body="<title>x</title>")
    world.route("/thin", latency=ms(200), body_size=20_000, bandwidth=rng.randint(4000, 9000),
                chunk=rng.randint(100, 999))
    world.route("/drips", body="<title>x</title>", fault=Fault.drip(bytes=2, every=ms(rng.randint(300, 400))))
    world.route("/round", latency=ms(rng.randint(300, 450)), redirect="http://slow.test/round")
    world.site("http://quick.test", rtt=ms(rng.randint(1, 20)))
    world.route("/", latency=ms(rng.randint(10, 400)), body="<title>x</title>")
    world.route("/moved", latency=ms(rng.randint(10, 200)), redirect="http://quick.test/")
    return world


@points(3, "timing", needs=("test_page_timeout", "test_page_timeout_is_on_the_whole", "test_page_took"))
def test_page_slow_in_every_part(lab):
    """Slow name, connection, answer, body, redirects (4, 6)"""
    timeout = ms(lab.rng.randint(1100, 1500))
    run = lab.run("page", stubborn(lab), settings={"timeout": timeout}, may_fail=True)
    right = right_pages(run, timeout)
    should_be(run, right, "the limit is on the whole: connection, redirects and body together",
              ("error", "status", "took_ns"))
    should_return(run, 0)
    run.should_take(sum(page["took_ns"] for page in right), what=f"with a timeout of {show(timeout)} for each page")


@points(3, "robustness", needs=("test_page_is_closed_when_given_up", "test_all_close_what_is_given_up",
                                "test_all_go_on_after_failures"))
def test_all_slow_in_every_part(lab):
    """All of them at once: given up and closed in time (5, 15)"""
    timeout = ms(lab.rng.randint(1100, 1500))
    run = lab.run("all", stubborn(lab), settings={"timeout": timeout}, may_fail=True)
    should_be(run, right_pages(run, timeout))
    run.should_take(timeout, what="as long as the timeout of each page")
    should_be_over(run, [url for url in run.asked if "quick" not in url], timeout)


# ---- Many pages -------------------------------------------------------------------------------


def towns(lab, n: int, most: int) -> World:
    """n good pages, spread over sites that differ in set-up, round trip and bandwidth."""
    world = World(seed=lab.seed)
    for i in range(n):
        if i % 3 == 0:
            world.site(f"http://town{i}.test", rtt=ms(lab.rng.randint(2, 80)),
                       connect=ms(lab.rng.randint(0, 120)) + ms(lab.rng.randint(0, 40)),
                       bandwidth=lab.rng.choice([50_000, 100_000, 250_000]))
        world.route(f"/{i}", latency=ms(lab.rng.randint(10, most)),
                    body=f"<title>Town {i}</title>" + "." * 1000 * lab.rng.randint(0, 9))
    return world


@points(3, "timing", needs=("test_all_at_the_same_time", "test_page_timeout"))
def test_fifteen_pages_of_many_sites(lab):
    """Fifteen pages take as long as the longest (15, 16)"""
    world = towns(lab, 15, 900)
    urls = world.urls()
    lab.rng.shuffle(urls)
    with lab.part(2, "all in time"):
        run = lab.run("all", world, urls)
        run.should_take(max(world.latencies()), what="as long as the longest of fifteen pages")
        should_be(run, right_pages(run))
    with lab.part(1, "some given up"):
        timeout = sorted(world.latencies())[9] + ms(1) // 3       # a third of a millisecond: no page takes just as long
        run = lab.run("all", world, urls, settings={"timeout": timeout}, may_fail=True)
        should_be(run, right_pages(run, timeout))
        run.should_take(timeout, what="as long as its timeout: some pages need more")


@points(2, "timing", needs=("test_all_at_the_same_time", "test_all_summary"))
def test_200_pages(lab):
    """200 pages at the same time (21, 22)"""
    world = World(seed=lab.seed).site("http://many.test", rtt=ms(30), connect=ms(10))
    for i in range(200):
        world.route(f"/{i}", latency=ms(lab.rng.randint(50, 1800)), body=f"<title>Page {i}</title>")
    run = lab.run("all", world)
    run.should_ask_once()
    run.should_take(max(world.latencies()), what="as long as the longest of 200 pages")
    run.should_peak_at(200)
    should_be(run, right_pages(run))
    should_sum_up(run, right_pages(run), run.elapsed)


@points(2, "timing", needs="test_all_progress")
def test_news_of_thirty_pages(lab):
    """News of thirty pages, each at its time (19)"""
    world = towns(lab, 30, 1500)
    run = lab.run("all", world)
    should_tell(run, "progress", dict(zip(world.urls(), world.latencies())))


@points(3, "correctness", needs=("test_all_log", "test_all_summary", "test_all_progress"))
def test_when_nothing_works(lab):
    """When every page fails: news, log and counts (17, 19, 20, 21)"""
    rng = lab.rng
    world = World(seed=lab.seed)
    for name in ("one", "two"):
        world.site(f"http://closed-{name}.test", rtt=ms(rng.randint(1, 50)), fault=Fault.refused()).route("/")
        world.site(f"http://unknown-{name}.test", resolve=ms(rng.randint(1, 50)), fault=Fault.unresolved()).route("/")
        world.site(f"http://bad-{name}.test", rtt=ms(rng.randint(1, 50)))
        world.route("/reset", latency=ms(rng.randint(1, 500)), body_size=3000,
                    fault=Fault.reset(after=rng.randrange(3000)))
        world.route("/truncated", latency=ms(rng.randint(1, 500)), body_size=3000,
                    fault=Fault.truncate(after=rng.randrange(3000)))
        world.route("/loop", latency=ms(rng.randint(1, 5)), redirect=f"http://bad-{name}.test/loop")
        for status in (400, rng.choice([401, 403, 410, 429, 502, 503, 599])):
            world.route(f"/{status}", latency=ms(rng.randint(1, 900)), status=status, body="<title>Error</title>")
    world.site("http://silent.test").route("/", fault=Fault.hang())
    run = lab.run("all", world, may_fail=True)
    right = dict(zip(run.asked, right_pages(run)))
    should_return(run, 0)
    should_be(run, list(right.values()))
    should_sum_up(run, list(right.values()), TIMEOUT)
    for name in ("progress", "log"):
        should_tell(run, name, {url: page["took_ns"] for url, page in right.items()})
    for event in run.trace.reports:
        if event["name"] == "log":
            url, cause = event["value"]["url"], event["value"]["cause"]
            run.should(cause == cause_of(right[url]), f'the cause for {url}: "{cause_of(right[url])}"',
                       f'it is "{cause}"')


# ---- Cancelled ----------------------------------------------------------------------------------


@points(2, "robustness", needs="test_all_can_be_cancelled")
def test_cancelled_early_and_late(lab):
    """Cancelled before the first page and after most (23)"""
    world = towns(lab, 12, 900)
    world.site("http://silent.test").route("/hangs", fault=Fault.hang()).route("/drips", body="<title>x</title>",
                                                                               fault=Fault.drip())
    for after in (ms(1), ms(1800)):
        with lab.part(1, f"after {show(after)}"):
            run = lab.run("cancel", world, settings={"after": after}, may_fail=True)
            run.should_take(after, what="until it was cancelled")
            should_return(run, -errno.ECANCELED)
            pages = right_pages(run)
            right = [page if page["took_ns"] < after else {"error": -errno.ECANCELED, "status": 0} for page in pages]
            should_be(run, right, hint="a page that was not done has the error -ECANCELED, "
                                       "the others keep what they have")
            done = {url: page["took_ns"] for url, page in zip(run.asked, pages) if page["took_ns"] < after}
            should_sum_up(run, [page for page in pages if page["took_ns"] < after], after)
            should_tell(run, "progress", done)
            should_tell(run, "log", {})
            should_be_over(run, [request.url for request in run.requests], after)


# ---- Titles -------------------------------------------------------------------------------------


def should_find(lab, pages: list[tuple[str | bytes, str]], hint: str, chunk: int | None = None) -> None:
    """The title of each page."""
    world = World(seed=lab.seed).site("http://titles.test", rtt=ms(20))
    for i, (page, _) in enumerate(pages):
        world.route(f"/{i}", latency=ms(10), body=page or None,
                    **({"bandwidth": 50_000_000, "chunk": chunk} if chunk else {}))
    run = lab.run("page", world)
    for (page, title), result in zip(pages, run.results):
        shown = ascii(page if len(page) < 90 else page[:60] + (b" ... " if isinstance(page, bytes) else " ... ")
                      + page[-25:])
        run.should(result["title"] == title, f'the page {shown} has the title "{title}"', f'it is "{result["title"]}"',
                   hint=hint)


@points(3, "correctness", needs=("test_title_is_found", "test_title_in_comments_and_scripts",
                                 "test_title_is_tidied_up", "test_no_title"))
def test_titles_of_all_kinds(lab):
    """Titles by all the rules together (8, 9, 10, 11, 12)"""
    rng = lab.rng
    hidden = ["<!-- <title>no</title> -->", "<!--\n<TITLE>no</TITLE>--->",
              "<script type='a'>'<title>no</title>'</script>", "<SCRIPT>if (a<b) t='<!--'</SCRIPT >",
              "<titled>no</titled>", "<p>1 < 2 & 3</p>", "<!doctype html>\r\n", "<scriptx>", "<!-- <script> -->",
              "<meta a=b>"]
    tags = ["<title>", "<TITLE>", "<tItLe\tid=1>", "<title\n>", "<title lang='de' dir=ltr>", "<title/>"]
    words = [("Tea", "Tea"), ("&amp;", "&"), ("&lt;p&gt;", "<p>"), ("&quot;x&quot;", '"x"'), ("it&#39;s", "it's"),
             ("&amp;gt;", "&gt;"), ("&euro;", "&euro;"), ("<b>", "<b>"),
             ("&#38;", "&#38;"), ("&&amp;", "&&"), ("-->", "-->"), ("</script>", "</script>"), ("</p>", "</p>"),
             ("&Lt;", "&Lt;")]
    pages = []
    for _ in range(24):
        some = [rng.choice(words) for _ in range(rng.randint(1, 5))]
        inside = rng.choice(["", " ", "\n\t "]) + rng.choice([" ", "\n", " \f\r\n "]).join(raw for raw, _ in some) \
            + rng.choice(["", "  ", "\n"])
        before = "".join(rng.sample(hidden, rng.randint(0, 4)))
        page = before + rng.choice(tags) + inside + rng.choice(["</title>", "</TITLE>", "</Title\n>"]) \
            + rng.choice(["", "<title>Second</title>", "<p>"])
        pages.append((page, " ".join(text for _, text in some)[:63]))
    pages += [("<!-- <script><title>a</title>", ""), ("<script><!-- </scrip><title>a</title>", ""),
              ("<title></title>" * 2, ""), ("<title>a</titl", ""), ("<", "")]
    should_find(lab, pages, "the rules stand in the handout under \"The title\"")


@points(2, "correctness", needs=("test_title_in_any_bytes", "test_title_is_cut"))
def test_titles_in_all_bytes(lab):
    """Any bytes, far down, cut after 63 of them (13, 14)"""
    rng = lab.rng
    noise = bytes(rng.choice([byte for byte in range(256) if byte not in b"<"]) for _ in range(3000))
    high = bytes(rng.randint(0x80, 0xff) for _ in range(20))
    umlauts = "ä" * 40
    should_find(lab, [
        (noise + b"<title>" + high + b"</title>" + noise, high.decode("utf-8", "backslashreplace")),
        (b"<\0title><\0<title>Zero</title>", "Zero"),
        (f"<title>{umlauts}</title>", umlauts.encode()[:63].decode("utf-8", "backslashreplace")),
        (f"<title>x{umlauts}</title>", ("x" + umlauts).encode()[:63].decode("utf-8", "backslashreplace")),
        ("<p>" * 30_000 + "<title>Far</title>", "Far"),
        ("<title>" + " \n" * 40_000 + "Wide</title>", "Wide"),
        (f"<title>{'x' * 70_000}</title>", "x" * 63),
        ("<title>" + "a&amp;" * 31 + "&amp;&amp;</title>", "a&" * 31 + "&"),
    ], "bytes are bytes: search as many as there are, and cut after TITLE_MAX - 1 of them, "
       "be it in the middle of a character", chunk=rng.randint(900, 1500))
