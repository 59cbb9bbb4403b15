"""Invariants: rules that always hold, judged over every flow of a device, at every occurrence.

    @invariant("RFC3261-17.1.1.3-01", faults=["acks_only_first_branch"])
    def test_every_refusal_is_acknowledged(flow: Flow) -> Findings:
        '''The rule in one sentence. …'''
        for attempt in attempts(flow): yield …

A purpose asks one question in one plan.  An invariant asks the same of everything that was heard, whatever the plan
was about.  Its judge yields ``satisfied`` for each occurrence that is right, ``violated`` for each that is not, and
nothing where the flow gives no occasion.  It has no ``unseen``: a flow without an occasion says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.purposes.purpose import Judge, Purpose, Side, as_test, name_of


def invariant(
    *requirements: str, faults: Sequence[str] = (), roles: Sequence[str] = (), side: Side = "both"
) -> Callable[[Judge], Judge]:
    """Make a test function an invariant.

    ``roles``: empty for those of its catalogue rows.  ``side``: see :data:`harness.purposes.purpose.Side`.
    """

    def decorate(judge: Judge) -> Judge:
        return as_test(
            Purpose(
                name=name_of(judge),
                requirements=requirements,
                plans_by_role={},
                judge=judge,
                faults=tuple(faults),
                roles=tuple(roles),
                acts=frozenset(),
                least_window=0.0,
                side=side,
                everywhere=True,
            )
        )

    return decorate
