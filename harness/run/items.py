"""The cases of pytest's items.

Under pytest-xdist a worker reports only the ids of its items.  An id is looked up among the possible cases of the run;
it is never parsed.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.device.spec import DeviceSpec
from harness.model.axes import CaseId
from harness.purposes.purpose import Purpose
from harness.requirements.catalogue import Catalogue


def roles_of(purpose: Purpose, catalogue: Catalogue) -> tuple[str, ...]:
    """The roles that ``purpose`` is for: its own or, if it names none, those of its requirements."""
    rows = (row for row in purpose.requirements if row in catalogue)
    return purpose.roles or tuple(dict.fromkeys(role for row in rows for role in catalogue[row].roles))


def cases_of_the_suite(specs: Iterable[DeviceSpec], purposes: Iterable[Purpose], catalogue: Catalogue) -> int:
    """How many cases the whole suite has for ``specs``: skipped ones included, less what is run apart."""
    roles: list[str] = [axes.role for spec in specs for axes in spec.axes]
    whole = (purpose for purpose in purposes if not purpose.apart)
    return sum(roles.count(role) for purpose in whole for role in roles_of(purpose, catalogue))


class Items:
    """Looks up the case of an item by its id."""

    def __init__(self, specs: Iterable[DeviceSpec]) -> None:
        made = (CaseId("", spec.name, one.role, one.transport, one.family) for spec in specs for one in spec.axes)
        self._cases = {case.item: case for case in made}

    def case(self, nodeid: str) -> CaseId | None:
        """The case of ``suites/uac/test_topic.py::test_sentence[device-uac-udp]``; None for an item of another kind."""
        item, _, parameter = nodeid.removesuffix("]").partition("[")
        found = self._cases.get(parameter)
        if found is None:
            return None
        path, _, function = item.rpartition("::")
        module = path.removesuffix(".py").rpartition("suites/")[2].replace("test_", "")
        purpose = f"{module}/{function.removeprefix('test_')}"
        return CaseId(purpose, found.device, found.role, found.transport, found.family)
