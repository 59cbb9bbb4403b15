"""Which devices are asked about names in Contacts, and what is said of the others."""

from __future__ import annotations

import socket
from pathlib import Path

from harness.commands.replay import replay
from harness.model.zone import CANNOT_LISTEN
from tests.run.suite import ROOT, run_suite

REFERENCE = (ROOT / "harness" / "devices" / "reference" / "device.toml").read_text().partition("[variant")[0]
NAMES = "suites/uac/test_redirect_to_a_name.py::test_name_leads_to_its_best_server"
BACKUP = "suites/uac/test_decline_and_failover.py"


def profile(folder: Path, name: str, *changes: tuple[str, str]) -> str:
    text = REFERENCE.replace('name = "reference"', f'name = "{name}"')
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return f"--device={path}"


def test_only_devices_that_resolve_names_are_asked_and_the_reason_is_said(tmp_path: Path) -> None:
    no_resolver = ('resolver_argv = ["--resolver", "{resolver}"]\n', ""), ('resolver = "{lease}"\n', "")
    no_backup = ("backup = true\n", ""), ("backup_proxy = true\n", ""), ('backup_argv = ["--backup", "{backup}"]\n', "")
    with socket.create_server(("127.0.0.1", 0)) as other:
        place = f"127.0.0.1:{other.getsockname()[1]}"
        run = run_suite(
            tmp_path / "out",
            "--role=uac",
            profile(tmp_path, "plain"),
            profile(tmp_path, "modest", ("dns = true\n", "")),
            profile(tmp_path, "unplugged", *no_resolver, *no_backup),
            profile(tmp_path, "taken", ('resolver = "{lease}"', f'resolver = "{place}"')),
            profile(tmp_path, "stays", ("follows_redirects = true", "follows_redirects = false"),
                    ("multi_contact = true\n", ""), ("b2bua_follows = true\n", "")),
            NAMES, "suites/uac/test_next_server.py::test_decline_does_not_move_the_call_to_the_next_server", BACKUP,
        )  # fmt: skip
    said = {
        (line["device"], line["purpose"].rpartition("/")[2]): (line["verdict"], line["reason"]) for line in run.records
    }
    best, following = "name_leads_to_its_best_server", "decline_does_not_move_the_call_to_the_next_server"
    backup = "decline_does_not_move_the_call_to_the_backup"
    assert [said["plain", purpose][0] for purpose in (best, following, backup)] == ["pass"] * 3, run.output
    assert said["modest", best][0] == "not_applicable"
    assert "does not declare (follows_redirects or proxy_recurses_3xx) and dns" in said["modest", best][1]
    assert said["unplugged", best] == (
        "not_tested", "the profile of unplugged does not point it at the lab's names: lab.resolver",
    )  # fmt: skip
    assert said["taken", best] == ("not_tested", f"{CANNOT_LISTEN}another program has TCP {place} (ss -lptun)")
    assert {said[name, following][0] for name in ("modest", "stays")} == {"not_applicable"}
    assert {said[name, backup][0] for name in ("modest", "taken", "stays")} == {"pass"}
    assert said["unplugged", backup][0] == "not_applicable"
    assert replay(str(run.folder)) == 0, run.output
