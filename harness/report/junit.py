"""``junit.xml`` as CI systems show it best: a suite for each device, and an inconclusive test as an error.

pytest writes one suite, in which whatever did not pass is a failure.  GitLab, Jenkins and GitHub's annotators count
errors by themselves: a failure is the device's doing there, an error is not.
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from harness.errors import SetupError
from harness.store.files import write_whole

_COUNTED: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def by_device(path: Path) -> None:
    """Write pytest's file at ``path`` anew; SetupError if that is impossible.  No file: nothing to do."""
    try:
        root = ET.parse(path).getroot()
    except FileNotFoundError:
        return
    except (OSError, ET.ParseError) as error:
        raise SetupError(f"{path}: expected the junit.xml that pytest has just written, but {error}") from error
    made = ET.Element(root.tag, root.attrib)
    for suite in root.iter("testsuite"):
        made.extend(_split(suite))
    ET.indent(made, " ")
    write_whole(path, ET.tostring(made, encoding="utf-8", xml_declaration=True))


def _split(suite: ET.Element) -> Iterable[ET.Element]:
    """The suites of the devices in ``suite``, in order; tests of no device stay in one of its own name."""
    of_device: dict[str, list[ET.Element]] = {}
    for test in suite.iter("testcase"):
        told = {one.get("name"): one.get("value", "") for one in test.iter("property")}
        if told.get("verdict") in ("inconclusive", "none"):
            for failure in test.findall("failure"):
                failure.tag = "error"
        of_device.setdefault(told.get("device", ""), []).append(test)
    for device, tests in (of_device or {"": []}).items():
        made = ET.Element("testsuite", suite.attrib)
        made.set("name", device or suite.get("name", "pytest"))
        made.set("tests", str(len(tests)))
        for attribute, tag in _COUNTED.items():
            made.set(attribute, str(sum(test.find(tag) is not None for test in tests)))
        made.extend(copy.deepcopy(part) for part in suite.findall("properties"))
        made.extend(tests)
        yield made
