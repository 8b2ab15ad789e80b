"""The search of lab 03: which title its oracle gives a page, that one grading's pages tell wrong readings of the rules
for what they are, and that plausible wrong scrapers are found, each under its requirement."""

from __future__ import annotations

import re
import sys

import pytest

from looplab.course import lab as labs
from looplab.grading import contracts
from looplab.grading.search import Search
from searched import broken, search
from variants import ALL

LAB = labs.load("03-scraper")
CONTRACT = contracts.load(LAB.hidden)
assert CONTRACT
titles = sys.modules[CONTRACT.draw.__module__.rpartition(".")[0] + ".titles"]


# ---- The oracle's titles --------------------------------------------------------------------


@pytest.mark.parametrize("page,title", [
    (b"", ""), (b"<title>a</title>", "a"), (b"<title>a", ""), (b"<title", ""), (b"<TITLE\n>a</tItLe", "a"),
    (b"<titles>no</titles><title/>a</title>", "a"), (b"<title\v>no</title>", ""), (b"<title>a<</title>", "a<"),
    (b"<title></title><title>b</title>", ""),
    (b"<!-- <title>no</title> --><title>a</title>", "a"), (b"<!-- <title>no</title>", ""),
    (b"<!----><title>a</title>", "a"), (b"<!-- a -> <title>no</title> ---><title>a</title>", "a"),
    (b"<script><!--</script><title>a</title>-->", "a"), (b"<!--<script>--><title>a</title></script>", "a"),
    (b"<script><title>no</title></scripts><title>a</title>", "a"), (b"<scripts><title>a</title>", "a"),
    (b"<title>a <b> <!-- c</title> -->", "a <b> <!-- c"),
    (b"<title>\f a \n\t b\v\r</title>", "a b\v"), (b"<title> \n </title>", ""),
    (b"<title>&amp;lt; &lt;&gt;&quot;&#39; &AMP; &nbsp; &amp</title>", "&lt; <>\"' &AMP; &nbsp; &amp"),
    (b"<title>" + b"x" * 70 + b"</title>", "x" * 63), (b"<title>" + b"x" * 62 + b"  y</title>", "x" * 62 + " "),
    (b"<title>" + b"&amp;" * 70 + b"</title>", "&" * 63), (b"\0<\0title><title>Caf\xe9</title>", "Caf\\xe9"),
    (b"<title>x" + "ä".encode() * 40 + b"</title>", "x" + "ä" * 31),
    (b"<title>" + "ä".encode() * 40 + b"</title>", "ä" * 31 + "\\xc3")])
def test_the_title_of_a_page(page, title):
    assert titles.title_of(page) == title


@pytest.mark.parametrize("page", [
    b"<!--><title>a</title> -->", b"<!---><title>a</title> -->", b"<script x='</script'><title>a</title></script>",
    b"<title x='</title'>a</title>", b"<title>a\0b</title>"])
def test_no_page_is_drawn_whose_title_is_open(page):
    """What the handout says that no check tries: such a page is changed until its title is certain."""
    assert titles.find(page).open_at is not None
    assert titles.find(titles.mended(page)).open_at is None


# ---- Do a grading's pages tell wrong titles from right ones? --------------------------------


def with_entities(more: bytes, by: bytes):
    return lambda page: titles.shown(tidied(page, lambda raw: raw.replace(more, by)))


def tidied(page: bytes, first=lambda raw: raw, then=lambda title: title) -> bytes:
    raw = titles.find(page).raw
    return b"" if raw is None else then(titles.tidy(first(raw)))


def found_in(change):
    """The title of a page that was changed before."""
    return lambda page: titles.title_of(change(page))


def restarting(page: bytes) -> str:
    """Looks for </title from the first letter again after each mismatch, behind the letter that did not match."""
    raw = titles.find(page).raw
    if raw is None:
        return ""
    text, matched, end = raw + b"</title", 0, None
    for k, letter in enumerate(text.lower()):
        matched = matched + 1 if letter == b"</title"[matched] else 0
        if matched == 7:
            end = k - 6
            break
    return "" if end is None else titles.shown(titles.tidy(text[:end]))


WRONG_TITLES = {
    "&apos;": (12, with_entities(b"&apos;", b"'")),
    "&nbsp;": (12, with_entities(b"&nbsp;", b" ")),
    "entities in any case": (12, with_entities(b"&AMP;", b"&")),
    "decimal numbers": (12, with_entities(b"&#38;", b"&amp;")),
    "twice": (12, lambda page: titles.shown(titles.tidy(tidied(page)))),
    "entities first": (12, found_in(lambda page: page.replace(b"&lt;", b"<").replace(b"&gt;", b">"))),
    "trimmed after the cut": (13, lambda page: titles.shown(tidied(page).rstrip(b" "))),
    "64 bytes": (13, lambda page: titles.shown(titles.tidy(titles.find(page).raw or b"", 64))),
    "62 bytes": (13, lambda page: titles.shown(tidied(page)[:62])),
    "cut at a character": (13, lambda page: tidied(page).decode("utf-8", "ignore")),
    "isspace": (11, lambda page: titles.shown(tidied(page, lambda raw: raw.replace(b"\v", b" ")))),
    "no form feed": (11, lambda page: titles.shown(tidied(page, lambda raw: raw.replace(b"\f", b"\1"),
                                                          lambda title: title.replace(b"\1", b"\f")))),
    "script needs >": (10, found_in(lambda page: re.sub(b"(?i)</script(?!>)", b"<", page))),
    "script in small letters": (10, found_in(lambda page: page.replace(b"SCRIPT", b"SCR"))),
    "no comments": (10, found_in(lambda page: page.replace(b"<!--", b"< --"))),
    "open comment is text": (10, found_in(lambda page: re.sub(b"<!--(?!.*-->)", b"< --", page, flags=re.S))),
    "closing in small letters": (9, found_in(lambda page: re.sub(b"</(TITLE|tItLe)", b"<", page))),
    "closing needs >": (9, found_in(lambda page: re.sub(b"(?i)</title(?!>)", b"<", page))),
    "opening is exactly <title>": (9, found_in(lambda page: re.sub(b"(?i)<title(?!>)", b"<", page))),
    "any tag that begins so": (9, found_in(lambda page: re.sub(b"(?i)<title[sd]", b"<title ", page))),
    "begins anew without a look": (9, restarting),
    "end of the string": (14, found_in(lambda page: page.split(b"\0")[0])),
    "64 KiB": (14, found_in(lambda page: page[:64 << 10])),
    "ASCII": (14, lambda page: titles.shown(bytes(byte for byte in tidied(page) if byte < 128))),
    "signed white space": (14, lambda page: titles.shown(tidied(page, lambda raw: re.sub(b"[\x80-\xa0]", b" ", raw)))),
}


@pytest.fixture(scope="module")
def drawn() -> list[list[bytes]]:
    """The pages of some gradings, with the successful ones' bodies."""
    made = []
    for seed in range(5):
        facts = [situation.facts for situation, _ in Search(CONTRACT, seed)._drawn]
        made.append([body for one in facts for body in one.bodies if body is not None])
    return made


@pytest.mark.parametrize("name", WRONG_TITLES)
def test_a_wrong_title_shows_in_each_grading_under_its_requirement(drawn, name):
    number, wrong = WRONG_TITLES[name]
    for pages in drawn:
        got = [(page, wrong(page)) for page in pages]
        told = {titles.broken_by(page, title) for page, title in got if title != titles.title_of(page)}
        assert number in told, f"told as {told or 'right'}"


# ---- Wrong scrapers -------------------------------------------------------------------------

WRONG = {
    "an empty page is fetched once more": ({18}, "    rc = co_timeout_end(&limit, rc);\n", """\
    if (rc == 0 && resp.status == 200 && resp.length == 0) {
        co_response_free(&resp);
        rc = co_http_get(url, &resp);
    }
    rc = co_timeout_end(&limit, rc);
"""),
    "a cancelled page took no time": ({6}, "    out->took = co_now() - start;\n",
                                      "    out->took = rc == -ECANCELED ? 0 : co_now() - start;\n"),
    "only 2xx counts": ({20, 21}, "page->error == 0 && page->status < 400", "page->error == 0 && page->status < 300"),
    "the timeout in an int": ({4}, "co_timeout_begin(&limit, timeout);", "co_timeout_begin(&limit, (int)timeout);"),
    "the log comes when all is done": ({20}, "        listener->log(listener->arg, page->url, page->error ? "
                                             "co_strerror(page->error) : status);\n", """\
        static const struct page *late[1000];
        static size_t n;
        late[n++] = page;
        for (; summary->successful + summary->failed == summary->total && n > 0; n--)
            listener->log(listener->arg, late[n - 1]->url, co_strerror(late[n - 1]->error));
        (void)status;
"""),
    "static counts": ({22}, "    *summary = (struct summary){.total = n};\n", """\
    static size_t before;
    *summary = (struct summary){.total = n, .failed = before++};
"""),
    "scrape_page returns the error of the page": ({1}, "    return rc == -ECANCELED ? rc : 0;", "    return rc;"),
}
QUICK = ("an empty page is fetched once more", "a cancelled page took no time")


@pytest.mark.parametrize("name", [name for name in WRONG if ALL or name in QUICK])
def test_a_wrong_scraper_is_found_under_its_requirement(tmp_path, name):
    numbers, before, after = WRONG[name]
    text = (LAB.solution / LAB.source).read_text()
    assert text.count(before) == 1
    file = tmp_path / LAB.source
    file.write_text(text.replace(before, after))
    assert set(broken(search(LAB, file))) == numbers

