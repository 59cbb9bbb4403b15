"""Rendering: what is refused, and that the rest is XML that SIPp will read."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import get_args

import jinja2
import pytest

from harness.endpoints.sipp import scenario
from harness.endpoints.sipp.answer_scenario import render_answer
from harness.endpoints.sipp.call_scenario import render_call
from harness.endpoints.sipp.values import escape
from harness.errors import PlanError
from harness.model.places import Places
from harness.model.plan import Act, Answer, Call, Endpoint, Response
from harness.net.address import Address

OWN = Address("127.0.40.1")
PLACES = Places("4711", {"callee": OWN, "target": Address("127.0.40.2", 5070)})


def render(*answers: Answer, name: str = "callee") -> str:
    return render_answer(Endpoint(name, "callee", answers), PLACES, OWN)


def test_placeholders_are_filled_in() -> None:
    text = render(Answer((Response(302, "To {target.host}", ("<sip:{token}@{target}>",), ("X: {callee.port}",)),)))
    assert "SIP/2.0 302\\x20To 127.0.40.2\n" in text
    assert "Contact: <sip:4711@127.0.40.2:5070>\n" in text
    assert "X: 5060\n" in text


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer((Response(302, contacts=("<sip:{nobody}>",)),)), "answer 1.*'<sip:{nobody}>'.*nobody"),
        (Answer((Response(302, headers=("X: {target.colour}",)),)), "colour"),
        (Answer((Response(302, "{"),)), "cannot be filled in"),
        (Answer((Response(302, contacts=("<sip:a>\r\nX: injected",)),)), "line break"),
        (Answer((Response(302, contacts=("<sip:a\0>",)),)), "NUL"),
        (Answer((Response(99),)), "99 is not a SIP status code"),
        (Answer((Response(302), Response(180))), "provisional response cannot be the last"),
        (Answer((Response(180),), copies=(1,)), "no final response"),
        (Answer((Response(200),), reinvites=(Response(180),)), "one final response"),
        (Answer((Response(302, after=-1),)), "no time to wait"),
        (Answer((Response(302, tag="a b"),)), "tag label"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_its_place(answer: Answer, says: str) -> None:
    with pytest.raises(PlanError, match=f"(?s)endpoint 'callee'.*{says}"):
        render(answer)


def test_an_endpoint_without_answers_is_refused() -> None:
    with pytest.raises(PlanError, match="no answers"):
        render()


def test_a_scenario_that_sipp_could_not_load_is_refused() -> None:
    with pytest.raises(PlanError, match=r"'callee' has .* bytes"):
        render(Answer((Response(302, contacts=("x" * 30_000, "y" * 30_000)),)))


def test_a_template_that_wants_more_than_it_is_given_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = jinja2.Environment(
        loader=jinja2.DictLoader({"answer.xml.j2": "{{ nothing }}"}), undefined=jinja2.StrictUndefined
    )
    monkeypatch.setattr(scenario, "_environment", lambda: broken)
    with pytest.raises(PlanError, match=r"answer\.xml\.j2.*'nothing' is undefined"):
        render(Answer())


@pytest.mark.parametrize(
    "answers",
    [
        (Answer(),),
        (Answer((Response(480),)),),
        (Answer((Response(180, after=0.5), Response(302, after=1, contacts=("<sip:a>",)))), Answer(copies=())),
        (Answer((Response(200),), then="wait", reinvites=(Response(603, after=0.1), Response(200))), Answer()),
        (Answer((Response(200),), copies=(0.5, 1)), Answer((Response(603),), copies=(0.5,))),
        (Answer((Response(302, "]]> <&'\"> [x] \\", headers=("X: ]]></scenario>",)),)),),
    ],
)
def test_what_is_rendered_is_xml(answers: tuple[Answer, ...]) -> None:
    root = ElementTree.fromstring(render(*answers, name='a "<&> [b] \\ --'))
    assert root.tag == "scenario"
    assert root.get("name") == 'a "<&> [b] \\ --'
    labels = {label.get("id") for label in root.iter("label")}
    for element in root.iter():
        for attribute in ("next", "ontimeout"):
            assert element.get(attribute) in {None, *labels}


def test_labels_are_numbered_as_sipp_counts() -> None:
    text = render(Answer((Response(180), Response(302))), Answer((Response(603),)))
    root = ElementTree.fromstring(text)
    position, labels = 0, {}
    for element in root:
        if element.tag == "label":
            labels[element.get("id")] = position
        elif element.tag in ("send", "recv", "nop", "pause"):
            position += 1
    values = [action.get("value") or "" for action in root.iter("assignstr")]
    assert str(labels["answer_2"]) in values
    assert f"[$number]>{labels['answer_1']}" in values
    assert "[at:" not in text


@pytest.mark.parametrize("act", get_args(Act))
def test_every_act_of_a_caller_is_rendered(act: Act) -> None:
    places = Places("1", device=Address("127.0.40.3"))
    text = render_call(Call("sip:1@[::1]:5060", act=act), places, OWN)
    assert ElementTree.fromstring(text).tag == "scenario"
    assert "INVITE sip:1@\\x5B::1\\x5D:5060 SIP/2.0" in text


def test_escape() -> None:
    assert escape("a[b]\\c") == "a\\x5Bb\\x5D\\x5Cc"
    assert escape("a,\r\n b,\r\n\tc") == "a,\n\\x20b,\n\\x09c"
    assert escape("tab\there") == "tab\\x09here"
