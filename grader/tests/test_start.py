"""A copy to work in: what is in it, its first commit whatever git's surroundings, and what is told when git fails."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from looplab.course import git, lab as labs, skeleton, start
from looplab.plain.failure import UsageError

ROOT = Path(__file__).resolve().parents[2]
needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
needs_clone = pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="not a git clone")


def looplab(*words: str, code: int = 0) -> str:
    done = subprocess.run([sys.executable, "-m", "looplab", *words], capture_output=True, text=True, cwd=ROOT,
                          timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT / "grader")})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def asked(folder: Path, *words: str) -> str:
    return git.run(folder, *words).decode().strip()


@needs_git
def test_a_copy_to_work_in_has_no_solutions_and_can_be_graded(tmp_path):
    target = tmp_path / "my labs"
    assert str(target) in looplab("start", str(target))
    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if ".git/" not in path.as_posix()}
    assert not [name for name in names if re.search(r"solutions|hidden|tests/|slides|corpus", name)]
    assert {"labs/01-sync-vs-async/compare.c", "Makefile", "sim/include/co.h", "grader/looplab/cli.py"} <= names
    assert len(asked(target, "log", "--oneline").splitlines()) == 1 and asked(target, "status", "--porcelain") == ""
    assert "is there already" in looplab("start", str(target), code=2)
    if not os.environ.get("LOOPLAB_ALL"):       # what takes long to build is taken along, and is newer than its sources
        for name in names:
            os.utime(target / name, (0, 0))
        for part in ("kit", "obj/plain", "obj/asan"):
            shutil.copytree(ROOT / "build" / part, target / "build" / part, ignore=shutil.ignore_patterns("tests"))
    ours = ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(["make", "grade", "LAB=01"], cwd=target, capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 1 and "begin with compare.c" in done.stdout, done.stdout + done.stderr


# ---- git's surroundings -----------------------------------------------------------------------


@pytest.fixture
def kit(tmp_path):
    """A small house, committed: the labs of a copy, and a file that nobody committed."""
    root = tmp_path / "kit"
    (root / "labs/01-toy").mkdir(parents=True)
    (root / "labs/01-toy/toy.c").write_text("/* TODO 1 */\n")
    (root / "labs/01-toy/notes.json").write_text("{}\n")
    (root / "Makefile").write_text("all:\n")
    (root / ".gitattributes").write_text((ROOT / ".gitattributes").read_text())
    (root / "solutions").mkdir()
    (root / "solutions/toy.c").write_text("secret\n")
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "kit"]):
        git.run(root, *words)
    (root / "labs/01-toy/own.c").write_text("not committed\n")
    return root


COPIED = [".gitattributes", "Makefile", "labs/01-toy/notes.json", "labs/01-toy/toy.c"]


def the_copy(kit: Path, target: Path) -> list[str]:
    assert start.main([str(target)], kit) == 0
    assert asked(target, "status", "--porcelain") == ""
    return asked(target, "ls-files").split("\n")


@needs_git
def test_a_callers_git_variables_lead_to_no_other_repository(kit, tmp_path, monkeypatch):
    """As in a hook: git has told it which repository and which index it works on."""
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    git.run(foreign, "init", "--quiet")
    told = {"GIT_DIR": foreign / ".git", "GIT_WORK_TREE": foreign, "GIT_INDEX_FILE": foreign / "index",
            "GIT_PREFIX": "sub/", "GIT_OBJECT_DIRECTORY": foreign / ".git/objects", "GIT_AUTHOR_DATE": "nonsense",
            "GIT_CONFIG_COUNT": "x", "GIT_TEMPLATE_DIR": foreign, "GIT_DEFAULT_HASH": "sha256"}
    for name, value in told.items():
        monkeypatch.setenv(name, str(value))
    assert the_copy(kit, tmp_path / "copy") == COPIED
    assert asked(foreign, "status", "--porcelain") == "" and not (foreign / "index").exists()
    assert asked(foreign, "rev-list", "--all") == ""


SETTINGS = {
    "gpgsign": "[commit]\n gpgSign = true\n[user]\n signingKey = none\n[gpg]\n program = /bin/false\n",
    "hooks": "[core]\n hooksPath = {home}/hooks\n",
    "template": "[init]\n templateDir = {home}/template\n",
    "branch": "[init]\n defaultBranch = elsewhere\n",
    "autocrlf": "[core]\n autocrlf = true\n safecrlf = true\n",
    "identity": "[user]\n useConfigOnly = true\n",
    "ignored": "[core]\n excludesFile = {home}/git/ignore\n",
    "broken": "[core\n",
}


@needs_git
@pytest.mark.parametrize("name", SETTINGS)
def test_the_users_settings_do_not_apply_to_the_first_commit(kit, tmp_path, monkeypatch, name):
    home = tmp_path / "home"
    for hook in (home / "hooks/pre-commit", home / "template/hooks/pre-commit"):
        hook.parent.mkdir(parents=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
    (home / "git").mkdir()
    if name == "ignored":       # found there without being asked for, too
        (home / "git/ignore").write_text("*.json\n")
        (home / "git/attributes").write_text("* eol=crlf\n")
    (home / ".gitconfig").write_text(SETTINGS[name].replace("{home}", str(home)))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    target = tmp_path / "copy"
    assert the_copy(kit, target) == COPIED
    assert (target / "labs/01-toy/toy.c").read_bytes() == b"/* TODO 1 */\n"
    assert asked(target, "log", "-1", "--format=%an <%ae> %D") == "Looplab <looplab@localhost> HEAD -> main, " \
        "tag: handed-out"
    assert not (target / ".git/hooks").exists()


@needs_git
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_checkout_of_another_user_is_laid_out_too(kit, tmp_path):
    for path in (kit, kit / ".git"):
        os.chown(path, 4321, 4321)
    assert the_copy(kit, tmp_path / "copy") == COPIED


@needs_git
def test_what_is_no_clone_is_copied_as_it_is(kit, tmp_path):
    shutil.rmtree(kit / ".git")
    assert the_copy(kit, tmp_path / "copy") == [*COPIED[:3], "labs/01-toy/own.c", COPIED[3]]


@needs_git
def test_without_git_there_is_a_copy_without_a_history(kit, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert start.main([str(tmp_path / "copy")], kit) == 0
    assert "(without git: it is not installed)" in capsys.readouterr().out
    assert (tmp_path / "copy/labs/01-toy/toy.c").is_file() and not (tmp_path / "copy/.git").exists()


# ---- what git cannot do -----------------------------------------------------------------------


@needs_git
@pytest.mark.parametrize("word", ["ls-tree", "archive", "init", "add", "commit", "tag"])
@pytest.mark.parametrize("there", [False, True])
def test_a_git_that_fails_is_told_in_its_own_words_and_leaves_nothing(kit, tmp_path, monkeypatch, word, there):
    fake = tmp_path / "bin/git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n[ \"$1\" = {word} ] || exec {shutil.which('git')} \"$@\"\n"
                    "echo 'warning: so it goes' >&2\necho 'fatal: the moon is full' >&2\nexit 128\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    target = tmp_path / "new/copy"
    if there:
        target.mkdir(parents=True)
    with pytest.raises(UsageError, match=f"NAME=.*: nothing was made: git {word}: fatal: the moon is full$"):
        start.main([str(target)], kit)
    assert list(target.iterdir()) == [] if there else not target.parent.exists()


def test_a_place_that_cannot_be_written_is_told(kit, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="NAME=.*: nothing was made: Not a directory: .*file/copy"):
        start.main([str(tmp_path / "file/copy")], kit)
    assert (tmp_path / "file").read_text() == ""


# ---- a lab's file, put back -------------------------------------------------------------------


def toy(root: Path) -> labs.Lab:
    return labs.Lab("01-toy", root / "labs/01-toy", "toy.c", "toy.h", root, root / "build/kit")


def commits(root: Path, text: str) -> None:
    """What the student writes, and commits."""
    (root / "labs/01-toy/toy.c").write_text(text)
    git.run(root, "commit", "--quiet", "--all", "--message", text)


@needs_git
def test_in_a_copy_the_file_of_its_first_commit_is_the_one_handed_out(kit, tmp_path):
    start.main([str(tmp_path / "copy")], kit)
    commits(tmp_path / "copy", "one")
    commits(tmp_path / "copy", "two")
    assert skeleton.find(toy(tmp_path / "copy")).text == b"/* TODO 1 */\n"


@needs_git
def test_in_a_clone_the_file_that_came_with_it_is_the_one_handed_out(kit, tmp_path):
    git.run(tmp_path, "clone", "--quiet", str(kit), "clone")
    commits(tmp_path / "clone", "one")
    commits(kit, "/* TODO 1 (clearer) */\n")
    assert skeleton.find(toy(tmp_path / "clone")).text == b"/* TODO 1 */\n"
    git.run(tmp_path / "clone", "pull", "--quiet", "--rebase", "-X", "theirs")
    assert (tmp_path / "clone/labs/01-toy/toy.c").read_text() == "one"
    assert skeleton.find(toy(tmp_path / "clone")).text == b"/* TODO 1 (clearer) */\n"


@needs_git
def test_elsewhere_it_is_the_file_as_it_was_committed_last(kit):
    (kit / "labs/01-toy/toy.c").write_text("not committed")
    assert skeleton.find(toy(kit)).text == b"/* TODO 1 */\n"


@needs_git
def test_without_a_history_there_is_nothing_to_put_back_and_it_says_why(kit, tmp_path, monkeypatch):
    shutil.rmtree(kit / ".git")
    with pytest.raises(skeleton.NoSkeleton, match="^git rev-parse: fatal: not a git repository"):
        skeleton.find(toy(kit))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(skeleton.NoSkeleton, match="^git is not installed$"):
        skeleton.find(toy(kit))


def test_what_the_file_held_is_kept_each_time(tmp_path):
    file = tmp_path / "toy.c"
    assert skeleton.put_back(file, b"new") is None and file.read_bytes() == b"new"
    for number, name in enumerate(["toy.c.old", "toy.c.old2", "toy.c.old3"]):
        file.write_text(f"work {number}")
        file.chmod(0o600)
        assert skeleton.put_back(file, b"new") == tmp_path / name
        assert (tmp_path / name).read_text() == f"work {number}" and file.read_bytes() == b"new"
        assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy.c", "toy.c.old", "toy.c.old2", "toy.c.old3"]


def test_a_file_that_cannot_be_written_holds_what_it_held(tmp_path, monkeypatch):
    file = tmp_path / "toy.c"
    file.write_text("work")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(skeleton.os, "replace", full)
    with pytest.raises(OSError):
        skeleton.put_back(file, b"new")
    assert file.read_text() == "work" and sorted(path.name for path in tmp_path.iterdir()) == ["toy.c", "toy.c.old"]


# ---- a clone, and who starts git --------------------------------------------------------------


@needs_clone
def test_a_clone_with_autocrlf_has_no_other_line_ends(tmp_path):
    settings = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    git.run(ROOT, "clone", "--quiet", *settings, str(ROOT), str(tmp_path / "clone"))
    rows = asked(tmp_path / "clone", "ls-files", "--eol").split("\n")
    assert len(rows) > 300
    assert [row for row in rows if not re.match(r"i/(lf|-text|none)? +w/(lf|-text|none)? ", row)] == []


@needs_clone
def test_git_is_started_in_one_place_only():
    """Who starts it elsewhere does so with git.environment(), on the same line."""
    files = [ROOT / name for name in asked(ROOT, "ls-files", "*.py").split("\n")]
    starts = [f"{file.name}:{number}" for file in files if file.exists()
              for number, line in enumerate(file.read_text().split("\n"), start=1)
              if re.search(r"""[\[(]"git",""", line) and "git.environment()" not in line]
    assert [place.partition(":")[0] for place in starts] == ["git.py"]
