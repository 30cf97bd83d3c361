import { apps, roles } from 'names.bicep'

@description('Name of the account that users upload to.')
param dataAccount string
@description('Name of the account of the task hub.')
param hubAccount string
@description('Principal of each app, in the order of apps.')
param principals string[]
@description('Who may upload and read results; nobody when empty.')
param uploaderId string
@description('Kind of that principal.')
@allowed(['ServicePrincipal', 'User', 'Group'])
param uploaderType string

// Each right that an app has on one container. What is not listed, no app can do.
var onContainers = [
  { app: 'api', account: 'data', container: 'reviews', role: 'blobContributor' } // PUT of files; a run pins the folder
  { app: 'api', account: 'data', container: 'images', role: 'blobContributor' }
  { app: 'api', account: 'data', container: 'models', role: 'blobContributor' } // predicting; latest.json by promote and rollback
  { app: 'api', account: 'data', container: 'encoders', role: 'blobReader' }
  { app: 'api', account: 'data', container: 'runs', role: 'blobContributor' } // a run is recorded before it is started, and cancelled here
  { app: 'api', account: 'hub', container: 'azure-webjobs-hosts', role: 'blobContributor' }
  { app: 'cpu', account: 'data', container: 'reviews', role: 'blobReader' } // nothing of Scion's changes what a user uploaded
  { app: 'cpu', account: 'data', container: 'images', role: 'blobReader' }
  { app: 'cpu', account: 'data', container: 'predict', role: 'blobReader' }
  { app: 'cpu', account: 'data', container: 'predictions', role: 'blobContributor' }
  { app: 'cpu', account: 'data', container: 'models', role: 'blobContributor' }
  { app: 'cpu', account: 'data', container: 'encoders', role: 'blobContributor' } // the encoder that ships is stored at its first use
  { app: 'cpu', account: 'data', container: 'runs', role: 'blobContributor' }
  { app: 'cpu', account: 'data', container: 'work', role: 'blobContributor' }
  { app: 'pretrain', account: 'data', container: 'runs', role: 'blobContributor' } // progress; whether the run was cancelled
  { app: 'pretrain', account: 'data', container: 'work', role: 'blobContributor' }
  { app: 'pretrain', account: 'hub', container: 'azure-webjobs-hosts', role: 'blobContributor' }
  { app: 'extract', account: 'data', container: 'encoders', role: 'blobReader' }
  { app: 'extract', account: 'data', container: 'runs', role: 'blobContributor' }
  { app: 'extract', account: 'data', container: 'work', role: 'blobContributor' }
  { app: 'extract', account: 'hub', container: 'azure-webjobs-hosts', role: 'blobContributor' }
]

// A listener also renews the time for which its message is hidden, which no narrower role allows.
var onQueues = [
  { app: 'api', account: 'hub', queue: 'run-commands', role: 'queueSender' }
  { app: 'cpu', account: 'data', queue: 'blob-events', role: 'queueContributor' }
  { app: 'cpu', account: 'data', queue: 'blob-events-poison', role: 'queueContributor' }
  { app: 'pretrain', account: 'hub', queue: 'gpu-pretrain', role: 'queueContributor' }
  { app: 'pretrain', account: 'hub', queue: 'gpu-pretrain-poison', role: 'queueSender' }
  { app: 'pretrain', account: 'hub', queue: 'step-results', role: 'queueSender' }
  { app: 'extract', account: 'hub', queue: 'gpu-extract', role: 'queueContributor' }
  { app: 'extract', account: 'hub', queue: 'gpu-extract-poison', role: 'queueSender' }
  { app: 'extract', account: 'hub', queue: 'step-results', role: 'queueSender' }
]

// The task hub makes containers, queues and tables of its own: only the app that works it has a whole account.
var onHub = [
  { app: 'cpu', role: 'blobOwner' }
  { app: 'cpu', role: 'queueContributor' }
  { app: 'cpu', role: 'tableContributor' }
]

var toUploader = [
  { container: 'reviews', role: 'blobContributor' }
  { container: 'images', role: 'blobContributor' }
  { container: 'predict', role: 'blobContributor' }
  { container: 'predictions', role: 'blobReader' }
  { container: 'models', role: 'blobReader' }
  { container: 'runs', role: 'blobReader' }
]

module containerRight 'blob-role.bicep' = [
  for right in onContainers: {
    name: 'right-${right.app}-${right.container}'
    params: {
      account: right.account == 'hub' ? hubAccount : dataAccount
      container: right.container
      grantee: right.app
      principalId: principals[indexOf(apps, right.app)]
      principalType: 'ServicePrincipal'
      role: roles[right.role]
    }
  }
]

module queueRight 'queue-role.bicep' = [
  for right in onQueues: {
    name: 'right-${right.app}-${right.queue}'
    params: {
      account: right.account == 'hub' ? hubAccount : dataAccount
      queue: right.queue
      grantee: right.app
      principalId: principals[indexOf(apps, right.app)]
      role: roles[right.role]
    }
  }
]

module uploaderRight 'blob-role.bicep' = [
  for right in toUploader: if (!empty(uploaderId)) {
    name: 'right-uploader-${right.container}'
    params: {
      account: dataAccount
      container: right.container
      grantee: uploaderId
      principalId: uploaderId
      principalType: uploaderType
      role: roles[right.role]
    }
  }
]

resource hub 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hubAccount
}

resource hubRight 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for right in onHub: {
    scope: hub
    name: guid(hub.id, right.app, roles[right.role])
    properties: {
      principalId: principals[indexOf(apps, right.app)]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[right.role])
    }
  }
]
