"""A case: one purpose on one device at one point of the axes, which is one pytest item and one record."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.axes import Axes, CaseId, Role
from harness.model.outcome import NOT_APPLICABLE, NOT_TESTED, Skipped
from harness.model.plan import Plan
from harness.net.address import Family, Passage
from harness.purposes.purpose import Purpose


@dataclass(frozen=True)
class Case:
    """One purpose on one device in one role, over one transport and family."""

    purpose: Purpose
    device: str
    axes: Axes
    rows: tuple[str, ...]
    """The requirements that bind the device; empty: the case does not apply."""
    skip: str = ""
    """Why the case is not asked; "" if it is."""
    plans: tuple[Plan, ...] = ()
    """Those that are driven: the purpose's, less those that the device's profile does not permit."""

    @property
    def skipped(self) -> Skipped | None:
        """Which kind of skipped it is: not tested where requirements bind the device all the same."""
        if not self.skip:
            return None
        return NOT_TESTED if self.rows else NOT_APPLICABLE

    @property
    def role(self) -> Role:
        """The role that the device has in it."""
        return self.axes.role

    @property
    def transport(self) -> Passage:
        """What carries its SIP."""
        return self.axes.transport

    @property
    def family(self) -> Family:
        """Over IPv4 or IPv6."""
        return self.axes.family

    @property
    def id(self) -> CaseId:
        """What tells it from every other case of the run."""
        return CaseId(self.purpose.name, self.device, self.role, self.transport, self.family)
