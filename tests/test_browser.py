"""The report in a real browser: nothing runs or overflows, in light and dark, wide and narrow."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.report import command as report
from pipelines.report.view import gather
from pipelines.runs import Run
from tests.helpers import needs
from tests.helpers.making import HOSTILE, RULES, write_run

pytestmark = pytest.mark.server

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
)  # fmt: skip

MEASURE = """<script>
const wide = [...document.querySelectorAll("body *")].filter(
  e => !e.closest(".hidden, svg, colgroup") && e.getBoundingClientRect().right > innerWidth + 1);
const svgs = [...document.querySelectorAll("svg.histogram")].map(e => e.getBoundingClientRect());
document.body.dataset.width = innerWidth;
document.body.dataset.page = document.documentElement.scrollWidth;
document.body.dataset.wide = wide.slice(0, 5).map(e => e.tagName + "." + e.className).join(" ");
document.body.dataset.drawn = svgs.filter(r => r.width > 200 && r.height > 60).length;
document.body.dataset.text = Math.min(...[...document.querySelectorAll("svg text")].map(
  e => e.getBoundingClientRect().height));
document.body.dataset.paper = getComputedStyle(document.body).backgroundColor;
</script></body>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    return needs.program("chromium", package="chromium")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of thing in it, a hostile document and very long words."""
    folder = tmp_path_factory.mktemp("report")
    prose = "The water comes down from the hills in a tunnel that people dug by hand. "
    texts = [prose * (i % 9) + f"Number {i}." for i in range(80)]
    texts += [HOSTILE, "A line of five words.\n" * 4 + prose, "x" * 3000 + " " + prose * 2]
    texts += [prose, prose]
    rules = {**RULES, "a_rule_with_a_very_long_name_that_never_seems_to_end": "words > 99999"}
    run = write_run(folder, texts, rules, dedup=True)
    (folder / "report.html").write_text(report.page(gather(Run(run))))
    return folder / "report.html"


def opened(chromium: str, page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [chromium, *OPTIONS, f"--user-data-dir={page.parent / 'profile'}", *options]
    return subprocess.run(
        [*command, page.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )


def facts(dom: str) -> dict[str, str]:
    """What the measuring script found."""
    body = re.search(r"<body ([^>]*)>", dom)
    assert body, dom[:500]
    return dict(re.findall(r'data-(\w+)="([^"]*)"', body[1]))


def test_nothing_is_reported_and_nothing_is_obeyed(chromium: str, page: Path) -> None:
    done = opened(chromium, page, "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count('class="histogram"') > 10
    assert "&lt;script&gt;alert(1)" in done.stdout
    assert "<script" not in done.stdout
    assert "<img" not in done.stdout


def test_what_is_reported_would_be_seen(chromium: str, page: Path) -> None:
    loud = page.with_name("loud.html")
    loud.write_text(page.read_text().replace("</body>", "<script>alert(1)</script></body>"))
    assert "CONSOLE" in opened(chromium, loud, "--dump-dom").stderr  # the policy forbids it


@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_overflows(chromium: str, page: Path, width: int, scheme: int) -> None:
    copy = page.with_name(f"measured-{width}-{scheme}.html")
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text())
    # headless windows are at least 500 wide: a frame is as narrow as it is told
    copy.write_text(text.replace("</body>", MEASURE))
    frame = page.with_name(f"frame-{width}-{scheme}.html")
    frame.write_text(
        f'<body style="margin:0"><iframe src="{copy.name}" style="width:{width}px;height:5000px;'
        'border:0" onload="document.body.dataset.found = this.contentDocument.body.outerHTML'
        '.slice(0, 600)"></iframe>'
    )
    look = f"--blink-settings=preferredColorScheme={scheme}"
    options = (f"--window-size={width},1000", "--allow-file-access-from-files", "--dump-dom")
    done = opened(chromium, frame, look, *options)
    outer = re.search(r'data-found="([^"]*)"', done.stdout)
    assert outer, done.stdout[:500]
    found = facts(outer[1].replace("&quot;", '"').replace("&gt;", ">").replace("&lt;", "<"))
    assert found["wide"] == ""
    assert int(found["page"]) == int(found["width"]) == width
    assert int(found["drawn"]) > 10
    assert float(found["text"]) >= 9  # pixels: small, but no smaller on a telephone
    dark = sum(map(int, re.findall(r"\d+", found["paper"])[:3])) < 384
    assert dark == (scheme == 0)


@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_the_picture_has_its_colours(chromium: str, page: Path, scheme: int) -> None:
    shot = page.with_name(f"shot-{scheme}.png")
    look = f"--blink-settings=preferredColorScheme={scheme}"
    opened(chromium, page, look, "--window-size=1280,3000", f"--screenshot={shot}")
    pixels = np.asarray(Image.open(shot).convert("RGB")).reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    paper = colours[counts.argmax()]
    assert (paper.sum() < 384) == (scheme == 0)
    light, dark = ((46, 125, 154), (207, 122, 53)), ((88, 174, 203), (223, 147, 80))
    for colour in light if scheme else dark:  # of what is kept, and dropped
        assert counts[(np.abs(colours.astype(int) - colour).max(axis=1) <= 3)].sum() > 500
