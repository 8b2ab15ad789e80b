"""The autograder's zip and the CI files: their steps are run as they are written, with a `make` that only tells."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from looplab import cli
from looplab.course import lab as labs
from looplab.formats import write as formats
from looplab.teaching import autograder

LAB = labs.resolve("02")
CI = Path(formats.__file__).parent / "ci"

MAKE = """#!/bin/sh
echo "$LOOPLAB_STUDENT|$*" >> "$TOLD"
echo '::error::a line that a student wrote'
[ -z "$RESULT" ] || { mkdir -p "$PLACE/02-url-fetcher" && echo "$RESULT" > "$PLACE/02-url-fetcher/$FILE"; }
exit "$CODE"
"""


@pytest.fixture(scope="module")
def packed() -> bytes:
    return autograder.pack(LAB, labs.ROOT)


DOCKER = """#!/bin/sh
# docker run ... looplab COMMAND: here and now
[ "$1 $2" = "run --rm" ] || exit 125
while [ "$1" != looplab ]; do shift; done
shift
exec "$@"
"""


def with_make(folder: Path, **more: str) -> dict:
    """An environment in which `make` is MAKE, and `docker` DOCKER."""
    (folder / "bin").mkdir()
    for name, text in (("make", MAKE), ("docker", DOCKER)):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    return {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "TOLD": str(folder / "told"), "RESULT": "",
            "CODE": "0", **more}


def unpacked(packed: bytes, top: Path) -> Path:
    """As Gradescope does it; only what is at the top."""
    (top / "source/looplab").mkdir(parents=True)
    (top / "submission").mkdir()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        (top / "run_autograder").write_bytes(archive.read("run_autograder"))
    return top


def test_the_zip_has_what_gradescope_looks_for_and_the_same_bytes_each_time(packed):
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert all("@" not in archive.read(name).decode().replace("$@", "") for name in ("setup.sh", "run_autograder"))
    assert modes["setup.sh"] == modes["run_autograder"] == 0o100755 and modes["looplab/Makefile"] == 0o100644
    for name in ("solutions/02-url-fetcher/fetcher.c", "grader/hidden/02-url-fetcher/test_hidden.py",
                 "sim/judge/main.c", "labs/02-url-fetcher/fetcher.h", "grader/looplab/formats/gradescope.py"):
        assert f"looplab/{name}" in modes
    assert list(modes) == sorted(modes) and not [name for name in modes if "/tests/" in name or ".." in name]
    assert autograder.pack(LAB, labs.ROOT) == packed


@pytest.mark.parametrize("metadata, student", [
    ({"users": [{"name": "Bo", "email": "bo@x.test"}, {"name": "Ada Ö", "email": "ada@x.test"}]},
     "ada@x.test+bo@x.test"),
    ({"users": [{"id": 7, "name": "Ada"}]}, "7"), ({"users": [{"name": "Ada\nLovelace"}]}, "Ada Lovelace"),
    ({"users": []}, "somebody"), ([], "somebody"), (None, "somebody")])
def test_a_submission_is_graded_with_its_students_numbers(packed, tmp_path, metadata, student):
    top = unpacked(packed, tmp_path / "auto grader")
    if metadata is not None:
        (top / "submission_metadata.json").write_text(json.dumps(metadata))
    env = with_make(tmp_path, AUTOGRADER=str(top), RESULT='{"score": 7}', PLACE="build/graded", FILE="gradescope.json",
                    CODE="1")
    done = subprocess.run(["bash", top / "run_autograder"], env=env, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "told").read_text() \
        == f"{student}|grade LAB=02 FROM={top}/submission OUT=build/graded FORMATS=gradescope\n"
    assert json.loads((top / "results/results.json").read_text()) == {"score": 7}


def test_a_fault_of_the_grader_leaves_no_result(packed, tmp_path):
    """Gradescope then says that the autograder failed; an older result would be taken for this one's."""
    top = unpacked(packed, tmp_path / "auto")
    (top / "results").mkdir()
    (top / "results/results.json").write_text("old")
    (top / "submission/labs/02-url-fetcher").mkdir(parents=True)
    env = with_make(tmp_path, AUTOGRADER=str(top), CODE="3")
    assert subprocess.run(["bash", top / "run_autograder"], env=env, capture_output=True).returncode == 1
    assert list((top / "results").iterdir()) == [] and "/submission/labs OUT" in (tmp_path / "told").read_text()


# ---- PrairieLearn ----


@pytest.fixture(scope="module")
def question() -> dict[str, str]:
    """The files of the zip that are none of the project's."""
    with zipfile.ZipFile(io.BytesIO(autograder.pack(LAB, labs.ROOT, "prairielearn"))) as archive:
        assert "looplab/grader/hidden/02-url-fetcher/test_hidden.py" in archive.namelist()
        return {name: archive.read(name).decode() for name in archive.namelist() if not name.startswith("looplab/")}


GRADING_KEYS = {"enabled", "image", "entrypoint", "serverFilesCourse", "timeout", "enableNetworking", "environment"}


def test_prairielearns_info_says_what_its_schema_asks_for(question):
    """An unknown key is refused; a timeout is at most 600 s; there is no network."""
    assert set(question) == {"Containerfile", "entrypoint.sh", "questions/looplab-02-url-fetcher/info.json",
                             "questions/looplab-02-url-fetcher/question.html"}
    info = json.loads(question["questions/looplab-02-url-fetcher/info.json"])
    options = info.pop("externalGradingOptions")
    assert set(info) == {"uuid", "type", "title", "topic", "gradingMethod", "singleVariant"}
    assert re.fullmatch("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", info["uuid"])
    assert (info["type"], info["gradingMethod"]) == ("v3", "External") and set(options) <= GRADING_KEYS
    assert options["enabled"] is True and 0 < options["timeout"] <= 600 and "enableNetworking" not in options
    assert options["entrypoint"].startswith("/") and f"COPY entrypoint.sh {options['entrypoint']}\n" \
        in question["Containerfile"]
    assert 'file-names="fetcher.c"' in question["questions/looplab-02-url-fetcher/question.html"]
    lines = question["Containerfile"].split("\n")
    assert "FROM prairielearn/grader-c" in lines and "COPY looplab /looplab" in lines
    assert {"gcc", "libjansson-dev", "python3-pytest"} <= set(question["Containerfile"].split())
    assert "@" not in "".join(question.values())


@pytest.mark.parametrize("code, written, known", [
    ("1", '{"score": 0.5}', {"score": 0.5}), ("2", '{"gradable": false}', {"gradable": False}),
    ("3", "", {"gradable": False, "message": "The grader failed, which is not your fault."})])
def test_prairielearns_container_always_leaves_a_result_and_code_0(question, tmp_path, code, written, known):
    grade = tmp_path / "grade dir"
    (grade / "data").mkdir(parents=True)
    (grade / "student").mkdir()
    (grade / "data/data.json").write_text('{"variant_seed": 4711}' if code == "1" else "no json")
    (tmp_path / "house").mkdir()
    env = with_make(tmp_path, GRADE=str(grade), LOOPLAB=str(tmp_path / "house"), RESULT=written, PLACE="build/graded",
                    FILE="prairielearn.json", CODE=code)
    (tmp_path / "entrypoint.sh").write_text(question["entrypoint.sh"])
    assert subprocess.run(["bash", tmp_path / "entrypoint.sh"], env=env, capture_output=True).returncode == 0
    assert json.loads((grade / "results/results.json").read_text()) == known
    assert (tmp_path / "told").read_text() == f"{'4711' if code == '1' else 'somebody'}|grade LAB=02 " \
        f"FROM={grade}/student OUT=build/graded FORMATS=prairielearn\n"


def test_make_autograder(tmp_path, capsys, packed):
    assert cli.main(["autograder", "--lab", "2", "--out", str(tmp_path / "new/a.zip")]) == 0
    assert (tmp_path / "new/a.zip").read_bytes() == packed and len([*(tmp_path / "new").iterdir()]) == 1
    assert cli.main(["autograder", "--lab", "77"]) == 2 and cli.main(["autograder", "--lab", "2", "--out",
                                                                      str(tmp_path)]) == 2
    assert "this is a folder; name a file" in capsys.readouterr().err
    assert cli.main(["autograder", "--lab", "2", "--kind", "moodle"]) == 2
    assert "KIND=moodle: expected gradescope or prairielearn" in capsys.readouterr().err


# ---- CI ----


def script(name: str, begin: str) -> str:
    """The block of a YAML file's lines that are indented more than the line that begins so."""
    lines = (CI / name).read_text().split("\n")
    at = next(number for number, line in enumerate(lines) if line.strip() == begin)
    depth = len(lines[at]) - len(lines[at].lstrip())
    block = []
    for line in lines[at + 1:]:
        if line.strip() and len(line) - len(line.lstrip()) <= depth:
            break
        block.append(re.sub(r"^- ", "", line.strip()))
    return "\n".join(block)


@pytest.mark.parametrize("code", ["0", "1", "2", "3"])
def test_the_workflow_of_github(tmp_path, code):
    """What a program prints is between a word that nobody can guess; annotations come after it; the code stays."""
    env = with_make(tmp_path, RESULT="::error file=a.c,line=1,title=x::y", PLACE="build/grade",
                    FILE="github-annotations.txt", CODE=code, GITHUB_STEP_SUMMARY=str(tmp_path / "summary"))
    (tmp_path / "build/grade/02-url-fetcher").mkdir(parents=True)
    (tmp_path / "build/grade/02-url-fetcher/github-summary.md").write_text("## sum\n")
    done = subprocess.run(["bash", "-e", "-c", script("github.yml", "run: |")], cwd=tmp_path, env=env, text=True,
                          capture_output=True)
    lines = done.stdout.splitlines()
    word = lines[0].replace("::stop-commands::", "")
    assert re.fullmatch("[0-9a-f]{32}", word) and lines[1:] == [
        "::error::a line that a student wrote", f"::{word}::", "::error file=a.c,line=1,title=x::y"]
    assert (done.returncode, (tmp_path / "summary").read_text()) == (int(code), "## sum\n")
    assert (tmp_path / "told").read_text().endswith("|grade FORMATS=junit github\n")


@pytest.mark.parametrize("code", ["0", "1", "3"])
def test_the_template_of_gitlab(tmp_path, code):
    env = with_make(tmp_path, CODE=code)
    done = subprocess.run(["bash", "-e", "-c", script("gitlab.yml", "script:")], cwd=tmp_path, env=env)
    assert done.returncode == int(code) and (tmp_path / "told").read_text().endswith("|grade FORMATS=gitlab\n")


def test_ci_files_are_yaml_and_name_only_files_that_are_written():
    yaml = pytest.importorskip("yaml", reason="no python3-yaml here")
    job = yaml.safe_load((CI / "gitlab.yml").read_text())["grade"]
    assert [Path(one).name for one in job["artifacts"]["reports"].values()] == formats._FILES["gitlab"]
    steps = yaml.safe_load((CI / "github.yml").read_text())["jobs"]["grade"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    assert all(name in script("github.yml", "run: |") for name in formats._FILES["github"])
