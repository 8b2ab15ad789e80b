"""A checkout that nobody may write to: what make says there, and BUILD=DIR, which builds in another place."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Iterator

import pytest
from test_front_door import assert_one_line

ROOT = Path(__file__).resolve().parents[2]
LAB = "01-sync-vs-async"
SEALED = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"'


def sealed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs words in the folder, mounted in such a way that nothing in it can be written to."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["unshare", "--mount", "sh", "-c", SEALED, "sh", *words], cwd=folder, env=env, text=True,
                          capture_output=True, timeout=300)


@pytest.fixture(autouse=True)
def read_only_mounts(tmp_path):
    if shutil.which("unshare") is None or sealed(tmp_path, "true").returncode:
        pytest.skip("only root can mount a checkout read-only (and not in every container)")


@pytest.fixture
def fresh() -> Iterator[Path]:
    """What a make in a new clone reads, with no build/, in a folder that any user may go to."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        house = Path(folder) / "house"
        shutil.copytree(ROOT / "grader/scripts", house / "grader/scripts")
        shutil.copy(ROOT / "Makefile", house)
        for name in ("labs", "sim"):
            (house / name).symlink_to(ROOT / name)
        yield house


@pytest.fixture
def place(tmp_path) -> Path:
    """A folder to build in, where it is known already what this machine has."""
    (tmp_path / "new/place/build").mkdir(parents=True)
    shutil.copy(ROOT / "build/deps.mk", tmp_path / "new/place/build")
    return tmp_path / "new/place"


# ---- Without BUILD ----


@pytest.mark.parametrize("goal, code", [("grade", 3), ("demo", 3), ("progress", 3), ("run", 2), ("test", 2)])
def test_one_line_says_where_make_wanted_to_write_and_what_to_do(goal, code, fresh):
    for house in (fresh, ROOT):     # never built, and built before it was sealed
        assert_one_line(sealed(house, "make", goal), code, f"{house}/build", "Read-only file system", "BUILD=")
    assert not (fresh / "build").exists()


def test_a_folder_of_another_user_is_told_of_too(fresh):
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv here")
    run = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "make", "grade"], cwd=fresh, text=True,
                         capture_output=True, env={"PATH": os.environ["PATH"]}, timeout=120)
    assert_one_line(run, 3, f"{fresh}/build", "Permission denied", "BUILD=")


def test_what_writes_nothing_works_all_the_same(fresh):
    assert sealed(fresh, "make", "help").returncode == 0


# ---- With BUILD ----


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_exit_code_is_that_of_the_make_elsewhere(code, fresh, place):
    run = sealed(fresh, "make", "progress", f"BUILD={place}", f"looplab=sh -c 'exit {64 + code}' --")
    assert (run.returncode, run.stderr) == (code, "")
    assert not (fresh / "build").exists()


def test_a_lab_is_graded_elsewhere_as_in_the_checkout(place, tmp_path):
    for part in ("kit", "obj/plain", "obj/asan"):       # what takes long to build is taken along
        shutil.copytree(ROOT / "build" / part, place / "build" / part, ignore=shutil.ignore_patterns("*.new"))
    submission = tmp_path / "mine"
    shutil.copytree(ROOT / "solutions" / LAB, submission)
    run = sealed(ROOT, "make", "grade", "LAB=01", f"FROM={submission}", f"BUILD={place}", "SEED=7")
    assert (run.returncode, run.stderr) == (0, "")
    assert (place / "build/grade" / LAB / "results.json").exists()
    run = sealed(ROOT, "make", "run", "LAB=01", f"FROM={os.path.relpath(submission, ROOT)}", "MODE=async",
                 f"BUILD={place}")
    assert (run.returncode, run.stderr) == (0, "")
    assert (place / "build/run" / LAB / "program").exists()


def test_what_the_checkout_no_longer_holds_goes_there_too(fresh, place):
    words = ("make", "progress", f"BUILD={place}", "looplab=sh -c 'exit 64' --")
    (fresh / "mine").mkdir()
    assert sealed(fresh, *words).returncode == 0 and (place / "mine").is_dir()
    (fresh / "mine").rmdir()
    assert sealed(fresh, *words).returncode == 0 and not (place / "mine").is_symlink()


def test_clean_clears_the_other_place(fresh, place):
    assert sealed(fresh, "make", "clean", f"BUILD={place}").returncode == 0
    assert not (place / "build").exists()


@pytest.mark.parametrize("name, reason", [("my place", "blanks"), ("it's", "quotes"), ("file/below", "cannot be made"),
                                          ("taken", "labs is in the way")])
def test_a_place_that_will_not_do_is_refused_with_its_name(name, reason, fresh, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "taken/labs").mkdir(parents=True)
    run = sealed(fresh, "make", "grade", f"BUILD={tmp_path}/{name}")
    assert_one_line(run, 2, f"BUILD={tmp_path}/{name}: ", reason)


def test_the_projects_own_tests_need_a_checkout_of_their_own(fresh, tmp_path):
    assert_one_line(sealed(fresh, "make", "test", f"BUILD={tmp_path}"), 2, "git clone", str(fresh))


def test_build_itself_is_no_other_place():
    run = sealed(ROOT, "make", "-n", "progress", "BUILD=build")
    assert_one_line(run, 3, "Read-only")
