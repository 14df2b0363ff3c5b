// A private endpoint for a service, and the DNS zone that resolves the service's public name to it.
param name string
param location string
param tags object

param networkId string
param subnetId string
param targetId string

@allowed(['account', 'blob', 'postgresqlServer', 'vault'])
param groupId string

var zoneNames = {
  account: 'privatelink.openai.azure.com'
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  postgresqlServer: 'privatelink.postgres.database.azure.com'
  vault: 'privatelink.vaultcore.azure.net'
}

resource zone 'Microsoft.Network/privateDnsZones@2020-06-01' = {
  name: zoneNames[groupId]
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2020-06-01' = {
  parent: zone
  name: name
  location: 'global'
  tags: tags
  properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: name, properties: { privateLinkServiceId: targetId, groupIds: [groupId] } }
    ]
  }
}

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: groupId, properties: { privateDnsZoneId: zone.id } }]
  }
}
