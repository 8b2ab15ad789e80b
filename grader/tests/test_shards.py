"""A class in parts: shards that are joined give the same bytes as one machine, a shard that died is missed, and nothing
is joined that is not whole."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from looplab.plain.failure import UsageError
from looplab.teaching import command, intake, pool, shards
from looplab.teaching.outcome import Outcome
from looplab.teaching.shards import Shard
from test_class import CORPUS, LABS, ONE, lay, ran, tree


@pytest.fixture(scope="module")
def submissions(tmp_path_factory) -> Path:
    """Two that do not compile, and between them one that is graded."""
    folder = tmp_path_factory.mktemp("shards") / "in"
    lay(folder, "ada/compare.c", "eve/compare.c", text="int x")
    (folder / "bob").mkdir()
    shutil.copy(CORPUS / "awaits-each/compare.c", folder / "bob")
    return folder


def test_joined_they_are_the_same_bytes_as_one_machine_also_when_one_died(submissions, tmp_path, monkeypatch):
    """Two shards; the first one is killed while it grades."""
    out = tmp_path / "out"
    assert ran(submissions, out).wait(300) == 1
    whole = tree(out)
    shutil.rmtree(out)
    killed = ran(submissions, out, "--shard", "1/2")
    until = time.monotonic() + 120
    while not list(out.glob("*/*/handed-in/*")) and killed.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    (out / shards.FOLDER / "1-of-2/ended").unlink(missing_ok=True)      # where it was quicker than the kill
    second = ran(submissions, out, "--shard", "2/2")
    said, errors = second.communicate(timeout=300)
    assert (second.returncode, errors) == (0, "") and "shard 2/2: 1 of 3 submissions graded in " in said
    assert not list(out.glob("*.csv"))

    join = ["--from", str(submissions), "--join", str(out)]
    monkeypatch.setattr(pool, "each", lambda pieces, jobs: pytest.fail("joining grades nothing"))
    with pytest.raises(UsageError, match="1 shard of 2 has not ended: 1/2; run it again, as in: make class SHARD=1/2"):
        command.main(join)
    assert ran(submissions, out, "--shard", "1/2").wait(300) == 0
    assert command.main(join) == 1 and tree(out) == whole
    with pytest.raises(UsageError, match="no shard was graded into it"):
        command.main(join)


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_every_submission_is_in_one_shard(of):
    everybody = [intake.Submission(name, ONE, Path(name)) for name in "abcde"]
    dealt = [one for number in range(1, of + 1) for one in Shard(number, of).part(everybody)]
    assert sorted(one.student for one in dealt) == list("abcde")


@pytest.mark.parametrize("word", ["", "0/2", "3/2", "2", "2/", "-1/2", "1/2/3", "1/99999", "\u0661/\u0662"])
def test_a_shard_that_cannot_be(word):
    with pytest.raises(UsageError, match=r"SHARD=.*: expected one of several, as in 2/7"):
        shards.parse(word)


def test_a_shard_makes_no_gradebook(submissions, tmp_path):
    with pytest.raises(UsageError, match="when all shards have ended"):
        command.main(["--from", str(submissions), "--out", str(tmp_path), "--shard", "1/2", "--gradebook", "g.csv"])


# ---- What is not joined -------------------------------------------------------------------------


def ended(out: Path, *words: str, without: tuple[str, ...] = (), cut: bool = True) -> Path:
    for shard in map(shards.parse, words):
        shard.begin(out)
        shard.end(out, {(name, ONE.slug): cut for name in without})
    return out


def test_a_folder_that_is_not_there(submissions, tmp_path):
    with pytest.raises(UsageError, match="there is no such folder"):
        command.main(["--from", str(submissions), "--join", str(tmp_path / "none")])


def test_another_folder_than_that_of_the_shards(submissions, tmp_path):
    with pytest.raises(UsageError, match="leave OUT=elsewhere out"):
        command.main(["--from", str(submissions), "--join", str(tmp_path), "--out", "elsewhere"])


def test_a_folder_without_shards(tmp_path):
    with pytest.raises(UsageError, match="no shard was graded into it"):
        shards.joined(tmp_path)


def test_shards_of_two_classes(tmp_path):
    with pytest.raises(UsageError, match="shards of 2 and of 3 lie there"):
        shards.joined(ended(tmp_path, "1/2", "2/3"))


def test_many_that_are_missing_are_counted(tmp_path):
    with pytest.raises(UsageError, match=r"8 shards of 9 have not ended: 1/9, 2/9, 3/9, 4/9, 5/9 and 3 more; run them"):
        shards.joined(ended(tmp_path, "9/9"))


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[["ada"]]', "\xff"])
def test_word_of_an_end_that_cannot_be_read_is_none(tmp_path, text):
    (ended(tmp_path, "1/1") / shards.FOLDER / "1-of-1/ended").write_text(text, "latin-1")
    with pytest.raises(UsageError, match="1 shard of 1 has not ended"):
        shards.joined(tmp_path)


def test_a_shard_begins_by_taking_back_that_it_has_ended(tmp_path):
    ended(tmp_path, "1/1")
    assert shards.joined(tmp_path).of == 1
    Shard(1, 1).begin(tmp_path)
    with pytest.raises(UsageError, match="1 shard of 1 has not ended"):
        shards.joined(tmp_path)


def test_a_file_that_has_changed_since_is_not_joined(submissions, tmp_path):
    with pytest.raises(UsageError, match=r"3 results missing \(ada 01, bob 01, eve 01\): a file, a seed or the kit"):
        command.main(["--from", str(submissions), "--join", str(ended(tmp_path, "1/1"))])
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("cut, kind", [(True, "cut off"), (False, "grader fault")])
def test_what_a_shard_could_not_grade_needs_a_person_in_the_whole_class_too(submissions, tmp_path, cut, kind):
    """As on one machine: it stops nobody, and the list of what needs a person has it."""
    taken = intake.of_source(submissions, LABS, tmp_path)
    ended(tmp_path, "1/1", without=("ada", "bob", "eve"), cut=cut)
    outcome = Outcome([ONE], taken.students)
    command._join(taken.submissions, outcome, tmp_path, ONE.root, dict.fromkeys(taken.students, 7))
    assert [(trouble.student, trouble.kind) for trouble in outcome.troubles] == [
        ("ada", kind), ("bob", kind), ("eve", kind)]


def test_shards_grade_beside_each_other_and_a_whole_class_waits_for_them(tmp_path):
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        with command._alone(tmp_path, Shard(1, 2)):
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)      # as another shard does
            with pytest.raises(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)
