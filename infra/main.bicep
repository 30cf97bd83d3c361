// All that the apps need: run it once, and again when a parameter changes. The apps themselves are api.bicep, cpu.bicep and gpu.bicep, deployed
// with each image.
targetScope = 'subscription'

import { names, token } from 'modules/names.bicep'

@description('Name of the environment, as dev. Resources of one name and region are one installation.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region. It must offer the GPU profile; docs/deploy.md lists regions.')
param location string

@description('Resource group; made when it is missing.')
param resourceGroupName string = 'rg-${environmentName}'

@description('Object id of who may upload files, read results and read the function key; azd gives the id of who runs it. Nobody when empty.')
param principalId string = ''

@description('Kind of that principal.')
@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string = 'User'

@description('Serverless GPU profile of the environment. With none, GPU steps run in the cpu app.')
@allowed(['none', 'Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100'])
param gpu string = 'Consumption-GPU-NC8as-T4'

@description('Redundancy of both storage accounts.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Tier of the registry. Premium adds artifact streaming: large GPU images start sooner.')
@allowed(['Basic', 'Standard', 'Premium'])
param registrySku string = 'Basic'

@description('Days for which deleted blobs and earlier versions of blobs can be brought back.')
@minValue(1)
@maxValue(365)
param keepDays int = 30

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('Gigabytes of logs taken in a day; what comes after them that day is dropped.')
@minValue(1)
param logGigabytesPerDay int = 1

@description('Who is told by mail of alerts and of the budget; nobody when empty.')
param alertEmail string = ''

@description('Monthly budget of the resource group in the billing currency; 0 makes none.')
@minValue(0)
param monthlyBudget int = 150

@description('First day of the month in which the budget starts. The default is this month.')
param budgetFrom string = utcNow('yyyy-MM-01')

var unique = token(subscription().subscriptionId, environmentName, location)
var tags = { 'azd-env-name': environmentName, product: 'scion' }

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    location: location
    token: unique
    tags: tags
    logDays: logDays
    logGigabytesPerDay: logGigabytesPerDay
    alertEmail: alertEmail
    principals: identities.outputs.principals
  }
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: { location: location, token: unique, tags: tags }
}

module dataStorage 'modules/data-storage.bicep' = {
  scope: group
  params: {
    location: location
    token: unique
    tags: tags
    sku: storageSku
    keepDays: keepDays
    workspaceId: monitoring.outputs.workspaceId
  }
}

module hubStorage 'modules/hub-storage.bicep' = {
  scope: group
  params: {
    location: location
    token: unique
    tags: tags
    sku: storageSku
    workspaceId: monitoring.outputs.workspaceId
  }
}

module rights 'modules/rights.bicep' = {
  scope: group
  params: {
    dataAccount: names(unique).dataAccount
    hubAccount: names(unique).hubAccount
    principals: identities.outputs.principals
    uploaderId: principalId
    uploaderType: principalType
  }
  dependsOn: [dataStorage, hubStorage]
}

module events 'modules/events.bicep' = {
  scope: group
  params: {
    location: location
    token: unique
    tags: tags
    dataAccount: names(unique).dataAccount
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [dataStorage]
}

module registry 'modules/registry.bicep' = {
  scope: group
  params: {
    location: location
    token: unique
    tags: tags
    sku: registrySku
    principals: identities.outputs.principals
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    location: location
    token: unique
    tags: tags
    apiPrincipal: identities.outputs.principals[0]
    readerId: principalId
    readerType: principalType
    workspaceId: monitoring.outputs.workspaceId
  }
}

module environment 'modules/environment.bicep' = {
  scope: group
  params: {
    location: location
    token: unique
    tags: tags
    gpu: gpu
    workspaceId: monitoring.outputs.workspaceId
  }
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    topicId: events.outputs.topicId
    actionsId: monitoring.outputs.actionsId
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  scope: group
  params: { amount: max(monthlyBudget, 1), alertEmail: alertEmail, firstDay: budgetFrom }
}

@description('Resource group; azd deploys the apps into it.')
output AZURE_RESOURCE_GROUP string = group.name
@description('Where azd pushes images.')
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer
@description('Environment of the container apps.')
output AZURE_CONTAINER_ENVIRONMENT_NAME string = environment.outputs.name
@description('Account to upload to.')
output SCION_DATA_ACCOUNT string = dataStorage.outputs.name
@description('Address to upload to.')
output SCION_DATA_ENDPOINT string = dataStorage.outputs.blobEndpoint
@description('Vault with the function key.')
output SCION_VAULT string = vault.outputs.name
