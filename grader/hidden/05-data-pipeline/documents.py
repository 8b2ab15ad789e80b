"""Documents drawn for lab 05: orders of every kind that transform_order takes, and what it refuses, each with the right
answer."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from typing import Callable, Optional

from looplab.asking.choices import Choices

NOT_JSON, NO_FIELD = -errno.EBADMSG, -errno.ENODATA
MOST = 2**63 - 1                # of a json_int_t
IDS = (0, 1, MOST, 2**31, -1, 2**32 + 5, 2**53 + 1, -2**31 - 1, -MOST - 1)
NAMES = ("Ada", "Grace", "Edsger", "Radia")
ODD_NAMES = ('Zoë "Z" Šimůnek', "Ольга\\Петровна", "王 小明\t(Bei Jing)", "", "Anna Maria " * 30, "a/b\nc\r\f\b",
             "\x01\x1f\x7f", "Émilie \U0001f40d", "%s%n", "null", "\u2028")
ODD_MEMBERS = ('"total":1', '"units":{"id":5,"of":[null,1e3,"x"]}', '"paid":true', '"name":"nobody"', '"price":-1',
               '"customer.name":7', '"":[]', '"ids":[1,{"items":[]}]', '"ID":3', '"note":"' + "." * 3000 + '"')
KINDS = {"null": "null", "a string": '"350"', "3.5": "3.5", "1.0": "1.0", "true": "true", "an object": "{}",
         "an array": "[]", "1E2": "1E2", "a number": "7"}
WRONG = {                       # what each field may not be
    "id": ("null", "a string", "3.5", "1.0", "true", "an object", "an array", "1E2"),
    "customer": ("null", "a string", "a number", "an array", "true"),
    "name": ("null", "a number", "true", "an object", "an array"),
    "items": ("null", "a string", "a number", "an object", "true"),
    "item": ("null", "a number", "a string", "an array", "an object"),
    "price": ("a string", "3.5", "null", "1.0", "true", "an array", "1E2"),
    "quantity": ("null", "a string", "3.5", "1.0", "true", "an object", "1E2"),
}


@dataclass(frozen=True)
class Document:
    """The bytes of an answer, and what transform_order makes of them."""

    body: bytes
    said: str
    rc: int = 0
    id: int = 0
    summary: str = ""


@dataclass
class _Order:
    """An order in the making. Members are JSON texts: one may stand there twice."""

    id: int
    name: str
    items: list[tuple[int, int]]
    said: str
    more: Optional[list[str]] = None
    behind: Optional[list[str]] = None      # members behind all others
    turned: bool = False
    blanks: str = ""
    ascii: bool = False
    spoiled: str = ""                       # the field that is wrong, or missing
    wrong: Optional[str] = None             # what stands there; None: nothing
    place: int = 0                          # of the item that is spoiled

    def document(self) -> Document:
        """With its right answer."""
        summary = "{" + f'"customer":{_text(self.name)},"id":{self.id},' \
                        f'"total":{sum(price * quantity for price, quantity in self.items)},' \
                        f'"units":{sum(quantity for _, quantity in self.items)}' + "}"
        return Document(self.text().encode(), self.said, 0, self.id, summary)

    def text(self) -> str:
        customer = self._object(self._member("name", json.dumps(self.name, ensure_ascii=self.ascii)), '"city":"Turin"')
        items = [self._item(place, *item) for place, item in enumerate(self.items)]
        members = [*self._member("id", str(self.id)), *self._member("customer", customer),
                   *self._member("items", f"[{','.join(items)}]"), *(self.more or [])]
        return self.blanks + self._object(members[::-1] if self.turned else members, *(self.behind or [])) + self.blanks

    def _member(self, name: str, value: str, place: int = 0) -> list[str]:
        """One member, unless it is the one that is missing."""
        if name == self.spoiled and place == self.place:
            return [] if self.wrong is None else [f'"{name}":{self.wrong}']
        return [f'"{name}":{self.blanks}{value}']

    def _item(self, place: int, price: int, quantity: int) -> str:
        if self.spoiled == "item" and place == self.place:
            return self.wrong or "{}"
        return self._object(self._member("price", str(price), place), *self._member("quantity", str(quantity), place))

    def _object(self, members: list[str], *more: str) -> str:
        return "{" + self.blanks + f",{self.blanks}".join([*members, *more]) + "}"


def _text(name: str) -> str:
    """As Jansson writes a string: control characters as \\u001F."""
    made = ""
    for char in name:
        one = json.dumps(char, ensure_ascii=False)[1:-1]
        made += "\\u" + one[2:].upper() if one.startswith("\\u") else one
    return f'"{made}"'


def plain(c: Choices, number: int) -> Document:
    """A good order as any other, of that id."""
    items = c.several(0, 3, lambda: (c.between(1, 9999), c.between(1, 9)))
    order = _Order(number, c.one_of(NAMES), items, f"order {number}")
    order.more = [f'"note":"{"." * c.below(90)}"']
    return order.document()


def good(c: Choices) -> Document:
    """A good order, odd in one way or another."""
    kind = c.one_of(("plain", "id", "name", "many", "large", "most", "negative", "none", "more", "turned", "twice",
                     "blanks", "escaped"))
    order = _Order(17, c.one_of(NAMES), c.several(1, 4, lambda: (c.between(1, 9999), c.between(1, 9))), "an order")
    if kind == "id":
        order.id = c.one_of(IDS)
        order.said += f" with the id {order.id}"
    elif kind in ("name", "escaped"):
        order.name, order.ascii = c.one_of(ODD_NAMES), kind == "escaped"
        order.said += f" of {order.name[:20]!r}"
    elif kind in ("many", "large", "most", "negative", "none"):
        order.items = _items(c, kind)
        order.said += f" with {len(order.items)} items" + (f", the first {order.items[0]}" if order.items else "")
    elif kind == "more":
        order.more = [c.one_of(ODD_MEMBERS) for _ in range(c.between(1, 3))]
        order.said += " with more members"
    elif kind == "turned":
        order.turned, order.said = True, order.said + " whose members stand in another order"
    elif kind == "twice":
        order.more = []
        order.behind = ['"id":18']
        order.id, order.said = 18, order.said + " with two members id, of which the last one counts"
        return _twice(order)
    elif kind == "blanks":
        order.blanks, order.said = c.one_of(("\n  ", " ", "\r\n\t")), order.said + " with white space"
    return order.document()


def _twice(order: _Order) -> Document:
    """Its first id is another one: the last one counts."""
    right = order.document()
    return Document(right.body.replace(b'"id":18', b'"id":17', 1), right.said, 0, 18, right.summary)


def _items(c: Choices, kind: str) -> list[tuple[int, int]]:
    """Totals and units far above 2^31, at their bound, and below 0."""
    if kind == "many":
        return [(k % 97, 1 + k % 5) for k in range(c.between(20, 150))]
    if kind == "large":
        items = c.several(1, 3, lambda: c.one_of(((2**31, 1), (1, 2**31), (2**40 + 7, 9), (3, 2**32 + 3),
                                                  (65536, 65536), (2**31 - 1, 2), (2**53 + 1, 1), (2**62 + 3, 1))))
        while sum(price * quantity for price, quantity in items) > MOST:        # all totals fit
            items.pop()
        return items
    if kind == "most":
        return [c.one_of(((MOST, 1), (1, MOST), (-MOST - 1, 1)))]
    if kind == "negative":
        return [(-c.between(1, 999), c.between(0, 3)), (0, 5), (c.between(1, 9), -2)]
    return []


def no_json(c: Choices) -> Document:
    """What json_loadb refuses."""
    text = _Order(17, c.one_of(NAMES), [(350, 2)], "").text().encode()
    made: dict[str, Callable[[], bytes]] = {
        "an empty body": lambda: b"",
        "an order cut off": lambda: text[:1 + c.below(len(text) - 1)],
        "a page in HTML": lambda: b"<html><body>Sorry.</body></html>",
        "an order with something behind it": lambda: text + c.one_of((b" {}", b"x", b"]", b"\0", b"\0{}", b"//")),
        "an order with a '\\0' in it": lambda: text.replace(b":", b":\0", 1),
        "a name that is no UTF-8": lambda: _named(b"\xff\xfe"),
        "a name with \\u0000 in it": lambda: _named(b"A\\u0000B"),
        "a name with half a pair": lambda: _named(b"A\\ud83d"),
        "a name with a line break in it": lambda: _named(b"A\nB"),
        "a comma too many": lambda: text.replace(b"}", b",}", 1),
        "single quotes": lambda: text.replace(b'"', b"'"),
        "no object, no array": lambda: c.one_of((b"null", b"17", b'"id"', b"true")),
        "an id of 2^63": lambda: text.replace(b'"id":17', b'"id":9223372036854775808'),
        "an id with a zero in front": lambda: text.replace(b'"id":17', b'"id":017'),
        "an id of NaN": lambda: text.replace(b'"id":17', b'"id":NaN'),
        "a byte order mark": lambda: b"\xef\xbb\xbf" + text,
        "two documents": lambda: text + text,
        "white space only": lambda: b" \n",
    }
    said = c.one_of(list(made))
    return Document(made[said](), said, NOT_JSON)


def _named(name: bytes) -> bytes:
    return b'{"id":17,"customer":{"name":"' + name + b'"},"items":[]}'


def no_field(c: Choices) -> Document:
    """JSON that is no order."""
    order = _Order(17, c.one_of(NAMES), [(350, 2), (900, 1), (80, 3)], "")
    field = c.one_of(("id", "customer", "name", "items", "item", "price", "price", "quantity", "quantity", "document"))
    if field == "document":
        body = c.one_of((b"[]", b"{}", b"[1, 2]", b"[" + order.text().encode() + b"]"))
        return Document(body, f"the document {body[:8].decode()}", NO_FIELD)
    kind = c.one_of(("nothing", *WRONG[field]))
    order.spoiled, order.wrong = field, KINDS.get(kind)
    if field in ("item", "price", "quantity"):
        order.place = c.below(3)
    where = {"price": f" in item {order.place}", "quantity": f" in item {order.place}",
             "item": f" {order.place}"}.get(field, "")
    return Document(order.text().encode(), f"an order whose {field}{where} is {kind}", NO_FIELD)


def any_document(c: Choices) -> Document:
    """Good, or refused."""
    return c.one_of((good, good, no_json, no_field))(c)
