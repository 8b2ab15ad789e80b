""".devcontainer/Containerfile: what it installs is what deps.sh looks for, and its user is not root. With ALL=1, where
debootstrap is, its steps are run in a fresh Debian, and a lab is graded there by that user and by one without a name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from test_bare import MINUTES, bare, say  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".devcontainer"
WORKFLOWS = ("grader/looplab/formats/ci/github.yml", "grader/looplab/course/added/.github/workflows/grade.yml")
BESIDES = {"git", "ca-certificates"}        # to fetch the labs with


def steps() -> list[tuple[str, str]]:
    """(instruction, what it says) of each step, lines that go on joined."""
    text = re.sub(r"^#.*\n", "", (FOLDER / "Containerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(" ", 1)[0], " ".join(line.split()[1:])) for line in text.split("\n") if line.strip()]


def packages() -> list[str]:
    """What it installs."""
    (said,) = [said for name, said in steps() if name == "RUN" and "apt-get install" in said]
    return said.split("--no-install-recommends ")[1].split(" &&")[0].split()


def of_students() -> set[str]:
    """Debian's packages in the table of deps.sh."""
    table = (ROOT / "grader/scripts/deps.sh").read_text().split("student_tools() {")[1].split("\nEND\n")[0]
    rows = [line.split("|") for line in table.split("\n") if line.count("|") == 5]
    assert len(rows) > 5
    return {package for row in rows for package in row[2].split()}


def test_it_installs_what_deps_sh_looks_for():
    assert set(packages()) == of_students() | BESIDES
    assert packages() == sorted(set(packages()))


def test_debian_has_each_package():
    if shutil.which("apt-cache") is None:
        pytest.skip("no apt-cache here")
    shown = subprocess.run(["apt-cache", "show", "--no-all-versions", *packages()], text=True, capture_output=True)
    found = re.findall(r"^Package: (\S+)$", shown.stdout, re.MULTILINE)
    if not found:
        pytest.skip("apt knows no packages here: say apt-get update")
    assert set(found) == set(packages())


def test_whoever_works_in_it_is_not_root():
    said = steps()
    assert [one for one in said if one[0] == "USER"][-1:] == [("USER", "student")]
    assert any(name == "RUN" and re.match(r"useradd .*\bstudent$", text) for name, text in said)
    assert not any("sudo" in text for _, text in said)


def test_the_image_and_the_mirror_can_be_others():
    """For who has no way to Debian's own."""
    said = steps()
    assert said[:2] == [("ARG", "IMAGE=debian:12"), ("FROM", "${IMAGE}")]
    assert ("ARG", "MIRROR=http://deb.debian.org/debian") in said and "|${MIRROR}|" in said[3][1]
    assert not {"COPY", "ADD"} & {name for name, _ in said}, "nothing of this folder is in it"


def test_editors_and_workflows_use_it():
    dev = json.loads((FOLDER / "devcontainer.json").read_text())
    assert (FOLDER / dev["build"]["dockerfile"]).is_file() and dev["remoteUser"] == "student"
    for name in WORKFLOWS:
        text = (ROOT / name).read_text()
        assert "run: docker build --tag looplab --file .devcontainer/Containerfile .devcontainer\n" in text
        assert re.search(r"docker run --rm --user [^\n]*\\?\n +looplab make grade ", text)
    assert ".devcontainer/Containerfile" in (ROOT / "grader/looplab/formats/ci/gitlab.yml").read_text()


@pytest.mark.skipif("LOOPLAB_ALL" not in os.environ or os.geteuid() != 0 or shutil.which("debootstrap") is None,
                    reason="makes a whole machine, as root, with debootstrap: say make test ALL=1")
@pytest.mark.parametrize("bare", ["bookworm"], indirect=True)
def test_its_steps_make_a_machine_that_grades(bare):  # noqa: F811
    """By its student, and by a user whom nobody there knows, as CI starts it."""
    for text in [text for name, text in steps() if name == "RUN"]:
        done = say(bare, f"MIRROR=http://deb.debian.org/debian; {text}")
        assert done.returncode == 0, done.stdout[-2000:]
    for user in ("1000", "1234"):
        done = say(bare, f"rm -rf build && chown -R {user} . && setpriv --reuid={user} --regid={user} "
                   "--clear-groups env -i PATH=/usr/bin:/bin HOME=/ make grade LAB=01 FROM=solutions")
        assert done.returncode == 0 and "score 100/100" in done.stdout, done.stdout[-3000:]
        assert "installing" not in done.stdout
