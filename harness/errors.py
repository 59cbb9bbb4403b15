"""What can go wrong that is not the device's verdict, each with its cause and what to do next.

Three things must never look alike: "the device did wrong" (:class:`Nonconformity`), "we could not tell"
(:class:`Inconclusive`) and "you, or this machine, are set up wrong" (:class:`SetupError`).
"""

from __future__ import annotations


class SipverdictError(Exception):
    """Base of everything raised on purpose.  ``hint`` is one sentence: what to do next."""

    def __init__(self, cause: str, hint: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.cause}\n  hint: {self.hint}" if self.hint else self.cause


class SetupError(SipverdictError):
    """The run cannot start or go on: usage, configuration, this machine.  Exit status 3."""


class ProfileError(SetupError):
    """A device profile cannot be used: the message names the file, the key and what was expected."""


class SippError(SetupError):
    """SIPp is missing, of an unusable version, or did not come up."""


class PlanError(SetupError):
    """A purpose's plan cannot be rendered: a mistake in the suite, found at collection."""


class DeviceError(SipverdictError):
    """The device could not be started, reached or asked to call: nothing can be judged."""


class EvidenceError(SipverdictError):
    """A stored run is not one, or is damaged.  Exit status 4."""


class Nonconformity(AssertionError):
    """The device did wrong, confirmed: pytest's "failed".  Its text is the finding's report."""


class Inconclusive(SipverdictError):
    """No verdict could be reached: pytest's "failed", Allure's "broken" - never an assertion."""
