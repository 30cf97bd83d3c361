import { apps, identityName } from 'names.bicep'

@description('Region.')
param location string
@description('Letters and digits that make names unique.')
param token string
@description('Tags of every resource.')
param tags object

// One identity an app, made before the app: its rights exist when its first replica starts, and outlive the app.
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [
  for app in apps: {
    name: identityName(app, token)
    location: location
    tags: tags
  }
]

@description('Principal of each app, in the order of apps.')
output principals string[] = [for (app, i) in apps: identity[i].properties.principalId]
