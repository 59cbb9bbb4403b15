"""The key of a finding: what it is about and what was wrong, whatever words a report uses.

The key is the same in every run.  A waiver names it, and every report prints it in one line that a person can copy:
``RFC3261-21.6-01:uac/decline_is_final/decline_is_final:uac:redialled``.  The line holds no blank and no character that
a shell, a TOML string or a file name would treat specially.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from harness.model.axes import ROLES, Role

CODE_FORM: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
"""A code: words of lower-case letters and digits, joined by hyphens."""
LONGEST: Final = 400
"""Characters of a key."""
_FORM: Final = re.compile(
    r"(?P<requirement>[A-Za-z0-9][A-Za-z0-9._-]*):(?P<purpose>\w+(?:/\w+)+):(?P<role>\w+):(?P<code>[a-z0-9-]+)"
)


@dataclass(frozen=True)
class FindingKey:
    """What identifies a finding."""

    requirement: str
    """The id of the catalogue row."""
    purpose: str
    """``uac/decline/decline_is_final``: folder, topic and sentence."""
    role: Role
    """The role in which the device was tested."""
    code: str
    """What was wrong: ``redialled``, ``no-ack``.  One code is one defect; see :attr:`Finding.code`."""

    def __str__(self) -> str:
        return f"{self.requirement}:{self.purpose}:{self.role}:{self.code}"

    @classmethod
    def parse(cls, text: str) -> FindingKey:
        """The key that ``str`` wrote as ``text``; ValueError if it is none."""
        found = _FORM.fullmatch(text) if len(text) <= LONGEST else None
        role = next((role for role in ROLES if found and role == found["role"]), None)
        if found is None or role is None or not CODE_FORM.fullmatch(found["code"]):
            raise ValueError(f"expected REQUIREMENT:PURPOSE:ROLE:CODE, found {text[:120]!r}")
        return cls(found["requirement"], found["purpose"], role, found["code"])
