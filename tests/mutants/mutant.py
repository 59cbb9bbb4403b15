"""A mutant: one change of one file of the reference device.  Its name stays the same as long as the text does."""

from __future__ import annotations

import ast
import difflib
import hashlib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.paths import ROOT
from tests.mutants.finder import Found, find
from tests.mutants.signatures import Signatures

PACKAGE: Final = Path("harness/devices/reference")
NOT_ITS_SIP: Final = frozenset(
    {
        "__main__.py",
        "binding.py",
        "console.py",
        "control_port.py",
        "diagnostics.py",
        "web.py",
    }
)
"""How the device is started and told what to do; its wire is elsewhere."""
_ATOMS: Final = (
    *(ast.Constant, ast.JoinedStr, ast.Name, ast.Attribute, ast.Call, ast.Subscript),
    *(ast.Tuple, ast.List, ast.Dict, ast.Set),
)


@dataclass(frozen=True)
class Mutant:
    """One small change."""

    id: str
    """``file:function:operator:hash``: the hash is of the text before and after, so a line may move."""
    file: str
    """Relative to the package: ``transactions/client.py``."""
    function: str
    operator: str
    lines: range
    """The lines of the statement that is changed."""
    at: tuple[int, int]
    """Offsets in the UTF-8 bytes of the file."""
    before: str
    after: str

    @property
    def module(self) -> str:
        """The file without its ending, with which the id begins: ``transactions/client``."""
        return self.file.removesuffix(".py")

    @property
    def module_level(self) -> bool:
        """Whether it is evaluated when the module is loaded, and shows wherever its result is used."""
        return not self.function or self.function.rpartition(".")[2].lstrip("_")[:1].isupper()

    def applied(self, source: str) -> str:
        """The source of the file with the change."""
        content, (start, end) = source.encode(), self.at
        return (content[:start] + self.after.encode() + content[end:]).decode()

    def diff(self, source: str) -> str:
        """The change as a reader of patches knows it."""
        before, after = source.splitlines(), self.applied(source).splitlines()
        lines = difflib.unified_diff(before, after, self.file, self.file, n=1, lineterm="")
        return "\n".join(lines)


def all_mutants(package: Path = ROOT / PACKAGE) -> list[Mutant]:
    """Every mutant of the device, in the order of files and lines."""
    files = mutable_files(package)
    signatures = Signatures.of(ast.parse((package / file).read_text("utf-8")) for file in files)
    return [mutant for file in files for mutant in mutants_of(package, file, signatures)]


def mutable_files(package: Path) -> list[str]:
    """The files whose code makes the device's wire.  ``misbehaviour`` is wrong on purpose, and ``faults`` lists it."""
    names = (path.relative_to(package) for path in sorted(package.rglob("*.py")))
    return [
        str(name) for name in names if name.parts[0] not in ("misbehaviour", "faults") and str(name) not in NOT_ITS_SIP
    ]


def mutants_of(package: Path, file: str, signatures: Signatures) -> Iterator[Mutant]:
    """The mutants of one file."""
    source = (package / file).read_text("utf-8")
    offsets = _line_offsets(source)
    seen: Counter[str] = Counter()
    for found in find(ast.parse(source), signatures):
        node, start = found.change.node, offsets[found.change.node.lineno - 1] + found.change.node.col_offset
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        end = offsets[node.end_lineno - 1] + node.end_col_offset
        before, after = source.encode()[start:end].decode(), _in_place(found)
        if _is_same(found):
            continue
        digest = hashlib.sha256(f"{before}\0{after}".encode()).hexdigest()[:6]
        identifier = f"{file.removesuffix('.py')}:{found.function}:{found.change.operator}:{digest}"
        seen[identifier] += 1
        if seen[identifier] > 1:
            identifier += f".{seen[identifier]}"
        yield Mutant(identifier, file, found.function, found.change.operator, found.lines, (start, end), before, after)


def sample(mutants: Sequence[Mutant], number: int, seed: int) -> list[Mutant]:
    """``number`` of them by chance, the same ones for the same seed; all of them if there are no more."""
    return random.Random(seed).sample(mutants, min(number, len(mutants)))


def _in_place(found: Found) -> str:
    """The new text, in brackets where its surroundings could otherwise take it apart."""
    text = found.change.text
    if isinstance(found.change.node, ast.stmt) or isinstance(ast.parse(text, mode="eval").body, _ATOMS):
        return text
    return f"({text})"


def _is_same(found: Found) -> bool:
    """Whether it is no change at all, such as two equal arguments in the other order."""
    node = found.change.node
    return isinstance(node, ast.expr) and ast.dump(ast.parse(found.change.text, mode="eval").body) == ast.dump(node)


def _line_offsets(source: str) -> list[int]:
    offsets = [0]
    for line in source.encode().splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    return offsets
