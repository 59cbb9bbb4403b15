"""The registrar of the exchange: whom it lets in, and where it finds a phone."""

from __future__ import annotations

from harness.lab.registrar import Account, Registrar
from harness.lab.reply import Reply, written
from harness.net.address import Address
from harness.sip.digest import Challenger, parameters, response_of
from harness.sip.message import SipMessage

HERE = Address("192.0.2.7", 5062)
THERE = Address("192.0.2.9", 40_000)


def register(*lines: str, user: str = "100", contact: str = "<sip:100@192.0.2.7:5062>") -> SipMessage:
    return SipMessage(
        "\r\n".join(
            [
                "REGISTER sip:192.0.2.1 SIP/2.0",
                "Via: SIP/2.0/UDP 10.0.0.3:5060;rport;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.4",
                f"From: <sip:{user}@192.0.2.1>;tag=1",
                f"To: <sip:{user}@192.0.2.1>",
                "Call-ID: r",
                "CSeq: 1 REGISTER",
                *([f"Contact: {contact}"] if contact else []),
                *lines,
                "",
                "",
            ]
        )
    )


def credentials(reply: Reply, password: str, user: str = "100") -> str:
    said = parameters(reply.lines[0].partition(": ")[2]) | {
        "username": user,
        "uri": "sip:192.0.2.1",
        "nc": "00000001",
        "cnonce": "c",
        "qop": "auth",
    }
    said["response"] = response_of(said, "REGISTER", password)
    return "Authorization: Digest " + ", ".join(f'{name}="{value}"' for name, value in said.items())


def test_digest_of_the_rfc() -> None:
    """RFC 2617 section 3.5."""
    said = parameters(
        'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="…", opaque="x,y"'
    )
    assert response_of(said, "GET", "Circle Of Life") == "6629fae49393a05397450978507c4ef1"
    assert said["opaque"] == "x,y"


def test_a_challenge_of_somebody_else_proves_nothing() -> None:
    ours, theirs = Challenger("100", "p", "a"), Challenger("100", "p", "b")
    asked = credentials(Reply(401, "", (f"WWW-Authenticate: {theirs.challenge()}",)), "p").partition(": ")[2]
    assert theirs.accepts(asked, "REGISTER")
    assert not ours.accepts(asked, "REGISTER")
    assert not theirs.accepts(asked, "INVITE")
    assert not theirs.accepts("Basic MTAwOnA=", "REGISTER")
    assert response_of({"algorithm": "SHA-999"}, "REGISTER", "p") == ""


def test_without_an_account_whoever_comes_is_registered() -> None:
    registrar = Registrar()
    assert registrar.answer(register(user="x"), HERE, 0).status == 200
    assert [binding.source for binding in registrar.current(1)] == [HERE]


def test_a_phone_with_the_password_is_registered_until_what_was_granted() -> None:
    registrar = Registrar(Account("100", "secret", longest_s=60))
    asked = registrar.answer(register(), HERE, 0)
    assert (asked.status, registrar.current(0)) == (401, ())
    granted = registrar.answer(register(credentials(asked, "secret"), "Expires: 600"), HERE, 10)
    assert (granted.status, granted.lines) == (200, ("Contact: <sip:100@192.0.2.7:5062>;expires=60",))
    assert registrar.current(69)
    assert not registrar.current(71)
    assert registrar.notes() == ()


def test_a_nonce_from_before_is_stale_and_costs_no_password() -> None:
    before = Registrar(Account("100", "secret")).answer(register(), HERE, 0)
    now = Registrar(Account("100", "secret"))
    again = now.answer(register(credentials(before, "secret")), HERE, 0)
    assert (again.status, "stale=true" in again.lines[0], now.notes()) == (401, True, ())
    assert now.answer(register(credentials(again, "secret")), HERE, 0).status == 200


def test_a_wrong_password_is_told_and_ends() -> None:
    registrar = Registrar(Account("100", "secret"))
    reply = registrar.answer(register(), HERE, 0)
    statuses = []
    for _ in range(4):
        refused = registrar.answer(register(credentials(reply, "other")), HERE, 0)
        statuses.append(refused.status)
        reply = refused if refused.lines else reply
    assert statuses == [401, 401, 403, 403]
    assert registrar.notes() == ("4 REGISTER refused: a wrong password, or another realm than 'sipverdict'",)


def test_another_user_is_not_known() -> None:
    registrar = Registrar(Account("100"))
    assert registrar.answer(register(user="200"), HERE, 0).status == 404
    assert "the user is '200', expected '100'" in registrar.notes()[0]


def test_the_newest_of_two_ports_is_called() -> None:
    registrar = Registrar(Account("100"))
    registrar.answer(register(), HERE, 0)
    registrar.answer(register(contact="<sip:100@10.0.0.3>"), THERE, 5)
    assert [binding.source for binding in registrar.current(6)] == [THERE, HERE]
    assert registrar.notes() == ("it registered from 192.0.2.7:5062 and 192.0.2.9:40000: calls to it go to the newest",)


def test_a_phone_that_registers_twice_is_registered_once() -> None:
    registrar = Registrar()
    for moment in (0, 5):
        registrar.answer(register(), HERE, moment)
    assert [binding.until for binding in registrar.current(6)] == [3605]
    assert registrar.notes() == ()


def test_bindings_are_asked_for_and_removed() -> None:
    registrar = Registrar()
    registrar.answer(register(), HERE, 0)
    assert len(registrar.answer(register(contact=""), HERE, 1).lines) == 1
    assert registrar.answer(register(contact="*"), HERE, 1).status == 400
    registrar.answer(register(contact="<sip:100@192.0.2.7:5062>;expires=0"), HERE, 2)
    assert registrar.current(2) == ()
    registrar.answer(register(), HERE, 3)
    assert registrar.answer(register("Expires: 0", contact="*"), HERE, 4).status == 200
    assert registrar.current(4) == ()


def test_absurd_lifetimes_are_cut() -> None:
    registrar = Registrar()
    registrar.answer(register("Expires: 99999999999999999999"), HERE, 0)
    registrar.answer(register("Expires: soon", contact="<sip:1@192.0.2.8>;expires=123456789012345"), HERE, 0)
    assert {binding.until for binding in registrar.current(1)} == {3600}


def test_a_reply_says_where_the_request_was_seen() -> None:
    text = written(Reply(200, "OK", ("X: y",)), register(), THERE, "mine").decode()
    assert (
        "Via: SIP/2.0/UDP 10.0.0.3:5060;rport=40000;received=192.0.2.9;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP 10.0.0.4\r\n"
    ) in text
    assert "To: <sip:100@192.0.2.1>;tag=mine\r\n" in text
    assert text.endswith("Content-Length: 0\r\n\r\n")
