// Parlor on Azure: Container Apps, PostgreSQL, Blob Storage and Azure OpenAI, with one identity and without passwords.
// Run `azd up` in the root of a clone. docs/deploy.md says what it costs, and what has not been tested.
targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Name of the environment, from which the names of all resources are derived.')
param environmentName string

@minLength(1)
@description('Region of all resources but the model.')
param location string

@description('Region of the model, if different.')
@metadata({ azd: { type: 'location' } })
param openAiLocation string = location

@description('Resource id of an existing Azure OpenAI account; empty to create one.')
param existingOpenAiId string = ''

@description('Model and name of the new deployment; for an existing account, the name of its deployment.')
param openAiModel string = 'gpt-5-mini'

@description('Version of the model.')
param openAiModelVersion string = '2025-08-07'

@description('Capacity of the deployment, in thousands of tokens per minute.')
param openAiCapacity int = 50

@description('Object id of the deploying principal, which becomes the administrator of the database.')
param principalId string

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('Type of the deploying principal.')
param principalType string = 'User'

@description('Name of the deploying principal in Entra.')
param principalName string

@secure()
@minLength(32)
@description('Key that signs cookies. Keep it: with a new key, everybody is a new user.')
param secretKey string

@minValue(0)
@maxValue(1)
@description('Minimum of replicas. With 0, an idle app costs nothing, and the first request after a pause waits for the start.')
param minReplicas int = 1

@description('Whether database, files, model and vault are in a private network, without public addresses. It cannot be changed later.')
param privateNetwork bool = false

@description('Client id of the app registration for sign-in at the ingress (Easy Auth); empty for no sign-in.')
param signInClientId string = ''

@description('Whether the app exists with our image; azd sets it, to false for the first deployment.')
param appExists bool = false

var tags = { 'azd-env-name': environmentName }
// The scope of a module is evaluated even if its condition is false, so that it must be valid for an empty id.
var ownGroupId = '/subscriptions/${subscription().subscriptionId}/resourceGroups/rg-${environmentName}'
var openAiParts = split(empty(existingOpenAiId) ? ownGroupId : existingOpenAiId, '/')
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2021-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-${token}', location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: { name: 'log-${token}', location: location, tags: tags, insightsName: 'appi-${token}' }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  scope: group
  params: {
    name: 'cr${token}'
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${token}'
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    privateNetwork: privateNetwork
    secretKey: secretKey
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    privateNetwork: privateNetwork
  }
}

module openAi 'modules/openai.bicep' = if (empty(existingOpenAiId)) {
  name: 'openai'
  scope: group
  params: {
    name: 'oai-${token}'
    workspaceId: monitoring.outputs.workspaceId
    location: openAiLocation
    tags: tags
    principalId: identity.outputs.principalId
    model: openAiModel
    modelVersion: openAiModelVersion
    capacity: openAiCapacity
    privateNetwork: privateNetwork
  }
}

module existingOpenAi 'modules/openai-existing.bicep' = if (!empty(existingOpenAiId)) {
  name: 'openai-existing'
  scope: resourceGroup(openAiParts[2], openAiParts[4])
  params: { name: last(split(existingOpenAiId, '/')), principalId: identity.outputs.principalId }
}

module database 'modules/database.bicep' = {
  name: 'database'
  scope: group
  params: {
    name: 'psql-${token}'
    workspaceId: monitoring.outputs.workspaceId
    location: location
    tags: tags
    administratorId: principalId
    administratorName: principalName
    administratorType: principalType
    privateNetwork: privateNetwork
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  scope: group
  params: { name: 'vnet-${token}', location: location, tags: tags }
}

module databaseEndpoint 'modules/private-endpoint.bicep' = if (privateNetwork) {
  name: 'database-endpoint'
  scope: group
  params: {
    name: 'pe-database-${token}'
    location: location
    tags: tags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    targetId: database.outputs.id
    groupId: 'postgresqlServer'
  }
}

module storageEndpoint 'modules/private-endpoint.bicep' = if (privateNetwork) {
  name: 'storage-endpoint'
  scope: group
  params: {
    name: 'pe-storage-${token}'
    location: location
    tags: tags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    targetId: storage.outputs.id
    groupId: 'blob'
  }
}

// An existing account gets an endpoint, too; other access to it stays as it is.
module openAiEndpoint 'modules/private-endpoint.bicep' = if (privateNetwork) {
  name: 'openai-endpoint'
  scope: group
  params: {
    name: 'pe-openai-${token}'
    location: location
    tags: tags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    targetId: empty(existingOpenAiId) ? openAi!.outputs.id : existingOpenAiId
    groupId: 'account'
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (privateNetwork) {
  name: 'vault-endpoint'
  scope: group
  params: {
    name: 'pe-vault-${token}'
    location: location
    tags: tags
    networkId: network!.outputs.id
    subnetId: network!.outputs.endpointsSubnetId
    targetId: vault.outputs.id
    groupId: 'vault'
  }
}

module environment 'modules/environment.bicep' = {
  name: 'environment'
  scope: group
  params: {
    name: 'cae-${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    subnetId: privateNetwork ? network!.outputs.appsSubnetId : ''
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'ca-${token}'
    location: location
    tags: union(tags, { 'azd-service-name': 'parlor' })
    exists: appExists
    environmentId: environment.outputs.id
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    registryServer: registry.outputs.loginServer
    minReplicas: minReplicas
    secretKeyUri: vault.outputs.secretKeyUri
    databaseUrl: 'postgresql+psycopg://${identity.outputs.name}@${database.outputs.host}/parlor?sslmode=verify-full&sslrootcert=system&parlor_auth=azure'
    storageUrl: 'az://${storage.outputs.containerName}'
    storageAccount: storage.outputs.accountName
    openAiEndpoint: empty(existingOpenAiId) ? openAi!.outputs.endpoint : existingOpenAi!.outputs.endpoint
    openAiDeployment: openAiModel
    insightsName: monitoring.outputs.insightsName
    signInClientId: signInClientId
  }
  // The app connects to these services at its first start, and needs their private names by then.
  dependsOn: [databaseEndpoint, storageEndpoint, openAiEndpoint, vaultEndpoint]
}

output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer
output AZURE_CONTAINER_ENVIRONMENT_NAME string = environment.outputs.name
output AZURE_OPENAI_ENDPOINT string = empty(existingOpenAiId) ? openAi!.outputs.endpoint : existingOpenAi!.outputs.endpoint
output POSTGRES_HOST string = database.outputs.host
output SERVICE_PARLOR_NAME string = app.outputs.name
output SERVICE_PARLOR_URI string = app.outputs.uri
output SERVICE_PARLOR_IDENTITY_NAME string = identity.outputs.name
output SERVICE_PARLOR_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
