// The key vault for the only secret, the key that signs cookies. The app reads it with its identity.
param name string
param location string
param tags object

param principalId string
param privateNetwork bool
param workspaceId string

@secure()
param secretKey string

// Key Vault Secrets User
var readerRole = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    // Without purge protection: the name must be available again after `azd down`, and the deployer has the key.
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: privateNetwork ? 'Deny' : 'Allow', bypass: 'None' }
  }
}

resource key 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault
  name: 'secret-key'
  properties: { value: secretKey }
}

resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(key.id, principalId, readerRole)
  scope: key
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', readerRole)
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'AuditEvent', enabled: true }
    ]
  }
}

output id string = vault.id
// Without a version, so that a new version is picked up within half an hour.
output secretKeyUri string = key.properties.secretUri
