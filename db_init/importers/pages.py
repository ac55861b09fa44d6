"""Pages of JSON over HTTP: bounded in size, asked for again where that helps, never from another host.

httpx answers; OPTIMADE's own client is built to ask many providers at once and keeps all pages in memory.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

from fermiloop.platform.errors import FailureError, InputError

LARGEST: Final = 64_000_000  # bytes of one page, unpacked
TRIES: Final = 6
FIRST_WAIT: Final = 1.0  # s, doubled after each failure
LONGEST_WAIT: Final = 120.0  # s, also where the server asks for more
BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECTS: Final = 5
TIMEOUT: Final = httpx.Timeout(20.0, read=120.0)


class RefusedError(FailureError):
    """The server answered that it will not; asking again does not help."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _AgainError(Exception):
    """What went wrong may go right next time; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass
class Pages:
    """Reader of pages of one host.

    Parameters
    ----------
    base
        Address that all pages must share host and port with.
    client
        Client to ask with.
    sleep
        Waits, in seconds.
    """

    base: str
    client: httpx.Client
    sleep: Callable[[float], None] = time.sleep

    def get(self, url: str) -> dict[str, Any]:
        """The object of a page.

        Raises
        ------
        RefusedError
            If the server answers 4xx.
        FailureError
            If it does not answer rightly in several tries.
        InputError
            If the address is on another host.
        """
        wait, reason = FIRST_WAIT, ""
        for attempt in range(TRIES):
            try:
                return self._follow(self.check(url))
            except _AgainError as error:
                reason = str(error)
                if attempt + 1 < TRIES:
                    self.sleep(min(error.wait if error.wait is not None else wait, LONGEST_WAIT))
                wait *= 2
        raise FailureError(
            f"{self.base} did not answer rightly in {TRIES} tries ({reason}); "
            "run the same command later and it goes on where it stopped."
        )

    def check(self, url: str) -> str:
        """The address made whole.

        Raises
        ------
        InputError
            If it is another server, or the same one without encryption.
        """
        whole = urljoin(self.base, url)
        try:
            home, asked = _place(self.base), _place(whole)
        except ValueError:
            home, asked = ("", "", 0), ("", "", 1)
        upgraded = home == ("http", home[1], 80) and asked == ("https", home[1], 443)
        if asked != home and not upgraded:
            raise InputError(f"{self.base} points to {whole[:200]}, which is another server; it is not followed.")
        return whole

    def _follow(self, url: str) -> dict[str, Any]:
        for _ in range(REDIRECTS):
            found = self._once(url)
            if isinstance(found, dict):
                return found
            url = self.check(found)
        raise FailureError(f"{self.base} sends from one address to the next without end.")

    def _once(self, url: str) -> dict[str, Any] | str:
        """The object at an address, or the address where it says that it lies."""
        body = b""
        try:
            with self.client.stream("GET", url) as answer:
                if answer.next_request is not None:
                    return str(answer.next_request.url)
                if answer.status_code in BUSY:
                    raise _AgainError(f"status {answer.status_code}", _asked_wait(answer))
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise FailureError(f"A page of {self.base} is larger than {LARGEST // 1_000_000} MB.")
        except httpx.HTTPError as error:
            raise _AgainError(type(error).__name__) from None
        if answer.status_code >= 400:
            raise RefusedError(_told(self.base, answer.status_code, body), answer.status_code)
        try:
            page = json.loads(body)
        except (ValueError, RecursionError):
            raise _AgainError("an answer that is no JSON or was cut off") from None
        if not isinstance(page, dict):
            raise _AgainError("an answer that is no object")
        return page


def open_client() -> httpx.Client:
    """A client that says who asks, and follows no redirect by itself."""
    return httpx.Client(
        timeout=TIMEOUT, headers={"User-Agent": "fermiloop", "Accept": "application/json"}, follow_redirects=False
    )


def _place(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.username is not None:
        raise ValueError(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _asked_wait(answer: httpx.Response) -> float | None:
    """Seconds that the server asks to wait, as a number or a date (RFC 9110, 10.2.3)."""
    asked = answer.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked[:9])
    try:
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _told(base: str, status: int, body: bytes) -> str:
    """The refusal with the server's own words, as JSON:API gives them."""
    try:
        found = json.loads(body)["errors"][0]
        detail = str(found.get("detail") or found.get("title") or "")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        detail = ""
    words = " ".join(detail.split())[:300].rstrip(".")
    return f"{base} refuses with status {status}{f': {words}' if words else ''}."
