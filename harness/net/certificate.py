"""What the certificate of an endpoint says over TLS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Certificate:
    """A certificate that an endpoint shows: right in every way, or wrong in one."""

    names: tuple[str, ...] = ()
    """Whom it names: domains, addresses and ``sip:`` URIs.  None: the endpoint's own address."""
    expired: bool = False
    """Whether its time was over before the run began."""
    stranger: bool = False
    """Whether an authority has signed it that no device trusts."""

    @property
    def made_to_order(self) -> bool:
        """Whether the authority that the device trusts must make it for the plan."""
        return self.expired or bool(self.names)


RIGHT = Certificate()
"""That of every endpoint of which a plan says nothing else."""
