"""What comes with churn: the SBOM in the wheel, the page of licences, and an audit that knows when nobody answered."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import hatch_build
from tests.test_wheel import installed  # noqa: F401

ROOT = Path(__file__).parents[1]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def bom(installed):  # noqa: F811
    (file,) = installed.glob("churn-*.dist-info/sboms/*.json")
    return file.read_text(encoding="utf-8")


def test_the_sbom_is_one_by_the_words_of_cyclonedx_itself(bom):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bom) is None
    content = json.loads(bom)
    assert content["metadata"]["component"]["name"] == "churn"
    assert all(one["externalReferences"] for one in content["components"])
    assert json.dumps(hatch_build.sbom(LOCK, "1")) == json.dumps(hatch_build.sbom(LOCK, "1"))


def test_it_holds_what_uv_would_install(bom):
    uv = shutil.which("uv") or ROOT / ".venv-uv" / "bin" / "uv"
    if not Path(uv).exists():
        pytest.skip("no uv here")
    for extras, scopes in ([], {"required"}), (["--all-extras"], {"required", "optional"}):
        export = [
            "export",
            "--frozen",
            "--no-default-groups",
            "--no-emit-project",
            "--no-hashes",
            "--offline",
            "-q",
            *extras,
        ]
        done = subprocess.run([uv, *export], cwd=ROOT, capture_output=True, text=True, check=True)
        told = set(re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", done.stdout, re.MULTILINE))
        listed = {(c["name"], c["version"]) for c in json.loads(bom)["components"] if c["scope"] in scopes}
        assert listed == told


def test_every_package_has_its_licence_on_the_page():
    told = runpy.run_path(str(ROOT / ".ci" / "licences.py"))["kept"]()
    assert set(told) == {name for name, _ in hatch_build.closure(LOCK)}, "run `make licences`"
    assert not [name for name, licence in told.items() if licence == "not known"]
    # Of these a program that only uses them may be sold and closed; of others a person should know.
    strict = re.compile(r"(?<!L)GPL|AGPL|SSPL|Commons Clause|Business Source|Proprietary")
    assert not {name: licence for name, licence in told.items() if strict.search(licence)}


def audit(folder, text, **environ):
    file = folder / "requirements.txt"
    file.write_text(text)
    nowhere = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
        "NO_PROXY": "",
        "no_proxy": "",
    }
    return subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit.py", file],
        env={**os.environ, **nowhere, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_audit_that_nobody_answers_says_so_and_checks_the_hashes(tmp_path):
    pinned = f"wheel==0.45.1 \\\n    --hash=sha256:{'0' * 64}\n"
    done = audit(tmp_path, pinned)
    assert done.returncode == 0, done.stderr
    assert "not audited: pypi.org does not answer (nobody has answered here yet)" in done.stderr
    assert audit(tmp_path, pinned, CHURN_REQUIRE_AUDIT="1").returncode == 1
    loose = audit(tmp_path, pinned + "six==1.17.0\n")
    assert (loose.returncode, "without a hash: six" in loose.stderr) == (1, True)


def test_what_is_known_fails_the_audit(capsys):
    told = runpy.run_path(str(ROOT / ".ci" / "audit.py"))["told"]
    bug = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    one = {"name": "six", "version": "1.0", "vulns": []}
    assert told({"dependencies": [one]}) == 0
    assert told({"dependencies": [one, {**one, "vulns": [bug]}]}) == 1
    assert "six 1.0: PYSEC-1, fixed in 2.0" in capsys.readouterr().out
