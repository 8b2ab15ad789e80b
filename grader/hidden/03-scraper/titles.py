"""Which title a page has by requirements 9 to 14, where the handout leaves that open, and which of them a wrong title
breaks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Optional

MOST = 63                                       # bytes: TITLE_MAX - 1
SPACE = b" \t\n\r\f"
ENTITIES = {b"&amp;": b"&", b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&#39;": b"'"}
ENTITY = re.compile(b"|".join(map(re.escape, ENTITIES)))
BEGINS = re.compile(rb"<!--|<(?:script|title)(?=[ \t\n\r\f>/])")
EARLY = re.compile(rb"<!---?>")
ODD = re.compile(rb"[\0\x7f-\xff]")
FAR = 64 << 10
KEPT = 4096                     # answers for so many pages


@dataclass(frozen=True)
class Found:
    """What a walk over a page has come upon."""

    raw: Optional[bytes]                        # what stands between <title> and </title
    skipped: bool = False                       # was there a comment or a script?
    open_at: Optional[int] = None               # a byte without which it would be certain what the title is


@lru_cache(maxsize=KEPT)
def find(page: bytes) -> Found:
    """Goes from one beginning to the next: whichever comes first counts."""
    low, at, skipped, open_at = page.lower(), 0, False, None
    while begins := BEGINS.search(low, at):
        at, what = begins.start(), begins.group()
        if what == b"<title":
            begin = _behind(low, b">", at)
            end = low.find(b"</title", begin)
            early, zero = low.find(b"</title", at, begin), page.find(b"\0", at, end)
            open_at = early if early >= 0 else open_at if end < 0 or zero < 0 else zero
            if end < 0:
                break
            return Found(page[begin:end], skipped, open_at)
        skipped = True
        if what == b"<script":
            tag, end = _behind(low, b">", at), low.find(b"</script", at)
            open_at = end if 0 <= end < tag else open_at
            at = _behind(low, b"</script", at)
        else:
            closed = EARLY.match(low, at)
            open_at = closed.end() - 1 if closed else open_at
            at = _behind(low, b"-->", at + 4)
    return Found(None, skipped=skipped, open_at=open_at)


def _behind(page: bytes, word: bytes, at: int) -> int:
    """What comes behind the next such word; the end of the page if there is none."""
    end = page.find(word, at)
    return len(page) if end < 0 else end + len(word)


def mended(page: bytes) -> bytes:
    """The page, with other bytes where it would be open what its title is."""
    while (at := find(page).open_at) is not None:
        page = page[:at] + b"." + page[at + 1:]
    return page


def tidy(raw: bytes, most: Optional[int] = MOST) -> bytes:
    """White space, entities, and cut. most: bytes."""
    text = re.sub(b"[ \t\n\r\f]+", b" ", raw).strip(b" ")
    return ENTITY.sub(lambda found: ENTITIES[found.group()], text)[:most]


def title_of(page: bytes) -> str:
    """As main.c reports it: what is no UTF-8 is written as \\xe9."""
    raw = find(page).raw
    return "" if raw is None else shown(tidy(raw))


def shown(text: bytes) -> str:
    """Bytes as main.c reports them."""
    return text.decode("utf-8", "backslashreplace")


# ---- Whose mistake a wrong title is ---------------------------------------------------------


@lru_cache(maxsize=KEPT)
def rules_of(page: bytes) -> set[int]:
    """The requirements that the title of a page rests on."""
    found = find(page)
    rules = {9} | ({10} if found.skipped else set())
    if ODD.search(page) or len(page) > FAR or not page:
        rules.add(14)
    if found.raw is not None:
        rules |= {11} if re.search(b"^[ \t\n\r\f]|[ \t\n\r\f]$|[\t\n\r\f\v]|  ", found.raw) else set()
        rules |= {12} if b"&" in found.raw else set()
        rules |= {13} if len(found.raw) > MOST else set()
    return rules


def broken_by(page: bytes, got: str) -> int:
    """The requirement that a wrong title breaks, as far as that shows."""
    found, right, rules = find(page), title_of(page), rules_of(page)
    if got.startswith("(no '"):
        return 13
    if 12 in rules and got == title_of(ENTITY.sub(lambda one: ENTITIES[one.group()], page)):
        return 12
    if found.raw is not None and right and got:
        if _alike(got, shown(tidy(found.raw, most=None))):
            return 13
        if 11 in rules and _alike(_tight(got), _tight(right)):
            return 11
        if 12 in rules and _alike(_loose(got), _loose(right)):
            return 12
    if 14 in rules and (found.raw is None or 10 not in rules or ODD.search(found.raw)):
        return 14
    return 10 if 10 in rules else 9


def _alike(one: str, other: str) -> bool:
    """The same, as far as both go; but one must not be much shorter."""
    short, long = sorted((one, other), key=len)
    return one == other or len(short.encode()) > 2 * MOST // 3 and long.startswith(short)


def _tight(title: str) -> str:
    """Without white space of any kind."""
    return re.sub(r"[ \t\n\r\f\v]+", "", title)


def _loose(title: str) -> str:
    """Without white space, entities, and what they stand for."""
    return re.sub(r"&[a-zA-Z]+;|&#\w+;|[&<>\"';]|amp", "", _tight(title))
