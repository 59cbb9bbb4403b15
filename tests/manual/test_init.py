"""``sipverdict init`` writes a profile that loads, says what each key is for, and takes nothing away from anybody."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import jsonschema
import pytest

from harness import cli
from harness.commands.init_options import ROLES
from harness.device import load_profile
from harness.device.profile.loading import checked_profile
from harness.errors import ProfileError
from harness.manual.first_stimuli import STIMULI
from harness.manual.schema import FILE_NAME, profile_schema, stimulus_sections
from harness.manual.starter import Answers, starter
from harness.net.address import Carrier

THROUGH = {"uas", "b2bua", "proxy", "redirect"}
KINDS = sorted(stimulus_sections())
LEGAL = [(kind, role) for kind in KINDS for role in ROLES if (role in THROUGH if kind == "sipp" else role == "uac")]


def test_every_kind_can_be_begun_with() -> None:
    assert set(KINDS) <= set(STIMULI)


@pytest.mark.parametrize("started", [False, True], ids=["running", "started"])
@pytest.mark.parametrize(("kind", "role"), LEGAL)
def test_what_is_written_loads(kind: str, role: str, started: bool, tmp_path: Path) -> None:
    path = tmp_path / "phone.toml"
    where = ["--start", "phone --listen {address}"] if started else ["--address", "192.0.2.7:5060"]
    said = ["--name", 'Lobby "1" \\ é', "--vendor", "Example", "--model", "T", "--firmware", "1.0", "--serial", "00-1"]
    claims = ["--follows", "--registers", "--max-calls", "3"]
    status = cli.main(["init", str(path), "--role", role, "--stimulus", kind, *where, *said, *claims])
    if kind == "stdin" and not started:
        assert status == 3, "the suite has no standard input of a device that it has not started"
        assert list(tmp_path.iterdir()) == []
        return
    assert status == 0
    profile = load_profile(path)
    device = profile.device
    assert (profile.name, device.roles, profile.stimulus.kind) == ('Lobby "1" \\ é', (role,), kind)
    assert (device.vendor, device.model, device.firmware, device.serial) == ("Example", "T", "1.0", "00-1")
    assert device.max_calls == 3
    assert profile.lab.address == ("{lease}" if started else "192.0.2.7:5060")
    assert (profile.process is not None) == started
    assert profile.claims("follows_redirects") == (role in ("uac", "b2bua"))
    assert profile.claims("proxy_recurses_3xx") == (role == "proxy")
    text = path.read_text("utf-8")
    assert text.startswith(f"#:schema ./{FILE_NAME}\n")
    assert f"sipverdict smoke --device {path}" in text[-500:]
    assert jsonschema.Draft7Validator(profile_schema()).is_valid(tomllib.loads(text))
    assert (tmp_path / FILE_NAME).is_file()


@pytest.mark.parametrize(("kind", "role"), LEGAL)
def test_every_key_is_explained(kind: str, role: str) -> None:
    text = starter(Answers(name="x", roles=(role,), stimulus=kind, start="x"), "x.toml")
    above = ""
    for line in text.splitlines():
        if re.match(r"(# )?[a-z_0-9]+ = |(# )?\[", line):
            explained = " # " in line.removeprefix("# ") or above.startswith("# ") or line.startswith("# ")
            assert explained, line
        above = line
    assert max(map(len, text.splitlines())) <= 120


def test_what_is_commented_out_is_right_as_well(tmp_path: Path) -> None:
    """A user takes the ``# `` away: each such key loads, by itself."""
    for kind, role in LEGAL:
        lines = starter(Answers(name="x", roles=(role,), stimulus=kind, start="x"), "x.toml").splitlines()
        for number, line in enumerate(lines):
            if (
                not re.match(r"# [a-z_0-9]+ = ", line)
                or "= true #" in line
                or line.startswith(("# exten", "# refused", "# username"))
            ):
                continue
            changed = [*lines[:number], line.removeprefix("# "), *lines[number + 1 :]]
            checked_profile(tmp_path / "x.toml", "\n".join(changed))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "expected --role, --address (or --start)"),
        (["--role", "proxy"], "expected --address (or --start)"),
        (["--yes"], "--yes asks no questions: expected --role"),
        (["--role", "toaster"], "--role: invalid choice: 'toaster'"),
        (["--role", "uac", "--start", "x", "--exchange", "pbx:5060"], "--exchange: expected IPv4:port"),
        (["--role", "uac", "--start", "x", *2 * ["--exchange", "127.0.0.8:5060"]], "127.0.0.8:5060 is there twice"),
        (
            ["--role", "uac", "--start", "x", *5 * ["--exchange", "{lease}"]],
            "expected at most 3 further addresses; got 4",
        ),
        (["--role", "uas", "--start", "x", "--number", "declines"], "--number: expected KEY=URI; got 'declines'"),
        (["--role", "uas", "--start", "x", "--number", "sings=sip:1@{device}"], "no such number"),
        (["--role", "b2bua", "--start", "x", "--prefix", "ninety"], "expected digits, as in 97"),
        (["--role", "uac", "--address", "192.0.2.7", "--stimulus", "command"], "--address: expected IPv4:port"),
        (["--role", "uac", "--address", "pbx:5060", "--stimulus", "command"], "--address: expected IPv4:port"),
        (["--role", "uac", "--address", "192.0.2.7:5060", "--tester", "me"], "--tester: expected an IPv4 address"),
        (["--role", "uac", "--address", "192.0.2.7:5060", "--stimulus", "smoke"], "there is no kind 'smoke'"),
        (["--role", "uac", "--address", "192.0.2.7:5060", "--stimulus", "sipp"], "calls through the device"),
        (["--role", "proxy", "--address", "192.0.2.7:5060", "--stimulus", "command"], "makes the device place calls"),
        (["--role", "uac", "--address", "192.0.2.7:5060", "--start", "x"], "expected one of them"),
        (["--role", "proxy", "--start", "phone 'x"], "--start: No closing quotation"),
        (["--role", "proxy", "--role", "b2bua", "--start", "x"], '"proxy" and "b2bua" contradict'),
        (["--role", "proxy", "--start", "x", "--max-calls", "0"], "--max-calls"),
        (["--role", "proxy", "--start", "x", "--name", "a\nb"], "--name: expected printable text"),
        (["--role", "proxy", "--start", "x", "--name", "\udcff"], "--name: expected printable text"),
        (["--role", "proxy", "--start", "x", "--transport", "tls,dtls"], "--transport: there is no transport 'dtls'"),
        (["--role", "proxy", "--start", "x", "--transport", "wss-to-ws"], "or two of them, as in wss-to-udp"),
        (["--role", "proxy", "--start", "x", "--transport", "tls", "--authority", "a"], "--authority-key go together"),
        (["--role", "proxy", "--start", "x", "--authority", "a", "--authority-key", "b"], "--authority is for TLS"),
        (["--role", "proxy", "--start", "{nonsense}"], "{nonsense} is no placeholder"),
    ],
)
def test_wrong_options(
    given: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: SIM115, PTH123 - a run has it open till its end
    assert cli.main(["init", str(tmp_path / "phone.toml"), *given]) == 3
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) <= 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "anywhere", "trunk"),
    [
        ("ami", "PJSIP/sipverdict/{uri}", "PJSIP/{user}@sipverdict"),
        ("esl", "sofia/external/{uri}", "sofia/gateway/sipverdict/{user}"),
    ],
)
def test_a_pbx_that_is_told_to_call_through_its_trunk(kind: str, anywhere: str, trunk: str, tmp_path: Path) -> None:
    where = ["--role", "phone", "--stimulus", kind, "--address", "192.0.2.7:5060", "--tester", "192.0.2.10"]
    assert cli.main(["init", str(tmp_path / "a.toml"), *where]) == 0
    assert cli.main(["init", str(tmp_path / "b.toml"), *where, "--exchange", "192.0.2.10:5070", "--prefix", "97"]) == 0
    alone, through = load_profile(tmp_path / "a.toml"), load_profile(tmp_path / "b.toml")
    assert (alone.device.roles, alone.lab.exchange, alone.lab.registration) == (("uac",), None, None)
    assert alone.stimulus.texts("call")[0] == anywhere  # type: ignore[attr-defined]
    assert (through.lab.exchange, through.lab.prefix) == ("192.0.2.10:5070", "97")
    assert through.stimulus.texts("call")[0] == trunk  # type: ignore[attr-defined]


def test_a_trunk_of_several_addresses(tmp_path: Path) -> None:
    path, addresses = tmp_path / "sbc.toml", ("192.0.2.10:5060", "192.0.2.11:5060", "192.0.2.12:5060")
    where = ["--role", "b2bua", "--address", "192.0.2.7:5060", "--tester", "192.0.2.10"]
    exchanges = [word for address in addresses for word in ("--exchange", address)]
    assert cli.main(["init", str(path), *where, *exchanges]) == 0
    lab = load_profile(path).lab
    assert (lab.exchange, *lab.further_exchanges) == addresses


def test_a_trunk_over_tls(tmp_path: Path) -> None:
    where = ["--role", "b2bua", "--address", "192.0.2.7:5061", "--transport", "tls", "--yes"]
    assert cli.main(["init", str(tmp_path / "a.toml"), *where]) == 0
    known = ["--authority", "lab-ca.pem", "--authority-key", "lab-ca.key"]
    assert cli.main(["init", str(tmp_path / "b.toml"), *where, *known]) == 0
    alone, lab = load_profile(tmp_path / "a.toml"), load_profile(tmp_path / "b.toml")
    assert alone.device.transports == lab.device.transports == ("tls",)
    assert alone.lab.tls is None
    assert lab.lab.tls is not None
    assert (lab.lab.tls.authority, lab.lab.tls.authority_key, lab.lab.tls.demanded) == (
        "lab-ca.pem",
        "lab-ca.key",
        False,
    )
    (tmp_path / "b.toml").write_text((tmp_path / "b.toml").read_text().replace("# demanded", "demanded"))
    mutual = load_profile(tmp_path / "b.toml").lab.tls
    assert mutual is not None
    assert mutual.demanded


def test_a_server_of_websockets(tmp_path: Path) -> None:
    where = ["--role", "proxy", "--address", "192.0.2.7:8080", "--transport", "ws,wss", "--yes"]
    assert cli.main(["init", str(tmp_path / "a.toml"), *where]) == 0
    profile = load_profile(tmp_path / "a.toml")
    assert profile.device.transports == ("ws", "wss")
    assert not profile.lab.opens_websockets
    assert profile.lab.websocket_path == "/"
    assert profile.lab.registrar, "nobody else can be called through a server that opens no WebSockets"


def test_a_gateway_between_two_transports(tmp_path: Path) -> None:
    """It is called at ``--address``; where its other side is, its author must say."""
    where = ["--role", "proxy", "--address", "192.0.2.7:8443", "--transport", "wss,wss-to-udp,udp-to-wss", "--yes"]
    known = ["--authority", "lab-ca.pem", "--authority-key", "lab-ca.key"]
    assert cli.main(["init", str(tmp_path / "a.toml"), *where, *known]) == 0
    text = (tmp_path / "a.toml").read_text()
    assert tomllib.loads(text)["over"] == {"udp": {"lab": {"address": "192.0.2.7:5060"}}}
    assert "CHANGE THIS" in text.partition("[over.udp.lab]")[2]
    profile = load_profile(tmp_path / "a.toml")
    assert profile.device.transports == ("wss", "wss-to-udp", "udp-to-wss")
    assert profile.over(Carrier.of("udp-to-wss")).lab.address == "192.0.2.7:8443"
    assert profile.over(Carrier.of("udp-to-wss").inbound).lab.address == "192.0.2.7:5060"
    assert profile.over(Carrier.of("wss-to-udp")).lab.address == "192.0.2.7:5060"
    assert profile.over(Carrier.of("wss-to-udp").inbound).lab.address == "192.0.2.7:8443"
    assert profile.lab.tls is not None


def test_a_gateway_that_the_suite_starts(tmp_path: Path) -> None:
    where = ["--role", "b2bua", "--start", "sbc {address}", "--exchange", "{lease}", "--transport", "udp-to-tls"]
    assert cli.main(["init", str(tmp_path / "a.toml"), *where, "--yes"]) == 0
    text = (tmp_path / "a.toml").read_text()
    assert "over" not in tomllib.loads(text), "both sides are leased"
    process = load_profile(tmp_path / "a.toml").process
    assert process is not None
    assert "{inbound_address}" in process.called_over_argv[-1]


def test_numbers_and_the_user_of_the_suites_own_calls(tmp_path: Path) -> None:
    path = tmp_path / "phone.toml"
    numbers = ["--number", "declines=sip:603@{device}", "--number", "rings=sip:180{token}@{device}"]
    assert cli.main(["init", str(path), "--role", "answering", *ENOUGH[2:], *numbers, "--user", "200"]) == 0
    lab = load_profile(path).lab
    assert lab.numbers == {"declines": "sip:603@{device}", "rings": "sip:180{token}@{device}"}
    assert lab.credentials is not None
    assert (lab.credentials.user, lab.credentials.password) == ("200", "{secret:USER_PASSWORD}")
    assert tomllib.loads(path.read_text())["secrets"] == {"USER_PASSWORD": {"env": "USER_PASSWORD"}}


ENOUGH = ["--role", "proxy", "--address", "192.0.2.7:5060"]


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, schema = tmp_path / "phone.toml", tmp_path / FILE_NAME
    path.write_text("mine")
    schema.write_text("mine")
    assert cli.main(["init", str(path), *ENOUGH]) == 3
    assert "exists already" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert cli.main(["init", str(path), *ENOUGH, "--force"]) == 0
    assert load_profile(path).device.roles == ("proxy",)
    assert schema.read_text() == "mine", "it is not what was asked for"


def test_no_place_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name, said in (
        ("pipe", "is not a file"),
        (".", "is not a file"),
        ("no/phone.toml", "there is no folder"),
        ("loop", "leads back to itself"),
        ("dangling", "exists already"),
    ):
        force = [] if name == "dangling" else ["--force"]
        assert cli.main(["init", str(tmp_path / name), *ENOUGH, *force]) == 3
        assert said in capsys.readouterr().err


def test_a_profile_that_cannot_be_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="is not TOML"):
        checked_profile(tmp_path / "x.toml", "[device")


class Terminal:
    """``sipverdict init`` on a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            # A controlling terminal is what makes Ctrl-C a signal.
            ["setsid", "--ctty", sys.executable, "-m", "sipverdict", "init", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parent.parent), "TERM": "dumb", "COLUMNS": "200"},
        )
        os.close(slave)
        self.text = ""

    def until(self, wanted: str, seconds: float = 30) -> None:
        seen = len(self.text)
        deadline = time.monotonic() + seconds
        while wanted not in self.text[seen:]:
            assert time.monotonic() < deadline, f"no {wanted!r} in {self.text[seen:]!r}"
            assert self._read(), f"it has ended: {self.text!r}"

    def _read(self) -> bool:
        """Take what it says, waiting a little; False when it has closed the terminal."""
        if not select.select([self._master], [], [], 0.2)[0]:
            return True
        try:
            chunk = os.read(self._master, 4096)
        except OSError:  # EIO: nobody has it open any more
            return False
        self.text += chunk.decode()
        return bool(chunk)

    def answer(self, question: str, text: str) -> None:
        self.until(question)
        os.write(self._master, text.encode())

    def status(self, again: str = "") -> int:
        """How it ends; ``again`` is pressed once more whenever it has said nothing for a while."""
        deadline, silent, said = time.monotonic() + 30, 0, ""
        while self._read():
            silent, said = (silent + 1 if said == self.text else 0), self.text
            if silent == 10:
                os.write(self._master, again.encode())
            assert time.monotonic() < deadline, f"it does not end: {self.text!r}"
        return self.process.wait(30)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._master)
        self.process.kill()
        self.process.wait()


def test_questions_on_a_terminal(tmp_path: Path) -> None:
    with Terminal(tmp_path, "my.toml") as on:
        on.answer("It is a", "toaster\n")
        on.answer("It is a", "uac\n")
        on.answer("Vendor?", "Example Ltd\n")
        on.answer("Model?", "T-1000\n")
        on.answer("Name in reports", "\n")
        on.answer("Its address", "pbx.example.com\n")
        on.answer("Its address", "127.0.0.9:5060\n")
        on.answer("What carries its SIP", "smoke\n")
        on.answer("What carries its SIP", "udp, tcp\n")
        on.answer("make it call", "command\n")
        on.answer("follow a 302", "yes\n")
        on.answer("register", "No\n")
        on.answer("trunk or outbound proxy", "anywhere\n")
        on.answer("trunk or outbound proxy", "127.0.0.8:5060\n")
        on.answer("Digits before every number", "97\n")
        on.answer("calls does it carry", "2\n")
        assert on.status() == 0, on.text
    assert "pbx.example.com" in on.text
    assert "expected IPv4:port" in on.text
    profile = load_profile(tmp_path / "my.toml")
    assert (profile.name, profile.device.vendor, profile.device.max_calls) == ("T-1000", "Example Ltd", 2)
    assert profile.device.transports == ("udp", "tcp")
    assert profile.claims("follows_redirects")
    assert not profile.claims("registers")
    assert (profile.lab.exchange, profile.lab.prefix) == ("127.0.0.8:5060", "97")
    assert "next: complete what says CHANGE THIS, then sipverdict doctor --device my.toml" in on.text


@pytest.mark.parametrize(("key", "status"), [("\x04", 3), ("\x03", 2)], ids=["end of input", "Ctrl-C"])
def test_questions_that_are_not_answered(key: str, status: int, tmp_path: Path) -> None:
    with Terminal(tmp_path) as on:
        on.answer("It is a", "proxy\n")
        on.answer("Vendor?", key)
        # Python may lose a signal that comes just before it begins to read: a person presses the key once more.
        assert on.status(again=key) == status, on.text
    assert "Traceback" not in on.text
    assert list(tmp_path.iterdir()) == []
