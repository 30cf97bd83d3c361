import { appName, identityName, names } from 'names.bicep'

@description('Name of the azd service: api, cpu, pretrain or extract.')
param app string
@description('Region.')
param location string
@description('Letters and digits that make names unique.')
param token string
@description('Name of the azd environment.')
param environmentName string
@description('Image with its registry and tag.')
param image string
@description('containerapp: an ordinary container app with the rules given here. functionapp: the platform makes the rules out of the triggers.')
@allowed(['containerapp', 'functionapp'])
param hosting string
@description('Workload profile of the environment.')
param profile string
@description('Virtual processors, as 0.5.')
param cpu string
@description('Memory, as 1Gi.')
param memory string
@description('Fewest replicas.')
param minReplicas int
@description('Most replicas.')
param maxReplicas int
@description('What replicas are made for.')
param rules array
@description('Seconds without work after which the last replica goes.')
param cooldown int
@description('Seconds between the request to stop and the end.')
@maxValue(600)
param grace int
@description('Whether it is reached from outside.')
param external bool
@description('Settings of this app, name and value.')
param settings { name: string, value: string }[]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName(app, token)
}

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' existing = {
  name: names(token).environment
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: names(token).registry
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names(token).insights
}

resource data 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names(token).dataAccount
}

resource hub 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: names(token).hubAccount
}

// Connections by identity: an address, how to sign in, and as whom.
var common = [
  { name: 'FUNCTIONS_WORKER_RUNTIME', value: 'dotnet-isolated' }
  { name: 'AzureFunctionsWebHost__hostid', value: 'scion-${app}' }
  { name: 'AzureWebJobsDisableHomepage', value: 'true' }
  { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
  { name: 'AzureWebJobsStorage__accountName', value: hub.name }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identity.properties.clientId }
  { name: 'ScionStorage__blobServiceUri', value: data.properties.primaryEndpoints.blob }
  { name: 'ScionStorage__queueServiceUri', value: data.properties.primaryEndpoints.queue }
  { name: 'ScionStorage__credential', value: 'managedidentity' }
  { name: 'ScionStorage__clientId', value: identity.properties.clientId }
  { name: 'ScionQueues__queueServiceUri', value: hub.properties.primaryEndpoints.queue }
  { name: 'ScionQueues__credential', value: 'managedidentity' }
  { name: 'ScionQueues__clientId', value: identity.properties.clientId }
  // Where telemetry goes, and as whom: the string alone opens nothing, host and worker read both.
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'Authorization=AAD;ClientId=${identity.properties.clientId}'
  }
]

resource container 'Microsoft.App/containerApps@2025-07-01' = {
  name: appName(app, token)
  location: location
  tags: { 'azd-env-name': environmentName, 'azd-service-name': app }
  kind: hosting == 'functionapp' ? 'functionapp' : null
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: profile
    configuration: {
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      ingress: {
        external: external
        targetPort: 80
        transport: 'auto'
        allowInsecure: false
      }
      registries: [{ server: registry.properties.loginServer, identity: identity.id }]
    }
    template: {
      terminationGracePeriodSeconds: grace
      containers: [
        {
          name: app
          image: image
          resources: { cpu: json(cpu), memory: memory }
          env: concat(common, settings)
          probes: [
            // The host listens before it is ready; a large image may take minutes to start its worker.
            { type: 'Startup', tcpSocket: { port: 80 }, periodSeconds: 10, failureThreshold: 30, timeoutSeconds: 5 }
            {
              type: 'Liveness'
              httpGet: { path: '/admin/host/ping', port: 80 }
              periodSeconds: 30
              failureThreshold: 10
              timeoutSeconds: 10
            }
            { type: 'Readiness', tcpSocket: { port: 80 }, periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 }
          ]
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        cooldownPeriod: cooldown
        pollingInterval: 30
        rules: hosting == 'functionapp' ? [] : rules
      }
    }
  }
}

@description('Name of the container app.')
output name string = container.name
@description('Host name, inside the environment or outside.')
output host string = container.properties.configuration.ingress.fqdn
