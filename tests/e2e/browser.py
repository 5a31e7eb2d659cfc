"""A headless Chromium, spoken to in the W3C WebDriver protocol (https://www.w3.org/TR/webdriver2/)."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run")


class Browser:
    """One window; what is looked for by XPath is waited for."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client, self._session = client, session

    def call(self, method: str, path: str, **body: Any) -> Any:
        sent = {"json": body} if method == "POST" else {}
        answer = self._client.request(method, f"/session/{self._session}{path}", **sent)
        value = answer.json()["value"]
        assert answer.is_success, value
        return value

    def open(self, url: str) -> None:
        self.call("POST", "/url", url=url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.call("POST", "/execute/sync", script=script, args=list(arguments))

    def all(self, xpath: str) -> list[str]:
        found = self.call("POST", "/elements", using="xpath", value=xpath)
        return [one[ELEMENT] for one in found]

    def one(self, xpath: str, seconds: float = 30) -> str:
        return str(
            self.until(lambda: self.all(xpath), f"{xpath}\n{self.text()}" if seconds == 0 else xpath, seconds)[0]
        )

    def click(self, xpath: str) -> None:
        element = self.one(xpath)
        self.run("arguments[0].scrollIntoView({block: 'center'})", {ELEMENT: element})
        self.call("POST", f"/element/{element}/click")

    def type(self, xpath: str, text: str) -> None:
        element = self.one(xpath)
        self.call("POST", f"/element/{element}/clear")
        self.call("POST", f"/element/{element}/value", text=text)

    def text(self) -> str:
        return str(self.run("return document.body.innerText"))

    def until(self, look: Callable[[], Any], what: str, seconds: float = 30) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(0.1)
        raise AssertionError(f"not on the page: {what}\n{self.text()}")

    def wait_for_text(self, text: str) -> None:
        self.until(lambda: text in self.text(), text)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))


@contextmanager
def browser(width: int = 1280, height: int = 1600) -> Iterator[Browser]:
    driver = subprocess.Popen([str(DRIVER), "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert driver.stdout is not None
        found = next(match for line in driver.stdout if (match := re.search(r"successfully on port (\d+)", line)))
        options = {"binary": CHROMIUM, "args": [*ARGUMENTS, f"--window-size={width},{height}"]}
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        with httpx.Client(base_url=f"http://127.0.0.1:{found[1]}", timeout=60, trust_env=False) as client:
            session = client.post("/session", json=wanted).json()["value"]["sessionId"]
            try:
                yield Browser(client, session)
            finally:
                client.delete(f"/session/{session}")
    finally:
        driver.terminate()
        driver.communicate(timeout=30)
