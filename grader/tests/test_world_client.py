"""World.client: the part of the world file that is about clients of a server; and what a run says of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from looplab import Do, World, WorldError, ms, sec
from looplab.reading import trace as reading
from variants import ROOT

PROGRAM = """
#include "co.h"
#include "co_server.h"

static int page(struct co_call *call, void *arg) { (void)arg; return co_reply_text(call, 200, "hello"); }

static int rows(struct co_call *call, void *arg)
{
    (void)arg;
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = co_reply_event(call, NULL, NULL, "row");
    return rc;
}

static int echo(struct co_call *call, void *arg)
{
    struct co_message message;
    CO_WS(ws);
    int rc = co_ws_accept(&ws, call, arg);
    while (rc >= 0 && (rc = co_ws_recv(&ws, &message)) > 0)
        rc = co_ws_send(&ws, message.is_text, message.data, message.length);
    return rc;
}

static int serve(void *job)
{
    static const struct co_route routes[] = {{"GET", "/page", page}, {"GET", "/rows", rows}, {"GET", "/echo", echo}};
    CO_SERVER(server);
    struct co_ws ws;
    (void)job;
    int rc = co_ws_connect(&ws, "ws://localhost:8080/", NULL);
    rc = co_server_open(&server, ":8080", NULL);
    return rc < 0 ? rc : co_serve(&server, routes, 3, NULL);
}

int main(void) { return co_run(serve, NULL, NULL) != -EINTR; }
"""
TO = "app.test:8080"


def validated(text: str) -> dict:
    """The world as the file has it, which is as the schema wants it."""
    jsonschema = pytest.importorskip("jsonschema", reason="no jsonschema here (make deps-dev)")
    schema = json.loads((ROOT / "sim/world/world.schema.json").read_text())
    value = json.loads(text)
    jsonschema.Draft7Validator(schema).validate(value)
    return value


def test_a_world_has_no_client_unless_told():
    assert not {"clients", "stop"} & set(World().json())


def test_all_that_can_be_said():
    steps = [Do.wait(ms(5)), Do.request("/a", "PUT", "x", headers={"A": "b"}, stream=True, times=2, every=ms(1)),
             Do.request("/b", size=10), Do.websocket("/c"), Do.text("hi"), Do.binary(b"\0"), Do.ping("p"),
             Do.receive(2),
             Do.send(b"\xff"), Do.stall(sec(1)), Do.close(1001, "bye"), Do.vanish("rst"), Do.stay()]
    world = World().client("ada", TO, steps, ms(1), ms(2), count=3, every=ms(4), window=5, reads=6).stop(sec(9))
    written = validated(world.text())
    assert written["stop"] == "9s"
    assert written["clients"] == [{
        "name": "ada", "to": TO, "at": "1ms", "rtt": "2ms", "count": 3, "every": "4ms", "window": 5, "reads": 6, "do": [
            {"wait": "5ms"},
            {"request": "/a", "method": "PUT", "body": "x", "headers": {"A": "b"}, "stream": True, "times": 2,
             "every": "1ms"},
            {"request": "/b", "body_size": 10}, {"websocket": "/c"}, {"text": "hi"}, {"binary": "AA=="}, {"ping": "p"},
            {"receive": 2}, {"send_base64": "/w=="}, {"stall": "1s"}, {"close": 1001, "reason": "bye"},
            {"vanish": "rst"}, {"stay": True}]}]


@pytest.mark.parametrize("wrong", [
    lambda: World().client("a b", TO, []), lambda: World().client("a", TO, []).client("a", TO, []),
    lambda: World().client("a", "app.test", []), lambda: World().client("a", "app.test:0", []),
    lambda: World().client("a", TO, [], -1), lambda: World().client("a", TO, [], count=0),
    lambda: World().client("a", TO, [], window=0), lambda: World().stop(-1), lambda: Do.vanish("quietly"),
    lambda: Do.text("x", times=0), lambda: Do.request("/", body="x", size=1)])
def test_what_cannot_be(wrong):
    with pytest.raises(WorldError):
        wrong()


# ---- What the C side refuses ----


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("server")
    (folder / "server.c").write_text(PROGRAM)
    subprocess.run(["gcc", "@sim/kit/student.flags", "-w", "-Isim/include", str(folder / "server.c"),
                    "build/kit/libco.a", "@sim/kit/link.flags", "-o", str(folder / "server")], cwd=ROOT, check=True)
    return folder / "server"


def refused(program: Path, members: dict) -> str:
    world = program.parent / "world.json"
    world.write_text(json.dumps({"world": "looplab/world/v1", **members}))
    done = subprocess.run([str(program)], env={"CO_WORLD": str(world)}, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    return done.stderr.strip().partition("world.json: ")[2]


def client(**members: object) -> dict:
    return {"clients": [{"name": "ada", "to": TO, "do": [], **members}]}


@pytest.mark.parametrize("members, said", [
    ({"clients": {}}, "/clients: expected an array, not {}"),
    ({"clients": [{"to": TO, "do": []}]}, "/clients/0/name: missing, expected a name"),
    ({"clients": [{"name": "a", "do": []}]}, "/clients/0/to: missing, expected a host and a port"),
    ({"clients": [{"name": "a", "to": TO}]}, "/clients/0/do: missing, expected an array of steps"),
    (client(name="a b"), '/clients/0/name: expected a name of at most 40 characters, without blanks, not "a b"'),
    (client(to="app.test"), '/clients/0/to: expected a host and a port such as "app.test:8080", not "app.test"'),
    (client(to="app.test:70000"),
     '/clients/0/to: expected a host and a port such as "app.test:8080", not "app.test:70000"'),
    (client(count=0), "/clients/0/count: expected a whole number from 1 to 100000, not 0"),
    (client(window=0), "/clients/0/window: expected a whole number from 1 to 1073741824, not 0"),
    (client(reeds=5), '/clients/0/reeds: unknown key, did you mean "reads"?'),
    ({"clients": [*client()["clients"], *client()["clients"]]},
     "/clients/1: expected a name of its own: number 0 has the same"),
    ({"clients": [*client(count=60000)["clients"], {"name": "b", "to": TO, "do": [], "count": 60000}]},
     "/clients/1: more than 100000 clients in all"),
    (client(do=[{}]), "/clients/0/do/0: expected one of wait, request, websocket, text, binary, ping, close, send, "
                      "send_base64, receive, stall, vanish and stay, not {}"),
    (client(do=[{"wait": "1s", "text": "x"}]),
     "/clients/0/do/0: expected one of wait, request, websocket, text, binary, ping, close, send, send_base64, "
     'receive, stall, vanish and stay, not {"wait":"1s","text":"x"}'),
    (client(do=[{"wait": 5}]), '/clients/0/do/0/wait: expected a time such as "300ms", not 5'),
    (client(do=[{"request": "a"}]), '/clients/0/do/0/request: expected a path such as "/news", not "a"'),
    (client(do=[{"text": "x", "method": "GET"}]), "/clients/0/do/0/method: does not go with text"),
    (client(do=[{"request": "/", "body": "", "body_size": 1}]), "/clients/0/do/0/body_size: does not go with body"),
    (client(do=[{"request": "/", "method": "get"}]),
     '/clients/0/do/0/method: expected a method such as "PUT", not "get"'),
    (client(do=[{"binary": "AB"}]), '/clients/0/do/0/binary: expected base64, not "AB"'),
    (client(do=[{"close": 999}]), "/clients/0/do/0/close: expected a whole number from 1000 to 4999, not 999"),
    (client(do=[{"close": 1005}]), "/clients/0/do/0/close: expected a code that may be sent, not 1005"),
    (client(do=[{"vanish": "so"}]), '/clients/0/do/0/vanish: expected fin, rst or silence, not "so"'),
    (client(do=[{"stay": False}]), "/clients/0/do/0/stay: expected true, not false"),
    (client(do=[{"text": "x", "times": 0}]),
     "/clients/0/do/0/times: expected a whole number from 1 to 1000000, not 0"),
    ({"stop": 5}, '/stop: expected a time such as "300ms", not 5'),
])
def test_a_wrong_one_is_refused(program, members, said):
    assert refused(program, members) == said


# ---- What a run tells ----


@pytest.fixture(scope="module")
def traced(program) -> str:
    """The trace of a server to which everything happens that has a line of its own."""
    yes = "HTTP/1.1 200 OK"
    world = World() \
        .client("ada", TO, [Do.request("/page"), Do.websocket("/echo"), Do.text("hi"), Do.receive(), Do.binary(b"x"),
                            Do.ping(), Do.receive(), Do.close(4000)], ms(1), ms(2)) \
        .client("bob", TO, [Do.request("/rows", stream=True), Do.stay()], ms(1)) \
        .client("cid", "app.test:9", [Do.request("/")], ms(1)) \
        .client("dan", TO, [Do.websocket("/echo"), Do.send(b"\x83\x80"), Do.stay()], ms(1)) \
        .client("eve", TO, [Do.websocket("/echo"), Do.vanish("silence")], ms(1)) \
        .client("fay", TO, [Do.websocket("/page")], ms(1)) \
        .client("gus", TO, [Do.request("/page", "HEAD"), Do.send(yes.encode()), Do.vanish("rst")], ms(1)).stop(ms(90))
    file = program.parent / "all.json"
    file.write_text(world.text())
    validated(world.text())
    subprocess.run([str(program)], check=True, timeout=20,
                   env={"CO_TRACE": str(program.parent / "trace"), "CO_WORLD": str(file)})
    return (program.parent / "trace").read_text()


def test_each_line_fits_the_schema(traced):
    schema = pytest.importorskip("test_trace_schema", reason="no python3-jsonschema here (make deps-dev)")
    seen = schema.check(traced)
    kinds = {kind for kind in schema.KINDS if kind.startswith(("world:socket.", "world:client."))}
    assert kinds - seen <= {"world:client.wrong", "world:client.lost"}      # our server does nothing wrong


def test_what_a_run_tells(traced):
    said = [one for one in reading.read(traced).said if one.client == "ada"]
    assert [(one.t, one.did, one.what, one.text, one.number) for one in said] == [
        (ms(3), "connected", "", None, None), (ms(3), "sent", "request", "/page", None),
        (ms(5), "got", "answer", "hello", 200), (ms(5), "sent", "opening", "/echo", None),
        (ms(7), "got", "open", None, None), (ms(7), "sent", "text", "hi", None), (ms(9), "got", "text", "hi", None),
        (ms(9), "sent", "binary", "x", None), (ms(9), "sent", "ping", "", None), (ms(11), "got", "binary", "x", None),
        (ms(11), "sent", "close", None, 4000), (ms(11), "got", "pong", "", None), (ms(13), "got", "close", None, 4000),
        (ms(13), "closed", "", None, None), (ms(13), "done", "", None, None)]


def test_the_same_seed_gives_the_same_trace(program, traced):
    again = program.parent / "again"
    subprocess.run([str(program)], check=True, timeout=20,
                   env={"CO_TRACE": str(again), "CO_WORLD": str(program.parent / "all.json")})
    assert again.read_text() == traced


def test_what_no_server_needs_is_in_no_other_program(tmp_path):
    """Servers, WebSockets and databases are linked only where they are used."""
    (tmp_path / "plain.c").write_text('#include "co.h"\nstatic int go(void *job) { (void)job; return co_sleep(1); }\n'
                                      "int main(void) { return co_run(go, NULL, NULL); }\n")
    subprocess.run(["gcc", "@sim/kit/student.flags", "-w", "-Isim/include", str(tmp_path / "plain.c"),
                    "build/kit/libco.a", "@sim/kit/link.flags", "-o", str(tmp_path / "plain")], cwd=ROOT, check=True)
    names = subprocess.run(["nm", str(tmp_path / "plain")], capture_output=True, text=True, check=True).stdout
    assert " T co_run_named" in names and " co_serve" not in names and " co_db_open" not in names
