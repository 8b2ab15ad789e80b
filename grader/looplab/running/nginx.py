"""A world file kept by a real nginx: the third opinion on what a server does, wherever nginx can be told the same
(limits, sizes, kept connections, files and parts of them, statuses, redirects)."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Optional

from ..plain.failure import GraderFault
from .serving import PATIENCE_S, environment, promptly

World = dict[str, Any]      # a world file

MODIFIED = 1_000_000_000    # s: when all its files were last changed; nginx names them by this and their length
VERSION = {"last_modified": "Sun, 09 Sep 2001 01:46:40 GMT", "ranges": True}
PATTERN = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n"   # what a body_size consists of
LIMITS = {"limit_req", "limit_conn"}
SITE = {"url", "routes", "keep_alive", "max_request"} | LIMITS
FILE = {"etag", "last_modified", "ranges"}
ROUTE = {"path", "latency", "body_size", "status", "redirect", "fault", "headers"} | FILE
BEFORE = "If-Unmodified-Since"
SMALL = 2000                # bytes: so much may stand in its configuration
WHERE = os.pathsep.join(["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin"])
CONFIG = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    access_log off; default_type ""; absolute_redirect off; server_tokens off;
    client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
{sites}
}}
"""


def program() -> Optional[str]:
    """Where nginx is; None: nowhere."""
    return shutil.which("nginx", path=WHERE)


def version(size: int) -> dict:
    """What nginx says of a file of so many bytes, as a world file's route has it."""
    return {"etag": f'"{MODIFIED:x}-{size:x}"', **VERSION}


# ---- what it is told --------------------------------------------------------------------------


def sites(world: World, requests: list[dict]) -> Optional[dict[str, list[str]]]:
    """For each site's host what nginx is told, line by line; None: it cannot be told the same. requests: what the world
    is asked, each with "method" and "headers", if it has any."""
    methods = {request.get("method", "GET") for request in requests}
    unnamed = any(not FILE & set(route) for site in world["sites"] for route in site["routes"])
    if set(world) - {"world", "seed", "sites"}:
        return None
    if unnamed and any(BEFORE in request.get("headers", "") for request in requests):
        return None                     # it knows when its files were changed, though it does not say so
    made = {}
    for site in world["sites"]:
        lines = _site(site, methods)
        if lines is None:
            return None
        made[site["url"].partition("://")[2]] = lines
    return made


def _site(site: dict, methods: set[str]) -> Optional[list[str]]:
    keep = site.get("keep_alive", {})
    if {name for name in site if site[name] != "0ms"} - SITE or "retry_after" in site.get("limit_req", {}) \
            or set(site.get("max_request", {})) - {"body"}:
        return None
    lines = [f"keepalive_requests {keep.get('requests', 1_000_000)};", f"keepalive_timeout {keep.get('idle', '1h')};"]
    for route in site["routes"]:
        told = _route(route, bool(LIMITS & set(site)), methods)
        if told is None:
            return None
        lines.append(f"location = {route['path']} {{ {told} }}")
    return lines + _limits(site)


def _limits(site: dict) -> list[str]:
    lines = []
    if "limit_req" in site:
        said = site["limit_req"]
        burst = f" burst={said['burst']}" if said.get("burst") else ""
        lines.append(f"limit_req zone={{zone}}r{burst}" + (" nodelay;" if said.get("nodelay") else ";"))
        lines.append(f"limit_req_status {said.get('status', 503)};")
    if "limit_conn" in site:
        lines.append(f"limit_conn {{zone}}c {site['limit_conn']['requests']};")
        lines.append(f"limit_conn_status {site['limit_conn'].get('status', 503)};")
    body = site.get("max_request", {}).get("body", 0)
    return lines + [f"client_max_body_size {body};"]


def _route(route: dict, is_limited: bool, methods: set[str]) -> Optional[str]:
    """What stands in its location. A file where limits are kept: what nginx answers by `return` passes them by."""
    status, size = route.get("status", 200), route.get("body_size", 0)
    if set(route) - ROUTE or route["latency"] != "0ms":
        return None
    told = "".join(_header(*field) for field in route.get("headers", {}).items())
    if is_limited or FILE & set(route):
        said = {name: route[name] for name in sorted(FILE & set(route))}
        if methods - {"GET", "HEAD"} or set(route) & {"status", "redirect", "fault"} \
                or said not in ({}, version(size)):
            return None
        return told + ("" if said
                       else 'etag off; if_modified_since off; max_ranges 0; add_header Last-Modified "";')
    if "fault" in route:
        return "return 444;" if route["fault"] == {"kind": "close"} else None
    if "redirect" in route:
        return told + f"return 302 {route['redirect']};"
    text = (PATTERN * (size // len(PATTERN) + 1))[:size]
    if size > SMALL:
        return None
    return told + (f"return {status};" if status in (204, 304) else f'return {status} "{text}";')


def _header(name: str, value: str) -> str:
    return "keepalive_timeout 0; " if name == "Connection" else f'add_header {name} "{value}" always; '


# ---- and started ------------------------------------------------------------------------------


class Nginx:
    """nginx with one world, from `with` to its end. `environment` is what a program needs to find it. world: the file;
    said: what `sites` made of it; work: a folder of its own."""

    def __init__(self, world: Path, content: World, said: dict[str, list[str]], work: Path):
        self.world, self.content, self.said, self.work = world, content, said, work
        self.environment: dict[str, str] = {}

    def __enter__(self) -> "Nginx":
        found = program()
        assert found
        ports = {host: _free_port() for host in self.said}
        self._lay(ports)
        self._log = open(self.work / "said", "w")
        self._process = subprocess.Popen([found, "-p", str(self.work), "-c", "nginx.conf"], stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=self._log, preexec_fn=promptly)
        for port in ports.values():
            self._await(port)
        self.environment = environment(self.world, ",".join(f"{host}:80=127.0.0.1:{port}"
                                                            for host, port in ports.items()))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=PATIENCE_S)
        self._log.close()

    def _lay(self, ports: dict[str, int]) -> None:
        """Its configuration, and a file for each route."""
        self.work.mkdir(exist_ok=True)
        text = ""
        for site, (host, lines) in zip(self.content["sites"], self.said.items()):
            zone, root = host.replace(".", "_"), self.work / host
            if "limit_req" in site:
                text += f"    limit_req_zone $server_name zone={zone}r:1m rate={site['limit_req']['rate']};\n"
            if "limit_conn" in site:
                text += f"    limit_conn_zone $server_name zone={zone}c:1m;\n"
            inner = "\n        ".join(line.replace("{zone}", zone) for line in lines)
            text += f"    server {{ server_name {host}; listen 127.0.0.1:{ports[host]} backlog=4096; root {root};\n" \
                    f"        {inner}\n    }}\n"
            for route in site["routes"]:
                _lay_file(root / route["path"].lstrip("/"), route.get("body_size", 0))
        (self.work / "nginx.conf").write_text(CONFIG.format(folder=self.work, sites=text))

    def _await(self, port: int) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.01)
        raise GraderFault("nginx did not start: " + (self.work / "said").read_text()[-300:])


def _lay_file(file: Path, size: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.stat().st_size != size:
        file.write_text((PATTERN * (size // len(PATTERN) + 1))[:size])
        os.utime(file, (MODIFIED, MODIFIED))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
