"""Pairs that are alike: who renames and moves is seen, who has found the same by themselves is not."""

from __future__ import annotations

import csv
import itertools
import random
import re
from pathlib import Path

import pytest
from looplab.course import lab as labs
from looplab.plain.failure import UsageError
from looplab.teaching import pairs_page, similar, winnow
from variants import ROOT

LABS = [lab for lab in labs.find_labs() if not lab.warmups]
THREE = LABS[2]
ALTERNATIVES = ROOT / "grader/tests/alternatives"
WORKERS = (ALTERNATIVES / THREE.slug / "workers.c").read_text()


def known(lab: labs.Lab = THREE) -> frozenset[int]:
    return winnow.given(similar.handed_out(lab))


def share(one: str, other: str, lab: labs.Lab = THREE) -> int:
    """0 where the pair is not listed."""
    prints = {"a": winnow.prints(one, known(lab)), "b": winnow.prints(other, known(lab))}

    class Silent:
        def step(self, *_: object) -> None:
            pass

    return sum(pair.share for pair in similar.pairs(prints, Silent()))      # type: ignore[arg-type]


def renamed(text: str) -> str:
    """Another name for everything that its author has named, other numbers, other comments, another layout."""
    kept = winnow._KEPT | {"include", "define"}
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\b[A-Za-z_]\w*\b", lambda name: name[0] if name[0] in kept or name[0].startswith("co_")
                  else "own_" + name[0][::-1], text)
    return re.sub(r"\n\s*", "\n\t\t", re.sub(r"\b\d+\b", "77", text)) + "\n// mine\n"


def functions_moved(text: str) -> str:
    """The functions in another order; what stands before the first stays there."""
    parts = re.split(r"(?<=^\}\n)", text, flags=re.MULTILINE)
    head, rest = parts[0], parts[1:]
    random.Random(3).shuffle(rest)
    assert len(rest) >= 4
    return "".join([rest[0], head, *rest[1:]])


def test_a_copy_with_other_names_is_all_alike():
    assert share(WORKERS, renamed(WORKERS)) == 100


def test_a_copy_with_moved_functions_is_nearly_all_alike():
    assert share(WORKERS, functions_moved(WORKERS)) >= 80
    assert share(WORKERS, renamed(functions_moved(WORKERS))) >= 80


def test_half_a_copy_is_seen_in_the_larger_file():
    lines = WORKERS.split("\n")
    assert share("\n".join(lines[:len(lines) // 2]), WORKERS) >= 80


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_right_solutions_of_their_own_are_not_listed(lab):
    texts = [path.read_text() for path in sorted((ALTERNATIVES / lab.slug).glob("*.c"))]
    assert len(texts) >= 3
    for one, other in itertools.combinations(texts, 2):
        assert share(one, other, lab) == 0


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.slug)
def test_what_all_were_given_is_nobodys_own(lab):
    """The skeleton twice, and the reference twice."""
    for text in [(lab.folder / lab.source).read_text(), *(path.read_text() for path in lab.solution.glob("*.c"))]:
        assert winnow.prints(text, known(lab)).own == {} and share(text, renamed(text), lab) == 0


def test_tokens_know_what_c_is():
    text = 'int x = 0x1p-3; // "a\n/* b\n*/ s = "a\\"/*" \'\\\'\';\\\n@é'
    words = [(one.word, one.line) for one in winnow.tokens(text)]
    assert words == [("int", 1), ("n", 1), ("=", 1), ("0", 1), (";", 1), ("n", 3), ("=", 3), ("s", 3), ("s", 3),
                     (";", 3), ("@", 4), ("é", 4)]
    for text in ("", "/*", '"', "'", "\\", "\x00", "#"):
        winnow.prints(text, frozenset())


def test_what_is_long_enough_is_seen_wherever_it_stands():
    """The promise of winnowing: a run of GRAM + WINDOW - 1 tokens leaves a fingerprint, whatever is around it."""
    draw = random.Random(5)
    signs = "+-*/%&|^!<>=?:;,.()[]{}"
    for _ in range(60):
        both = " ".join(draw.choice(signs) for _ in range(winnow.GRAM + winnow.WINDOW - 1))
        texts = [" ".join([*(draw.choice(signs) for _ in range(draw.randrange(40))), both,
                           *(draw.choice(signs) for _ in range(draw.randrange(40)))]).replace("/ *", "/ +")
                 for _ in range(2)]
        one, other = (winnow.prints(re.sub(r"\s", "\n", text), frozenset()) for text in texts)
        assert one.own.keys() & other.own.keys()


def test_hashes_roll_right():
    words = [winnow.Token(word, 1) for word in "abcabcabdabcabcabcabdabc" * 2]
    hashes = winnow.grams(words)
    assert len(hashes) == len(words) - winnow.GRAM + 1
    for a, b in itertools.combinations(range(len(hashes)), 2):
        same = [one.word for one in words[a:a + winnow.GRAM]] == [one.word for one in words[b:b + winnow.GRAM]]
        assert same == (hashes[a] == hashes[b])


def test_of_each_window_the_least_is_taken_and_of_equal_ones_the_last():
    draw = random.Random(1)
    for size in [0, 1, 3, winnow.WINDOW, 50] * 20:
        hashes = [draw.randrange(9) for _ in range(size)]
        wanted = {min(range(begin, min(begin + winnow.WINDOW, size)), key=lambda at: (hashes[at], -at))
                  for begin in range(max(size - winnow.WINDOW + 1, min(size, 1)))}
        assert winnow._least(hashes) == sorted(wanted)


def test_parts_are_the_same_in_both_and_none_is_in_two():
    one, other = winnow.prints(WORKERS, known()), winnow.prints(renamed(functions_moved(WORKERS)), known())
    blocks = winnow.blocks(one, other)
    assert len(blocks) >= 3
    left = [at for block in blocks for at in range(block.left, block.left + block.size)]
    right = [at for block in blocks for at in range(block.right, block.right + block.size)]
    assert len(left) == len(set(left)) and len(right) == len(set(right))
    assert [one.tokens[at].word for at in left] == [other.tokens[at].word for at in right]


def test_a_part_ends_where_what_all_were_given_begins():
    """Not a line of the skeleton is shown as shared."""
    skeleton = (THREE.folder / THREE.source).read_text()
    own = "static int mine(int a, int b)\n{\n    return a * b + (a << 3) - (b >> 2) ^ a % 7 | b & 1;\n}\n"
    one, other = (winnow.prints(skeleton + own, known()) for _ in range(2))
    (block,) = winnow.blocks(one, other)
    assert one.tokens[block.left].line > skeleton.count("\n")


def hand_in(folder: Path, **texts: str) -> Path:
    for student, text in texts.items():
        (folder / student).mkdir(parents=True)
        (folder / student / THREE.source).write_text(text)
    return folder


def test_a_page_a_pair_and_a_list(tmp_path, capsys):
    alone = (ALTERNATIVES / THREE.slug / "recursion.c").read_text()
    skeleton = (THREE.folder / THREE.source).read_text()
    evil = "<script>alert(1)</script>"
    source = hand_in(tmp_path / "in", ada=WORKERS, bob=renamed(WORKERS) + f"// {evil}\x1b[2J\n", carl=alone,
                     **{"<b>": skeleton, "dora": skeleton})
    out = tmp_path / "out"
    for _ in range(2):
        assert similar.main(["--from", str(source), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "a place to look, not a verdict" in said and "1 pair to look at" in said
    files = {path.relative_to(out).as_posix(): path.read_text() for path in out.rglob("*") if path.is_file()}
    assert sorted(files) == [f"{THREE.slug}/{name}" for name in ("index.html", "pair-001.html", "pairs.csv")]
    rows = list(csv.reader(files[f"{THREE.slug}/pairs.csv"].splitlines()))
    assert rows == [["share", "one", "other", "page"], ["100", "ada", "bob", "pair-001.html"]]
    for name in ("index.html", "pair-001.html"):
        text = files[f"{THREE.slug}/{name}"]
        assert "not a verdict" in text and "<script" not in text and "\x1b" not in text and "carl" not in text
        assert not re.search(r"https?:|src=|url\(|@import", text)
    page = files[f"{THREE.slug}/pair-001.html"]
    ids, to = re.findall(r'id="([ab]\d+)"', page), re.findall(r'href="#([ab]\d+)"', page)
    assert sorted(ids) == sorted(to) and len(ids) == len(set(ids)) and {"a1", "b1"} <= set(ids)


def test_old_pages_go_away(tmp_path):
    source = hand_in(tmp_path / "in", ada=WORKERS, bob=WORKERS + " ")
    out = tmp_path / "out"
    similar.main(["--from", str(source), "--out", str(out)])
    (source / "bob" / THREE.source).write_text("int other;\n")
    similar.main(["--from", str(source), "--out", str(out)])
    assert not list(out.rglob("pair-*")) and "No pair is alike" in (out / THREE.slug / "index.html").read_text()


def test_more_pairs_than_are_listed_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(similar, "PAIRS_MOST", 2)
    source = hand_in(tmp_path / "in", a=WORKERS, b=WORKERS + " ", c=WORKERS + "  ")
    similar.main(["--from", str(source), "--out", str(tmp_path / "out"), "--lab", "03"])
    folder = tmp_path / "out" / THREE.slug
    assert len(list(folder.glob("pair-*"))) == 2 and "1 further pair" in (folder / "index.html").read_text()
    assert len((folder / "pairs.csv").read_text().splitlines()) == 4


def test_wrong_use(tmp_path):
    source = hand_in(tmp_path / "in", a=(THREE.folder / THREE.source).read_text())
    for words, said in [(["--from", str(tmp_path / "none"), "--out", str(tmp_path / "out")], "there is no such folder"),
                        (["--from", str(source), "--out", str(source / "out")], "cannot lie where"),
                        (["--from", str(source), "--out", str(tmp_path / "out")], "that somebody has begun")]:
        with pytest.raises(UsageError, match=said):
            similar.main(words)


def test_a_page_names_nobody_in_its_file_name():
    assert pairs_page.name(7) == "pair-007.html"
