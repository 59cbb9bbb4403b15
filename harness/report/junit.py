"""``junit.xml`` as CI systems show it best: a suite for each device, and an inconclusive test as an error.

pytest writes one suite, in which whatever did not pass is a failure.  GitLab, Jenkins and GitHub's annotators count
errors by themselves: a failure is the device's doing there, an error is not.
"""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from harness.errors import SetupError
from harness.store.files import write_whole

_COUNTED: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def merged_junit(before: Path, again: Path, path: Path) -> None:
    """Write the tests of the file ``before`` to ``path``, those that ``again`` repeats replaced and marked.

    The mark is the property ``repeated``.  SetupError if a file cannot be read or written; without both: nothing.
    """
    if not (before.is_file() and again.is_file()):
        return
    try:
        old, new = ET.parse(before).getroot(), ET.parse(again).getroot()
    except (OSError, ET.ParseError) as error:
        raise SetupError(f"{before} and {again}: expected the junit.xml of two runs, but {error}") from error
    fresh = {_name(test): test for test in new.iter("testcase")}
    for test in fresh.values():
        properties = test.find("properties")
        if properties is None:
            properties = ET.SubElement(test, "properties")
        ET.SubElement(properties, "property", {"name": "repeated", "value": "true"})
    for suite in old.iter("testsuite"):
        for place, test in enumerate(list(suite)):
            if test.tag == "testcase" and (other := fresh.pop(_name(test), None)) is not None:
                suite[place] = other
    # What the first run had not come to.
    old.extend(suite for suite in new.iter("testsuite") if _without_others(suite, fresh))
    write_whole(path, ET.tostring(old, encoding="utf-8", xml_declaration=True))
    by_device(path)


def _name(test: ET.Element) -> tuple[str, str]:
    return test.get("classname", ""), test.get("name", "")


def _without_others(suite: ET.Element, fresh: Mapping[tuple[str, str], ET.Element]) -> bool:
    """Leave only ``fresh`` tests in ``suite``, and say whether there are any."""
    for test in suite.findall("testcase"):
        if _name(test) not in fresh:
            suite.remove(test)
    return suite.find("testcase") is not None


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
