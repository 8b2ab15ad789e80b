"""Pages drawn from a grammar of their own: every construct that the rules for titles speak of (requirements 9 to 14),
nested, cut off, and combined."""

from __future__ import annotations

from typing import Optional, Sequence

from looplab.asking.choices import Choices

from .titles import SPACE, mended

OPENINGS = (b"<title>", b"<title>", b"<title>", b"<TITLE>", b"<Title>", b'<title lang="en">', b"<title\n  id=x\n>",
            b"<title/>", b"<title >", b"<tItLe\f/a>", b"<title\r\tx=<>", b"<title <!-- >", b"<title", b"<title ",
            b"<titles>", b"<title\v>", b"<title\0>", b"<titl>", b"< title>", b"<title<title>")
CLOSINGS = (b"</title>", b"</title>", b"</title>", b"</TITLE>", b"</tItLe >", b"</title", b"</titles>", b"</title\n>",
            b"<</title>", b"</</title>", b"</titl</title>", b"</ title></title>", b"</titl", b"", b"<title></title>")
WORDS = (b"a", b"Tea", b"b", b"title", b"1 < 2", b"<b>", b"</b>", b"<", b"</", b"<!--", b"<!-- c -->", b"-->",
         b"<script>", b"</script>", b"<title>", b"a <", b"/", b">", b"-", b"!")
REFERENCES = (b"&amp;", b"&lt;", b"&gt;", b"&quot;", b"&#39;", b"&amp;lt;", b"&amp;amp;", b"&amp;#39;", b"&", b"&&amp;",
              b"&apos;", b"&apos;", b"&nbsp;", b"&AMP;", b"&AMP;", b"&Lt;", b"&amp", b"&lt", b"&#38;", b"&#38;",
              b"&#039;", b"&#x27;", b"&quot", b"& amp;", b"&am p;", b"&copy;", b"&;", b"&lt;/title&gt;", b"&#39",
              b"&amp;;")
BLANKS = (b" ", b"  ", b"\n", b"\t", b"\r\n", b"\f", b" \n\t ", b"\v", b" \v ", b" \f\f ", b" " * 70)
EDGES = (b"x" * 62, b"x" * 63, b"x" * 64, b"x" * 62 + b" y", b"x" * 62 + b"\n y", b"x" * 62 + b"&amp;y",
         b"x" * 63 + b"&lt;", b"x" * 60 + b"&#39;zzzz", b"x" * 62 + "ä".encode(), b"x" * 62 + b" \n ",
         b"a  b&amp;" * 20, b"x" * 61 + b"&gt; y", "ä".encode() * 40, b" " * 100 + b"y" * 70, b"x" * 3000)
BYTES = (b"Caf\xe9", "Café".encode(), b"\xa0", b"\x85", b"\xff\xfe", "€".encode(), b"\x80", b"\x1f",
         "\u00a0".encode(), b"\xc3", b"\x7f", b"\xe2\x82")
COMMENTS = ((b"<!--", b"<!-- ", b"<!--", b"<<!--", b"<!-", b"<! --"),
            (b"<title>no</title>", b"", b"<title>no", b"- <title>no</title>", b"-> <title>no</title>", b"<script>",
             b"<!--", b"> <title>no</title>", b"-- > <title>no</title>", b"--!> <title>no</title>",
             b"\0<title>no</title>", b"\r\r> <title>no</title>", b"\r\r\x1e<title>no</title>"),
            (b"-->", b"-->", b" -->", b"--->", b"", b" --", b"-- >"))
SCRIPTS = ((b"<script>", b"<script>", b"<SCRIPT src='a'>", b"<script/>", b"<script\n>", b"<script <title>",
            b"<scr<script>", b"<SCRIPT>", b"<scripts>", b"<script\v>", b"<script"),
           (b"<title>no</title>", b"", b"<!--", b"t='<title>no</title>'", b"<title>no</title></scrip>", b"a</<",
            b"<script>", b"\0<title>no</title>"),
           (b"</script>", b"</script>", b"</Script>", b"</SCRIPT>", b"</scripts>", b"</script\n>", b"</script",
            b"</scripts>", b""))
OTHERS = (b"<p>", b"text", b"1 < 2", b"<", b"<<", b"<html><head>", b"</title>", b"</head>", b"-->", b"\n",
          b"<meta a=b>", b"<!doctype html>", b"<titled>no</titled>", b"</titles>", b"<p title='<title>in</title>'>",
          b"&lt;title>no</title>", b"<title", b"<t<title", b">", b"<TITLES>no</TITLES>",
          b"</TITLE><title><title>b</title>", b"<style><title>in</title></style>",
          b"<textarea><title>in</title></textarea>", b"<svg><title>in</title></svg>")
ZEROS = (b"\0", b"\0\0\0", b"<\0title>no</title>", b"\0<p>\0", b"\xff\0\xfe", b"<p>\xe9</p>", b"<!-- \0 -->")

TITLE = ("title",) * 4
THEMES = (TITLE, TITLE + ("comment", "script") * 2, TITLE + ("other",) * 3,
         TITLE + ("comment", "script", "other"), TITLE + ("comment", "script", "other", "zero", "far"),
         TITLE + ("zero", "far"))


def page(c: Choices) -> bytes:
    """A page; the simplest one is empty, then comes one with a title and nothing else."""
    kinds = c.one_of(THEMES)
    words = c.one_of((WORDS, REFERENCES, BLANKS, EDGES, BYTES, None, None))
    made = b"".join(c.several(0, 4, lambda: _piece(c, kinds, words)))
    if c.one_in(8):
        made = made[:c.below(len(made) + 1)]
    return mended(made)


def simple(c: Choices) -> bytes:
    """One with a plain title, or without."""
    return (b"<html><title>Page %d</title>" if c.below(5) < 4 else b"<p>%d</p>") % c.below(100)


def _piece(c: Choices, kinds: Sequence[str], words: Optional[Sequence[bytes]]) -> bytes:
    kind = c.one_of(kinds)
    if kind == "title":
        return c.one_of(OPENINGS) + b"".join(c.several(0, 6, lambda: _word(c, words))) + c.one_of(CLOSINGS)
    if kind == "far":
        return _far(c)
    if kind in ("comment", "script"):
        return b"".join(map(c.one_of, COMMENTS if kind == "comment" else SCRIPTS))
    return c.one_of(OTHERS if kind == "other" else ZEROS)


def _word(c: Choices, words: Optional[Sequence[bytes]]) -> bytes:
    """A piece of a title, of these words mostly."""
    return c.one_of(c.one_of((WORDS, words, words)) if words else c.one_of((WORDS, REFERENCES, BLANKS, EDGES, BYTES)))


def _far(c: Choices) -> bytes:
    """A long stretch in which no title is; sometimes longer than 64 KiB."""
    size = c.one_of((500, 4096, 500, 66_000))
    kind = c.one_of((b".", b"<p>", b"\0", b"< ", b"-", SPACE))
    return (kind * size)[:size]
