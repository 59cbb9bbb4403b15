"""The table of options in docs/running.md."""

from __future__ import annotations

from collections.abc import Iterator

from harness.errors import SetupError
from harness.paths import DOCS
from harness.run.options import GROUPS, Option

FILE_NAME = "running.md"
BEGIN = "<!-- Made from harness/run/options.py by `python -m harness.manual`; change it there. -->"
END = "<!-- End of what is made. -->"


def page() -> str:
    """docs/running.md with the table as it is to be; the rest of the page is written by hand."""
    text = (DOCS / FILE_NAME).read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise SetupError(f"docs/{FILE_NAME}: expected the lines {BEGIN} and {END}", "restore them around the options")
    return "".join((before, begin, "\n\n", *table(), "\n", end, after))


def table() -> Iterator[str]:
    """The lines of the table."""
    yield "| option | value | meaning | default | commands |\n|---|---|---|---|---|\n"
    for group in GROUPS:
        rows = [option for option in group.options if "run" in option.commands]
        yield f"| **{group.title}** | | | | |\n"
        for option in rows:
            cells = (f"`{option.flag}`", _value(option), _meaning(option), option.default, _commands(option))
            yield f"| {' | '.join(cells)} |\n"


def _value(option: Option) -> str:
    value = ", ".join(f"`{choice}`" for choice in option.choices) or option.metavar
    return f"{value}; repeatable" if option.repeatable else value


def _meaning(option: Option) -> str:
    more = f" ([{option.page}]({option.page}))" if option.page else ""
    return f"{option.help}{more}".replace("|", "\\|")


def _commands(option: Option) -> str:
    return ", ".join(f"`{command}`" for command in option.commands)
