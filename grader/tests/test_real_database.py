"""The same statements on both engines, in both worlds: row by row, error by error. PostgreSQL is one of its own, in a
folder of its own, and speaks over a socket there."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path
from typing import Iterator, Optional

import pytest

from variants import BUILD, ROOT

SOURCE = Path(__file__).parent / "both.c"


def server_programs() -> Optional[Path]:
    """Where the newest PostgreSQL's programs are; None: there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def somebody() -> dict:
    """Who runs a server that refuses root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@pytest.fixture(scope="module")
def postgres(tmp_path_factory) -> Iterator[str]:
    """A URL of a server that is started for these tests, and stopped."""
    programs = server_programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql-15")
    home = Path(subprocess.run(["mktemp", "-d", "/tmp/looplab-pg-XXXXXX"], text=True, capture_output=True,
                               check=True).stdout.strip())      # a socket's path is at most 107 bytes
    data, who = home / "data", somebody()
    if who:
        os.chown(home, who["user"], who["group"])
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    subprocess.run([programs / "initdb", "-D", data, "-U", "looplab", "-A", "trust", "--no-sync", "-E", "UTF8",
                    "--locale=C"], check=True, capture_output=True, env=env, cwd=home, **who)
    options = f"-k {home} -c listen_addresses= -c fsync=off -c max_connections=8"
    subprocess.run([programs / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=home, **who)
    try:
        yield f"postgresql://looplab@/postgres?host={home}"
    finally:
        subprocess.run([programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], stdout=subprocess.DEVNULL,
                       env=env, cwd=home, **who)
        subprocess.run(["rm", "-rf", str(home)], check=True)


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    if not (BUILD / "kit" / "libco-real.a").exists():
        pytest.skip("no real world here: libuv or libcurl is missing")
    made = tmp_path_factory.mktemp("both") / "both"
    subprocess.run(["gcc", "@sim/kit/student.flags", "-Werror", "-O1", "-Isim/include", SOURCE,
                    "build/kit/libco-real.a", "build/kit/libco.a", "@sim/kit/link.flags", "@sim/kit/real.flags", "-o",
                    made], cwd=ROOT, check=True)
    return made


def said_by(program: Path, folder: Path, *words: str) -> str:
    run = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, timeout=60)
    assert run.stderr == "" and run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def expected(program, tmp_path_factory) -> str:
    """What the virtual world says."""
    return said_by(program, tmp_path_factory.mktemp("virtual"), "sqlite:a.db")


def test_it_says_what_it_should(expected):
    for line in ("    3|Cleo|NULL", "2 is Bert", "0.25 café 7 5", "    2|40", "slow: timed out"):
        assert line + "\n" in expected
    assert expected.count("the data forbids it") == 7 and expected.count("the statement is wrong") == 2
    assert "an error forgotten: the transaction has failed" in expected


def test_a_virtual_postgresql_says_the_same(program, expected, tmp_path):
    world = '{"world":"looplab/world/v1","databases":[{"url":"postgresql://a/b","rtt":"1ms"}]}'
    assert said_by(program, tmp_path, "postgresql://a/b", world) == expected


def test_a_real_sqlite_says_the_same(program, expected, tmp_path):
    assert said_by(program, tmp_path, "sqlite:a.db", "real") == expected


def test_a_real_postgresql_says_the_same(program, expected, postgres, tmp_path):
    assert said_by(program, tmp_path, postgres, "real") == expected
