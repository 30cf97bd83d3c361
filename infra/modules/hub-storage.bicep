import { hostContainer, hubQueues, names } from 'names.bicep'

@description('Region.')
param location string
@description('Letters and digits that make names unique.')
param token string
@description('Tags of every resource.')
param tags object
@description('Redundancy, as Standard_LRS or Standard_ZRS.')
param sku string
@description('Workspace that receives what the account logs.')
param workspaceId string

// The task hub, the host's locks and the queues that only Scion writes. Who can write here can make the workers run what he likes, so users have no
// right on it and it is never the account they upload to.
resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: names(token).hubAccount
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: {
        blob: { enabled: true }
        queue: { enabled: true, keyType: 'Account' }
        table: { enabled: true, keyType: 'Account' }
      }
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'

    resource container 'containers' = {
      name: hostContainer
      properties: { publicAccess: 'None' }
    }
  }

  resource queues 'queueServices' = {
    name: 'default'

    resource queue 'queues' = [
      for name in hubQueues: {
        name: name
      }
    ]
  }
}

resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::queues
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'StorageWrite', enabled: true }]
  }
}
