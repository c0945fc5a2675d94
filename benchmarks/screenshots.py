"""The pictures of docs/: the report and MLflow's pages of a demo, taken in a headless Chromium.

    make pictures

A small demo is simulated and trained twice in a temporary folder, with small models, and a few nights of its past are
scored; it takes a few minutes. Persian and Marathi need fonts with their letters, such as Noto Sans Arabic and
Noto Sans Devanagari (`fonts-noto-core` in Debian).
"""

from __future__ import annotations

import base64
import datetime as dt
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

from tests.pipeline.report.browser import Browser

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 900
SMALL = {"CHURN__MODEL__SEEDS": "1", "CHURN__MODEL__TREES": "20", "CHURN__MODEL__TEST_SNAPSHOTS": "2"}
LANGUAGES = ("en", "fa", "mr")
# A place of its own, whose ledger begins with the oldest of them.
OUT = "pictured"
PAST_DAYS = (185, 125, 65)
# MLflow loads its figures after the page; nothing tells when it is done.
LOADING_SECONDS = 8
SERVER_SECONDS = 120


def main() -> None:
    """Take all pictures anew."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="churn-pictures-") as place:
        home = Path(place)
        churn("demo", "--customers", "600", home=home)
        churn("train", home=home, CHURN__MODEL__L2="9")
        churn("promote", "2", "--reason", "a look at the list", home=home)
        browser = Browser(home / "profile")
        try:
            past(home)
            for language in LANGUAGES:
                churn("score", "--out", OUT, home=home, CHURN__LANGUAGE=language)
                report(
                    browser, home / OUT / "latest" / "report.html", "" if language == "en" else f"-{language}"
                )
            mlflow(browser, home)
        finally:
            browser.close()


def churn(*arguments: str, home: Path, **environment: str) -> None:
    """Run a command of this checkout in a folder; what it published may be for a person to look at."""
    command = [Path(sys.executable).with_name("churn"), *arguments]
    done = subprocess.run(
        command, cwd=home, env={**os.environ, **SMALL, **environment}, stdout=subprocess.DEVNULL, check=False
    )
    assert done.returncode in (0, 3), arguments


def past(home: Path) -> None:
    """Nights whose label window is over, for the page to compare with what came.

    The champion is younger than they are and has seen the outcome: a picture of the drawing, and no measurement.
    """
    newest = dt.date.fromisoformat((home / "data" / "demo" / "latest").resolve().name)
    for days in PAST_DAYS:
        churn("score", "--as-of", str(newest - dt.timedelta(days=days)), "--out", OUT, home=home)


def report(browser: Browser, page: Path, ending: str) -> None:
    """The list, the company's figures, and what came of past nights."""
    browser.open(page, width=WIDTH, height=HEIGHT)
    for name, section in {"report": "list", "overview": "company", "predictions": "model"}.items():
        browser.run(f"document.getElementById('{section}').scrollIntoView({{behavior: 'instant'}})")
        save(browser, name + ending, HEIGHT)


def mlflow(browser: Browser, home: Path) -> None:
    """The table of trainings, and the newest training's run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("churn")), "ui", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                width=1600,
                height=HEIGHT,
                deviceScaleFactor=1,
                mobile=False,
            )
            table = next(
                word for line in server.stdout or () for word in line.split() if "#/experiments" in word
            )
            answers(f"http://127.0.0.1:{port}")
            show(browser, table)
            save(browser, "mlflow", 420)
            run = browser.run("document.querySelector('a[href*=\"/runs/\"]').href")
            show(browser, run)
            save(browser, "mlflow-run", HEIGHT)
        finally:
            server.terminate()


def answers(address: str) -> None:
    """Wait until a server answers."""
    for _ in range(SERVER_SECONDS):
        try:
            with urllib.request.urlopen(address):  # noqa: S310 - on this machine
                return
        except URLError:
            time.sleep(1)
    raise TimeoutError(address)


def show(browser: Browser, address: str) -> None:
    """Open an address, and close MLflow's assistant, which covers a quarter of it."""
    browser.call("Page.navigate", url=address)
    time.sleep(LOADING_SECONDS)
    browser.run("document.querySelector('[aria-label=Close]')?.click()")
    time.sleep(LOADING_SECONDS)


def save(browser: Browser, name: str, height: int) -> None:
    """Write what the window shows, from its upper edge."""
    clip = {
        "x": 0,
        "y": browser.run("window.scrollY"),
        "width": browser.run("window.innerWidth"),
        "height": height,
        "scale": 1,
    }
    shot = browser.call("Page.captureScreenshot", format="png", clip=clip)
    (PICTURES / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()
