"""A real browser, at the widths of a phone and of a desk; skipped where Chromium is missing."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Error, Page, sync_playwright

PHONE, DESK = 390, 1600
WIDTHS = (PHONE, DESK)
HEIGHT = 1_000  # pixels of a window, before the document is measured
LONGEST_MS = 60_000.0  # a loaded machine draws slowly
QUIET_MS = 20_000.0  # documents that ask again and again are never quiet: then they are drawn


@contextmanager
def opened(width: int, height: int = HEIGHT) -> Generator[Page]:
    """An empty tab of a browser of its own, exactly so many pixels wide."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if program is None:
        pytest.skip("missing: chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(LONGEST_MS)
            yield page
        finally:
            browser.close()


def photograph(page: Page, address: str, picture: Path) -> None:
    """The document at `address`, drawn whole once it asks for nothing more, as a PNG file."""
    page.goto(address)
    try:
        page.wait_for_load_state("networkidle", timeout=QUIET_MS)
    except Error:
        page.wait_for_load_state("load")
    page.screenshot(path=picture, full_page=True)
