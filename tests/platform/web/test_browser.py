"""The pages in a real browser, without display: no request leaves this machine, and a person's way through them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from fermiloop.platform.web.app import create_app
from fermiloop.platform.web.site import Site

client = pytest.importorskip("websockets.sync.client", reason="the browser is steered by the package websockets")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--remote-debugging-port=0", "--remote-allow-origins=*",
)  # fmt: skip
PATIENCE = 40.0  # s
MODULES = (
    Path(__file__).parents[3] / "node_modules",
    Path("/usr/lib/node_modules"),
    Path("/usr/local/lib/node_modules"),
)
AXES = (Path(os.environ.get("AXE_CORE", "/none")), *(path / "axe-core" / "axe.min.js" for path in MODULES))
AXE = next((path for path in AXES if path.is_file()), None)  # https://github.com/dequelabs/axe-core


@dataclass
class Browser:
    """A tab, steered by the protocol of its developer tools."""

    socket: Any
    base: str
    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    number: int = 0

    def send(self, method: str, **given: Any) -> Any:
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": given}))
        while True:
            answer = json.loads(self.socket.recv(timeout=PATIENCE))
            if answer.get("method") == "Network.requestWillBeSent":
                self.asked.append(answer["params"]["request"]["url"])
            if answer.get("method") == "Network.responseReceived" and answer["params"]["response"]["status"] >= 500:
                self.errors.append(answer["params"]["response"]["url"])
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(answer["params"])[:500])
            if answer.get("id") == self.number:
                return answer.get("result")

    def run(self, script: str) -> Any:
        """Value of an expression; None while one page is left for the next, which has no context in that moment."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        return None if found is None else found["result"].get("value")

    def until(self, script: str) -> Any:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            value = self.run(script)
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"never came true: {script}; the page shows {self.run('document.body.innerText')}")

    def open(self, path: str, title: str) -> None:
        self.send("Page.navigate", url=self.base + path)
        self.until(f"document.querySelector('h1')?.innerText === {json.dumps(title)}")

    def write(self, name: str, text: str) -> None:
        self.run(f"document.getElementById({json.dumps(name)}).focus()")
        self.send("Input.insertText", text=text)
        time.sleep(0.3)

    def resize(self, width: int) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500
        )


@pytest.fixture
def browser(site: Site, database: str, tmp_path: Path) -> Iterator[Browser]:
    app = create_app(authorise=site.authorise)
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert CHROMIUM is not None
    with subprocess.Popen(
        [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            with client.connect(_tab(tmp_path / "profile"), max_size=None) as socket:
                tab = Browser(socket, f"http://127.0.0.1:{server.server_port}")
                for domain in ("Page", "Runtime", "Network"):
                    tab.send(f"{domain}.enable")
                yield tab
        finally:
            process.terminate()
            process.wait(20)
            server.shutdown()
            server.server_close()


def _tab(profile: Path) -> str:
    """Address of the first tab, once the browser tells it."""
    told, end = profile / "DevToolsActivePort", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if told.exists() and told.read_text().strip():
            port = told.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
                tabs = [one for one in json.load(answer) if one["type"] == "page"]
            if tabs:
                return str(tabs[0]["webSocketDebuggerUrl"])
        time.sleep(0.1)
    raise AssertionError("the browser did not start")


@pytest.mark.slow
def test_from_launching_a_campaign_to_its_best_candidate(
    browser: Browser, campaign_file: str, worker: Callable[[], dict[str, str]]
) -> None:
    browser.open("/", "Campaigns")
    browser.run("[...document.querySelectorAll('main a')].find(e => e.innerText === 'New campaign').click()")
    browser.until("document.querySelector('h1')?.innerText === 'New campaign'")
    browser.write("launch-text", campaign_file)
    browser.run("document.getElementById('launch').click()")
    browser.until("document.querySelector('#launch-note')?.innerText.includes('No role launch')")
    browser.run("document.querySelector('details').open = true")
    browser.write("token-field", "good")
    browser.run("document.getElementById('token-use').click()")
    browser.until("document.querySelector('#token-note').innerText.startsWith('Kept')")
    browser.run("document.getElementById('launch').click()")
    browser.until("document.querySelector('#launch-note a')?.innerText === 'pd-like'")
    browser.run("document.querySelector('#launch-note a').click()")
    browser.until("document.querySelector('h1')?.innerText === 'pd-like'")
    worker()  # the page sees it by itself
    best = "document.querySelector('[aria-label^=\"Best 1 of 1\"] a')"
    browser.until(f"{best} !== null")
    browser.until("document.querySelectorAll('.js-plotly-plot .main-svg').length >= 6")
    browser.run(f"{best}.click()")
    browser.until("document.querySelector('h1')?.innerText === 'AlNi'")
    browser.until("document.querySelectorAll('.scene svg path').length > 4")
    browser.until("document.querySelector('.js-plotly-plot .main-svg') !== null")
    assert browser.run("document.title").endswith("· fermiloop")
    assert browser.errors == []


def pages_of(filled: dict[str, str]) -> dict[str, str]:
    """Every page with its heading."""
    return {
        "/": "Campaigns", "/campaign/pd-like": "pd-like", f"/candidate/{filled['candidate']}": "AlNi",
        f"/candidate/{filled['rejected']}": "CuNi", f"/material/{filled['material']}": "AlNi", "/database": "Database",
        "/database?kind=candidates&stage=any": "Database", "/database?kind=materials&elements=Ni": "Database",
        "/generators": "Generators", "/generators/substitution": "substitution", "/schedules": "Schedules",
        "/campaign/none": "Not found", "/queue": "Workers and queue", "/new": "New campaign",
        f"/calculation/{filled['failed']}": "Calculation of AlCu", f"/method/{filled['method']}": "analytic, analytic",
    }  # fmt: skip


@pytest.mark.slow
def test_every_page_on_a_telephone_without_internet(browser: Browser, filled: dict[str, str]) -> None:
    browser.resize(390)
    for path, title in pages_of(filled).items():
        browser.open(path, title)
        wide = browser.run("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} pixels wide"
        nameless = browser.run(
            "[...document.querySelectorAll('main input, main textarea')].filter(e => e.offsetParent && e.id"
            " && !document.querySelector('label[for=\"' + e.id + '\"]')).map(e => e.id).join()"
        )
        assert nameless == ""
    browser.run("document.querySelector('#main').focus()")
    assert browser.run("document.documentElement.lang") == "en"
    assert browser.asked
    assert [url for url in browser.asked if not url.startswith((browser.base, "data:", "blob:", "about:"))] == []
    assert browser.errors == []


@pytest.mark.skipif(AXE is None, reason="axe-core is not here: npm install axe-core, and AXE_CORE=…/axe.min.js")
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_on_any_page(width: int, browser: Browser, filled: dict[str, str]) -> None:
    assert AXE is not None
    browser.send("Page.setBypassCSP", enabled=True)
    browser.resize(width)
    for path, title in pages_of(filled).items():
        browser.open(path, title)
        time.sleep(0.5)  # figures and scenes are drawn after the heading
        browser.run(AXE.read_text(encoding="utf-8"))
        browser.run(
            "window.found = null; axe.run(document).then(r => { window.found = JSON.stringify(r.violations"
            ".filter(v => ['serious', 'critical'].includes(v.impact)).map(v => [v.id, v.nodes[0].html])) })"
        )
        assert json.loads(browser.until("window.found")) == [], path


def test_the_periodic_table_keeps_its_size_after_a_click(browser: Browser, filled: dict[str, str]) -> None:
    browser.open("/database", "Database")
    box = "document.querySelector('#ptable .main-svg').getBoundingClientRect()"
    size = f"JSON.stringify((r => [r.width, r.height])({box}))"
    browser.until("document.querySelectorAll('#ptable .main-svg').length > 0")
    before = browser.run(size)
    browser.run(
        "document.querySelector('#ptable .js-plotly-plot').emit('plotly_click', {event: {}, points: [{curveNumber: 0,"
        " pointNumber: 27, pointIndex: 27, x: 10, y: 4, customdata: 'Ni', data: {}, fullData: {}}]})"
    )
    browser.until("document.getElementById('find-elements').value === 'Ni'")
    time.sleep(1.0)
    assert browser.run(size) == before
    assert json.loads(before) == [640, 300]


def test_filters_are_in_the_address_and_enter_searches(browser: Browser, filled: dict[str, str]) -> None:
    browser.open("/database", "Database")
    browser.write("find-elements", "Ni, Al")
    for kind in ("keyDown", "keyUp"):
        browser.send(
            "Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
        )
    browser.until("document.querySelector('#found a')?.innerText === 'AlNi'")
    address = browser.run("location.pathname + location.search")
    assert address == "/database?kind=materials&elements=Ni%2C+Al"
    browser.open(address, "Database")  # shared, or loaded again
    browser.until("document.querySelector('#found a')?.innerText === 'AlNi'")
    assert browser.run("document.getElementById('find-elements').value") == "Ni, Al"
    assert browser.errors == []


def test_hits_are_seen_on_a_telephone_without_scrolling(browser: Browser, filled: dict[str, str]) -> None:
    browser.resize(390)
    for path, title in (("/", "Campaigns"), ("/campaign/pd-like", "pd-like")):
        browser.open(path, title)
        right = browser.until("document.querySelector('td .hit, td.hit')?.getBoundingClientRect().right")
        assert 0 < right <= 390


def test_an_example_is_checked_while_it_is_written(browser: Browser, filled: dict[str, str]) -> None:
    browser.open("/new", "New campaign")
    browser.run("[...document.querySelectorAll('main button')].find(e => e.innerText === 'a commented draft').click()")
    browser.until("document.getElementById('launch-text').value.includes('name: my-campaign')")
    browser.until("document.querySelector('#launch-check .good') !== null")
    browser.run("document.getElementById('launch-text').select()")
    browser.write("launch-text", "name: [")
    browser.until("document.querySelector('#launch-check .bad') !== null")
    assert browser.errors == []
