"""Whom a crawler talks to: private addresses are refused as it connects, and TLS is verified."""

import datetime
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pycurl
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipelines.crawl import client
from pipelines.crawl.client import Answer, Client, Request, is_private
from tests.helpers.begun import free_port
from tests.helpers.command import refused
from tests.helpers.crawling import crawl, recipe
from tests.helpers.hostile import Web, moved, page, served

pytestmark = pytest.mark.server

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("0.0.0.0", "0.1.2.3", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
        *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1"),
        *("ff02::1", "fec0::1", "::7f00:1", "::ffff:0:127.0.0.1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::10.0.0.1"),
        *("2002:7f00:1::", "2002:0a00:0001::1"),
        *("2001:0:4136:e378:8000:63bf:3fff:fdd2", "64:ff9b:1::7f00:1"),
    ],
)
def test_private_addresses(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1"],
)
def test_public_addresses(address: str) -> None:
    assert not is_private(address)


def get(client: Client, url: str) -> Answer:
    """The answer to one request."""
    client.send(Request(url, None))
    while True:
        for _, answer in client.wait(1):
            return answer


SPELLINGS = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "a.localhost"),
]


@pytest.mark.parametrize("host", SPELLINGS)
def test_however_it_is_spelled(host: str) -> None:
    with served({host: {"/x": page()}}) as web, closing(Client("test", 5)) as made:
        answer = get(made, f"http://{host}:{web.port}/x")
        assert (answer.fault, web.seen) == (client.REFUSED, [])


def test_a_redirect_does_not_lead_to_a_private_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """127.0.0.2 stands for a public address here, 127.0.0.1 for a private one."""
    monkeypatch.setattr(client, "is_private", lambda address: address == "127.0.0.1")
    inside = Web({"127.0.0.1": {"/": page()}})
    outside = Web({"127.0.0.2": {"/": moved(f"http://127.0.0.1:{inside.port}/")}}, host="127.0.0.2")
    with closing_all(inside, outside):
        start = f"http://127.0.0.2:{outside.port}/"
        rows = crawl(tmp_path / "run", recipe(start, private=False, scope="web"))
        assert [row["reason"] for row in rows] == ["redirect", "address refused"]
        assert (len(outside.seen), inside.seen) == (4, [])


class Rebound(Client):
    """A client whose name server gives another address for each request."""

    def __init__(self, *addresses: str, name: str) -> None:
        super().__init__("test", 5)
        self.addresses, self.name = list(addresses), name

    def _set(self, handle: Any, transfer: Any) -> None:
        super()._set(handle, transfer)
        handle.setopt(pycurl.RESOLVE, [f"-{self.name}", f"{self.name}:{self.addresses.pop(0)}"])


def test_a_name_that_turns_to_a_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "is_private", lambda address: address == "127.0.0.1")
    port = free_port()
    there = page().replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    inside = Web({"rebind.example": {"/": page()}}, port=port)
    outside = Web({"rebind.example": {"/": there}}, host="127.0.0.2", port=port)
    made = Rebound("127.0.0.2", "127.0.0.1", "127.0.0.1,127.0.0.2", name=f"rebind.example:{port}")
    with closing_all(inside, outside), closing(made):
        answers = [get(made, f"http://rebind.example:{port}/") for _ in range(3)]
        assert (answers[0].fault, answers[0].address) == (None, "127.0.0.2")
        assert answers[1].fault == client.REFUSED
        assert inside.seen == []


def test_a_crawl_of_private_addresses_wants_leave(tmp_path: Path) -> None:
    with served({"a": {"/": page()}}) as web:
        rows = crawl(tmp_path / "run", recipe(web.url("a"), private=False))
        assert [row["reason"] for row in rows] == ["address refused"]
        assert web.seen == []


Made = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, by: Made | None = None, ends: datetime.datetime = NOW + DAY) -> Made:
    """A certificate for a host's name, by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    about = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(about)
        .issuer_name(by[0].subject if by else about)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    return built.sign(by[1] if by else key, hashes.SHA256()), key


def written(path: Path, made: Made) -> Path:
    """Certificate and key in one file."""
    private = made[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made[0].public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Web]]]:
    """An authority, and servers with certificates that it gave or did not."""
    folder = tmp_path_factory.mktemp("certificates")
    root = certificate("authority")
    made = {
        "good": certificate("good.localhost", root),
        "expired": certificate("expired.localhost", root, NOW - DAY),
        "other": certificate("elsewhere.example", root),
        "alone": certificate("alone.localhost"),
    }
    with ExitStack() as stack:
        webs = {}
        for name, each in made.items():
            path = written(folder / f"{name}.pem", each)
            webs[name] = stack.enter_context(served({name: {"/": page()}}, path))
        yield written(folder / "authority.pem", root), webs


def test_tls_is_verified(authority: tuple[Path, dict[str, Web]], tmp_path: Path) -> None:
    path, webs = authority
    (tmp_path / "trusted.pem").write_bytes(path.read_bytes())
    start = [web.url(name) for name, web in webs.items()]
    rows = crawl(tmp_path / "run", recipe(*start, certificates="trusted.pem"))
    ends = {row["url"].split("/")[2].partition(".")[0]: row["reason"] for row in rows}
    assert ends == {**dict.fromkeys(webs, "robots.txt unreachable"), "good": "fetched"}
    assert [len(web.seen) for web in webs.values()] == [4, 0, 0, 0]


@pytest.mark.parametrize("name", ["good", "expired", "other", "alone"])
def test_an_unknown_authority_is_not_trusted(
    authority: tuple[Path, dict[str, Web]], name: str
) -> None:
    url = authority[1][name].url(name)
    with closing(Client("test", 5, private=True)) as made:
        assert get(made, url).fault == "certificate not trusted"


def test_what_is_no_tls(tmp_path: Path) -> None:
    with served({"a": {"/": page()}}) as web, closing(Client("test", 5, private=True)) as made:
        assert get(made, web.url("a").replace("http:", "https:")).fault == "no secure connection"


def test_certificates_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(recipe("https://example.org/", certificates="no.pem"))
    line = refused("run", "a.toml", "--run", "run", cwd=tmp_path)
    assert "no.pem: no such file" in line
    assert not (tmp_path / "run").exists()


def closing_all(*webs: Web) -> ExitStack:
    stack = ExitStack()
    for web in webs:
        stack.callback(web.stop)
    return stack
