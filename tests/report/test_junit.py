"""junit.xml has a suite for each device, an error for what is inconclusive, and the times of the drives."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from harness.errors import SetupError
from harness.report.junit import by_device
from harness.report.steps import times_of
from tests.report.flows import DECLINED, flow

CASE = """<testcase classname="suites.uac.test_x" name="test_y[{device}]" time="{time}"><properties>
<property name="device" value="{device}"/><property name="verdict" value="{verdict}"/></properties>{said}</testcase>"""
WRITTEN = f"""<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="3" skipped="1" tests="5" time="9.1"
timestamp="2026-11-29T10:00:00+00:00" hostname="lab"><properties><property name="window" value="quick"/></properties>
{CASE.format(device="a", verdict="pass", time=5, said="")}
{CASE.format(device="b", verdict="fail", time=6, said='<failure message="calls again">all</failure>')}
{CASE.format(device="a", verdict="inconclusive", time=5, said='<failure message="not seen">&amp; é</failure>')}
{CASE.format(device="a", verdict="not_tested", time=0, said='<skipped message="window"/>')}
<testcase classname="tests.x" name="another" time="0.1"><failure message="no purpose">x</failure></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def suites(tmp_path: Path) -> dict[str, ET.Element]:
    path = tmp_path / "junit.xml"
    path.write_text(WRITTEN, "utf-8")
    by_device(path)
    return {str(suite.get("name")): suite for suite in ET.parse(path).getroot().findall("testsuite")}


def counts(suite: ET.Element) -> dict[str, str]:
    return {name: suite.get(name, "") for name in ("tests", "failures", "errors", "skipped")}


def test_a_suite_for_each_device(suites: dict[str, ET.Element]) -> None:
    assert list(suites) == ["a", "b", "pytest"]
    assert counts(suites["a"]) == {"tests": "3", "failures": "0", "errors": "1", "skipped": "1"}
    assert counts(suites["b"]) == {"tests": "1", "failures": "1", "errors": "0", "skipped": "0"}
    assert counts(suites["pytest"]) == {"tests": "1", "failures": "1", "errors": "0", "skipped": "0"}
    for suite in suites.values():
        assert suite.get("hostname") == "lab"
        assert [one.attrib for one in suite.findall("properties/property")] == [{"name": "window", "value": "quick"}]


def test_inconclusive_is_an_error_and_keeps_its_words(suites: dict[str, ET.Element]) -> None:
    (error,) = suites["a"].iter("error")
    assert (error.get("message"), error.text) == ("not seen", "& é")
    assert [test.get("time") for test in suites["a"].findall("testcase")] == ["5", "5", "0"]


def test_no_file_is_no_trouble_and_another_file_is_one(tmp_path: Path) -> None:
    by_device(tmp_path / "junit.xml")
    (tmp_path / "junit.xml").write_text("<testsuites")
    with pytest.raises(SetupError, match=r"junit\.xml: expected the junit\.xml that pytest has just written"):
        by_device(tmp_path / "junit.xml")


def test_drives_side_by_side_count_once() -> None:
    one = flow(*DECLINED)
    began, ended, took = times_of([one, one])
    assert (began, ended) == times_of([one])[:2]
    assert took == pytest.approx(ended - began)
    assert took > 1
    assert times_of([]) == (0.0, 0.0, 0.0)
