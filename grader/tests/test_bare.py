"""README's two commands on a bare machine: a fresh Debian with git and make and nothing else, as debootstrap makes it.

It takes a quarter of an hour or more for each release, so only with ALL=1. The root gets this machine's own settings
of apt, its certificates and the settings of its proxy, if there are any; it has its own processes and mounts, and all
of it goes in the end.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from looplab.course import git

ROOT = Path(__file__).resolve().parents[2]
RELEASES = ["bookworm", "trixie"]       # Debian 12 and 13
MINUTES = 60
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

pytestmark = [
    pytest.mark.skipif("LOOPLAB_ALL" not in os.environ, reason="makes whole machines: say make test ALL=1"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another root"),
    pytest.mark.skipif(shutil.which("debootstrap") is None, reason="no debootstrap here (apt-get install debootstrap)"),
]

# Mounts and processes of its own: when the first process ends, all ends that it has started, and nothing stays mounted.
APART = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]

INSIDE = """
set -eu
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount --rbind /dev "$1/dev"
exec chroot "$1" sh -c "$2"
"""


def readmes_commands() -> list[str]:
    """The first block of commands, as README prints it."""
    text = (ROOT / "README.md").read_text()
    return [line.split("#")[0].strip() for line in re.findall(r"^    (make .*)$", text, re.MULTILINE)[:2]]


def suite_of(release: str) -> tuple[str, str]:
    """Where this machine's apt gets Debian from, and its settings for the release: lines of a sources.list."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(ORIGIN)"], text=True,
                            capture_output=True).stdout.split("\n")
    mirrors = [line.split("|")[0] for line in listed if line.endswith("|Debian") and "security" not in line]
    if not mirrors:
        pytest.skip("this machine's apt knows no Debian")
    return mirrors[0], f"deb {mirrors[0]} {release} main\ndeb {mirrors[0]} {release}-updates main\n"


def settle(root: Path, sources: str) -> None:
    """Gives the root this machine's settings: apt's, the resolver's, and certificates of its own."""
    (root / "etc/apt/sources.list").write_text(sources)
    for file in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copy(file, root / file[1:])
    for pattern in ("etc/apt/apt.conf.d/*", "etc/apt/auth.conf.d/*", "etc/apt/preferences.d/*",
                    "usr/local/share/ca-certificates/*.crt"):
        for file in Path("/").glob(pattern):
            there = root / file.relative_to("/")
            there.parent.mkdir(parents=True, exist_ok=True)
            if file.is_file() and not there.exists():
                shutil.copy(file, there)


def environment() -> dict[str, str]:
    """What a login as root finds, and the proxy's settings, which apt takes from the environment."""
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", **proxies}


@pytest.fixture(params=RELEASES)
def bare(request, tmp_path) -> Iterator[Path]:
    """A root of that release with git, make and a clone of this repository in /looplab."""
    root = tmp_path / request.param
    mirror, sources = suite_of(request.param)
    command = ["debootstrap", "--variant=minbase", "--include=git,make", request.param, str(root), mirror]
    made = subprocess.run(["unshare", "--mount", *command], text=True, capture_output=True, timeout=60 * MINUTES,
                          env={**environment(), "TMPDIR": str(tmp_path)})
    if made.returncode:
        shutil.rmtree(root, ignore_errors=True)
        pytest.skip(f"debootstrap cannot make {request.param}: {(made.stdout + made.stderr).strip().splitlines()[-1]}")
    settle(root, sources)
    git.run(ROOT, "clone", "-q", str(ROOT), str(root / "looplab"))
    yield root
    shutil.rmtree(root, ignore_errors=True)


def say(root: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*APART, "sh", "-c", INSIDE, "sh", str(root), f"cd /looplab && {command}"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                          timeout=60 * MINUTES, env=environment())


def test_readmes_two_commands_on_a_bare_machine(bare, capsys):
    demo, test = readmes_commands()
    assert (demo, test) == ("make demo", "make test")
    shown = say(bare, demo)
    assert shown.returncode == 0, shown.stdout[-3000:]
    assert re.match(r"deps: installing gcc .*: took \d+ s\n", shown.stdout)
    assert len(re.findall(r"^score (\d+)/\1 ", shown.stdout, re.MULTILINE)) == len(list(ROOT.glob("solutions/[0-9]*")))
    tested = say(bare, test)
    assert tested.returncode == 0, tested.stdout[-6000:]
    assert len(re.findall(r"^deps: installing .*: took \d+ s$", tested.stdout, re.MULTILINE)) == 1
    last = tested.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"\d+ passed(, \d+ skipped)?(, \d+ warnings?)? in .*", last)
    with capsys.disabled():
        print(f"\n{bare.name}: {last}")
    assert [line for line in Path("/proc/mounts").read_text().splitlines() if str(bare) in line] == []
