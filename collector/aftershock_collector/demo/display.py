"""What a person sees while the demo plays: stages with live numbers, and pages as they arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from aftershock_collector.demo.on_call import Page

PLAIN_EVERY_S = 5.0  # a line that often where there is no terminal to draw in


class Display:
    """Bars in a terminal, lines in a pipe."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.began = time.monotonic()
        self.progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[numbers]}"),
            console=console,
            disable=not console.is_terminal,
        )

    @contextmanager
    def drawing(self) -> Generator[None]:
        """Bars are drawn inside."""
        with self.progress:
            yield

    @contextmanager
    def stage(self, name: str, seconds: float) -> Generator[Callable[[str], None]]:
        """One stage that takes about so long; call what it yields with the newest numbers."""
        began = time.monotonic()
        task = self.progress.add_task(name, total=seconds, numbers="")
        self.line(name)
        shown = [began]

        def show(numbers: str) -> None:
            now = time.monotonic()
            done = min(now - began, seconds)
            self.progress.update(task, completed=done, numbers=escape(numbers))
            if now - shown[0] >= PLAIN_EVERY_S:
                shown[0] = now
                self.line(f"  {numbers}")

        yield show
        self.finish(task)

    def finish(self, task: TaskID) -> None:
        """Fill the bar."""
        self.progress.update(task, total=1, completed=1)

    def line(self, text: str) -> None:
        """One plain line, where there is no terminal."""
        if not self.console.is_terminal:
            after_s = time.monotonic() - self.began
            self.console.print(f"{after_s:5.0f} s  {text}", markup=False, highlight=False)

    def panel(self, title: str, text: str, style: str) -> None:
        """Show something that happened, where the bars are drawn."""
        self.console.print(Panel(Text(text), title=escape(title), border_style=style))

    def page(self, page: Page, is_update: bool) -> None:
        """Show one page the way that a pager would."""
        body = Text("\n".join([page["title"], *page["body"]]))
        title = f"on call · {'the same page, updated' if is_update else page['kind']}"
        self.console.print(Panel(body, title=escape(title), border_style="red"))
