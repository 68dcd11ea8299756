"""Links to the course on a hub, and the values for a class on Kubernetes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from instructor.links import on_hub
from tools.site import links

ROOT = Path(__file__).parents[2]
VALUES = ROOT / "instructor" / "hub" / "values.yaml"
STEM = "04_maml_on_sinusoids"


def asked(address: str) -> dict[str, str]:
    """The one value of each parameter, decoded once."""
    return {key: value for key, (value,) in parse_qs(urlsplit(address).query).items()}


def test_a_link_on_a_hub_names_repository_branch_and_page():
    address = on_hub("https://hub.example.org/", STEM)
    assert address.startswith("https://hub.example.org/hub/user-redirect/git-pull?")
    assert asked(address) == {
        "repo": f"https://github.com/{links.OWNER}/{links.CLASS}",
        "branch": "main",
        "urlpath": f"lab/tree/metalearn-lite/workbook/{STEM}.ipynb",
    }


# --- values.yaml ---------------------------------------------------------------------------------

# Every setting that values.yaml uses, with its type in `jupyterhub/values.schema.yaml` of
# github.com/jupyterhub/zero-to-jupyterhub-k8s at 48ea50e (24 July 2026; chart 4.4 came out on
# 10 June). Below a name that ends with "*" the chart takes what Kubernetes or JupyterHub takes.
# With METALEARN_LITE_Z2JH=folder, which holds that file and the chart's values.yaml, the test
# below looks at the schema itself.
KNOWN = {
    "hub.config.*": object,
    "hub.activeServerLimit": int,
    "hub.concurrentSpawnLimit": int,
    "singleuser.image.name": str,
    "singleuser.image.tag": str,
    "singleuser.cmd.*": list,
    "singleuser.defaultUrl": str,
    "singleuser.startTimeout": int,
    "singleuser.extraEnv.*": str,
    "singleuser.extraFiles.start-course.mountPath": str,
    "singleuser.extraFiles.start-course.mode": int,
    "singleuser.extraFiles.start-course.stringData": str,
    "singleuser.memory.guarantee": str,
    "singleuser.memory.limit": str,
    "singleuser.cpu.guarantee": float,
    "singleuser.cpu.limit": int,
    "singleuser.storage.type": str,
    "singleuser.storage.capacity": str,
    "singleuser.storage.homeMountPath": str,
    "singleuser.storage.extraVolumes.*": object,
    "singleuser.storage.extraVolumeMounts.*": object,
    "singleuser.networkPolicy.enabled": bool,
    "singleuser.networkPolicy.egressAllowRules.cloudMetadataServer": bool,
    "singleuser.networkPolicy.egressAllowRules.privateIPs": bool,
    "singleuser.networkPolicy.egressAllowRules.nonPrivateIPs": bool,
    "singleuser.networkPolicy.egress.*": list,
    "singleuser.cloudMetadata.blockWithIptables": bool,
    "singleuser.cloudMetadata.ip": str,
    "cull.enabled": bool,
    "cull.timeout": int,
    "cull.every": int,
    "cull.maxAge": int,
    "cull.adminUsers": bool,
    "prePuller.continuous.enabled": bool,
    "prePuller.hook.enabled": bool,
}


def values() -> dict:
    return yaml.safe_load(VALUES.read_text(encoding="utf-8"))


def leaves(table: dict, above: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        name = f"{above}{key}"
        if f"{name}.*" in KNOWN and isinstance(value, dict):
            yield from ((f"{name}.*", each) for each in value.values())
        elif f"{name}.*" in KNOWN:
            yield f"{name}.*", value
        elif isinstance(value, dict):
            yield from leaves(value, f"{name}.")
        else:
            yield name, value


def test_the_chart_knows_every_setting():
    found = list(leaves(values()))
    assert {name for name, _ in found} == set(KNOWN)
    for name, value in found:
        assert isinstance(value, KNOWN[name]), name
        assert not isinstance(value, bool) or KNOWN[name] in (bool, object), name


def test_a_setting_that_the_chart_has_not_is_seen():
    wrong = values()
    wrong["singleuser"]["memory"]["limits"] = "2G"
    assert "singleuser.memory.limits" in {name for name, _ in leaves(wrong)} - set(KNOWN)


@pytest.mark.skipif(
    "METALEARN_LITE_Z2JH" not in os.environ,
    reason="METALEARN_LITE_Z2JH names no folder with the chart's values.yaml and its schema",
)
def test_the_chart_s_own_schema_takes_the_values():
    import jsonschema

    folder = Path(os.environ["METALEARN_LITE_Z2JH"])
    schema, chart = (
        yaml.safe_load((folder / name).read_text(encoding="utf-8"))
        for name in ("values.schema.yaml", "values.yaml")
    )
    errors = jsonschema.Draft7Validator(schema).iter_errors(merged(chart, values()))
    assert not [f"{list(each.path)}: {each.message}" for each in errors]


def merged(below: dict, above: dict) -> dict:
    """As helm lays a user's values over the chart's."""
    both = {key: merged(below[key], above[key]) for key in below.keys() & above.keys()
            if isinstance(below[key], dict) and isinstance(above[key], dict)}  # fmt: skip
    return below | above | both


def test_a_class_is_shut_in_and_fits():
    single = values()["singleuser"]
    policy = single["networkPolicy"]
    assert policy["enabled"]
    assert not any(policy["egressAllowRules"].values())
    assert [port["port"] for rule in policy["egress"] for port in rule["ports"]] == [443]
    assert single["storage"]["extraVolumeMounts"]["omniglot"]["readOnly"]
    shared = single["storage"]["extraVolumeMounts"]["omniglot"]["mountPath"]
    assert single["extraEnv"]["METALEARN_LITE_DATA"] == shared
    assert single["image"]["tag"] != "latest"
    folder = single["extraEnv"]["COURSE_REPOSITORY"].rsplit("/", 1)[1]
    assert folder == links.CLASS
    assert single["extraEnv"]["PYTHONPATH"] == f"{single['storage']['homeMountPath']}/{folder}"
    assert single["defaultUrl"] == f"/lab/tree/{folder}/workbook/{links.FIRST}.ipynb"


# --- what a learner's server does first ----------------------------------------------------------

PULL = """\
#!/bin/sh
[ -z "$NO_NETWORK" ] || exit 1
mkdir -p "$3/metalearn_lite/teaching"
echo "open('workbook', 'a').write('made;')" > "$3/metalearn_lite/teaching/workbook.py"
echo "$1 $2 $3" > pulled
"""


def started(home: Path, **environment: str) -> subprocess.CompletedProcess:
    """Runs the start script with programs of the test's own in place of the real ones."""
    programs = home.parent / "programs"
    programs.mkdir(exist_ok=True)
    home.mkdir(exist_ok=True)
    script = values()["singleuser"]["extraFiles"]["start-course"]["stringData"]
    for name, text in (
        ("start-course", script),
        ("gitpuller", PULL),
        ("jupyterhub-singleuser", '#!/bin/sh\npwd\nfor each in "$@"; do echo "[$each]"; done\n'),
        ("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'),
    ):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    return subprocess.run(
        [programs / "start-course", "--port=1", "a b"],
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "HOME": str(home),
            "COURSE_REPOSITORY": "https://example.org/course",
            "COURSE_BRANCH": "main",
            **environment,
        },
        capture_output=True, text=True, check=True,
    )  # fmt: skip


def test_a_learner_s_server_pulls_makes_the_workbook_and_starts(tmp_path):
    home = tmp_path / "a home"
    done = started(home)
    assert done.stdout.splitlines() == [str(home), "[--port=1]", "[a b]"]
    assert (home / "pulled").read_text() == "https://example.org/course main metalearn-lite\n"
    assert (home / "metalearn-lite" / "workbook").read_text() == "made;"


def test_a_learner_s_server_starts_without_a_network(tmp_path):
    home = tmp_path / "a home"
    done = started(home, NO_NETWORK="yes")
    assert done.stdout.splitlines() == [str(home), "[--port=1]", "[a b]"]
    assert "it stays as it was" in done.stderr
    started(home)
    done = started(home, NO_NETWORK="yes")
    assert (home / "metalearn-lite" / "workbook").read_text() == "made;made;"
