"""Deployment files: each is valid by its schema, and agrees with the server and the other files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from config import Settings, load_settings
from infra.image.prepare import SOURCES
from process.serving import CONNECTIONS_TIMEOUT_S
from runs.registry import Runs
from storage.transaction_times import TransactionTimes
from tests.preloaded.commands import preloaded_python
from web.identity import COOKIE_NAME, EMBEDDED_COOKIE_NAME
from web.metrics import PlatformCollector

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
LONGEST_END_S = Settings.model_fields["drain_timeout_s"].default + CONNECTIONS_TIMEOUT_S


@cache
def schema(name: str) -> Any:
    return json.loads((files("check_jsonschema") / "builtin_schemas" / "vendor" / name).read_text(encoding="utf-8"))


def load(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


MANIFESTS = [each for path in sorted((ROOT / "infra" / "kubernetes").rglob("*.yaml")) for each in load(path)]
COMPOSE_FILES = {name: load(ROOT / "infra" / name)[0] for name in ("compose.yaml", "compose.scaled.yaml")}
SCALED = COMPOSE_FILES["compose.scaled.yaml"]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: each["kind"])
def test_a_manifest_is_what_kubernetes_takes_and_has_no_unknown_key(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_a_misspelt_manifest_would_be_seen() -> None:
    [deployment] = [json.loads(json.dumps(each)) for each in MANIFESTS if each["kind"] == "Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.31", strict=True)


def test_several_pods_keep_each_person_at_one_and_one_of_them_at_work() -> None:
    kinds = {each["kind"]: each for each in MANIFESTS}
    deployment, service = kinds["Deployment"], kinds["Service"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    [rule] = kinds["Ingress"]["spec"]["rules"]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": service["metadata"]["name"], "port": {"name": service["spec"]["ports"][0]["name"]}}
    annotations = kinds["Ingress"]["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/upstream-hash-by"] == f"$cookie_{COOKIE_NAME}"
    assert kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels == service["spec"]["selector"]
    scaler = kinds["HorizontalPodAutoscaler"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert kinds["PodDisruptionBudget"]["spec"]["minAvailable"] < scaler["minReplicas"], "or no node can be emptied"
    assert "cpu" in deployment["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    gateway = (ROOT / "infra" / "gateway" / "replicas.conf").read_text(encoding="utf-8")
    assert f"$cookie_{COOKIE_NAME}$cookie_{EMBEDDED_COOKIE_NAME}" in gateway


def test_the_ways_out_that_are_prepared_are_valid_when_they_are_let_in() -> None:
    path = ROOT / "infra" / "kubernetes" / "parlor.yaml"
    opened = re.sub(r"^    # (- to:|  ports:)", r"    \1", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    [policy] = [each for each in yaml.safe_load_all(opened) if each["kind"] == "NetworkPolicy"]
    kubernetes_validate.validate(policy, "1.31", strict=True)
    ports = [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]]
    assert ports == [[53, 53], [443, 5432], [3128], [4318], [9000]]


def test_the_pod_writes_nowhere_but_to_its_volumes_and_has_no_rights() -> None:
    [deployment] = [each for each in MANIFESTS if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")} == {"/data", "/tmp"}  # noqa: S108
    assert [container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("liveness", "readiness")] == [
        "/healthz", "/readyz",
    ]  # fmt: skip
    named = {each["name"].removesuffix("_FILE").lower() for each in container["env"]}
    assert named <= set(Settings.model_fields), "a variable that no setting reads"
    assert ("metrics" in named) <= ("metrics_token" in named), "an ingress passes on every path"
    delay = next(float(each["value"]) for each in container["env"] if each["name"] == "SHUTDOWN_DELAY_S")
    assert pod["terminationGracePeriodSeconds"] > LONGEST_END_S + delay


@pytest.mark.parametrize("name", COMPOSE_FILES)
def test_a_compose_file_is_valid_and_as_strict(name: str) -> None:
    compose = COMPOSE_FILES[name]
    jsonschema.validate(compose, schema("compose-spec.json"))
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert {"mem_limit", "pids_limit", "restart", "tmpfs"} <= service.keys()
        assert "privileged" not in service
        assert "cap_add" not in service
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        is_ours = service["image"] == "parlor:latest"
        assert is_ours or re.fullmatch(r"[a-z/-]+:\d+\.\d+[\w.-]*", service["image"]), "a version, or it moves"
        if is_ours:
            assert "HEALTHCHECK" in DOCKERFILE
            assert service["init"] is True
            assert float(service["stop_grace_period"].removesuffix("s")) > LONGEST_END_S
            assert {each.removesuffix("_FILE").lower() for each in service.get("environment", {})} <= set(
                Settings.model_fields
            ), "a variable that no setting reads"


def test_two_replicas_have_what_they_share_and_no_password_in_the_file() -> None:
    services = SCALED["services"]
    replicas = {name for name, service in services.items() if service["image"] == "parlor:latest"}
    assert replicas == {"parlor-a", "parlor-b"}
    assert services["parlor-a"] == services["parlor-b"]
    awaited = services["parlor-a"]["depends_on"]
    for name, service in services.items():
        has_end = awaited.get(name) == {"condition": "service_completed_successfully"}
        assert name in replicas or has_end or service["healthcheck"]["test"][0] == "CMD", name
        assert name in replicas or "unprivileged" in service["image"] or service["user"] not in ("root", "0")
        secret = [
            variable for variable in service.get("environment", {}) if re.search("PASSWORD|SECRET|TOKEN|URL", variable)
        ]
        assert [each for each in secret if not each.endswith("_FILE")] == (["STORAGE_URL"] if name in replicas else [])
        assert "ports" not in service or name == "proxy"
    assert "@" not in services["parlor-a"]["environment"]["STORAGE_URL"]
    assert SCALED["networks"]["back"] == {"internal": True}
    assert [services[name]["networks"] for name in ("proxy", "database", "store")] == [["front"], ["back"], ["back"]]
    for config in SCALED["configs"].values():
        assert (ROOT / "infra" / config["file"]).is_file()
    gateway = (ROOT / "infra" / "gateway" / "replicas.conf").read_text(encoding="utf-8")
    assert set(re.findall(r"^\s+server ([\w-]+):8000 ", gateway, re.MULTILINE)) == replicas
    [size] = re.findall(r"client_max_body_size (\d+)m", gateway)
    assert int(size) * 1024 * 1024 > Settings.model_fields["max_upload_bytes"].default


def test_the_secrets_of_two_replicas_are_made_once_and_are_those_that_the_server_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "secrets"
    contents = []
    for _ in range(2):
        subprocess.run(["sh", ROOT / "infra" / "scaled" / "secrets.sh", folder], check=True)
        contents.append({path.name: path.read_text() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    assert {f"secrets/{name}" for name in contents[0]} == {each["file"] for each in SCALED["secrets"].values()}
    assert folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.chdir(tmp_path)
    for variable, value in SCALED["services"]["parlor-a"]["environment"].items():
        monkeypatch.setenv(variable, value.replace("/run/secrets", str(folder)))
    settings = load_settings()
    identities = json.loads(contents[0]["store-identities"])["identities"]
    assert identities[0]["credentials"] == [
        {
            "accessKey": settings.storage_keys["AWS_ACCESS_KEY_ID"],
            "secretKey": settings.storage_keys["AWS_SECRET_ACCESS_KEY"],
        }
    ]
    assert re.fullmatch(r"postgresql\+psycopg://parlor:[0-9a-f]{64}@database/parlor", settings.database_url or "")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_valid_and_may_no_more_than_it_says(path: Path) -> None:
    [workflow] = load(path)
    # YAML 1.1 reads the key `on` as true.
    workflow["on"] = workflow.pop(True)
    jsonschema.validate(workflow, schema("github-workflows.json"))
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"]
        if "uses" in job:  # another file of ours, whose jobs have their own
            assert (ROOT / job["uses"]) in WORKFLOWS
            continue
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), "what an event says must come by a variable, or it may run"
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
            assert re.fullmatch(r"[\w.-]+/[\w./-]+@v\d+|", step.get("uses", "")), step


def test_an_image_is_signed_by_its_digest_and_has_its_inventory_before_it_is_released() -> None:
    [workflow] = load(ROOT / ".github" / "workflows" / "release.yml")
    checks, job = workflow["jobs"]["checks"], workflow["jobs"]["image"]
    assert (checks["uses"], job["needs"]) == ("./.github/workflows/checks.yml", "checks"), (
        "nothing untested is released"
    )
    assert "workflow_call" in (ROOT / checks["uses"]).read_text(encoding="utf-8")
    assert job["permissions"]["id-token"] == "write", "what a signature without a key needs"
    steps = [step for step in job["steps"] if "run" in step]
    order = [" ".join(step["run"].split()[:2]) for step in steps]
    assert order == ["grep -qxF", "cosign sign", "cosign verify", "docker run", "cosign attest", "gh release"]
    for step in steps[1:-1]:
        assert step["env"]["IMAGE"].endswith("@${{ steps.build.outputs.digest }}"), (
            "a tag can be moved to another image"
        )
        assert '"$IMAGE"' in step["run"]
    assert "--type cyclonedx --predicate sbom.cdx.json" in steps[4]["run"]
    [build] = [step for step in job["steps"] if step.get("id") == "build"]
    assert (build["with"]["sbom"], build["with"]["provenance"]) == (True, "mode=max")
    used = [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]
    assert "," in build["with"]["platforms"]
    assert used.index("docker/setup-qemu-action") < used.index("docker/build-push-action"), (
        "or one platform's steps fail"
    )


@pytest.mark.parametrize(
    ("tag", "code", "notes"),
    [
        ("v0.2.0", 0, "## 0.2.0 - 2026-12-01\n\n- New.\n\n"),
        ("v0.2", 1, None),
        ("v0.3.0", 1, None),
        ("v0x2.0", 1, None),
    ],
)
def test_a_release_has_the_version_of_its_tag_and_says_what_is_new_in_it_alone(
    tmp_path: Path, tag: str, code: int, notes: str | None
) -> None:
    [workflow] = load(ROOT / ".github" / "workflows" / "release.yml")
    script = next(step["run"] for step in workflow["jobs"]["image"]["steps"] if "run" in step)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n- Later, 0.2.0.\n\n## 0.2.0 - 2026-12-01\n\n- New.\n\n## 0.1.0\n\n- Old.\n"
    )
    command = ["bash", "-e", "-o", "pipefail", "-c", script]  # as the runner does
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "TAG": tag}, check=False)
    assert done.returncode == code
    if notes is not None:
        assert (tmp_path / "notes.md").read_text() == notes


def test_the_image_listens_for_others_and_nothing_else_does() -> None:
    assert "HOST=0.0.0.0" in DOCKERFILE
    assert Settings.model_fields["host"].default == "127.0.0.1"
    assert 'ENTRYPOINT ["/opt/parlor/bin/parlor"]' in DOCKERFILE
    assert not re.search(r"^(?:CMD|ENTRYPOINT|HEALTHCHECK.*CMD) [^\[]", DOCKERFILE, re.MULTILINE), "needs no shell"
    assert re.search(r"^USER (?!0|root)\d+", DOCKERFILE, re.MULTILINE)


def test_only_what_the_image_is_made_of_goes_to_its_build() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    kept = [rule.removeprefix("!") for rule in rules if rule.startswith("!")]
    assert "*" in rules
    assert not {"data", ".env", ".git", "tests", "infra", ".venv", "."} & set(kept)
    assert [each for each in kept if not (ROOT / each).exists()] == []
    packaged = re.search(r"targets.wheel\]\ninclude = \[(.+?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)
    assert packaged is not None
    assert {name.strip("/") for name in re.findall(r'"([^"]+)"', packaged[1])} <= set(kept)


def test_the_secret_that_the_document_makes_has_every_key_that_the_pod_reads() -> None:
    [deployment] = [each for each in MANIFESTS if each["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    read = {each["value"].rpartition("/")[2] for each in container["env"] if each["name"].endswith("_FILE")}
    document = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    assert set(re.findall(r"--from-literal=([a-z-]+)=", document)) == read


def test_files_with_secrets_are_ignored_by_git() -> None:
    rules = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    # Settings, the scaled services', azd's (with PARLOR_SECRET_KEY in clear), and the data with its key.
    assert {".env", "/infra/secrets/", "/.azure/", "/data/"} <= set(rules)


def test_the_lock_of_the_image_adds_to_that_of_the_server_and_changes_nothing() -> None:
    def names_in(lock: str) -> set[str]:
        return set(re.findall(r"^([a-z0-9-]+)(?:\[|==)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))

    added = names_in("requirements-image.lock")
    assert {"azure-identity", "prometheus-client", "psycopg", "opentelemetry-sdk"} <= added
    assert not added & names_in("requirements.lock")


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    dashboard = json.loads((ROOT / "infra" / "monitoring" / "dashboard.json").read_text(encoding="utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:parlor|process)_\w+", target["expr"])
    }
    runs = Runs(max_total=1, max_per_user=1, max_log_bytes=1000, timeout_s=1, linger_s=0)
    runs.statistics.record("any", "done", 1.0, {}, tool_calls=1)
    times = TransactionTimes()
    times.add("any", "read", 0.001)
    known = {sample.name for metric in PlatformCollector(runs, times).collect() for sample in metric.samples}
    assert len(dashboard["panels"]) == 9
    assert asked - known == {"process_resident_memory_bytes"}


LOADED = """
import sys
import agents, main, openai
import opentelemetry.exporter.otlp.proto.http.trace_exporter
import opentelemetry.sdk.resources, opentelemetry.sdk.trace.export
from infra.bytecode import NOT_COMPILED
for client in (
    openai.AsyncOpenAI(api_key="k"),
    openai.AsyncAzureOpenAI(api_key="k", api_version="v", azure_endpoint="http://127.0.0.1"),
):
    client.audio.transcriptions, client.chat.completions, client.files, client.images, client.models, client.responses
files = [getattr(each, "__file__", None) or "" for each in list(sys.modules.values())]
print(*(file for file in files if "/openai/resources/responses/" in file), sep="\\n")
print("seldom:", *(file for file in files if NOT_COMPILED.search(file)))
"""


def test_image_and_setup_have_the_bytecode_of_all_that_a_server_imports() -> None:
    done = subprocess.run(
        preloaded_python("-c", LOADED), cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    responses, _, seldom = done.stdout.rpartition("seldom:")
    assert "responses.py" in responses
    assert seldom.strip() == ""


def test_the_build_names_the_sources_that_it_knows_when_it_is_told_of_others() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "infra" / "image" / "prepare.py", "bytecode"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.strip()) == (1, "SOURCES=bytecode is none of: all, bytecode-only")
    default = re.search(r"^ARG SOURCES=(.+)$", DOCKERFILE, re.MULTILINE)
    assert default is not None
    assert default[1] == SOURCES[0]
