"""Scrapy's crawl of a site, in its own environment; writes how many pages there were.

python crawl_peer.py OUT TOLD CONNECTIONS FORM URL…

FORM is "bodies" (one file of bodies, the cheapest that can be) or "warc" (through warcio).
"""

import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess

SETTINGS = {
    "ROBOTSTXT_OBEY": True,
    "DOWNLOAD_DELAY": 0,
    "COOKIES_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "ERROR",
    "USER_AGENT": "karez/0.1 (+bench@example.org)",
}

Keep = Callable[[Any], None]


def bodies(out: Any) -> Keep:
    """Writes a body after the other."""
    return lambda response: out.write(response.body)


def warc(out: Any) -> Keep:
    """Writes a record of WARC 1.1 after the other, each packed."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    writer = WARCWriter(out, gzip=True, warc_version="1.1")

    def keep(response: Any) -> None:
        headers = [
            (name.decode(), value.decode("latin-1"))
            for name, values in response.headers.items()
            for value in values
        ]
        head = StatusAndHeaders(f"{response.status} OK", headers, protocol="HTTP/1.1")
        record = writer.create_warc_record(
            response.url, "response", payload=BytesIO(response.body), http_headers=head
        )
        writer.write_record(record)

    return keep


class Site(scrapy.Spider):
    """Follows the links of one host."""

    name = "site"

    def parse(self, response: Any) -> Iterator[Any]:
        """Keep a page, and ask for what it links to."""
        if not isinstance(response, scrapy.http.HtmlResponse):
            return
        self.keep(response)
        self.crawler.stats.inc_value("pages")
        for href in response.xpath("//a/@href | //area/@href").getall():
            try:
                url = response.urljoin(href)
            except ValueError:
                continue
            if urlsplit(url).netloc == self.host:
                yield scrapy.Request(url)


def main(path: str, told: str, connections: str, form: str, *start: str) -> None:
    """Crawl, and say how many pages there were."""
    settings = {
        **SETTINGS,
        "CONCURRENT_REQUESTS": int(connections),
        "CONCURRENT_REQUESTS_PER_DOMAIN": int(connections),
    }
    with Path(path).open("wb") as out:
        Site.start_urls, Site.host = list(start), urlsplit(start[0]).netloc
        Site.keep = staticmethod({"bodies": bodies, "warc": warc}[form](out))
        process = CrawlerProcess(settings)
        crawler = process.create_crawler(Site)
        process.crawl(crawler)
        process.start()
    Path(told).write_text(str(crawler.stats.get_value("pages")))


if __name__ == "__main__":
    main(*sys.argv[1:])
