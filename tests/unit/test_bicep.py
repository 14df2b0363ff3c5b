"""The Azure template, checked by its syntax, since no Bicep compiler is available here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_network
from pathlib import Path

import pytest
import tree_sitter_bicep
import yaml
from tree_sitter import Language, Node, Parser

from config import Settings
from process.serving import CONNECTIONS_TIMEOUT_S

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
MAIN = INFRA / "main.bicep"
FILES = [MAIN, *sorted((INFRA / "modules").glob("*.bicep"))]

# Stable versions, looked up in Microsoft's list of types; nobody raises one by accident.
REVIEWED_TYPES = {
    "Microsoft.App/containerApps/authConfigs@2025-07-01",
    "Microsoft.App/containerApps@2025-07-01",
    "Microsoft.App/managedEnvironments@2025-07-01",
    "Microsoft.Authorization/roleAssignments@2022-04-01",
    "Microsoft.CognitiveServices/accounts/deployments@2025-06-01",
    "Microsoft.CognitiveServices/accounts@2025-06-01",
    "Microsoft.ContainerRegistry/registries@2023-07-01",
    "Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01",
    "Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01",
    "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01",
    "Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01",
    "Microsoft.Insights/components@2020-02-02",
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview",  # there is no stable one that knows categories
    "Microsoft.KeyVault/vaults/secrets@2024-11-01",
    "Microsoft.KeyVault/vaults@2024-11-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01",
    "Microsoft.Network/privateDnsZones@2020-06-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01",
    "Microsoft.Network/privateEndpoints@2024-05-01",
    "Microsoft.Network/virtualNetworks@2024-05-01",
    "Microsoft.OperationalInsights/workspaces@2023-09-01",
    "Microsoft.Resources/resourceGroups@2021-04-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices@2023-05-01",
    "Microsoft.Storage/storageAccounts@2023-05-01",
}
REVIEWED_ROLES = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
}
FUNCTIONS = {
    "empty", "environment", "guid", "json", "last", "resourceGroup", "split", "subscription",
    "subscriptionResourceId", "tenant", "toLower", "union", "uniqueString",
}  # fmt: skip
NAMED = {"parameter_declaration", "variable_declaration", "resource_declaration", "module_declaration"}


@cache
def tree_of(path: Path) -> Node:
    return Parser(Language(tree_sitter_bicep.language())).parse(path.read_bytes()).root_node


def text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def of_kind(path: Path, kind: str) -> list[Node]:
    return [node for node in walk(tree_of(path)) if node.type == kind]


def name_of(declaration: Node) -> str:
    return text(next(child for child in declaration.children if child.type == "identifier"))


def names(path: Path, kind: str) -> set[str]:
    return {name_of(node) for node in of_kind(path, kind)}


def properties(value: Node) -> dict[str, Node]:
    pairs = [child for child in value.children if child.type == "object_property"]
    return {text(pair.children[0]).strip("'"): pair.children[-1] for pair in pairs}


def body_of(declaration: Node) -> dict[str, Node]:
    return properties(next(node for node in walk(declaration) if node.type == "object"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_read_to_its_end_and_all_that_it_names_is_there(path: Path) -> None:
    assert not tree_of(path).has_error
    declared = {name for kind in NAMED for name in names(path, kind)}
    called = {
        text(call.children[0]) for call in of_kind(path, "call_expression") if call.children[0].type == "identifier"
    }
    decorators = {
        text(walked.children[0])
        for each in of_kind(path, "decorator")
        for walked in walk(each)
        if walked.type == "call_expression"
    } | {text(each).strip("@()") for each in of_kind(path, "decorator")}
    assert called - decorators <= FUNCTIONS
    used = set()
    for node in walk(tree_of(path)):
        if node.type != "identifier" or node.parent is None:
            continue
        is_declared_here = node.parent.type in NAMED | {"output_declaration"} and node == next(
            child for child in node.parent.children if child.type == "identifier"
        )
        is_key = node.parent.type == "object_property" and node == node.parent.children[0]
        is_called = node.parent.type == "call_expression" and node == node.parent.children[0]
        if not (is_declared_here or is_key or is_called):
            used.add(text(node))
    assert used - declared == set()
    unused = declared - used - names(path, "resource_declaration") - names(path, "module_declaration")
    assert unused == set(), "declared, and used by nobody"


def test_modules_are_given_exactly_what_they_ask_for_and_asked_for_what_they_have() -> None:
    outputs: dict[str, set[str]] = {}
    for module in of_kind(MAIN, "module_declaration"):
        source = text(next(child for child in module.children if child.type == "string")).strip("'")
        path = INFRA / source
        assert path in FILES
        asked = {
            name_of(each): "=" in [child.type for child in each.children]
            for each in of_kind(path, "parameter_declaration")
        }
        given = set(properties(body_of(module)["params"]))
        assert given <= set(asked), source
        assert {name for name, has_default in asked.items() if not has_default} <= given, source
        outputs[name_of(module)] = names(path, "output_declaration")
    used = re.findall(r"\b(\w+)!?\.outputs\.(\w+)", MAIN.read_text(encoding="utf-8"))
    assert len(used) > 10
    assert [(module, name) for module, name in used if name not in outputs[module]] == []


def test_types_versions_and_roles_are_those_that_were_reviewed() -> None:
    types = {
        text(next(child for child in each.children if child.type == "string")).strip("'")
        for path in FILES
        for each in of_kind(path, "resource_declaration")
    }
    assert types == REVIEWED_TYPES
    everything = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    assert set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", everything)) == set(REVIEWED_ROLES)
    for role, title in REVIEWED_ROLES.items():
        assert len(re.findall(rf"// {title}\nvar \w+ = '{role}'", everything)) >= 1


def test_every_role_is_given_on_one_resource_under_a_name_that_a_second_deployment_makes_again() -> None:
    found = 0
    for path in FILES:
        for each in of_kind(path, "resource_declaration"):
            if "roleAssignments@" not in text(each):
                continue
            found += 1
            body = body_of(each)
            assert text(body["scope"]) in names(path, "resource_declaration"), "on a resource, never on its whole group"
            assert re.fullmatch(rf"guid\({text(body['scope'])}\.id, principalId, \w+Role\)", text(body["name"]))
    assert found == 5


def test_no_resource_accepts_a_password_or_key_and_none_uses_a_file_share() -> None:
    everything = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    assert "listKeys" not in everything
    for forbidden in ("administratorLogin", "255.255.255.255", "accountKey", "connectionString",
                      "adminUserEnabled: true", "volumeMounts", "AzureFile", "sqlite"):  # fmt: skip
        assert forbidden not in everything
    for wanted in ("passwordAuth: 'Disabled'", "disableLocalAuth: true", "allowSharedKeyAccess: false",
                   "allowBlobPublicAccess: false", "allowInsecure: false", "parlor_auth=azure"):  # fmt: skip
        assert wanted in everything
    assert re.findall(r"\bsecretKey\b", text(tree_of(MAIN)).split("\noutput ", 1)[1]) == []
    # The key goes to the vault, and nowhere else; the app is told where it lies.
    assert re.findall(r"secretKey: (\w+)", text(tree_of(MAIN))) == ["secretKey"]
    assert "{ name: 'secret-key', keyVaultUrl: secretKeyUri, identity: identityId }" in everything


# Of services that are not here, too: a resource of another type is looked at before it is added.
LOGS = {
    "Microsoft.App/managedEnvironments": {"ContainerAppConsoleLogs", "ContainerAppSystemLogs"},
    "Microsoft.CognitiveServices/accounts": {"Audit", "RequestResponse"},
    "Microsoft.ContainerRegistry/registries": {"ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"},
    "Microsoft.DBforPostgreSQL/flexibleServers": {"PostgreSQLLogs"},
    "Microsoft.KeyVault/vaults": {"AuditEvent"},
    "Microsoft.Storage/storageAccounts/blobServices": {"StorageWrite", "StorageDelete"},
}
HAVE_NO_LOGS = {
    "Microsoft.App/containerApps",  # in its environment
    "Microsoft.Insights/components", "Microsoft.OperationalInsights/workspaces",  # where logs go
    "Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.Resources/resourceGroups",
    "Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
    "Microsoft.Network/privateEndpoints", "Microsoft.Network/virtualNetworks",
    "Microsoft.Storage/storageAccounts",  # in its services
}  # fmt: skip


def test_resources_send_their_logs_to_the_workspace_and_have_tags() -> None:
    found = {}
    for path in FILES:
        declared = {name_of(each): each for each in of_kind(path, "resource_declaration")}
        kinds = {
            name: text(next(child for child in each.children if child.type == "string")).strip("'").partition("@")[0]
            for name, each in declared.items()
        }
        for name, each in declared.items():
            body = body_of(each)
            if kinds[name] == "Microsoft.Insights/diagnosticSettings":
                about = properties(body["properties"])
                assert text(about["workspaceId"]) == "workspaceId"
                assert "false" not in text(about["logs"])
                found[kinds[text(body["scope"])]] = set(re.findall(r"category: '(\w+)'", text(about["logs"])))
            elif "location" in body:
                assert text(body["tags"]) == "tags", name
                assert kinds[name] in LOGS.keys() | HAVE_NO_LOGS, kinds[name]
    assert found == LOGS


def test_the_app_has_its_probes_its_grace_and_variables_that_somebody_reads() -> None:
    app = (INFRA / "modules" / "app.bicep").read_text(encoding="utf-8")
    variables = dict(re.findall(r"\{ name: '([A-Z_]+)', (?:value|secretRef): ([^}]+?) \}", app))
    # Read by Azure's own libraries, and by the collector.
    others = {
        "AZURE_CLIENT_ID", "AZURE_STORAGE_ACCOUNT_NAME", "APPLICATIONINSIGHTS_CONNECTION_STRING", "COLLECTOR_CONFIG",
    }  # fmt: skip
    assert {name.lower() for name in variables.keys() - others} <= set(Settings.model_fields)
    assert others <= variables.keys()
    grace = int(re.findall(r"terminationGracePeriodSeconds: (\d+)", app)[0])
    delay = float(variables["SHUTDOWN_DELAY_S"].strip("'"))
    assert grace > delay + Settings.model_fields["drain_timeout_s"].default + CONNECTIONS_TIMEOUT_S
    probes = re.findall(r"type: '(\w+)', httpGet: \{ path: '(/\w+)', port: 8000 \}.*failureThreshold: (\d+)", app)
    assert [(kind, path) for kind, path, _ in probes] == [
        ("Startup", "/healthz"), ("Liveness", "/healthz"), ("Readiness", "/readyz"),
    ]  # fmt: skip
    assert all(int(count) <= 10 for *_, count in probes), "Container Apps allows no more"
    [scale] = re.findall(r"scale: \{(.+?)\n      \}", app, re.DOTALL)
    assert "maxReplicas: 1\n" in scale, "an answer is resumed where it is written"
    assert "http: { metadata: { concurrentRequests: '15' } }" in scale
    Settings(_env_file=None, trusted_proxies=variables["TRUSTED_PROXIES"].strip("'"))  # type: ignore[call-arg]


def test_all_parameters_of_azd_exist() -> None:
    parameters = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    asked = {name_of(each): text(each) for each in of_kind(MAIN, "parameter_declaration")}
    assert set(parameters) == set(asked), "all can be set with azd"
    for name, declaration in asked.items():
        default = declaration.split("param ", 1)[1].partition(" = ")[2]
        given = re.fullmatch(r"\$\{\w+=?(.*)\}", parameters[name]["value"])
        assert given, name
        if default and not given[1].startswith("$") and default != "''":
            assert given[1] == default.strip("'"), name
    for each in of_kind(MAIN, "parameter_declaration"):
        assert each.prev_named_sibling is not None
        assert "@description(" in text(each.prev_named_sibling), name_of(each)
    project = yaml.safe_load((ROOT / "azure.yaml").read_text(encoding="utf-8"))
    [(service, about)] = project["services"].items()
    assert (ROOT / about["docker"]["path"]).is_file()
    assert f"'azd-service-name': '{service}'" in text(tree_of(MAIN))
    wanted = {"AZURE_CONTAINER_REGISTRY_ENDPOINT", "AZURE_CONTAINER_ENVIRONMENT_NAME", "AZURE_RESOURCE_GROUP",
              "AZURE_TENANT_ID", "AZURE_LOCATION", f"SERVICE_{service.upper()}_NAME"}  # fmt: skip
    assert wanted <= names(MAIN, "output_declaration")


PRIVATE = "privateNetwork ? 'Disabled' : 'Enabled'"


def test_private_resources_have_no_public_address_and_no_firewall_rule_for_all_of_azure() -> None:
    """The switch closes the public way of each service at the same time as it makes the private one."""
    endpoints = {}
    for module in of_kind(MAIN, "module_declaration"):
        if "private-endpoint.bicep" in text(module):
            assert "= if (privateNetwork) {" in text(module)
            given = properties(body_of(module)["params"])
            endpoints[text(given["groupId"]).strip("'")] = text(given["targetId"])
    assert endpoints == {
        "account": "empty(existingOpenAiId) ? openAi!.outputs.id : existingOpenAiId",
        "blob": "storage.outputs.id",
        "postgresqlServer": "database.outputs.id",
        "vault": "vault.outputs.id",
    }
    zones = next(each for each in of_kind(INFRA / "modules" / "private-endpoint.bicep", "variable_declaration"))
    assert set(body_of(zones)) == set(endpoints), "a zone for each, or its name still leads to the public address"
    for name in ("database", "openai", "storage", "vault"):
        assert f"publicNetworkAccess: {PRIVATE}" in (INFRA / "modules" / f"{name}.bicep").read_text(encoding="utf-8")
    [rule] = [
        each
        for each in of_kind(INFRA / "modules" / "database.bicep", "resource_declaration")
        if "'0.0.0.0'" in text(each)
    ]
    assert "= if (!privateNetwork) {" in text(rule)
    [app] = [each for each in of_kind(MAIN, "module_declaration") if name_of(each) == "app"]
    assert text(body_of(app)["dependsOn"]) == "[databaseEndpoint, storageEndpoint, openAiEndpoint, vaultEndpoint]"


def test_subnets_lie_within_their_network_and_apart() -> None:
    source = (INFRA / "modules" / "network.bicep").read_text(encoding="utf-8")
    [whole] = [ip_network(each) for each in re.findall(r"addressPrefixes: \['(.+?)'\]", source)]
    apps, endpoints = (ip_network(each) for each in re.findall(r"addressPrefix: '(.+?)'", source))
    for subnet in (apps, endpoints):
        assert subnet.network_address in whole
        assert subnet.broadcast_address in whole
    assert not apps.overlaps(endpoints)
    assert apps.prefixlen <= 27, "the least that Container Apps takes"


def test_people_sign_in_only_where_a_registration_is_named_and_without_a_password() -> None:
    [sign_in] = [
        each
        for each in of_kind(INFRA / "modules" / "app.bicep", "resource_declaration")
        if "authConfigs@" in text(each)
    ]
    assert "= if (!empty(signInClientId)) {" in text(sign_in)
    about = properties(body_of(sign_in)["properties"])
    assert text(body_of(sign_in)["name"]) == "'current'"
    assert text(about["globalValidation"]).count("RedirectToLoginPage") == 1
    assert text(properties(about["globalValidation"])["excludedPaths"]) == "['/healthz', '/readyz']"
    app = (INFRA / "modules" / "app.bicep").read_text(encoding="utf-8")
    assert "var signInSecretName = 'override-use-mi-fic-assertion-client-id'" in app
    assert "{ name: signInSecretName, value: identityClientId }" in app


def test_spans_go_to_the_collector_beside_the_app_and_from_there_to_application_insights() -> None:
    app = (INFRA / "modules" / "app.bicep").read_text(encoding="utf-8")
    source = re.search(r"collectorConfig = '''\n(.+?)'''", app, re.DOTALL)
    assert source is not None
    config = yaml.safe_load(source[1])
    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(config[kind])
    address = config["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert f"'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://{address}'" in app
    [variable] = re.findall(r"\$\{env:(\w+)\}", config["exporters"]["azuremonitor"]["connection_string"])
    assert f"{{ name: '{variable}', secretRef: 'insights' }}" in app
    assert re.search(r"collectorImage = '\S+:\d+\.\d+\.\d+'", app), "a version, and not the newest of the day"
