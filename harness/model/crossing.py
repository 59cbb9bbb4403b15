"""The reasons why a call from one IP family to the other is not tested."""

from __future__ import annotations

from typing import Final

CANNOT_CROSS: Final = "no endpoint can be reached over the other IP family: "
"""How the reason begins where this machine has only one."""
NO_OTHER_TESTER: Final = "the profile of {} names no address of this machine over {}: lab.tester in [over.{}]"
