// The app. It has no volume: rows are in PostgreSQL, files in Blob Storage.
param name string
param location string
param tags object

param exists bool
param environmentId string
param identityId string
param identityClientId string
param registryServer string
param minReplicas int
param databaseUrl string
param storageUrl string
param storageAccount string
param openAiEndpoint string
param openAiDeployment string

@secure()
param secretKey string

// The first time there is no image of ours yet. That one listens on 80, and knows no path of our probes.
var firstImage = 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'
var port = exists ? 8000 : 80

var probes = [
  { type: 'Startup', httpGet: { path: '/healthz', port: 8000 }, periodSeconds: 3, failureThreshold: 10, timeoutSeconds: 3 }
  { type: 'Liveness', httpGet: { path: '/healthz', port: 8000 }, periodSeconds: 15, failureThreshold: 3, timeoutSeconds: 5 }
  { type: 'Readiness', httpGet: { path: '/readyz', port: 8000 }, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 5 }
]

resource deployed 'Microsoft.App/containerApps@2025-07-01' existing = if (exists) {
  name: name
}

resource app 'Microsoft.App/containerApps@2025-07-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    environmentId: environmentId
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: { external: true, targetPort: port, transport: 'auto', allowInsecure: false }
      registries: [{ server: registryServer, identity: identityId }]
      secrets: [{ name: 'secret-key', value: secretKey }]
    }
    template: {
      // More than SHUTDOWN_DELAY_S, DRAIN_TIMEOUT_S and 5 s together; the default is 30.
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'parlor'
          image: exists ? deployed!.properties.template.containers[0].image : firstImage
          resources: { cpu: json('0.5'), memory: '1Gi' }
          probes: exists ? probes : []
          env: [
            { name: 'SECRET_KEY', secretRef: 'secret-key' }
            { name: 'DATABASE_URL', value: databaseUrl }
            { name: 'STORAGE_URL', value: storageUrl }
            { name: 'AZURE_STORAGE_ACCOUNT_NAME', value: storageAccount }
            { name: 'AZURE_CLIENT_ID', value: identityClientId }
            { name: 'AZURE_OPENAI_ENDPOINT', value: openAiEndpoint }
            { name: 'AZURE_OPENAI_MODEL', value: openAiDeployment }
            { name: 'LOG_FORMAT', value: 'json' }
            // The ingress learns of the end some seconds later, and there is no hook before it.
            { name: 'SHUTDOWN_DELAY_S', value: '5' }
            // The ingress asks from the environment's own network.
            { name: 'TRUSTED_PROXIES', value: '100.64.0.0/10,10.0.0.0/8,172.16.0.0/12' }
          ]
        }
      ]
      // One at most: an answer is resumed in the process that writes it, and nowhere else yet.
      scale: { minReplicas: minReplicas, maxReplicas: 1 }
    }
  }
}

output name string = app.name
output uri string = 'https://${app.properties.configuration.ingress.fqdn}'
