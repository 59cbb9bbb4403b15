"""Test purposes: one pytest test that decides one or more requirements, with the plan it needs as data.

    @purpose("RFC3261-21.6-01", plan=DECLINE, faults=["redials_at_once"])
    def test_decline_is_final(flow: Flow) -> Findings:
        '''The rule in one sentence. …'''
        yield silent(flow, after=…)

The body is the judge: a pure function of the flow.  It is called by the run's session, as soon as the flow is
complete and once more when a fail is confirmed, and by ``sipverdict replay``; pytest only waits for its verdict.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harness.judge.attempts import original
from harness.judge.say import unseen
from harness.model.axes import Axes, in_words
from harness.model.finding import Finding, Ruled
from harness.model.flow import Flow
from harness.model.plan import Plan
from harness.model.verdict import Verdict, combine
from harness.net.address import Carrier, Passage
from harness.requirements.catalogue import Catalogue
from harness.requirements.ruling import Ruling

Judge = Callable[..., Iterable[Finding]]
Side = Literal["both", "either", "inbound", "outbound"]
"""Where the question of a purpose arises at a device that is called over one transport and calls over another: in the
calls to it, in its own calls, at each message by itself (``either``), or only where both are as it needs them."""
_OF_FOLDER: Final[Mapping[str, Side]] = {"uac": "outbound", "uas": "inbound"}
_MARK = "__sipverdict_purpose__"
ROBUSTNESS = "robustness"
"""The folder of the purposes that are run only where that is asked for."""
ROUNDS = 12
"""How many plans are drawn unless a run asks for more."""


ONLY_OVER = "its question arises over {} only, not over {}"
NOT_DECLARED = "the device does not declare {} (device.transports, device.further_transports)"
"""Why a purpose whose plan changes the transport is not asked."""
NO_RESOLVER = "the profile of {} does not point it at the lab's names: lab.resolver"
"""Why a purpose whose plan has a zone is not asked."""
NO_AUTHORITY_KEY = (
    "{} trusts an authority whose key the suite has not got (lab.tls.authority_key), to make a wrong certificate"
)
"""Why a purpose about certificates is not asked."""
KEEPS_REINVITES = "{} does not claim sends_reinvite: it answers the re-INVITEs of its callers by itself"
"""Why a purpose about re-INVITEs is not tested on a B2BUA."""


@dataclass(frozen=True)
class Purpose:
    """What a purpose decides, wants to happen, and must be able to catch."""

    name: str
    """``uac/decline/decline_is_final``: folder, topic, sentence."""
    requirements: tuple[str, ...]
    plans_by_role: Mapping[str, tuple[Plan, ...]]
    """The plans of a role, and under "" those of every other one.

    Several: the judge is called for each flow (``flow``), or once with all of them (``flows``).
    """
    judge: Judge
    faults: tuple[str, ...]
    """The faults of the reference device under which it must not pass."""
    roles: tuple[str, ...]
    """Empty: those of its catalogue rows."""
    acts: frozenset[str]
    """What the stimulus must be able to do besides placing a call (``hangup``, ``reinvite``)."""
    least_window: float
    """Seconds: in a run with a shorter window it is skipped, with the reason."""
    side: Side = "both"
    everywhere: bool = False
    """An invariant: it has no plan of its own, and is judged over every flow of the device in the run."""
    draw: Callable[[int], Plan] | None = None
    """Makes the plan of a number from 1 on, always the same: such a purpose has as many plans as a run asks for."""

    @property
    def apart(self) -> bool:
        """Whether it is run only where that is asked for (``--robustness``): it is no part of the whole suite."""
        return self.name.startswith(f"{ROBUSTNESS}/")

    def arises_over(self, carrier: Carrier, transports: Collection[Passage]) -> bool:
        """Whether a question that arises over ``transports`` arises in what ``carrier`` carries."""
        if carrier.passage in transports:
            return True
        match self.side:
            case "inbound":
                return carrier.inbound.transport in transports
            case "outbound":
                return carrier.transport in transports
            case "either":
                return not carrier.transports.isdisjoint(transports)
        return carrier.transports <= {*transports}

    def with_rounds(self, rounds: int) -> Purpose:
        """The purpose with so many drawn plans; itself where it draws none, or none are asked for (0)."""
        if self.draw is None or not rounds:
            return self
        return dataclasses.replace(self, plans_by_role={"": tuple(map(self.draw, range(1, rounds + 1)))})

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Every plan that is driven in some role."""
        return tuple(dict.fromkeys(plan for plans in self.plans_by_role.values() for plan in plans))

    def plans_for(self, role: str) -> tuple[Plan, ...]:
        """The plans that are driven for a device in ``role``."""
        return self.plans_by_role.get(role) or self.plans_by_role.get("", ())

    @property
    def judges_each_flow(self) -> bool:
        """Whether each plan is judged by itself, so that one which cannot be driven takes nothing from the others."""
        return "flows" not in inspect.signature(self.judge).parameters

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring: the rule."""
        return " ".join((inspect.getdoc(self.judge) or "").split("\n\n", 1)[0].split())

    def findings(self, flows: Sequence[Flow], rows: Iterable[str]) -> tuple[Finding, ...]:
        """What the judge says of ``flows`` (one per plan, in order) about the requirements ``rows``.

        Every row gets at least one finding: what the judge did not come to speak of is ``unseen``.
        """
        said = [
            dataclasses.replace(finding, requirement=row)
            for group in self._calls(flows)
            for finding in group
            for row in self._rows_of(finding)
        ]
        wanted = set(rows)
        kept = [finding for finding in said if finding.requirement in wanted]
        silent = [row for row in self.requirements if row in wanted and all(f.requirement != row for f in kept)]
        return (*kept, *(unseen("nothing in the flow shows this", requirement=row) for row in silent))

    def says_of(self, flow: Flow, rows: Iterable[str]) -> tuple[Finding, ...]:
        """What an invariant says of one flow about ``rows``; nothing where it had no occasion to show."""
        wanted = set(rows)
        return tuple(
            dataclasses.replace(finding, requirement=row, flow=flow.id)
            for finding in self.judge(flow)
            for row in self._rows_of(finding)
            if row in wanted
        )

    def _calls(self, flows: Sequence[Flow]) -> Iterable[Iterable[Finding]]:
        for flow in flows:
            if missing := _missing(flow):
                reason = "; ".join(trouble.text for trouble in flow.troubles) or missing
                yield [unseen(reason, code="no-call", requirement=row) for row in self.requirements]
                return
        if self.judges_each_flow:
            for flow in flows:
                yield self.judge(flow)
        else:
            yield self.judge(tuple(flows))

    def _rows_of(self, finding: Finding) -> tuple[str, ...]:
        # A finding without a name speaks for every requirement of the purpose (the same wire fact).
        return (finding.requirement,) if finding.requirement else self.requirements


def _missing(flow: Flow) -> str:
    """Why there is nothing to judge in ``flow``; "" if there is."""
    # Without an endpoint nobody is there whom a B2BUA could call: it answers the caller itself (a number of its own).
    if flow.role == "uac" or (flow.role == "b2bua" and flow.plan.endpoints):
        return "" if original(flow) else "no INVITE of the device arrived"
    # The device acts on what it is sent.  What it makes of that is for the judge, once it made anything of it.
    callers = [seat.name for seat in flow.seats if seat.kind == "caller"]
    if not flow.select(at=callers, received=False, where=lambda event: event.method not in (None, "REGISTER", "ACK")):
        return "the caller's request was not sent"
    answered = flow.select(at=callers, received=True, where=lambda event: event.cseq_method != "REGISTER")
    passed_on = flow.select(received=True, where=lambda event: event.method is not None and event.seat not in callers)
    return "" if answered or passed_on else "the device neither answered the caller's request nor passed it on"


Plans = Plan | Sequence[Plan]


def purpose(
    *requirements: str,
    plan: Plans | Mapping[str, Plans] = (),
    draw: Callable[[int], Plan] | None = None,
    faults: Sequence[str] = (),
    roles: Sequence[str] = (),
    acts: Iterable[str] = (),
    least_window: float = 0.0,
    side: Side | None = None,
) -> Callable[[Judge], Judge]:
    """Make a test function a purpose.

    ``side``: None for what its folder says: those of ``uac`` are about a device's own calls, those of ``uas`` about the
    calls to it.

    ``plan`` may differ by role (``{"uas": …, "proxy": …}``): a device that answers calls itself is brought to a refusal
    in another way than one that passes on what somebody else answers.  It is then a purpose for these roles.
    ``draw`` makes further plans, as many as a run asks for: see :attr:`Purpose.draw`.
    """

    def decorate(judge: Judge) -> Judge:
        by_role = plan if isinstance(plan, Mapping) else {"": plan}
        made = Purpose(
            name=name_of(judge),
            requirements=requirements,
            plans_by_role={role: (some,) if isinstance(some, Plan) else tuple(some) for role, some in by_role.items()},
            judge=judge,
            faults=tuple(faults),
            roles=tuple(roles) or tuple(role for role in by_role if role),
            acts=frozenset(acts),
            least_window=least_window,
            draw=draw,
            side=side or side_of(judge),
        ).with_rounds(ROUNDS)

        return as_test(made)

    return decorate


def name_of(judge: Judge) -> str:
    """The name of the purpose whose judge it is: folder, topic, sentence."""
    module = judge.__module__.removeprefix("suites.").replace("test_", "").replace(".", "/")
    return f"{module}/{judge.__name__.removeprefix('test_')}"


def side_of(judge: Judge) -> Side:
    """The side that the folder of its module stands for."""
    return _OF_FOLDER.get(name_of(judge).partition("/")[0], "both")


def as_test(made: Purpose) -> Judge:
    """``made`` as pytest collects it: a plain function, for pytest refuses test functions that yield."""

    @functools.wraps(made.judge)
    def collected(*flows: object, **named: object) -> tuple[Finding, ...]:
        return tuple(made.judge(*flows, **named))

    setattr(collected, _MARK, made)
    return collected


def purpose_of(function: object) -> Purpose | None:
    """The purpose that ``function`` was made; None if it is none."""
    found = getattr(function, _MARK, None)
    return found if isinstance(found, Purpose) else None


def applicable_rows(
    purpose: Purpose, catalogue: Catalogue, axes: Axes, pics: Mapping[str, bool]
) -> tuple[tuple[str, ...], str]:
    """The requirements that bind a device with ``pics`` at ``axes``; if none do, the reason in words."""
    of_role = [catalogue[row] for row in purpose.requirements if axes.role in catalogue[row].roles]
    carried = [row for row in of_role if purpose.arises_over(axes.carrier, row.transports)]
    if of_role and not carried:
        others = in_words({transport for row in of_role for transport in row.transports})
        return (), f"not applicable over {axes.transport}: its requirements are about {others}"
    bound = tuple(row.id for row in carried if row.applies_to(pics))
    if bound:
        return bound, ""
    conditions = sorted({row.applies_if for row in carried})
    return (), f"not applicable: the device does not declare {' / '.join(conditions)}"


def rule_all(
    findings: Iterable[Finding], catalogue: Catalogue, ruling: Ruling, pics: Mapping[str, bool]
) -> tuple[tuple[Ruled, ...], Verdict]:
    """The findings ruled, worst finding of each requirement first, and the verdict of them all."""
    worst: dict[str, Ruled] = {}
    for finding in findings:
        ruled = ruling.rule(finding, catalogue[finding.requirement], pics)
        known = worst.get(finding.requirement)
        # At equal cost an observation of a violation ("info") is worth more than "as required".
        told = (
            known is not None
            and ruled.verdict == known.verdict
            and finding.outcome == "violated"
            and known.finding.outcome != "violated"
        )
        if known is None or ruled.verdict > known.verdict or told:
            worst[finding.requirement] = ruled
    return tuple(worst.values()), combine(ruled.verdict for ruled in worst.values())
