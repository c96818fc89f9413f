"""The Kubernetes manifests: valid, closed in themselves, and true of the program."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from oracle.containerfile import read_containerfile
from oracle.deployed import DEPLOY, read_command

VARIANTS = ("base", "one-node", "elasticsearch")
VERSIONS = ("1.30", "1.37")
SCHEMAS = Path(sys.prefix) / "schemas"
"""Where `make setup` puts the package kubernetes-validate."""


@pytest.fixture(scope="module", params=VARIANTS)
def manifests(
    request: pytest.FixtureRequest, require: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """What `kubectl kustomize` makes of a folder and of the files that its head asks for."""
    require("kubectl")
    place = tmp_path_factory.mktemp("kubernetes") / "all"
    shutil.copytree(DEPLOY / "kubernetes", place)
    (place / "base" / "codecite-keys").write_text(f"me sha256:{'0' * 64}\n")
    for name in ("elastic-credentials.toml", "elastic-ca.crt"):
        (place / "elasticsearch" / name).write_text("x\n")
    ended = subprocess.run(["kubectl", "kustomize", place / request.param], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [item for item in yaml.safe_load_all(ended.stdout) if item]


def pods(manifests: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each template of a Pod: its labels and its specification."""
    for item in manifests:
        template = item.get("spec", {}).get("jobTemplate", item).get("spec", {}).get("template")
        if template:
            yield item["metadata"]["name"], template


def test_each_is_what_its_kind_allows(
    require: Callable[..., None], manifests: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the schemas of two versions of Kubernetes, without a field that they do not know."""
    monkeypatch.syspath_prepend(SCHEMAS)
    require("kubernetes_validate")
    kubernetes_validate: Any = importlib.import_module("kubernetes_validate")

    for item in manifests:
        for version in VERSIONS:
            kubernetes_validate.validate(item, version, strict=True)


def test_what_is_named_is_there(manifests: list[dict[str, Any]]) -> None:
    """Secrets, claims, mounts and selectors."""
    names = {(item["kind"], item["metadata"]["name"]) for item in manifests}
    labels = [template["metadata"]["labels"] for _, template in pods(manifests)]
    for _, template in pods(manifests):
        spec = template["spec"]
        for volume in spec["volumes"]:
            if "secret" in volume:
                assert ("Secret", volume["secret"]["secretName"]) in names
            if "persistentVolumeClaim" in volume:
                assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in names
        mounted = [mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]]
        assert sorted(mounted) == sorted(volume["name"] for volume in spec["volumes"])
    for item in manifests:
        selector = item["spec"].get("selector") or item["spec"].get("podSelector") if "spec" in item else None
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= each.items() for each in labels), item["metadata"]["name"]


def test_the_commands_are_the_programs(manifests: list[dict[str, Any]]) -> None:
    """The command line takes the arguments, keys lie where they are looked for, and the index cannot be written."""
    seen = set()
    for name, template in pods(manifests):
        (container,) = template["spec"]["containers"]
        command, given = read_command(container["args"])
        seen.add(command)
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        if command != "serve":
            assert container.get("livenessProbe") is None, name
            continue
        assert str(given["api_key_file"].parent) in mounts
        assert mounts.get("/index", {"readOnly": True})["readOnly"]
        assert template["spec"]["terminationGracePeriodSeconds"] > given["grace"] + 5
        (port,) = container["ports"]
        assert port["containerPort"] == given["port"]
        assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "startupProbe")} == {"/healthz"}
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert {"serve", "index add"} <= seen


def test_pods_are_restricted(manifests: list[dict[str, Any]]) -> None:
    """As the Pod Security Standard `restricted` asks, with the image's user, and a root that cannot be written."""
    user, _, group = (
        read_containerfile((DEPLOY / "Containerfile").read_text(encoding="utf-8"))[-1].last("USER").partition(":")
    )
    for _, template in pods(manifests):
        spec = template["spec"]
        held = spec["securityContext"]
        assert (held["runAsUser"], held["runAsGroup"], held["runAsNonRoot"]) == (int(user), int(group), True)
        assert held["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            }
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_every_pod_has_a_network_policy(manifests: list[dict[str, Any]]) -> None:
    """That names both directions: what is not allowed is denied."""
    policies = [item["spec"] for item in manifests if item["kind"] == "NetworkPolicy"]
    for _, template in pods(manifests):
        labels = template["metadata"]["labels"]
        held = [item for item in policies if item["podSelector"]["matchLabels"].items() <= labels.items()]
        assert [sorted(item["policyTypes"]) for item in held] == [["Egress", "Ingress"]]


def test_no_claim_of_the_elasticsearch_variant_is_left_over(manifests: list[dict[str, Any]]) -> None:
    """Each claim is used by some Pod."""
    used = {
        volume["persistentVolumeClaim"]["claimName"]
        for _, template in pods(manifests)
        for volume in template["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    }
    assert used == {item["metadata"]["name"] for item in manifests if item["kind"] == "PersistentVolumeClaim"}


def test_the_folder_holds_no_secret() -> None:
    """Keys and credentials are made by who deploys, and ignored by git."""
    found = subprocess.run(["git", "ls-files", DEPLOY], capture_output=True, text=True, check=False, cwd=DEPLOY)
    if found.returncode:
        pytest.skip("this is no checkout")
    assert not [name for name in found.stdout.splitlines() if "keys" in Path(name).name or name.endswith(".crt")]
