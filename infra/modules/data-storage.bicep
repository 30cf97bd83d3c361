import { dataContainers, dataQueues, names } from 'names.bicep'

@description('Region.')
param location string
@description('Letters and digits that make names unique.')
param token string
@description('Tags of every resource.')
param tags object
@description('Redundancy, as Standard_LRS or Standard_ZRS.')
param sku string
@description('Days for which deleted blobs and containers, and earlier versions of blobs, can be brought back.')
param keepDays int
@description('Workspace that receives what the account logs.')
param workspaceId string

// What users upload, and all that Scion makes of it. Nobody holds a key of it: identities and their roles alone open it.
resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: names(token).dataAccount
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
      services: { blob: { enabled: true }, queue: { enabled: true, keyType: 'Account' } }
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      isVersioningEnabled: true
      deleteRetentionPolicy: { enabled: true, days: keepDays }
      containerDeleteRetentionPolicy: { enabled: true, days: keepDays }
    }

    resource container 'containers' = [
      for name in dataContainers: {
        name: name
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource queues 'queueServices' = {
    name: 'default'

    resource queue 'queues' = [
      for name in dataQueues: {
        name: name
      }
    ]
  }

  // Earlier versions only. Blobs that are current stay: a step's answer may be older than the run that uses it again.
  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'earlier-versions'
            type: 'Lifecycle'
            definition: {
              filters: { blobTypes: ['blockBlob'] }
              actions: { version: { delete: { daysAfterCreationGreaterThan: keepDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::blobs
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
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

@description('Name of the account.')
output name string = account.name
@description('Address of its blobs.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
