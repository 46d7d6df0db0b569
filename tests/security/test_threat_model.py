"""The threat model names tests: all of them exist, and no line of it is without one."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/security.md").read_text("utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
WITHOUT = {"a vulnerable version"}  # which cannot be tested without the network


def test_tests_are_named():
    assert len(NAMED) > 50


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_every_test_that_the_threat_model_names_exists(file):
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {name for of, name in NAMED if of == file} <= there


def test_every_threat_has_a_defence_and_a_proof():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")
    ]
    threats = [row for row in rows if len(row) == 3 and row[0] != "threat"]
    assert len(threats) > 40
    assert [row[0] for row in threats if row[0] not in WITHOUT and not ("::" in row[2] and row[1])] == []


def test_every_test_of_security_stands_for_a_line_or_for_a_part_of_one():
    """A file of these tests that the page forgets would prove something that nobody is told."""
    files = {path.name for path in Path(__file__).parent.glob("test_*.py")} - {Path(__file__).name}
    assert files <= {file.rpartition("/")[2] for file, _ in NAMED}
