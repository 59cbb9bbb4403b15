"""The roles in which a device is tested."""

from __future__ import annotations

from typing import Literal

Role = Literal["uac", "uas", "proxy", "redirect", "b2bua"]
