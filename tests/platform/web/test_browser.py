"""The pages in a real browser, without display: no request leaves this machine, and a person's way through them."""

from __future__ import annotations

import json
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

from fermiloop.platform.web.actions import Site
from fermiloop.platform.web.app import create_app

client = pytest.importorskip("websockets.sync.client", reason="the browser is steered by the package websockets")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--remote-debugging-port=0", "--remote-allow-origins=*",
)  # fmt: skip
PATIENCE = 40.0  # s


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
        return self.send("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

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
    app = create_app(site.actions, authorise=site.authorise)
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


def test_from_launching_a_campaign_to_its_best_candidate(
    browser: Browser, campaign_file: str, worker: Callable[[], dict[str, str]]
) -> None:
    browser.open("/", "Campaigns")
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


def test_every_page_on_a_telephone_without_internet(browser: Browser, filled: dict[str, str]) -> None:
    pages = {
        "/": "Campaigns", "/campaign/pd-like": "pd-like", f"/candidate/{filled['candidate']}": "AlNi",
        f"/material/{filled['material']}": "AlNi", "/database": "Database", "/generators": "Generators",
        "/generators/substitution": "substitution", "/schedules": "Schedules", "/campaign/none": "Not found",
    }  # fmt: skip
    browser.resize(390)
    for path, title in pages.items():
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
