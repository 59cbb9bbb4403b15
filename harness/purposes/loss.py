"""What is said of a device that was lost while it was tested.  Pure: the session and ``replay`` both use it.

No verdict rests on a dead device: no judge sees such a flow.  A device must not die of a message, whatever the message
says, so the plan that kills it fails when it was driven alone and did so once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.judge.say import unseen
from harness.model.finding import Finding
from harness.model.flow import Flow, Loss
from harness.model.verdict import Verdict

CODE = "device-lost"


def of_loss(flows: Sequence[Flow], rows: Iterable[str]) -> Iterator[Finding]:
    """A finding for each of ``rows`` if the device was lost in one of ``flows``; nothing if it was not."""
    lost = [(flow.loss, flow.id) for flow in flows if flow.loss is not None]
    if not lost:
        return
    order = {"alone": 0, "once": 1, "beside": 2}
    loss, flow = min(lost, key=lambda one: order[one[0].ruling])
    for row in rows:
        yield _finding(loss, flow, row)


def _finding(loss: Loss, flow: str, row: str) -> Finding:
    where = f"after {loss.after}" if loss.after else "before it was sent anything"
    if loss.ruling == "alone":
        return Finding(
            row,
            "violated",
            CODE,
            expected=("the device keeps running, whatever it is sent",),
            actual=f"the device {loss.how} {where}, alone on the line as in flow {loss.before}",
            event=loss.event,
            flow=flow,
            where=loss.after,
            means="one message from the network ends every call of the device, and nobody can call it",
            look_at="the device's own log or core file at that moment",
            at_least=Verdict.FAIL,
        )
    if loss.ruling == "once":
        why = f"not repeatable: the device {loss.how} {where}, in flow {loss.before}; driven again alone it did not"
    else:
        why = f"the device {loss.how} {where}, while other calls were going on: nothing here is evidence"
    return unseen(why, code=CODE, requirement=row)
