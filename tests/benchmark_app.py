"""How long twenty people wait who open the app's workbench at once, and then flip a switch, and what memory that takes.

    python tests/benchmark_app.py --people 20 --way app --way voila --no-browsers

Opened within three seconds: by as many pages in headless Chromium, which share the processors with the server; by one
page alone; and by visitors without a browser, which tell what the server does. Ways: `app`, as it is served; `voila`,
Voila by itself; `preheated`, Voila with as many kernels started beforehand. Memory is proportional (PSS).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from playwright.async_api import Page, async_playwright

from benchmark_browser import _WATCH, PICTURES, SWITCH
from lab import CHROMIUM, REPOSITORY, Running, chromium_path, running, served_app
from light import Visitor

WITHIN = 3.0  # seconds
EXPLORER = REPOSITORY / "notebooks" / "explore.ipynb"


def started(way: str, people: int, folder: Path) -> AbstractContextManager[Running]:
    """A server, and the address of the workbench there."""
    if way == "app":
        return served_app(folder)
    command = [sys.executable, "-m", "voila", "--no-browser", str(EXPLORER)]
    if way == "preheated":
        command += ["--preheat_kernel=True", f"--pool_size={people}"]
    return running(command, folder)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def memory(pid: int) -> dict[int, float]:
    """Megabytes of a process and of all that it started, by process."""
    return {pid: _share(pid)} | {each: size for child in children(pid) for each, size in memory(child).items()}


def _share(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


async def at_once(people: int, does: Callable[[int], Awaitable[float]], within: float) -> np.ndarray:
    """What many people's doings took, begun one after the other within some seconds."""

    async def one(number: int) -> float:
        await asyncio.sleep(within * number / people)
        return await does(number)

    return np.array(await asyncio.gather(*map(one, range(people))))


async def light(address: str, path: str, people: int) -> None:
    """What people without browsers wait for: all that the server does, and nothing that their own computers do."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2 * people))
    visitors = [Visitor(address) for _ in range(people)]
    boxes = {}

    async def first_chart(number: int) -> float:
        begun, visitor = time.perf_counter(), visitors[number]
        await asyncio.to_thread(visitor.fetch, path)
        await visitor.connect()
        widgets = await visitor.widgets()
        boxes[number] = next(name for name, state in widgets.items() if state.get("description") == SWITCH)
        return time.perf_counter() - begun

    async def flip(number: int) -> float:
        begun = time.perf_counter()
        state[number] = not state[number]
        await visitors[number].flip(boxes[number], state[number], len(PICTURES))
        return time.perf_counter() - begun

    state = [True] * people
    row("first chart, without browsers", await at_once(people, first_chart, WITHIN))
    row("flip to pictures, all at the same moment", await at_once(people, flip, 0))
    row("flip to pictures, each at some moment of 10 s", await at_once(people, flip, 10))


async def browsed(address: str, people: int) -> None:
    """The same with browsers, which take the processors from the server."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM)
        pages: list[Page] = [await (await browser.new_context()).new_page() for _ in range(people)]

        async def first_chart(number: int) -> float:
            begun = time.perf_counter()
            await pages[number].goto(address, wait_until="commit", timeout=300_000)
            await pages[number].locator(f".mk-at-{PICTURES[0]} img").wait_for(timeout=300_000)
            return time.perf_counter() - begun

        async def flip(number: int) -> float:
            box = await pages[number].get_by_label(SWITCH, exact=True).element_handle()
            return float(max(await pages[number].evaluate(_WATCH, [box, PICTURES]))) / 1000

        if people == 1:
            await first_chart(0)
        row(f"first chart, {people} in Chromium", await at_once(people, first_chart, WITHIN))
        await asyncio.sleep(5)
        row("flip to pictures, all at the same moment", await at_once(people, flip, 0))
        row("flip to pictures, each at some moment of 10 s", await at_once(people, flip, 10))
        await browser.close()


def row(name: str, took: np.ndarray) -> None:
    print(f"| {name} | {np.median(took):.1f} | {took.max():.1f} |", flush=True)


async def measured(way: str, people: int, browsing: list[int]) -> None:
    """One way, by a fresh server for each kind of visitors."""
    print(f"\n{way}, {people} people, {os.cpu_count()} processors\n\n| seconds | median | worst |\n|---|--:|--:|")
    path = "explore" if way == "app" else ""
    for browsers in [*browsing, 0]:
        with tempfile.TemporaryDirectory() as folder, started(way, people, Path(folder)) as server:
            await asyncio.sleep(5 * people if way == "preheated" else 6)
            before = sum(memory(server.process.pid).values())
            if browsers:
                await browsed(f"{server.address}/{path}", browsers)
            else:
                await light(server.address, path, people)
                shares = memory(server.process.pid)
                kernels = np.array([share for pid, share in shares.items() if not children(pid)])
                print(
                    f"\nMemory, MB: {before:.0f} before anybody came, {sum(shares.values()):.0f} with {people} people;"
                )
                print(f"of each kernel {np.median(kernels):.0f} at the median, {kernels.max():.0f} at most", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--way", choices=["app", "voila", "preheated"], action="append")
    parser.add_argument("--no-browsers", action="store_true")
    options = parser.parse_args()
    for way in options.way or ["app"]:
        asyncio.run(measured(way, options.people, [] if options.no_browsers else [options.people, 1]))


if __name__ == "__main__":
    main()
