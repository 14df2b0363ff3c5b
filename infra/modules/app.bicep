// The container app. It needs no volume: rows are in PostgreSQL, files in Blob Storage.
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
param insightsName string

@description('Client id of the app registration by which people sign in; empty: nobody has to.')
param signInClientId string

@description('Address of the secret that signs cookies.')
param secretKeyUri string

// A placeholder image for the first deployment, before ours exists. It listens on port 80 and has no probe paths.
var firstImage = 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'
var port = exists ? 8000 : 80

// An OpenTelemetry collector that exports to Application Insights.
var collectorImage = 'ghcr.io/open-telemetry/opentelemetry-collector-releases/opentelemetry-collector-contrib:0.129.1'
var collectorConfig = '''
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:4318"}}}}
processors: {memory_limiter: {check_interval: 1s, limit_mib: 300}, batch: {}}
exporters: {azuremonitor: {connection_string: "${env:APPLICATIONINSIGHTS_CONNECTION_STRING}"}}
service: {pipelines: {traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [azuremonitor]}}}
'''

// By this name, Container Apps signs people in with a federated identity instead of a client secret.
var signInSecretName = 'override-use-mi-fic-assertion-client-id'

var probes = [
  { type: 'Startup', httpGet: { path: '/healthz', port: 8000 }, periodSeconds: 3, failureThreshold: 10, timeoutSeconds: 3 }
  { type: 'Liveness', httpGet: { path: '/healthz', port: 8000 }, periodSeconds: 15, failureThreshold: 3, timeoutSeconds: 5 }
  { type: 'Readiness', httpGet: { path: '/readyz', port: 8000 }, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 5 }
]

resource deployed 'Microsoft.App/containerApps@2025-07-01' existing = if (exists) {
  name: name
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
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
      secrets: [
        { name: 'secret-key', keyVaultUrl: secretKeyUri, identity: identityId }
        { name: 'insights', value: insights.properties.ConnectionString }
        { name: signInSecretName, value: identityClientId }
      ]
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
            { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://127.0.0.1:4318' }
            // The ingress takes some seconds to notice a shutdown, and Container Apps has no pre-stop hook.
            { name: 'SHUTDOWN_DELAY_S', value: '5' }
            // The ingress connects from the environment's own network.
            { name: 'TRUSTED_PROXIES', value: '100.64.0.0/10,10.0.0.0/8,172.16.0.0/12' }
          ]
        }
        {
          name: 'collector'
          image: collectorImage
          args: ['--config=env:COLLECTOR_CONFIG']
          resources: { cpu: json('0.25'), memory: '0.5Gi' }
          env: [
            { name: 'COLLECTOR_CONFIG', value: collectorConfig }
            { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', secretRef: 'insights' }
          ]
        }
      ]
      // One replica at most, since an answer can only be resumed in the process that writes it.
      // The rule starts a replica when there is none. A stream counts as a request only when it begins; a replica that is
      // stopped after five minutes without requests finishes its answers while it drains.
      scale: {
        minReplicas: minReplicas
        maxReplicas: 1
        cooldownPeriod: 300
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '15' } } }]
      }
    }
  }
}

resource signIn 'Microsoft.App/containerApps/authConfigs@2025-07-01' = if (!empty(signInClientId)) {
  parent: app
  name: 'current'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      unauthenticatedClientAction: 'RedirectToLoginPage'
      redirectToProvider: 'azureactivedirectory'
      excludedPaths: ['/healthz', '/readyz']
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          clientSecretSettingName: signInSecretName
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [signInClientId, 'api://${signInClientId}'] }
      }
    }
    // The app calls no other service on behalf of people, so that their tokens need not be stored.
    login: { tokenStore: { enabled: false } }
  }
}

output name string = app.name
output uri string = 'https://${app.properties.configuration.ingress.fqdn}'
