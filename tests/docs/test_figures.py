"""Figures that documents repeat are those of the reports that they come from."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import ROOT

FAMILIES = {"ultrascale_plus": "UltraScale+", "series7": "7 series", "ecp5": "ECP5"}


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def held_out(family: str) -> list[list[str]]:
    """Median, nine of ten and worst error in percent: of LUTs, flip-flops, DSP, block RAM."""
    (row,) = re.findall(
        rf"^### {family}: held-out rows\n.*?^\| \*\*all\*\* \| \d+ \| (.+?) \|$",
        page("docs/resource_model.md"),
        re.M | re.S,
    )
    return [re.findall(r"[\d.]+(?= %)", cell) for cell in row.split(" | ")]


@pytest.mark.parametrize("family", FAMILIES)
def test_errors_of_estimates(family: str) -> None:
    lut, ff, *_ = held_out(family)
    assert f"{FAMILIES[family]} {lut[0]} / {lut[2]} %" in page("docs/estimates.md")
    assert f"{ff[0]} / {ff[2]} %" in page("docs/estimates.md")


def test_errors_that_the_readme_tells() -> None:
    luts = [[f"{float(figure):.0f}" for figure in held_out(family)[0]] for family in FAMILIES]
    medians, _, worst = zip(*luts, strict=True)
    text = "LUTs are {}, {} and {} % off at the median, {}, {} and {} % at worst".format(*medians, *worst)
    assert text in page("README.md")


def test_conformance_as_it_was_run() -> None:
    cells = re.findall(r"^\| total \| (.+) \|$", page("docs/conformance.md"), re.M)[0].split(" | ")
    cases, _, words, mismatched, *_, planted = cells
    assert f"{mismatched} words of {words} in the last conformance run" in page("docs/estimates.md")
    assert f"{cases} of {cases} cases" in page("docs/estimates.md")
    found, faults = planted.split("/")
    assert found == faults and f"Planted faults in the RTL ({faults} of them)" in page("docs/faq.md")
