import { apps, names, roles } from 'names.bicep'

@description('Region.')
param location string
@description('Letters and digits that make names unique.')
param token string
@description('Tags of every resource.')
param tags object
@description('Days for which logs are kept. 31 cost nothing beyond their ingestion.')
param logDays int
@description('Gigabytes of logs taken in a day; what comes after them that day is dropped. Limits the bill.')
param logGigabytesPerDay int
@description('Who is told by mail; nobody when empty.')
param alertEmail string
@description('Principal of each app, in the order of apps.')
param principals string[]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: names(token).logs
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: logDays
    workspaceCapping: { dailyQuotaGb: logGigabytesPerDay }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: names(token).insights
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource publish 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (app, i) in apps: {
    scope: insights
    name: guid(insights.id, app, roles.metricsPublisher)
    properties: {
      principalId: principals[i]
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.metricsPublisher)
    }
  }
]

resource actions 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: names(token).actions
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'scion'
    emailReceivers: empty(alertEmail)
      ? []
      : [
          { name: 'owner', emailAddress: alertEmail, useCommonAlertSchema: true }
        ]
  }
}

@description('The workspace of logs.')
output workspaceId string = workspace.id
@description('The action group that alerts use.')
output actionsId string = actions.id
