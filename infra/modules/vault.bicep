import { names, roles } from 'names.bicep'

@description('Region.')
param location string
@description('Letters and digits that make names unique.')
param token string
@description('Tags of every resource.')
param tags object
@description('Principal of the api app: its host makes the function keys and keeps them here.')
param apiPrincipal string
@description('Who may read the keys, to call the API; nobody when empty.')
param readerId string
@description('Kind of that principal.')
@allowed(['ServicePrincipal', 'User', 'Group'])
param readerType string
@description('Workspace that receives what the vault logs.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: names(token).vault
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
  }
}

resource makes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, 'api', roles.secretsOfficer)
  properties: {
    principalId: apiPrincipal
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsOfficer)
  }
}

resource reads 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(readerId)) {
  scope: vault
  name: guid(vault.id, readerId, roles.secretsUser)
  properties: {
    principalId: readerId
    principalType: readerType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.secretsUser)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
  }
}

@description('Name of the vault.')
output name string = vault.name
