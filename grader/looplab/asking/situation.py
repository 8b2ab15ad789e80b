"""Situations drawn by chance: a small world, and what a small client does in it, from all that a world file and a
client may say. Hypothesis draws and shrinks them. One in four is such as a real nginx can be configured to
(running/nginx.py)."""

from __future__ import annotations

from typing import Any, Callable

from hypothesis import strategies as st

TIMES = st.sampled_from([0, 20, 50, 80, 120])     # ms
SOME = st.sampled_from([20, 50, 80])
METHODS = ["GET"] * 5 + ["POST", "HEAD", "DELETE", "PUT"]
READING = ["GET"] * 4 + ["HEAD"]
DATE = "Sun, 09 Sep 2001 01:46:40 GMT"          # of nginx's files


@st.composite
def _route(draw: Callable, path: str, paths: list[str]) -> dict:
    made: dict[str, Any] = {"path": path, "latency": f"{draw(TIMES)}ms"}
    kind = draw(st.sampled_from(["plain"] * 6 + ["turns",
                                                 "status", "redirect", "fault", "fault", "slow", "close", "cookie"]))
    size = draw(st.sampled_from([0, 5, 1000, 70_000]))
    if kind == "status":
        made["status"] = draw(st.sampled_from([204, 304, 404, 500, 503]))
        size = 0 if made["status"] in (204, 304) else size
    if kind == "redirect":
        made["redirect"] = draw(st.sampled_from(paths))
    if size and kind != "redirect":
        made["body_size"] = size
    if kind == "fault":
        made["fault"] = draw(_fault(size))
    if kind == "slow" and size > 5:
        made["bandwidth"] = size * 10
        made["chunk"] = max(1, size // draw(st.sampled_from([1, 4])))
    if kind == "turns":
        made["answers"] = draw(st.sampled_from([[503], [503, 202], [{"status": 404, "times": 2, "body": "no"}],
                                                [{"probability": 0.5, "status": 500, "headers": {"A": "b"}}, 202]]))
    made.update(draw(st.sampled_from([{}] * 8 + [{"framing": "chunked"}, {"framing": "close"}]))
                if made.get("status") not in (204, 304) else {})
    if kind == "close":
        made["headers"] = {"Connection": "close"}
    if kind == "cookie":
        lines = ["a=1", "a=2; Path=/1", "b=3; Max-Age=0", "__Host-c=4"]
        made["headers"] = {"Set-Cookie": draw(st.sampled_from(lines))}
    return made


@st.composite
def _fault(draw: Callable, size: int) -> dict:
    kinds = ["reset", "close", "hang"] + (["truncate"] if size else []) + (["drip"] if 0 < size <= 5 else [])
    fault: dict[str, Any] = {"kind": draw(st.sampled_from(kinds))}
    if fault["kind"] in ("reset", "truncate"):
        fault["after"] = draw(st.sampled_from(sorted({0, min(size, 3), max(size - 1, 0)})))
    if fault["kind"] == "drip":
        fault["every"] = "20ms"
    times_ = draw(st.sampled_from([None, 1, 2]))
    return {**fault, "times": times_} if times_ else fault


@st.composite
def _site(draw: Callable, name: str) -> dict:
    paths = [f"/{k}" for k in range(draw(st.integers(1, 4)))]
    made: dict[str, Any] = {"url": f"http://{name}.test", "rtt": f"{draw(TIMES)}ms"}
    connect, workers = draw(st.one_of(st.none(), TIMES)), draw(st.one_of(st.none(), st.integers(1, 3)))
    if draw(st.integers(0, 3)) == 0:
        made["resolve"] = f"{draw(SOME)}ms"
    if connect is not None:
        made["connect"] = f"{connect}ms"
    if workers is not None:
        made["workers"] = workers
    if draw(st.integers(0, 5)) == 0:
        made["max_connections"] = draw(st.integers(1, 3))
    made.update(draw(st.sampled_from([{}] * 8 + [
        {"limit_req": {"rate": "5r/s"}}, {"limit_req": {"rate": "10r/s", "burst": 1}},
        {"limit_req": {"rate": "10r/s", "burst": 1, "nodelay": True, "status": 429, "retry_after": True}},
        {"limit_conn": {"requests": 1}}, {"max_request": {"body": 100}}, {"works_on": True}, {"link": 1_000_000}])))
    keep = draw(st.sampled_from([{}] * 4 + [{"requests": 1}, {"requests": 2}, {"idle": "60ms"}]))
    if keep:
        made["keep_alive"] = keep
    made["routes"] = [draw(_route(path, paths)) for path in paths]
    for route in made["routes"]:
        if "link" in made:
            route.pop("bandwidth", None)
    return made


@st.composite
def _request(draw: Callable, urls: list[str], sessions: int, methods: list[str] = METHODS) -> dict:
    at = draw(st.sampled_from([0, 0, 0, 35, 110, 210]))
    made: dict[str, Any] = {"url": draw(st.sampled_from(urls)), "at": at}
    session = draw(st.integers(0, sessions))
    method = draw(st.sampled_from(methods))
    if session:
        made["session"] = session
    if method != "GET":
        made["method"] = method
    if method in ("POST", "PUT"):
        made["body"] = "x" * draw(st.sampled_from([0, 4, 3000]))
    made["timeout"] = 600
    extra = draw(st.sampled_from([None] * 4 + ["timeout", "cancel", "stream", "stream"]))
    if extra == "timeout":
        made["timeout"] = draw(SOME) + 7
    if extra == "cancel":
        made["cancel"] = draw(SOME) + 7
    if extra == "stream":
        made["piece"] = draw(st.sampled_from([10, 1000, 100_000]))
        made["pause"] = draw(st.sampled_from([0, 0, 20]))
        made["most"] = draw(st.sampled_from([5, 3000, 200_000]))
        if made["pause"]:               # of a large body ten bytes each 20 ms would take minutes
            made["most"] = min(made["most"], 100 * made["piece"])
    return made


# ---- as nginx can be told ---------------------------------------------------------------------

LIMITS = [{}, {"limit_req": {"rate": "5r/s"}}, {"limit_req": {"rate": "10r/s", "burst": 1}},
          {"limit_req": {"rate": "10r/s", "burst": 2, "nodelay": True, "status": 429}},
          {"limit_conn": {"requests": 1}}, {"limit_conn": {"requests": 2, "status": 429}},
          {"max_request": {"body": 2000}}]
PARTS = ["Range: bytes=0-3", "Range: bytes=3-", "Range: bytes=-2", "Range: bytes=5-2", "Range: bytes=99999-",
         "Range: bytes=x", "Range: bytes=2-1,0-1", "Range: bytes=0-9,2-3", "If-None-Match: *",
         'If-None-Match: "other"', f"If-Modified-Since: {DATE}", f"Range: bytes=1-2\nIf-Range: {DATE}", "If-Match: *",
         'If-Match: "other"', f"If-Unmodified-Since: {DATE}", 'Range: bytes=1-2\nIf-Range: "other"',
         "If-None-Match: *\nIf-Modified-Since: Sun Sep  9 01:46:39 2001"]


@st.composite
def _kept_route(draw: Callable, path: str, paths: list[str], only_files: bool) -> dict:
    made: dict[str, Any] = {"path": path, "latency": "0ms"}
    kinds = ["plain", "version"] if only_files else ["plain"] * 2 + ["status", "redirect", "close", "cookie", "fault"]
    kind = draw(st.sampled_from(kinds))
    size = draw(st.sampled_from([5, 1000, 70_000] if only_files else [0, 5, 1000]))
    if kind == "version":
        made.update(etag=f'"3b9aca00-{size:x}"', last_modified=DATE, ranges=True)
    if kind == "status":
        made["status"] = draw(st.sampled_from([204, 304, 404, 500, 503]))
        size = 0 if made["status"] in (204, 304) else size
    if kind == "redirect":
        made["redirect"] = draw(st.sampled_from(paths))
    if kind == "fault":
        made["fault"] = {"kind": "close"}
    if kind == "close":
        made["headers"] = {"Connection": "close"}
    if kind == "cookie":
        made["headers"] = {"Set-Cookie": draw(st.sampled_from(["a=1", "a=2; Path=/1", "b=3; Max-Age=0"]))}
    if size and kind != "redirect":
        made["body_size"] = size
    return made


@st.composite
def _kept_site(draw: Callable, name: str, limits: dict, only_files: bool) -> dict:
    made = {"url": f"http://{name}.test", "rtt": "0ms", "connect": "0ms", **limits}
    keep = draw(st.sampled_from([{}] * 2 + [{"requests": 1}, {"requests": 2}, {"idle": "60ms"}]))
    if keep:
        made["keep_alive"] = keep
    paths = [f"/{k}" for k in range(draw(st.integers(1, 4)))]
    made["routes"] = [draw(_kept_route(path, paths, only_files)) for path in paths]
    return made


@st.composite
def kept_by_nginx(draw: Callable) -> dict[str, Any]:
    """A situation as below, in a world that nginx can be told."""
    limits = draw(st.sampled_from(LIMITS))
    # what it answers without a file passes its limits by, but for sizes
    only_files = draw(st.booleans()) if limits.keys() <= {"max_request"} else True
    sites = [draw(_kept_site(name, limits, only_files)) for name in "ab"[:draw(st.integers(1, 2))]]
    sessions = draw(st.lists(st.integers(0, 3), max_size=2))
    urls = [one["url"] + each["path"] for one in sites for each in one["routes"]]
    methods = READING if only_files else METHODS
    requests = draw(st.lists(_request(urls, len(sessions), methods), min_size=1, max_size=7))
    for request in requests:
        if only_files and draw(st.integers(0, 2)) == 0:
            request["headers"] = draw(st.sampled_from(PARTS)) + "\n"
    world = {"world": "looplab/world/v1", "seed": 1, "sites": sites}
    return {"world": world, "script": {"sessions": sessions, "requests": requests}}


# ---- all of them ------------------------------------------------------------------------------


@st.composite
def situations(draw: Callable) -> dict[str, Any]:
    """{"world": a world file, "script": what sim/tests/real/actor.c plays}."""
    if draw(st.sampled_from([False, False, False, True])):
        return draw(kept_by_nginx())
    sites = [draw(_site(name)) for name in "ab"[:draw(st.integers(1, 2))]]
    urls = [one["url"] + each["path"] for one in sites for each in one["routes"]]
    limits = draw(st.lists(st.integers(0, 3), max_size=2))
    requests = draw(st.lists(_request(urls, len(limits)), min_size=1, max_size=7))
    world = {"world": "looplab/world/v1", "seed": 1, "sites": sites}
    return {"world": world, "script": {"sessions": limits, "requests": requests}}
