"""Personal data: what is found and what is left, against a slow twin of regular expressions."""

import ipaddress
import re
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.edits import apply, merge
from filters.personal import KINDS, VERSIONS, PersonalData
from filters.personal.addresses import PRIVATE
from filters.personal.numbers import CARDS, IBANS
from filters.personal.phones import BETWEEN, CALLS, COUNTRIES, ELSE
from filters.unicode import DIGIT, IDEOGRAPH, LETTER, MARK, classify
from tests.helpers.measuring import bytes_at, column

Found = list[tuple[int, int, str]]
"""Begin, end and kind of each."""

SPACE, DASH, WIDE, OTHER = "\ue000", "\ue001", "\ue002", "\ue003"
SEPARATOR = f"(?: / |[ {SPACE}]|[-{DASH}]|[./])"
NETWORKS = [ipaddress.ip_network(each) for each in PRIVATE]
COUNTRY = re.compile(
    "|".join(
        str(code)
        for each in COUNTRIES.split()
        for low, _, high in [each.partition("-")]
        for code in range(int(low), int(high or low) + 1)
    )
)
LENGTHS = {each[:2]: int(each[2:]) for each in IBANS.split()}


def edits(texts: list[bytes], **options: Any) -> pa.ListArray:
    return PersonalData(**options).edit(pa.record_batch({"text": column(texts)}))


def found(text: str, **options: Any) -> list[tuple[str, str]]:
    """What is found, and its kind."""
    raw, (row,) = text.encode(), edits([text.encode()], **options).to_pylist()
    return [(raw[e["start"] : e["end"]].decode(), e["reason"]) for e in row]


# the slow twin: a text of one sign for a character, looked at place by place


def signs(text: bytes) -> tuple[str, str, list[int]]:
    """Characters as the expressions below name them, as they are, and the byte of each."""
    plain = text.decode(errors="surrogateescape")
    return "".join(map(sign, plain)), plain, bytes_at(plain)


def sign(c: str) -> str:
    if c in "\xa0\u202f":
        return SPACE
    if c in "\u2010\u2011\u2012\u2013":
        return DASH
    if c < "\x80":
        return c
    kind = classify(c)
    return WIDE if c < "\u0800" and (kind == MARK or DIGIT <= kind < IDEOGRAPH) else OTHER


def slow_mail(text: str, done: int, at: int, size: Any) -> tuple[int, int] | None:
    local = re.search(rf"[\w{WIDE}](?:\.?[\w{WIDE}%+'-])*\Z", text[done:at], re.A)
    if not local or size(done + local.start(), at) > 64 or re.match("[0-9]x[.]", text[at + 1 :]):
        return None
    letters = f"[A-Za-z0-9{WIDE}]"
    end, best, count = at + 1, 0, 0
    while label := re.compile(f"{letters}(?:-*{letters})*").match(text, end):
        if size(*label.span()) > 63:
            break
        count += 1
        last = label[0]
        if count > 1 and re.fullmatch(f"[A-Za-z{WIDE}]{{2,}}|[xX][nN]--.*", last):
            best = label.end()
        if text[label.end() : label.end() + 1] != ".":
            break
        end = label.end() + 1
    return (done + local.start(), best) if best else None


def is_private(address: Any) -> bool:
    return any(address in net for net in NETWORKS if net.version == address.version)


def slow_six(text: str, done: int, at: int) -> tuple[int, int, bool] | None:
    tail = re.search(r"[0-9A-Fa-f]{0,5}\Z", text[done:at])
    assert tail
    first = done + tail.start()
    token = re.compile("[0-9A-Fa-f:]*").match(text, first)
    assert token
    said = re.sub(r"(?<!:):\Z", "", token[0])
    end = first + len(said)
    if re.search(r"[\w:.]\Z", text[:first], re.A) or re.match(r"\w|[.][0-9]", text[end:], re.A):
        return None
    try:
        address = ipaddress.IPv6Address(said)
    except ValueError:
        return None
    return (first, end, is_private(address)) if re.search("[0-9]", said) else None


def slow_four(text: str, at: int) -> tuple[int, bool] | None:
    quad = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9])").match(text, at)
    if not quad or re.search(r"[\w.]\Z|[A-Za-z][-/]\Z", text[:at], re.A):
        return None
    goes_on = r"\w|[.+~][0-9A-Za-z]|-[A-Za-z]|-(?![0-9]{1,4}\.)[0-9]"
    if re.compile(goes_on, re.A).match(text, quad.end()):
        return None
    try:
        address = ipaddress.IPv4Address(quad[0])
    except ValueError:
        return None
    if max(address.packed) < 64:
        return None
    return quad.end(), is_private(address)


def word_before(text: str, at: int) -> tuple[str, int]:
    def spells(c: str) -> bool:
        return classify(c) == MARK or classify(c) >= LETTER

    i = at
    while i and at - i < 6 and text[i - 1] != "\n" and not spells(text[i - 1]):
        i -= 1
    end = i
    while i and spells(text[i - 1]) and len(text[i:end].encode()) < 9:
        if classify(text[end - 1]) == IDEOGRAPH and len(text[i:end].encode()) >= 6:
            break
        i -= 1
    return text[i:end], i


def tail(word: str) -> bytes:
    return re.sub(b"[A-Z]", lambda c: c[0].lower(), word.encode(errors="surrogateescape"))[-8:]


def one_of(word: str, words: str) -> bool:
    return bool(word) and tail(word) in {tail(w.lower()) for w in words.split()}


def slow_iban(text: str, done: int, at: int) -> tuple[int, int] | None:
    first = at - 2
    if first < done or text[first:at] not in LENGTHS or re.search(r"\w\Z", text[:first], re.A):
        return None
    rest = f"(?:[- {SPACE}{DASH}]?[0-9A-Z])" + f"{{{LENGTHS[text[first:at]] - 4}}}"
    match = re.compile(rf"[0-9]{{2}}{rest}(?!\w)", re.A).match(text, at)
    if not match:
        return None
    said = re.sub("[^0-9A-Z]", "", match[0])
    digits = "".join(str(int(c, 36)) for c in said[2:] + text[first:at] + said[:2])
    return (first, match.end()) if int(digits) % 97 == 1 else None


class Number:
    """Groups of digits from a place on, as the expression reads them."""

    def __init__(self, text: str, done: int, at: int) -> None:
        lead = re.search(r"(?:\(\+|\+\(|\(|\+)?\Z", text[done:at])
        assert lead
        run = re.compile("[0-9]+").match(text, at)
        assert run
        closes = text[run.end() : run.end() + 1] == ")" and len(run[0]) <= 5
        said = lead[0]
        if said and not closes:
            said = "+" if said[-1] == "+" else ""
        elif said == "" or (said == "+" and closes):
            closes = False
        self.text, self.first, self.plus = text, at - len(said), "+" in said
        self.groups, self.gaps, self.ends = [run[0]], [""], [run.end() + closes]
        self.enclosed = 0 if closes else -1
        more = re.compile(rf"(?P<gap>{SEPARATOR}?)(?:\((?P<in>[0-9]{{1,5}})\)|(?P<d>[0-9]+))")
        while len(self.groups) < 8 and (m := more.match(text, self.ends[-1])):
            if m["in"] and (self.enclosed >= 0 or len(self.groups) > 1):
                break
            if m["in"]:
                self.enclosed = 1
            self.groups.append(m["in"] or m["d"])
            self.gaps.append(m["gap"].strip(" ") or m["gap"][:1])
            self.ends.append(m.end())
        self.gaps = [g.replace(SPACE, " ").replace(DASH, "-") for g in self.gaps]
        self.good = max(map(len, self.groups)) <= 20

    def alone(self, end: int, uses: set[str]) -> bool:
        before, after = self.text[: self.first], self.text[end:]
        space = f"[ {SPACE}]"
        if re.search(rf"[\w+\-/#$%&=\\~^*{DASH}]\Z|[0-9][.,:]\Z", before, re.A):
            return False
        if re.match(rf"[\w@]|[-{DASH}./,:][0-9]", after, re.A):
            return False
        return " " not in uses or not (
            re.search(rf"[0-9]{space}\Z", before) or re.match(f"{space}[0-9]", after)
        )

    def card(self) -> int | None:
        for k in range(len(self.groups), 0, -1):
            groups, gaps = self.groups[:k], self.gaps[1:k]
            digits = "".join(groups)
            sizes = "".join(str(min(9, len(group))) for group in groups)
            if k > 1 and not re.fullmatch("4+[1-4]|46[45]", sizes):
                continue
            if set(gaps) not in (set(), {" "}, {"-"}):
                continue
            issued = any(a <= int(digits[:4]) <= b and len(digits) in n for a, b, n in CARDS)
            doubled = "".join(str(int(d) * (1 + i % 2)) for i, d in enumerate(digits[::-1]))
            nines = sum(int(d) for d in doubled)
            if not issued or nines % 10:
                continue
            follows = k < len(self.groups) and self.gaps[k] == " " and len(self.groups[k]) != 4
            if self.alone(self.ends[k - 1], set() if follows else set(gaps)):
                return self.ends[k - 1]
        return None

    def phone(self, says: int) -> int | None:
        for k in range(len(self.groups), 0, -1):
            if not self.is_phone(k, says):
                continue
            end = self.ends[k - 1]
            ext = re.compile(r" ?(?:[eE][xX][tT]\.?|[xX]) ?[0-9]{1,6}(?!\w)", re.A)
            longer = ext.match(self.text, end)
            if self.alone(longer.end() if longer else end, set() if longer else {*self.gaps[1:k]}):
                return longer.end() if longer else end
        return None

    def is_phone(self, k: int, says: int) -> bool:
        shape = " ".join(self.groups[:k])
        digits = shape.replace(" ", "")
        date = re.match("[0-9]{2} [0-9]{2} (?:19|20)[0-9]{2}(?![0-9])", shape)
        date = date or re.match("(?:19|20)[0-9]{2} [0-9]{2} [0-9]{2}(?![0-9])", shape)
        if len(digits) < 7 or (not self.plus and (says < 0 or date)):
            return False
        varied = 2 * digits.count("0") <= len(digits) and bool(set(digits) - {"0", "1"})
        varied = varied and digits not in "0123456789"
        if self.plus or (digits[:2] == "00" and says <= 0):
            return (self.plus or varied) and self.is_international(k)
        if says > 0:
            return len(digits) <= 15 and k <= 6
        return varied and self.is_national(k, shape, len(digits))

    def dotted(self, k: int) -> bool:
        gaps = {*self.gaps[1:k]} - {""}
        return "." not in gaps or (gaps == {"."} and (k > 2 or len(self.groups[k - 1]) > 8))

    def is_international(self, k: int) -> bool:
        if not self.plus and (k == 1 or len(self.groups[0]) == 1):
            return False
        rest = "".join(self.groups[:k])[0 if self.plus else 2 :]
        size = len(rest) - (self.enclosed == 1 and k > 1 and self.groups[1] == "0")
        american = rest[0] != "1" or size == 11
        least = 8 if self.plus else 9
        return self.dotted(k) and american and least <= size <= 15 and bool(COUNTRY.match(rest))

    def is_national(self, k: int, shape: str, n: int) -> bool:
        sizes = [*map(len, self.groups[:k])]
        if shape[0] == "0":
            if k == 1:
                return self.enclosed < 0 and n in (10, 11)
            other = (sizes == [5, 4] and self.gaps[1] == "-") or sizes == [3, 2, 4]
            other = other or (k == 4 and {*self.gaps[1:k]} - {""} == {"."})
            fits = 2 <= sizes[0] <= 5 and min(sizes[1:]) > 1 and k <= 6 and 9 <= n <= 12
            return self.dotted(k) and fits and not other
        area = re.fullmatch("(?!(?:19|2[0-9])[0-9]{2} )[0-9]{2,5}( [0-9]{3,}){1,2}", shape)
        if area and self.enclosed == 0 and 9 <= n <= 12 and self.dotted(k):
            return True
        return self.is_american(shape) or self.is_grouped(k, shape)

    def is_american(self, shape: str) -> bool:
        gaps = self.gaps[1 : shape.count(" ") + 1]
        m = re.fullmatch("(1 )?[2-9][0-9]{2} [2-9][0-9]{2} [0-9]{4}", shape)
        if not m or gaps[-1] in ("", "/"):
            return False
        return self.enclosed == bool(m[1]) or (self.enclosed < 0 and gaps[-1] == gaps[-2])

    def is_grouped(self, k: int, shape: str) -> bool:
        gaps = {*self.gaps[1:k]} - {""}
        russian = "8 [3489][0-9]{2} (?:[0-9]{7}|[0-9]{3} [0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{2})"
        if re.fullmatch(russian, shape):
            return "." not in gaps
        chinese = re.fullmatch("1[3-9][0-9] [0-9]{4} [0-9]{4}", shape)
        return bool(chinese) and gaps in ({" "}, {"-"})


def says(plain: str, at: int) -> int:
    word, i = word_before(plain, at)
    for _ in range(2):
        if one_of(word, BETWEEN):
            word, i = word_before(plain, i)
    return one_of(word, CALLS) - one_of(word, ELSE)


def slow_number(
    text: str, plain: str, done: int, at: int, kinds: set[str], private: bool
) -> tuple[int, int, str] | None:
    if "ip" in kinds and (four := slow_four(text, at)):
        version = one_of(word_before(plain, at)[0], VERSIONS)
        return None if version or (four[1] and not private) else (at, four[0], "ip")
    if "iban" in kinds and (iban := slow_iban(text, done, at)):
        return *iban, "iban"
    number = Number(text, done, at)
    if number.good:
        if "card" in kinds and not number.plus and number.enclosed < 0 and (end := number.card()):
            return number.first, end, "card"
        if "phone" in kinds and (end := number.phone(says(plain, number.first))):
            return number.first, end, "phone"
    return None


def slowly(raw: bytes, kinds: set[str], private: bool) -> Found:
    text, plain, byte = signs(raw)
    out, done = Found(), 0
    for at, c in enumerate(text):
        hit: tuple[int, int, str] | None = None
        if at < done:
            continue
        if c == "@" and "email" in kinds:
            mail = slow_mail(text, done, at, lambda a, b: byte[b] - byte[a])
            hit = (*mail, "email") if mail else None
        elif c == ":" and "ip" in kinds:
            six = slow_six(text, done, at)
            hit = (*six[:2], "ip") if six and (private or not six[2]) else None
        elif re.match("[0-9]", c) and not re.search(r"[0-9]\Z", text[:at]):
            hit = slow_number(text, plain, done, at, kinds, private)
        if hit:
            out.append((byte[hit[0]], byte[hit[1]], hit[2]))
            done = hit[1]
    return out


PIECES = st.sampled_from(
    [
        *("a.b@example.org", "jürgen@müller.de", "x@y", "@", "a@b.co.uk", "i@2x.png", "я@ф.рф"),
        *("8.8.8.8", "93.184.216.34", "10.0.0.99", "2a00:1450::200e", "fe80::1", "::", "1:2:3:4"),
        *("DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "NO93-8601-1117-947", "DE"),
        *("4111111111111111", "3782 822463 10005", "5500-0000-0000-0004", "411111111111111"),
        *("+49", "(0)", "(030)", "030", "0049", "212", "555", "0123", "(212)", "1", "8", "138"),
        *("+1.2125550123", "01.02.2003", "2003-02-01", "(2019)", "x12", " ext. 5", "1234567"),
        *("Tel.", "phone number", "ISBN", "version ", "電話", "тел", "fax", "order", "No"),
        *(" ", " ", "-", ".", "/", " / ", "(", ")", "+", ":", ",", "\n", "\r\n", "\xa0", "–"),
        *("é", "e\u0301", "漢", "👩", "שלום", "_", "%", "'", "--", "xn--p1ai", "\u202f", "$"),
    ]
)
NUMBERS = st.lists(
    st.sampled_from("0123456789") | st.sampled_from(" -./()+:@x"), min_size=8, max_size=40
).map("".join)
TEXT = st.lists(PIECES | NUMBERS | st.text(max_size=3), max_size=14).map("".join).map(str.encode)
KIND = st.sets(st.sampled_from(KINDS), min_size=1)


@given(st.lists(TEXT | st.binary(max_size=30), max_size=4), KIND, st.booleans())
def test_the_twin_agrees(texts: list[bytes], kinds: set[str], private: bool) -> None:
    made = edits(texts, replace=[*kinds], private=private)
    for text, row in zip(texts, made.to_pylist(), strict=True):
        got = [(e["start"], e["end"], e["reason"]) for e in row]
        assert got == slowly(text, kinds, private)
    assert merge([made]).equals(made)


# what counts, and what does not


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[("email", t) for t in ("a@b.de", "o'neil.x+tag@sub.example.co.uk", "jürgen@müller.de")],
        *[("email", t) for t in ("почта@пример.рф", "x_1%y@xn--mller-kva.xn--p1ai", "7@q.museum")],
        *[("ip", t) for t in ("93.184.216.34", "2a00:1450:4001:81b::200e", "2600::1", "8.8.8.250")],
        *[("iban", t) for t in ("DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19")],
        *[("iban", t) for t in ("NO93-8601-1117-947", "MT84MALT011000012345MTLCAST001S")],
        *[("card", t) for t in ("4111111111111111", "3782 822463 10005", "5555-5555-5555-4444")],
        *[("card", t) for t in ("4222222222222", "30569309025904", "6304 0000 0000 0000")],
        *[("phone", t) for t in ("+49 (0)30 1234567", "+493012345678", "+(49) 30 12 34 56 78")],
        *[("phone", t) for t in ("+1.2125550123", "+1 (212) 555-0123 ext. 44", "(+44) 1134960123")],
        *[("phone", t) for t in ("0049 30 1234567", "001-212-555-0123x123", "1-800-555-0123")],
        *[("phone", t) for t in ("(212) 555-0123", "212.555.0123", "030 / 1234567", "030/1234567")],
        *[("phone", t) for t in ("01 23 45 67 98", "0123456780", "(01632) 960 123", "030–1234567")],
        *[("phone", t) for t in ("(11) 98765-4321", "8 (495) 123-45-67", "138 1234 5678")],
        *[("phone", t) for t in ("+7 (495) 123-45-67", "020\u00a07946\u00a00123", "03-1234-5678")],
    ],
)
def test_what_counts(kind: str, text: str) -> None:
    for said in ("{}", "See {}, or not.", "({})", "是{}。", "x: {}\r\n", '"{}"', "a\n{}\nb"):
        assert found(said.format(text)) == [(text, kind)]
        assert found(said.format(text), replace=[kind]) == [(text, kind)]
        others = found(said.format(text), replace=[*{*KINDS} - {kind}])
        assert (text, kind) not in others


@pytest.mark.parametrize(
    "text",
    [
        *("user@host", "@name.org", "npm i left-pad@1.3.0", "icon@2x.png", "a..@b.de", "x@y.1"),
        *("1.2.3.4", "version 115.0.5.112", "v93.184.216.34", "93.184.216.34-1ubuntu2"),
        *("Chrome/93.184.216.34", "1.93.184.216.34", "256.1.2.93", "093.184.216.034"),
        *("10.0.0.99", "192.168.1.99", "127.0.0.200", "::1", "fe80::1", "2001:db8::1", "std::a1"),
        *("12:30:45", "00:1a:2b:3c:4d:5e", "2a00::1::2", "2600:1:2:3::4:5:6:7"),
        *("DE88370400440532013000", "DE8937040044"),
        *("XX89370400440532013000", "4111111111111112", "9111111111111111"),
        *("4583 6143 95177", "0.4111111111111111"),
        *("2003-02-01", "01.02.2003 12:30", "978-3-16-148410-0"),
        *("ISBN 0306406152", "1 234 567 890"),
        *("$1,234,567.89", "1999-2003", "52.520008, 13.404954", "+52.520008", "-0.1277583"),
        *("0x0123456789", "123e4567-e89b-12d3-a456-426614174000"),
        *("0000-0002-1825-0097", "+2147483647"),
        *("0123456789", "0101010101", "order no. 0345 678901", "PN-212-555-0123", "212-555-01234"),
        *("01234-5678", "(2019) 123-4567", "1700000000", "1.3.6.1.4.1.311", "12 34 56 78 90 12 34"),
    ],
)
def test_what_does_not(text: str) -> None:
    assert found(text) == found(f"See {text}, or not.") == []


def test_a_mail_address_is_no_longer_than_it_may_be() -> None:
    for local, label in ((64, 63), (65, 63), (64, 64)):
        text = f"{'a' * local}@{'b' * label}.org"
        assert found(text) == ([(text, "email")] if (local, label) == (64, 63) else [])


def test_a_word_makes_a_number_a_telephone_number() -> None:
    for word in ("Tel. ", "tel:", "Phone number: ", "Fax\u00a0", "電話：", "тел. ", "call us at "):
        assert found(f"{word}612345678") == [("612345678", "phone")]
    assert found("612345678") == found("telefax\n612345678") == []


def test_private_addresses_count_if_they_are_asked_for() -> None:
    for text in ("10.0.0.99", "192.168.1.99", "::1", "fe80::1"):
        assert found(text) == [] and found(text, private=True) == [(text, "ip")]


@given(st.ip_addresses())
def test_private_is_what_python_calls_so(address: Any) -> None:
    text = str(address)
    special = ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("2001::/23")
    if address.is_multicast or any(address in n for n in special if n.version == address.version):
        return  # Python lets a few of these through, and multicast
    if address.version == 4 and max(address.packed) < 64:
        return
    counts = address.is_global and (address.version == 4 or int(address) >> 125 == 1)
    plain = not any(c in "0123456789" for c in text)  # an address of letters alone is a word
    assert found(text) == ([(text, "ip")] if counts and not plain else [])


def test_what_replaces_is_said_by_the_recipe() -> None:
    texts = pa.array(["Mail a@b.de or +493012345678, not 93.184.216.34."])
    batch = pa.record_batch({"text": texts})
    for replace, left in (
        (["email", "phone"], "Mail <email> or <phone>, not 93.184.216.34."),
        ({"email": "x@example.org", "ip": ""}, "Mail x@example.org or +493012345678, not ."),
    ):
        assert apply(texts, PersonalData(replace).edit(batch)).to_pylist() == [left]
    assert PersonalData(["ip", "email"]) == PersonalData({"email": "<email>", "ip": "<ip>"})
