"""A case: one purpose on one device at one point of the axes, which is one pytest item and one record."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.axes import Axes, CaseId, Role
from harness.model.plan import Plan
from harness.net.address import Family, Transport
from harness.purposes.purpose import Purpose


@dataclass(frozen=True)
class Case:
    """One purpose on one device in one role, over one transport and family."""

    purpose: Purpose
    device: str
    axes: Axes
    rows: tuple[str, ...]
    """The requirements that apply; empty: the case is skipped."""
    skip: str = ""
    left_out: tuple[Plan, ...] = ()
    """The plans of the purpose that the lab does not permit, where the others can be judged without them."""

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The plans that are driven."""
        return tuple(plan for plan in self.purpose.plans_for(self.role) if plan not in self.left_out)

    @property
    def role(self) -> Role:
        """The role that the device has in it."""
        return self.axes.role

    @property
    def transport(self) -> Transport:
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
