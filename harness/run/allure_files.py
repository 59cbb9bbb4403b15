"""Allure's writer for a run: a full disk does not end the run, and no file is written twice."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import allure_commons
import pytest
from allure_commons.logger import AllureFileLogger
from allure_pytest.listener import AllureListener

from harness.errors import SetupError
from harness.store.files import cannot_write

_Writer: Any = AllureFileLogger
LISTENER = "allure_listener"
"""The name by which allure-pytest, and we, know what listens to the tests."""


def listen(config: pytest.Config, folder: Path, trouble: Callable[[SetupError], None]) -> None:
    """Let Allure's results be written to ``folder``, by our writer; nothing where allure-pytest is switched off.

    allure-pytest's own ``--alluredir`` would make a writer of its own.  So it is taken over before that.
    """
    if not config.pluginmanager.hasplugin("allure_pytest"):
        return
    option = config.option
    chosen, option.allure_report_dir = option.allure_report_dir, None
    where = Path(chosen) if chosen else folder
    make_listener: Any = AllureListener  # allure's own carries no types
    listener, writer = make_listener(config), AllureFiles(trouble, where, str(where), option.clean_alluredir)
    config.pluginmanager.register(listener, LISTENER)
    for one in (listener, writer):
        allure_commons.plugin_manager.register(one)
        config.add_cleanup(partial(allure_commons.plugin_manager.unregister, one))


class AllureFiles(_Writer):  # type: ignore[misc]  # allure's writer carries no types
    """Writes results and attachments; ``trouble`` receives the errors of the disk."""

    def __init__(self, trouble: Callable[[SetupError], None], folder: Path, *arguments: Any) -> None:
        self._trouble = trouble
        self._folder = folder
        with self._told():
            super().__init__(*arguments)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._trouble(cannot_write(self._folder, error))

    def _report_item(self, item: Any) -> None:
        # The output of allure's own writer, but faster: json.dumps() is written in C, attr.asdict() is not needed.
        name = item.file_pattern.format(prefix=uuid.uuid4())
        with self._told():
            self._put(name, json.dumps(item, default=_fields, ensure_ascii=False).encode("utf-8", "replace"))

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:
        """The fixtures of a test.  A purpose has none but its flow."""

    @allure_commons.hookimpl
    def report_attached_file(self, source: str, file_name: str) -> None:
        """A file as an attachment."""
        with self._told():
            super().report_attached_file(source, file_name)

    @allure_commons.hookimpl
    def report_attached_data(self, body: str | bytes, file_name: str) -> None:
        """Text as an attachment, named by its content; an existing file is not written again."""
        if not (self._folder / file_name).exists():
            with self._told():
                self._put(file_name, body if isinstance(body, bytes) else body.encode("utf-8", "replace"))

    def _put(self, name: str, data: bytes) -> None:
        partial = self._folder / f".{name}.tmp"
        partial.write_bytes(data)
        partial.replace(self._folder / name)


def _fields(part: Any) -> dict[str, Any]:
    """The JSON of a part of a result, without its empty fields."""
    return {name: value for name, value in vars(part).items() if value or value is False}
