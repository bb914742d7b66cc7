"""Personal data made by faker, and datatrove looking for it, in an environment of their own.

python personal_peer.py plant COUNT OUT.jsonl
python personal_peer.py clean IN.jsonl OUT.jsonl

What is made has the forms that `filters.personal` promises to find; look-alikes have a name in
place of a kind.  Datatrove's formatter knows two kinds, and writes each text once for either,
without what it found.
"""

import ipaddress
import json
import random
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from datatrove.pipeline.formatters import PIIFormatter
from faker import Faker

LOCALES = {
    "email": ["en_US", "de_DE", "fr_FR", "es_ES", "pl_PL"],
    "iban": ["de_DE", "fr_FR", "en_GB", "it_IT", "es_ES", "nl_NL", "pl_PL", "de_AT", "de_CH"],
    "phone": [
        *("de_DE", "fr_FR", "en_GB", "en_US", "it_IT", "es_ES", "nl_NL", "ru_RU", "ja_JP"),
        *("pl_PL", "pt_BR"),
    ],
}
FRAMES = ["Write to {} or not.", "({})", "Ask {}, they know.", "Details: {}", "see {}; then go on"]
CALLS = ["Tel. {}", "phone: {}", "Fax {}", "call {} now", "Telefon: {}."]


def groups(said: str, sizes: list[int], separator: str) -> str:
    """Signs in groups; the last size goes on."""
    out = []
    while said:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        out.append(said[:size])
        said = said[size:]
    return separator.join(out)


def mails(fakes: list[Any], draw: random.Random) -> str:
    fake = draw.choice(fakes)
    said = draw.choice([fake.email, fake.company_email, fake.free_email])()
    name, _, host = said.partition("@")
    return f"{name}{draw.choice(['', '', '+list', '_x', '.de'])}@{host}"


def addresses(fakes: list[Any], draw: random.Random) -> str:
    if draw.random() < 0.7:
        return str(draw.choice(fakes).ipv4_public())
    size = draw.choice([8, 64, 112])  # bits
    prefix = draw.choice([0x2600, 0x2A00, 0x2A02, 0x2409])
    return str(ipaddress.IPv6Address(prefix << 112 | draw.getrandbits(size)))


def accounts(fakes: list[Any], draw: random.Random) -> str:
    iban = str(draw.choice(fakes).iban())
    return draw.choice([iban, groups(iban, [4], " "), groups(iban, [4], "-")])


def cards(fakes: list[Any], draw: random.Random) -> str:
    card = str(draw.choice(fakes).credit_card_number())
    sizes = {15: [4, 6, 5], 14: [4, 6, 4]}.get(len(card), [4])
    return card if draw.random() < 0.5 else groups(card, sizes, draw.choice(" -"))


def phones(fakes: list[Any], draw: random.Random) -> str:
    return str(draw.choice(fakes).phone_number())


MAKERS = {"email": mails, "ip": addresses, "iban": accounts, "card": cards, "phone": phones}


def needs_word(phone: str) -> bool:
    """Whether a telephone number counts after a word alone: as it is, it may be any number."""
    american = re.match(r"[2-9]\d\d[-.][2-9]\d\d[-.]\d{4}", phone)
    return phone.isdigit() or not (phone[0] in "+0(" or american)


def broken(digits: str) -> str:
    """The same with another check digit."""
    return digits[:-1] + str((int(digits[-1]) + 1) % 10)


def lookalikes(fakes: list[Any], draw: random.Random) -> Iterator[tuple[str, str]]:
    """What somebody might take for one of them, once each: its name, and it."""
    fake, n = draw.choice(fakes), draw.randint
    day = fake.date_time_between("-30y", "+5y")
    card = str(fake.credit_card_number("visa16"))
    iban = str(fake.iban())
    yield "version", f"{n(0, 20)}.{n(0, 40)}.{n(0, 60)}.{n(0, 60)}"
    yield "version", f"version {n(60, 120)}.0.{n(100, 250)}.{n(0, 250)}"
    yield "version", f"lib-{n(1, 20)}.{n(0, 99)}.{n(0, 99)}.{n(0, 250)}-{n(1, 9)}ubuntu{n(1, 9)}"
    yield "section", f"{n(1, 20)}.{n(1, 12)}.{n(1, 12)}.{n(1, 30)}"
    yield "package", f"{fake.domain_word()}@{n(0, 20)}.{n(0, 9)}.{n(0, 9)}"
    yield "image", f"{fake.domain_word()}@{n(2, 3)}x.png"
    yield "handle", f"@{fake.user_name()}"
    yield "private address", str(fake.ipv4_private())
    yield "date", day.strftime(draw.choice(["%d.%m.%Y", "%d/%m/%Y", "%Y-%m-%d", "%m-%d-%Y"]))
    yield "date", day.strftime(draw.choice(["%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S", "%d-%m-%Y %H"]))
    yield "date", day.strftime(draw.choice(["%Y%m%d%H%M%S", "%Y%m%d-%H%M%S", "%s", "%Y/%m/%d 0%H"]))
    yield "years", f"{n(1900, 1999)}-{n(2000, 2024)}"
    yield "isbn", str(fake.isbn13(separator=draw.choice(["-", " ", ""])))
    yield "isbn", f"ISBN {fake.isbn10(separator=draw.choice(['-', ' ', '']))}"
    yield "isbn", str(fake.isbn10())
    yield "ean", str(fake.ean13())
    yield "price", f"${n(1, 999)},{n(100, 999)},{n(100, 999)}.{n(10, 99)}"
    yield "price", f"{n(1, 999)} {n(100, 999)} {n(100, 999)},{n(10, 99)} €"
    yield "price", f"{n(1, 999)}.{n(100, 999)}.{n(100, 999)},{n(10, 99)} EUR"
    yield "coordinates", f"{fake.latitude()}, {fake.longitude()}"
    yield "coordinates", f"+{n(10, 89)}.{n(1000, 9999)}-0{n(10, 99)}.{n(1000, 9999)}/"
    yield "hexadecimal", draw.choice([fake.uuid4, fake.sha1, fake.md5])()
    yield "hexadecimal", str(fake.mac_address())
    yield "hexadecimal", f"0x{n(0, 2**40):010x}"
    yield "part", f"{fake.lexify('??').upper()}-{n(100, 999)}-{n(100, 999)}-{n(1000, 9999)}"
    yield "part", f"{n(10, 99)}-{n(100, 999)}-{n(1000, 9999)}"
    yield "part", f"part no. 0{n(100, 999)}-{n(100000, 999999)}"
    yield "part", f"{n(1000, 9999)}.{n(100, 999)}.{n(1000, 9999)}"
    yield "order", broken(card)
    yield "order", groups(broken(card), [4], draw.choice(" -"))
    yield "order", f"{iban[:2]}{(int(iban[2:4]) + 1) % 100:02}{iban[4:]}"
    yield "order", f"{n(10**9, 10**10 - 1)}"
    yield "table", "  ".join(f"{n(0, 9999)}" for _ in range(6))
    yield "table", " ".join(f"{n(10, 999)}" for _ in range(6))


def made(count: int) -> Iterator[dict[str, str]]:
    """Kind, value, and the sentence that has it: `count` of each kind, and as many look-alikes."""
    Faker.seed(1)
    draw = random.Random(1)
    of = {kind: [Faker(name) for name in LOCALES.get(kind, ["en_US"])] for kind in MAKERS}
    for kind, maker in MAKERS.items():
        for _ in range(count):
            value = maker(of[kind], draw)
            word = kind == "phone" and (needs_word(value) or draw.random() < 0.3)
            yield {"kind": kind, "value": value, "frame": draw.choice(CALLS if word else FRAMES)}
    left = count * len(MAKERS)
    while left > 0:
        for kind, value in lookalikes(of["iban"][:1] + of["phone"][3:4], draw):
            yield {"kind": kind, "value": str(value), "frame": draw.choice(FRAMES)}
            left -= 1


def main(tool: str, given: str, out: str) -> None:
    """Plant, or clean; CPU seconds of both kinds together go to the last line."""
    if tool == "plant":
        found: list[Any] = list(made(int(given)))
    else:
        texts = [json.loads(line) for line in Path(given).read_text().splitlines()]
        email = PIIFormatter(remove_ips=False, email_replacement="<email>")
        ip = PIIFormatter(remove_emails=False, ip_replacement="<ip>")
        began = time.process_time()
        found = [{"email": email.format(text), "ip": ip.format(text)} for text in texts]
        found.append(time.process_time() - began)
    Path(out).write_text("\n".join(map(json.dumps, found)))


if __name__ == "__main__":
    main(*sys.argv[1:])
