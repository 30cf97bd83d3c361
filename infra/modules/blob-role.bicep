@description('Account.')
param account string
@description('Container.')
param container string
@description('Name of who is granted the role; part of the name of the grant.')
param grantee string
@description('Who that is.')
param principalId string
@description('Kind of principal.')
@allowed(['ServicePrincipal', 'User', 'Group'])
param principalType string
@description('Identifier of a built-in role.')
param role string

resource target 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' existing = {
  name: '${account}/default/${container}'
}

resource grant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: target
  name: guid(target.id, grantee, role)
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
  }
}
