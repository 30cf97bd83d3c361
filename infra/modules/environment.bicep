import { names } from 'names.bicep'

@description('Region.')
param location string
@description('Letters and digits that make names unique.')
param token string
@description('Tags of every resource.')
param tags object
@description('Serverless GPU profile; none makes an environment without one.')
param gpu string
@description('Workspace that receives what containers and the platform log.')
param workspaceId string

var consumption = { name: 'Consumption', workloadProfileType: 'Consumption' }

resource environment 'Microsoft.App/managedEnvironments@2025-07-01' = {
  name: names(token).environment
  location: location
  tags: tags
  properties: {
    // By diagnostic settings: the other way needs a key of the workspace.
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: gpu == 'none' ? [consumption] : [consumption, { name: 'gpu', workloadProfileType: gpu }]
    peerAuthentication: { mtls: { enabled: false } }
    zoneRedundant: false
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerAppConsoleLogs', enabled: true }
      { category: 'ContainerAppSystemLogs', enabled: true }
    ]
  }
}

@description('Name of the environment.')
output name string = environment.name
