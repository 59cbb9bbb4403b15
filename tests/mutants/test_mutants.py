"""The operators, the names of mutants, and what is told of them."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from harness.paths import ROOT
from harness.store import mutation
from harness.store.mutation import Sample
from tests.mutants import lawful, record, report
from tests.mutants.__main__ import main
from tests.mutants.finder import find
from tests.mutants.mutant import PACKAGE, Mutant, all_mutants, sample
from tests.mutants.results import Results
from tests.mutants.signatures import Signatures
from tests.mutants.trial import Outcome, Result


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    return all_mutants()


def changes(source: str) -> set[tuple[str, str]]:
    """Operator and new text of every change of ``source``."""
    tree = ast.parse(source)
    return {(found.change.operator, found.change.text) for found in find(tree, Signatures.of([tree]))}


@pytest.mark.parametrize(
    ("source", "operator", "text"),
    [
        ("def f(a):\n    g(a)\n", "drop_statement", "pass"),
        ("def f(a):\n    if a: g(a)\n", "negate", "not a"),
        ("def f(a):\n    if not a: g(a)\n", "negate", "a"),
        ("def f(a):\n    if a: g(a)\n", "always", "True"),
        ("def f(a):\n    if a: g(a)\n", "never", "False"),
        ("def f(a):\n    return a < 3\n", "off_by_one", "a <= 3"),
        ("def f(a):\n    return a == 3\n", "compare_opposite", "a != 3"),
        ("def f(a, b):\n    return a and b\n", "drop_clause", "b"),
        ("x = 70\n", "change_constant", "69"),
        ("x = 0.5\n", "change_constant", "1.0"),
        ("x = 'Via'\n", "change_constant", "'Vi'"),
        ("x = 'From'\n", "swap_names", "'To'"),
        ("def f(a):\n    return a.source\n", "swap_names", "a.destination"),
        ("x = (('Via', v), ('To', t))\n", "drop_header", "(('To', t),)"),
        ("def f(a):\n    return a in (1, 2)\n", "drop_element", "(1,)"),
        ("def f(a, b):\n    return a.x + b.y\n", "drop_operand", "a.x"),
        ("def f(a):\n    for x in a: g(x)\n", "first_only", "list(a)[:1]"),
        ("def f(a: int, b: int): ...\nf(1, 2)\n", "swap_arguments", "f(2, 1)"),
        ("def f(*, a: int = 1): ...\nf(a=2)\n", "drop_argument", "f()"),
        ("x = y.with_field('Via')\n", "unwrap", "y"),
        ("x = f'{a}:{b}'\n", "drop_text", "f'{a}{b}'"),
        ("def f() -> int | None:\n    return 3\n", "return_nothing", "return None"),
    ],
)
def test_operator_makes_the_change(source: str, operator: str, text: str) -> None:
    assert (operator, text) in changes(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""\n',
        "import a\n",
        "def f(a: int) -> int:\n    assert a\n",
        "if TYPE_CHECKING:\n    x = 3\n",
        "Pair = tuple[int, str]\n",
        "def f(a: int, b: str): ...\nx = f(a, b)\n",
    ],
)
def test_nothing_is_changed_that_no_run_evaluates(source: str) -> None:
    assert changes(source) == set()


def test_every_mutant_compiles_and_has_a_name_of_its_own(mutants: list[Mutant]) -> None:
    assert max(Counter(mutant.id for mutant in mutants).values()) == 1
    for mutant in sample(mutants, 300, 0):
        compile(mutant.applied((ROOT / PACKAGE / mutant.file).read_text("utf-8")), mutant.file, "exec")


def test_the_name_of_a_mutant_does_not_depend_on_its_line(tmp_path: Path) -> None:
    names = []
    for before in ("", "# one more line\n"):
        (tmp_path / "a.py").write_text(f"{before}def f(a):\n    return a.source\n")
        names.append([mutant.id for mutant in all_mutants(tmp_path)])
    assert names[0] == names[1] == ["a:f:swap_names:b98c4b"]


def test_a_seed_chooses_the_same_mutants(mutants: list[Mutant]) -> None:
    assert sample(mutants, 10, 1) == sample(mutants, 10, 1) != sample(mutants, 10, 2)


def test_what_is_lawful_names_a_mutant(mutants: list[Mutant]) -> None:
    assert lawful.stale(lawful.load(), (mutant.id for mutant in mutants)) == []


def test_what_is_lawful_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "lawful.toml").write_text('"a:f:negate:123456" = ""\n')
    with pytest.raises(ValueError, match="a:f:negate:123456"):
        lawful.load(tmp_path / "lawful.toml")


def result(identifier: str, outcome: Outcome) -> Result:
    return Result(identifier, outcome, "negate", "a.py", 1, "--- a.py\n+++ a.py\n-x\n+y")


def test_the_score_leaves_out_what_does_no_wrong(tmp_path: Path) -> None:
    outcomes: tuple[Outcome, ...] = (
        *("caught", "caught", "warned", "gap", "inconclusive"),
        *("lawful", "equivalent", "unusable", "not executed"),
    )
    score = report.write([result(str(at), one) for at, one in enumerate(outcomes)], tmp_path, {"seed": 1})
    assert (score.caught, score.lawful, score.counted, score.share) == (3, 1, 6, 0.6)
    assert "Mutation score: 60%" in (tmp_path / "report.txt").read_text()


def test_results_are_kept_for_the_same_suite(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Results(path, {"suite": "one"}).add(result("a", "gap"))
    with path.open("a") as file:
        file.write('{"about": {"sui')  # the machine stopped here
    Results(path, {"suite": "one"}).add(result("b", "caught"))
    assert Results(path, {"suite": "one"}).known == {"a": result("a", "gap"), "b": result("b", "caught")}
    other = Results(path, {"suite": "other"})
    assert (other.known, other.ever(("gap",)), other.ever(("caught",))) == ({}, {"a"}, {"b"})


def test_what_one_window_settles_a_second_one_does_not_change(tmp_path: Path) -> None:
    path, one = tmp_path / "results.jsonl", {"suite": "one", "windows": ["quick"]}
    for outcome in ("caught", "gap"):
        Results(path, one).add(result(outcome, outcome))
    assert set(Results(path, one | {"windows": ["quick", "standard"]}).known) == {"caught"}
    assert not Results(path, one | {"windows": ["standard"]}).known
    assert not Results(path, {"suite": "other", "windows": ["quick", "standard"]}).known


SAMPLE = Sample(3, 1, 6, 9, 100, 7, ("quick",), "c" * 40, "2026-01-02")


def test_a_recorded_score_says_what_was_measured(tmp_path: Path) -> None:
    outcomes: tuple[Outcome, ...] = ("caught", "caught", "warned", "gap", "inconclusive", "lawful", "equivalent")
    told = [result(str(at), one) for at, one in enumerate(outcomes)]
    path = tmp_path / "mutation.json"
    assert mutation.sentence(path) == ""
    made = record.record(told, of=100, seed=7, windows=["quick", "standard"], path=path)
    assert mutation.recorded(path) == made
    assert (made.share, made.caught, made.counted, made.lawful, made.mutants, made.of) == (0.6, 3, 6, 1, 7, 100)
    assert mutation.sentence(path).startswith(
        "60% (3 caught of 5 that do wrong; 7 of 100 by chance, seed 7, window quick then standard, "
    )


def test_the_figures_say_the_recorded_score() -> None:
    known = mutation.recorded()
    assert known is not None
    assert record.row(known) in record.FIGURES.read_text("utf-8")
    assert record.row(SAMPLE) in record.with_row(record.FIGURES.read_text("utf-8"), SAMPLE)
    with pytest.raises(ValueError, match="expected one row"):
        record.with_row("| other |", SAMPLE)


def test_the_command_chooses_mutants_of_a_module(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    chosen = ["--list", "-n", "3", "--seed", "1", "--transport", "tls", "--module", "stream", "--out", str(tmp_path)]
    assert main(chosen) == 0
    identifiers = capsys.readouterr().out.split()
    assert len(identifiers) == 3
    assert all(identifier.startswith("stream:") for identifier in identifiers)
