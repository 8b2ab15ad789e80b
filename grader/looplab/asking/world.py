"""The builder of world files: what the network of a check looks like, and how long it takes undisturbed."""

from __future__ import annotations

import base64
import errno
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Mapping, Optional, Sequence, Tuple, Union

from ..plain.duration import Duration, exact, ms, sec

FORMAT = "looplab/world/v1"
HTTP_TIMEOUT = sec(30)      # CO_HTTP_TIMEOUT of co.h: a request without a complete answer ends here
REDIRECTS_MOST = 10         # co_http_get follows that many, then returns -ELOOP

DISK_OPS = ("open", "read", "write", "rename", "remove", "list", "load", "save")
DATABASE_FAULTS = ("lost", "slow", "serialization")
DISK_ERRORS = ("EIO", "ENOSPC", "EACCES", "ENOENT")

INDENTED_MOST = 40          # routes: a file with more is for nobody's eyes, and quicker written in one line

LIMIT_REQ = ("rate", "burst", "nodelay", "status", "retry_after")
LIMIT_CONN = ("requests", "status")

Latency = Union[int, Tuple[int, int]]


class WorldError(ValueError):
    """A world that cannot be: the check's author is told, never the student."""


class Fault:
    """What goes wrong at a site or a route. `times` = only the first so many requests; `probability` = each with that
    chance."""

    @staticmethod
    def refused(**when: Any) -> dict:
        """Nobody listens: -ECONNREFUSED after the connection set-up."""
        return _fault("refused", when)

    @staticmethod
    def unresolved() -> dict:
        """The host name does not exist (sites only): -CO_ENOHOST."""
        return _fault("unresolved", {})

    @staticmethod
    def reset(after: int = 0, **when: Any) -> dict:
        """Broken off after `after` bytes of the body: -ECONNRESET."""
        return _fault("reset", when, after=after)

    @staticmethod
    def close(**when: Any) -> dict:
        """Takes the request, and closes the connection without a byte: -ECONNRESET, or over a kept connection it is
        sent again."""
        return _fault("close", when)

    @staticmethod
    def truncate(after: int = 0, **when: Any) -> dict:
        """Ends after `after` bytes though Content-Length says more: -EPROTO."""
        return _fault("truncate", when, after=after)

    @staticmethod
    def hang(**when: Any) -> dict:
        """Never answers: -ETIMEDOUT after 30 s."""
        return _fault("hang", when)

    @staticmethod
    def drip(bytes: int = 1, every: int = sec(1), **when: Any) -> dict:
        """The body arrives `bytes` at a time, every `every` ns."""
        return _fault("drip", when, bytes=bytes, every=exact(every))

    @staticmethod
    def disk(error: str, op: Optional[str] = None, path: str = "", *, nth: Optional[int] = None,
             times: Optional[int] = None) -> dict:
        """Calls to the disk fail with "EIO", "ENOSPC", "EACCES" or "ENOENT": those that are an `op` ("open", "read",
        "write", "rename", "remove", "list", "load", "save"; read and write mean whole files too) on a path that begins
        with `path`. The nth of them and those behind it, `times` altogether; default: with nth that one alone, else
        all."""
        if error not in DISK_ERRORS:
            raise WorldError(f"fault of the disk: error {error!r}: expected one of {', '.join(DISK_ERRORS)}")
        if op is not None and op not in DISK_OPS:
            raise WorldError(f"fault of the disk: op {op!r}: expected one of {', '.join(DISK_OPS)}")
        fault: dict = {"error": error}
        _put_natural(fault, nth=nth)
        if times is not None:
            _natural("times", times)
            fault["times"] = times
        return {**({"op": op} if op else {}), **({"path": path} if path else {}), **fault}

    @staticmethod
    def database(kind: str, match: str = "", *, nth: Optional[int] = None, times: Optional[int] = None,
                 latency: int = 0, done: bool = False) -> dict:
        """Statements of a database that have `match` in them go wrong: "lost" (the connection breaks; done: when the
        statement was carried out), "slow" (by `latency`, ns), "serialization" (refused). nth, times: as of disk(). A
        commit has the text "COMMIT"."""
        if kind not in DATABASE_FAULTS:
            raise WorldError(f"fault of a database: {kind!r}: expected one of {', '.join(DATABASE_FAULTS)}")
        if (kind == "slow") != (latency > 0) or (done and kind != "lost"):
            raise WorldError(f"fault of a database: {kind}: a slow one has a latency, a lost one may be done")
        fault: dict = {"kind": kind, **({"match": match} if match else {})}
        _put_natural(fault, nth=nth)
        if times is not None:
            _natural("times", times)
            fault["times"] = times
        if latency:
            fault["latency"] = _time("latency", latency)
        return {**fault, "done": True} if done else fault


def reply(status: int = 200, body: Union[str, bytes, None] = None, *, headers: Optional[Mapping[str, str]] = None,
          times: Optional[int] = None, probability: Optional[float] = None) -> dict:
    """One of a route's `answers`: for so many requests (default: one), or for each with that probability."""
    if not 200 <= status <= 599:
        raise WorldError(f"reply: status {status} is not in 200..599")
    if times is not None and probability is not None:
        raise WorldError("reply: times and probability exclude each other")
    if probability is not None and not 0 <= probability <= 1:
        raise WorldError(f"reply: probability {probability!r} is not in 0..1")
    made: dict = {"status": status, **({"headers": dict(headers)} if headers else {})}
    _put_natural(made, times=times)
    _put_body(made, body, None)
    if status in (204, 304) and body:
        raise WorldError(f"reply: an answer of status {status} has no body")
    return made if probability is None else {**made, "probability": probability}


def _fault(kind: str, when: Mapping[str, Any], **details: Any) -> dict:
    unknown = set(when) - {"times", "probability"}
    if unknown:
        raise WorldError(f"fault {kind}: unknown {', '.join(sorted(unknown))}; known are times, probability")
    return {"kind": kind, **details, **when}


@dataclass
class _Route:
    """A route as the file has it, and its times as numbers (ns, bytes, bytes a second)."""

    json: dict
    latency: Latency
    cpu: int
    size: int
    bandwidth: Optional[int]


@dataclass
class _Site:
    """A site as the file has it, and its times as numbers (ns, bytes a second)."""

    json: dict
    rtt: int
    setup: int                      # resolve + connect
    resolve: int
    bandwidth: Optional[int]
    routes: dict[Tuple[str, str], _Route] = field(default_factory=dict)     # by path and method


class World:
    """A world, site by site and route by route; every call returns the world, so that calls chain.

        World(seed=lab.seed).site("http://a.test", rtt=ms(20)).route("/", latency=ms(300), body="hello")

    Times are ns (`ms(20)`), sizes bytes. Raises WorldError for what the C side would refuse.
    """

    def __init__(self, seed: int = 0, cpus: int = 4, descriptors: Optional[int] = None) -> None:
        """descriptors: how many connections and files the program may have open at a time, then -EMFILE."""
        _natural("seed", seed)
        _natural("cpus", cpus, least=1)
        self.seed, self.cpus = seed, cpus
        self._limits: dict = {}
        _put_natural(self._limits, descriptors=descriptors)
        self._sites: dict[str, _Site] = {}              # by their url
        self._current: Optional[_Site] = None           # the one that routes are added to
        self._disk: Optional[dict] = None
        self._databases: dict[str, dict] = {}           # by their url
        self._clients: dict[str, dict] = {}             # by their name
        self._stop: Optional[int] = None

    # ---- building ----

    def site(self, url: str, rtt: int = 0, connect: Optional[int] = None, resolve: int = 0, *,
             workers: Optional[int] = None, max_connections: Optional[int] = None, backlog: Optional[int] = None,
             rate_limit: Optional[Tuple[int, int]] = None, bandwidth: Optional[int] = None,
             works_on: bool = False, limit_req: Optional[Mapping[str, Any]] = None,
             limit_conn: Optional[Mapping[str, Any]] = None,
             max_request: Optional[Mapping[str, int]] = None,
             link: Optional[int] = None, addresses: Optional[Sequence[str]] = None,
             keep_idle: Optional[int] = None, keep_requests: Optional[int] = None,
             fault: Optional[dict] = None) -> "World":
        """Adds a site. rtt, connect (default: rtt), resolve: ns. rate_limit: (requests, per ns). bandwidth: bytes a
        second; link: the same, shared by all bodies each way. works_on: it does not notice that a client has given up.
        keep_idle (ns), keep_requests: when the server closes a connection that a session keeps. limit_req:
        {"rate": "5r/s", "burst": 0, "nodelay": False, "status": 503, "retry_after": False}, as nginx's. limit_conn:
        {"requests": the most in hand, "status": 503}. max_request: {"url": bytes, then 414, "header": a line's bytes,
        then 400, "body": bytes, then 413}. addresses: one or two of "up", "refused", "dead", tried in this order."""
        if not url.startswith("http://") or "/" in url[7:] or not url[7:]:
            raise WorldError(f"site {url!r}: expected http://HOST or http://HOST:PORT, without a path")
        if url in self._sites:
            raise WorldError(f"site {url!r} is there twice")
        site: dict = {"url": url, "rtt": _time("rtt", rtt)}
        if connect is not None:
            site["connect"] = _time("connect", connect)
        if resolve:
            site["resolve"] = _time("resolve", resolve)
        _put_natural(site, workers=workers, max_connections=max_connections, bandwidth=bandwidth, link=link)
        if link is not None and bandwidth is not None:
            raise WorldError(f"site {url!r}: link and bandwidth exclude each other")
        if backlog is not None:
            _natural("backlog", backlog)
            site["backlog"] = backlog
        keep: dict = {} if keep_idle is None else {"idle": _time("keep_idle", keep_idle)}
        _put_natural(keep, requests=keep_requests)
        if keep:
            site["keep_alive"] = keep
        reach = rtt if connect is None else connect
        if addresses is not None:
            site["addresses"] = list(addresses)
            reach = _reach(addresses, reach)
        if works_on:
            site["works_on"] = True
        if rate_limit is not None:
            _natural("rate_limit", rate_limit[0], least=1)
            site["rate_limit"] = {"requests": rate_limit[0], "per": _time("rate_limit", rate_limit[1])}
        _put_limits(site, max_request, limit_req, limit_conn)
        if fault is not None:
            site["fault"] = _checked_fault(fault, ("refused", "unresolved"))
        self._current = self._sites[url] = _Site(site, rtt, resolve + reach, resolve,
                                                 bandwidth or link)
        return self

    def route(self, path: str = "/", latency: Latency = 0, *, method: str = "GET", status: int = 200,
              headers: Optional[Mapping[str, str]] = None, body: Union[str, bytes, None] = None,
              body_size: Optional[int] = None, bandwidth: Optional[int] = None, chunk: Optional[int] = None,
              cpu: int = 0, redirect: Optional[str] = None, require: Optional[Mapping[str, str]] = None,
              echo: bool = False, answers: Optional[Sequence[Union[int, dict]]] = None,
              etag: Optional[str] = None, last_modified: Optional[str] = None, ranges: bool = False,
              framing: str = "length", trailers: Optional[Mapping[str, str]] = None,
              fault: Optional[dict] = None) -> "World":
        """Adds a route to the site added last. latency: ns, or (least, most). cpu: ns of the program's own CPU an
        answer costs.

        require: headers without which a request gets 401. echo: the answer's body is the request's.
        etag, last_modified: for If-None-Match and If-Modified-Since; ranges: whether it sends parts of its body.
        framing: "length", "chunked" (trailers: header lines behind it) or "close": how one learns where the body ends.
        answers: what some requests get instead, looked at in this order: statuses, or replies of reply().
        """
        site = self._current
        if site is None:
            raise WorldError(f"route {path!r} comes before any site")
        if not path.startswith("/"):
            raise WorldError(f"route {path!r}: a path starts with /")
        if (path, method) in site.routes:
            raise WorldError(f"route {method} {path} of {site.json['url']} is there twice")
        if not 200 <= status <= 599:
            raise WorldError(f"route {path!r}: status {status} is not in 200..599")
        route: dict = {"path": path}
        if method != "GET":
            route["method"] = method
        if status != 200:
            route["status"] = status
        if headers:
            route["headers"] = dict(headers)
        route["latency"] = [_time("latency", part) for part in latency] if isinstance(latency, tuple) \
            else _time("latency", latency)
        if echo and (body is not None or body_size is not None):
            raise WorldError(f"route {path!r}: echo and a body exclude each other")
        if require is not None and not require:
            raise WorldError(f"route {path!r}: require names no header")
        if bandwidth is not None and "link" in site.json:
            raise WorldError(f"route {path!r}: bandwidth and the site's link exclude each other")
        size = _put_body(route, body, body_size)
        _put_natural(route, bandwidth=bandwidth, chunk=chunk)
        if cpu:
            route["cpu"] = _time("cpu", cpu)
        if redirect is not None:
            route["redirect"] = redirect
        if require is not None:
            route["require"] = dict(require)
        if echo:
            route["echo"] = True
        _put_framing(route, framing, trailers)
        _put_version(route, etag, last_modified, ranges)
        if answers is not None:
            route["answers"] = [_checked_reply(path, one) for one in answers]
            if not answers:
                raise WorldError(f"route {path!r}: answers is empty: expected at least one, such as [503, 503]")
        if fault is not None:
            route["fault"] = _checked_fault(fault, ("refused", "reset", "close", "truncate", "hang", "drip"))
        site.routes[path, method] = _Route(route, latency, cpu, size, bandwidth)
        return self

    def disk(self, latency: int = 0, *, bandwidth: Optional[int] = None, capacity: Optional[int] = None,
             parallel: Optional[int] = None, files: Optional[Mapping[str, str]] = None,
             faults: Sequence[dict] = ()) -> "World":
        """What the co_file_* calls work on. Each takes latency (ns) + its bytes at bandwidth (bytes a second); at most
        `parallel` of them at a time, the others wait. capacity: bytes, then -ENOSPC. files: what is there, by path.
        faults: of Fault.disk()."""
        if self._disk is not None:
            raise WorldError("a world has one disk")
        disk: dict = {"latency": _time("latency", latency)}
        _put_natural(disk, bandwidth=bandwidth, parallel=parallel)
        if capacity is not None:
            _natural("capacity", capacity)
            disk["capacity"] = capacity
        for path, text in (files or {}).items():
            _check_path(path)
            if not isinstance(text, str):
                raise WorldError(f"file {path!r} is {text!r}: expected a str")
            disk.setdefault("files", {})[path] = text
        used = sum(len(text.encode()) for text in (files or {}).values())
        if capacity is not None and used > capacity:
            raise WorldError(f"files have {used} bytes in all, more than the disk's capacity of {capacity}")
        if faults:
            for fault in faults:
                if not isinstance(fault, dict) or "kind" in fault or "error" not in fault:
                    raise WorldError(f"fault {fault!r}: expected one of Fault.disk()")
            disk["faults"] = list(faults)
        self._disk = disk
        return self

    def database(self, url: str, rtt: int = 0, latency: int = 0, *, connect: Optional[int] = None, row: int = 0,
                 parse: int = 0, connections: Optional[int] = None, setup: Sequence[str] = (),
                 down: Sequence[Tuple[int, int]] = (), faults: Sequence[dict] = ()) -> "World":
        """What co_db.h connects to: "sqlite:NAME" or "postgresql://USER@HOST/NAME". A statement takes rtt + latency +
        parse + its rows * row (ns); connect: default two rtt. connections: the most at a time. setup: SQL that makes
        what is there. down: (from, to), in order. faults: of Fault.database()."""
        if not re.fullmatch(r"(sqlite:|postgresql://)[!-~]+", url):
            raise WorldError(f"database {url!r}: expected sqlite:NAME or postgresql://USER@HOST/NAME")
        if url in self._databases:
            raise WorldError(f"database {url!r} is there twice")
        made: dict = {"url": url, "rtt": _time("rtt", rtt), "latency": _time("latency", latency)}
        if connect is not None:
            made["connect"] = _time("connect", connect)
        made.update({name: _time(name, ns) for name, ns in (("row", row), ("parse", parse)) if ns})
        _put_natural(made, connections=connections)
        made["setup"] = list(setup)
        if any(begin >= end for begin, end in down) or list(down) != sorted(down):
            raise WorldError(f"database {url!r}: down {down!r}: expected pairs of a time and a later one, in order")
        if down:
            made["down"] = [[_time("down", begin), _time("down", end)] for begin, end in down]
        if any(not isinstance(fault, dict) or fault.get("kind") not in DATABASE_FAULTS for fault in faults):
            raise WorldError(f"database {url!r}: faults: expected those of Fault.database()")
        if faults:
            made["faults"] = list(faults)
        self._databases[url] = made
        return self

    def client(self, name: str, to: str, steps: Sequence[dict], at: int = 0, rtt: int = 0, *, count: int = 1,
               every: int = 0, window: Optional[int] = None, reads: Optional[int] = None) -> "World":
        """Who comes to a program that is a server: to "HOST:PORT", at that time (ns), and does the steps (of Do). count
        alike, one `every` ns. window: bytes it takes unread; reads: bytes a second."""
        if not re.fullmatch(r"[!-~]{1,40}", name) or name in self._clients:
            raise WorldError(f"client {name!r}: expected a name of its own, of at most 40 characters without blanks")
        if not re.fullmatch(r"[^/?@\s]+:[0-9]{1,5}", to) or not 0 < int(to.rpartition(":")[2]) < 65536:
            raise WorldError(f"client {name!r}: to {to!r}: expected HOST:PORT")
        _natural("count", count, least=1)
        made: dict = {"name": name, "to": to, "at": _time("at", at), "rtt": _time("rtt", rtt)}
        if count > 1:
            made.update(count=count, every=_time("every", every))
        _put_natural(made, window=window, reads=reads)
        self._clients[name] = {**made, "do": list(steps)}
        return self

    def stop(self, at: int) -> "World":
        """A person asks the program to end then (ns). Without this: when each client is done, or stays."""
        _natural("stop", at)
        self._stop = at
        return self

    # ---- asking ----

    def urls(self) -> list[str]:
        """The URL of every route, in the order they were added."""
        return [url + path for url, site in self._sites.items() for path, _ in site.routes]

    def total(self, url: str) -> Duration:
        """How long one undisturbed GET of the URL takes on a connection of its own, set-up included, in ns.

        Raises WorldError where that is no single number: a range of latencies, a fault that strikes sometimes, a drip.
        """
        return Duration(min(self._one(url, ())[0], HTTP_TIMEOUT))

    def latencies(self, urls: Optional[Iterable[str]] = None) -> list[Duration]:
        """`total` of each URL (default: all of the world's)."""
        return [self.total(url) for url in (self.urls() if urls is None else urls)]

    def answer(self, url: str) -> dict:
        """What one undisturbed GET gives: {"error": 0 or a negative errno, "status": …, "length": bytes of the
        body}."""
        total, answer = self._one(url, ())
        return _failed(errno.ETIMEDOUT) if total > HTTP_TIMEOUT else answer

    def answers(self, urls: Optional[Iterable[str]] = None) -> list[dict]:
        """`answer` of each URL (default: all of the world's)."""
        return [self.answer(url) for url in (self.urls() if urls is None else urls)]

    def json(self) -> dict:
        """The world file's content."""
        sites = [{**site.json, "routes": [route.json for route in site.routes.values()]}
                 for site in self._sites.values()]
        disk = {} if self._disk is None else {"disk": self._disk}
        databases = {"databases": list(self._databases.values())} if self._databases else {}
        clients = {"clients": list(self._clients.values())} if self._clients else {}
        stop = {} if self._stop is None else {"stop": exact(self._stop)}
        return {"world": FORMAT, "seed": self.seed, "cpus": self.cpus, **self._limits, "sites": sites, **disk,
                **databases, **clients, **stop}

    def text(self) -> str:
        """The world file, as it is written to disk."""
        many = sum(len(site.routes) for site in self._sites.values()) > INDENTED_MOST
        return json.dumps(self.json(), indent=None if many else 1, ensure_ascii=True) + "\n"

    # ---- the undisturbed exchange ----

    def _one(self, url: str, hops: Tuple[str, ...]) -> Tuple[int, dict]:
        """(ns, answer) of one GET that follows redirects; a time beyond the client's timeout means none came. hops: the
        hosts it comes from; their names need not be asked for once more."""
        if len(hops) > REDIRECTS_MOST:
            return 0, _failed(errno.ELOOP)
        host, path = _split(url)
        site = self._sites.get(host)
        if site is None:
            return 0, _failed(errno.ENXIO)
        kind = site.json.get("fault", {}).get("kind")
        if kind == "unresolved":
            return site.resolve, _failed(errno.ENXIO)
        if _name(host) in hops:
            site = replace(site, setup=site.setup - site.resolve, resolve=0)
        if kind == "refused":
            return site.setup, _failed(errno.ECONNREFUSED)
        if "up" not in site.json.get("addresses", ["up"]):
            return site.setup, _failed(errno.ECONNREFUSED)      # or it is beyond the client's timeout
        if len(path) > site.json.get("max_request", {}).get("url", len(path)):
            return site.setup + site.rtt, {"error": 0, "status": 414, "length": 0}
        route = site.routes.get((path, "GET"))
        if route is None:
            return site.setup + site.rtt, {"error": 0, "status": 404, "length": 0}
        return self._exchange(site, route, url, (*hops, _name(host)))

    def _exchange(self, site: _Site, route: _Route, url: str, hops: Tuple[str, ...]) -> Tuple[int, dict]:
        fault = route.json.get("fault", {})
        kind = fault.get("kind")
        if isinstance(route.latency, tuple):
            raise WorldError(f"{url} has a range of latencies: no single time is the undisturbed one")
        if "answers" in route.json:
            raise WorldError(f"{url} answers not always alike: no single answer is the undisturbed one")
        if "times" in fault or "probability" in fault or kind == "drip":
            raise WorldError(f"{url} has a fault that strikes sometimes, or drips: "
                             "no single time is the undisturbed one")
        if kind == "refused":
            return site.setup, _failed(errno.ECONNREFUSED)
        if kind == "hang":
            return HTTP_TIMEOUT + 1, {}
        if kind == "close":
            return site.setup + site.rtt + route.latency, _failed(errno.ECONNRESET)
        if "require" in route.json:             # a plain GET brings no headers
            return site.setup + site.rtt + route.latency, {"error": 0, "status": 401, "length": 0}
        speed = route.bandwidth or site.bandwidth
        if route.json.get("echo") and kind == "truncate":
            kind = None                         # an empty body cannot end early
        sent = min(fault["after"], route.size) if kind in ("reset", "truncate") else route.size
        total = site.setup + site.rtt + route.latency + (-(-sent * 10**9 // speed) if speed else 0)
        is_open = route.json.get("framing") == "close"       # nobody can tell that there should have been more
        if kind == "truncate" and is_open:
            return total + route.cpu, {"error": 0, "status": route.json.get("status", 200), "length": sent}
        if kind in ("reset", "truncate") and (sent < route.size or kind == "truncate" or is_open):
            return total, _failed(errno.ECONNRESET if kind == "reset" else errno.EPROTO)
        total += route.cpu
        if "redirect" in route.json:
            further, answer = self._one(route.json["redirect"], hops)
            return total + further, answer
        return total, {"error": 0, "status": route.json.get("status", 200), "length": route.size}


def _check_path(path: str) -> None:
    """The rules for a file's path, as the C side has them."""
    names = path.split("/")
    if len(path.encode()) > 4095 or any(name in ("", ".", "..") or len(name.encode()) > 255 for name in names) \
            or any(char < " " or char == "\x7f" for char in path):
        raise WorldError(f"file {path!r}: expected a relative path such as 'in/a.txt'")


def _failed(error: int) -> dict:
    return {"error": -error, "status": 0, "length": 0}


def _split(url: str) -> Tuple[str, str]:
    """("http://a.test", "/path") of a URL; the path of a bare host is "/"."""
    host, slash, path = url[7:].partition("/")
    return "http://" + host, "/" + path


def _name(site: str) -> str:
    """The host's name in "http://a.test:8080"."""
    return site[7:].rsplit(":", 1)[0].lower()


def _natural(name: str, value: int, least: int = 0) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise WorldError(f"{name} is {value!r}: expected an integer of at least {least}")


def _time(name: str, value: int) -> str:
    _natural(name, value)
    return exact(value)


def _put_natural(into: dict, **values: Optional[int]) -> None:
    """Adds those that are given; each must be at least 1."""
    for name, value in values.items():
        if value is not None:
            _natural(name, value, least=1)
            into[name] = value


def _put_body(route: dict, body: Union[str, bytes, None], size: Optional[int]) -> int:
    """Puts the body into the route's JSON; returns its length in bytes."""
    if body is not None and size is not None:
        raise WorldError(f"route {route.get('path')!r}: body and body_size exclude each other")
    if size is not None:
        _natural("body_size", size)
        route["body_size"] = size
        return size
    if isinstance(body, bytes):
        route["body_base64"] = base64.b64encode(body).decode("ascii")
        return len(body)
    if body:
        if "\0" in body:
            raise WorldError(f"route {route.get('path')!r}: a body with NUL bytes is given as bytes")
        route["body"] = body
    return len((body or "").encode())


def _put_limits(site: dict, max_request: Optional[Mapping[str, int]], limit_req: Optional[Mapping[str, Any]],
                limit_conn: Optional[Mapping[str, Any]]) -> None:
    if max_request is not None:
        if set(max_request) - {"url", "header", "body"}:
            raise WorldError("max_request: known are url, header, body")
        for name, most in max_request.items():
            _natural(f"max_request: {name}", most, least=0 if name == "body" else 1)
        site["max_request"] = dict(max_request)
    if limit_req is not None:
        site["limit_req"] = _checked_limit("limit_req", limit_req, LIMIT_REQ)
        if not re.fullmatch(r"0*[1-9]\d{0,6}r/[sm]", str(limit_req.get("rate"))):
            raise WorldError(f"limit_req: rate {limit_req.get('rate')!r}: expected one such as 5r/s or 30r/m")
    if limit_conn is not None:
        site["limit_conn"] = _checked_limit("limit_conn", limit_conn, LIMIT_CONN)
        _natural("limit_conn", limit_conn.get("requests", 0), least=1)


def _reach(addresses: Sequence[str], connect: int) -> int:
    """ns until one of the addresses answers, or until it is known that none does. The second is tried when the first
    has failed, or 200 ms after it."""
    if not 1 <= len(addresses) <= 2 or set(addresses) - {"up", "refused", "dead"}:
        raise WorldError(f"addresses {addresses!r}: expected one or two of up, refused and dead")
    head_start, gives_up = ms(200), sec(131)
    first = gives_up if addresses[0] == "dead" else connect
    if len(addresses) == 1 or addresses[0] == "up":
        return first
    second = min(first, head_start) + (gives_up if addresses[1] == "dead" else connect)
    return second if addresses[1] == "up" else max(first, second)


def _put_framing(route: dict, framing: str, trailers: Optional[Mapping[str, str]]) -> None:
    path = route["path"]
    if framing not in ("length", "chunked", "close"):
        raise WorldError(f"route {path!r}: framing {framing!r}: expected length, chunked or close")
    if trailers is not None and framing != "chunked":
        raise WorldError(f"route {path!r}: only a chunked body has trailers")
    if framing != "length":
        if "echo" in route:
            raise WorldError(f"route {path!r}: echo and framing exclude each other")
        route["framing"] = framing
    if trailers is not None:
        route["trailers"] = dict(trailers)


def _put_version(route: dict, etag: Optional[str], modified: Optional[str], ranges: bool) -> None:
    if etag is None and modified is None and not ranges:
        return
    path = route["path"]
    if route.keys() & {"echo", "redirect"} or route.get("status", 200) != 200 or (ranges and "framing" in route):
        raise WorldError(f"route {path!r}: etag, last_modified and ranges go with status 200, a body of its own, and "
                         "ranges with its length")
    if etag is not None and not re.fullmatch(r'(W/)?"[!#-~]*"', etag):
        raise WorldError(f"route {path!r}: etag {etag!r}: expected a tag in quotes")
    route.update({"etag": etag} if etag is not None else {})
    if modified is not None and not re.fullmatch(
            r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", modified):
        raise WorldError(f"route {path!r}: last_modified {modified!r}: expected one such as "
                         "Wed, 21 Oct 2026 07:28:00 GMT")
    route.update({"last_modified": modified} if modified is not None else {})
    route.update({"ranges": True} if ranges else {})


def _checked_limit(name: str, limit: Mapping[str, Any], known: Sequence[str]) -> dict:
    if set(limit) - set(known):
        raise WorldError(f"{name}: unknown {', '.join(sorted(set(limit) - set(known)))}; known are {', '.join(known)}")
    if not 400 <= limit.get("status", 503) <= 599:
        raise WorldError(f"{name}: status {limit['status']} is not in 400..599")
    _natural(f"{name}: burst", limit.get("burst", 0))
    return dict(limit)


def _checked_reply(path: str, one: Union[int, dict]) -> Union[int, dict]:
    if isinstance(one, dict) and "status" in one:
        return one
    if isinstance(one, int) and 200 <= one <= 599:
        return one
    raise WorldError(f"route {path!r}: answer {one!r}: expected a status from 200 to 599, or one of reply()")


def _checked_fault(fault: dict, kinds: Sequence[str]) -> dict:
    if not isinstance(fault, dict) or fault.get("kind") not in kinds:
        raise WorldError(f"fault {fault!r}: expected one of {', '.join('Fault.' + kind + '()' for kind in kinds)}")
    if "probability" in fault and not 0 <= fault["probability"] <= 1:
        raise WorldError(f"fault {fault['kind']}: probability {fault['probability']!r} is not in 0..1")
    if "times" in fault:
        _natural("times", fault["times"], least=1)
    return fault
