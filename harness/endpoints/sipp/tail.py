"""Following the message logs of many SIPps in one folder, with one inotify watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from asyncinotify import Inotify, Mask

from harness.endpoints.sipp.trace import TracedMessage, TraceReader

OnMessage = Callable[[str, TracedMessage], None]


class _Followed:
    """One log: its file, once there is one, and how far it has been read."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path
        self.reader = TraceReader()
        self.file: BinaryIO | None = None

    def read(self) -> list[TracedMessage]:
        if self.file is None:
            try:
                self.file = self.path.open("rb")
            except FileNotFoundError:  # SIPp makes the file with the first message
                return []
        return self.reader.feed(self.file.read())

    def close(self) -> None:
        if self.file:
            self.file.close()


class Tail:
    """Calls ``on_message(name, message)`` in the event loop for every message that is logged in ``folder``.

    Used as ``async with Tail(folder, on_message) as tail``.
    """

    def __init__(self, folder: Path, on_message: OnMessage) -> None:
        self._folder = folder
        self._on_message = on_message
        self._followed: dict[str, _Followed] = {}
        self._inotify: Inotify | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Tail:
        self._inotify = Inotify()
        self._inotify.add_watch(self._folder, Mask.CREATE | Mask.MODIFY)
        self._task = asyncio.create_task(self._run(self._inotify), name="sipp-tail")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._inotify:
            self._inotify.close()
        for followed in self._followed.values():
            followed.close()
        self._followed.clear()

    def follow(self, name: str, path: Path) -> None:
        """Follow the log at ``path``, which lies in the folder and need not be there yet, as ``name``."""
        self._followed[path.name] = _Followed(name, path)
        self._read(self._followed[path.name])

    def drain(self, name: str) -> None:
        """Read the rest of the log called ``name``, and follow it no longer.  Call it when its SIPp has ended."""
        for key, followed in self._followed.items():
            if followed.name == name:
                self._read(followed)
                for message in followed.reader.finish():
                    self._on_message(followed.name, message)
                followed.close()
                del self._followed[key]
                return

    def read(self, name: str) -> None:
        """Read what the log called ``name`` holds by now, without waiting to be told of it."""
        for followed in self._followed.values():
            if followed.name == name:
                self._read(followed)

    def _read(self, followed: _Followed) -> None:
        for message in followed.read():
            self._on_message(followed.name, message)

    async def _run(self, inotify: Inotify) -> None:
        async for event in inotify:
            followed = self._followed.get(event.name.name) if event.name else None
            if followed:
                self._read(followed)
            elif event.mask & Mask.Q_OVERFLOW:
                for followed in list(self._followed.values()):
                    self._read(followed)
