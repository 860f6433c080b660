"""A real Chromium: what a page shows, and what it complains of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Page:
    """An open page."""

    page: Any
    """playwright's."""
    complaints: list[str] = field(default_factory=list)
    """Errors of the console, of scripts, and of addresses that gave nothing."""


@contextmanager
def browser(*arguments: str) -> Iterator[Page]:
    """An empty page, with more ``arguments`` to the program; skips the test where there is no Chromium."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"none of {', '.join(NAMES)} is installed: what a browser shows cannot be seen")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses root
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=[*options, *arguments])
        opened = Page(chromium.new_page(viewport={"width": 1400, "height": 1000}))
        say = opened.complaints.append
        opened.page.on("pageerror", lambda error: say(f"script: {error}"))
        opened.page.on("requestfailed", lambda request: say(f"nothing at {request.url}"))
        opened.page.on("response", lambda answer: answer.status < 400 or say(f"{answer.status} at {answer.url}"))
        opened.page.on("console", lambda one: one.type != "error" or say(f"console: {one.text}"))
        yield opened
        chromium.close()
