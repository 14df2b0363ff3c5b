// Parlor on Azure: Container Apps, PostgreSQL, Blob Storage, Azure OpenAI, all by one identity and without a password.
// `azd up` from the root of a clone. docs/deploy.md says what it costs, and what was not tried.
targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Name of the environment, of which all names are made.')
param environmentName string

@minLength(1)
@description('Region of everything but the model.')
param location string

@description('Region of the model, where it is another one.')
@metadata({ azd: { type: 'location' } })
param openAiLocation string = location

@description('Resource id of an Azure OpenAI account that is there already; empty: one is made.')
param existingOpenAiId string = ''

@description('Model of the deployment that is made, and its name; of an account that is there already, the name of the deployment.')
param openAiModel string = 'gpt-5-mini'

@description('Version of that model.')
param openAiModelVersion string = '2025-08-07'

@description('Thousands of tokens a minute of that deployment.')
param openAiCapacity int = 50

@description('Object id of who deploys, who becomes the administrator of the database.')
param principalId string

@allowed(['User', 'Group', 'ServicePrincipal'])
@description('Kind of who deploys.')
param principalType string = 'User'

@description('Name of who deploys, as Entra has it.')
param principalName string

@secure()
@minLength(32)
@description('Signs the cookies of people. Made once, and kept: with another one everybody is somebody new.')
param secretKey string

@minValue(0)
@maxValue(1)
@description('Fewest replicas. 0 costs nothing at rest, and the first answer after a pause waits for the start.')
param minReplicas int = 1

@description('Database, files, model and vault in a network of their own, with no public address. Chosen at the first deployment, for good.')
param privateNetwork bool = false

@description('Client id of the app registration by which people sign in at the ingress (Easy Auth); empty: nobody has to.')
param signInClientId string = ''

@description('Whether the app runs our image already; azd says so. The first time there is none yet.')
param appExists bool = false

var tags = { 'azd-env-name': environmentName }
// Also read where there is none: a scope is looked at before the condition.
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

// Also to an account that was there: it gets an address here, and what else reaches it stays its owner's decision.
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
  // Its first start asks for the database and the files, whose names must lead into the network by then.
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
