"""CITATION.cff: the keys that its format requires, and what pyproject.toml and LICENSE say."""

import re
import tomllib
from pathlib import Path

import yaml

from tools.site import links

ROOT = Path(__file__).parents[1]
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_has_what_version_1_2_of_the_format_requires():
    assert CITATION["cff-version"] == "1.2.0"
    for key in ("message", "title"):
        assert isinstance(CITATION[key], str)
        assert CITATION[key]
    assert CITATION["authors"]
    for author in CITATION["authors"]:
        assert "name" in author or {"family-names", "given-names"} <= set(author)
    assert CITATION["type"] in ("software", "dataset")


def test_it_says_what_the_package_says():
    assert str(CITATION["version"]) == PROJECT["version"]
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["keywords"] == PROJECT["keywords"]
    assert PROJECT["name"] in CITATION["title"]
    holder = re.search(r"Copyright \(c\) \d+ (.+)", (ROOT / "LICENSE").read_text(encoding="utf-8"))
    assert holder[1] in [author["name"] for author in CITATION["authors"]]


def test_both_name_the_course_s_addresses():
    assert CITATION["url"] == PROJECT["urls"]["Homepage"] == links.SITE
    assert CITATION["repository-code"] == PROJECT["urls"]["Source"] == links.REPOSITORY
