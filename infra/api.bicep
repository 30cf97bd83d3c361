// The HTTP API and its page: the only app that is reached from outside. It needs no GPU, no TorchSharp and no right on the task hub.
import { names, token } from 'modules/names.bicep'

@description('Name of the environment, as main.bicep was given it.')
param environmentName string
@description('Region, as main.bicep was given it.')
param location string
@description('Image with its registry and tag.')
param image string
@description('containerapp or functionapp; see docs/deploy.md, Scaling.')
@allowed(['containerapp', 'functionapp'])
param hosting string = 'containerapp'
@description('Fewest replicas. With 0 the first request after a pause waits for one to start.')
@minValue(0)
param minReplicas int = 0
@description('Most replicas.')
@minValue(1)
@maxValue(1000)
param maxReplicas int = 5
@description('Requests at once for which a replica is added.')
@minValue(1)
param concurrentRequests int = 20
@description('Origins whose pages may call besides the app\'s own, with commas between, as https://scion.example: a domain or gateway in front.')
param origins string = ''
@description('Virtual processors of a replica; memory is twice as many GiB.')
@allowed(['0.5', '1.0', '2.0', '4.0'])
param cpu string = '1.0'
@description('GPU profile that main.bicep was given. A run is known by its settings, and the trainer is one of them: this app and the cpu app must choose alike.')
@allowed(['none', 'Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100'])
param gpu string = 'Consumption-GPU-NC8as-T4'

var unique = token(subscription().subscriptionId, environmentName, location)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: 'id-api-${unique}'
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: names(unique).vault
}

module app 'modules/function-app.bicep' = {
  params: {
    app: 'api'
    location: location
    token: unique
    environmentName: environmentName
    image: image
    hosting: hosting
    profile: 'Consumption'
    cpu: cpu
    memory: { '0.5': '1Gi', '1.0': '2Gi', '2.0': '4Gi', '4.0': '8Gi' }[cpu]
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    rules: [{ name: 'requests', http: { metadata: { concurrentRequests: string(concurrentRequests) } } }]
    cooldown: 300
    grace: 60
    external: true
    settings: [
      { name: 'Scion__Roles', value: 'http' }
      { name: 'Scion__Origins', value: origins }
      { name: 'Scion__Gpu__Pretrain', value: gpu == 'none' ? 'false' : 'true' }
      // Above it the host answers 500 and says nothing; the API refuses files over Scion__MaxUpload with their reason long before.
      { name: 'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT', value: '2147483648' }
      { name: 'AzureWebJobsSecretStorageType', value: 'keyvault' }
      { name: 'AzureWebJobsSecretStorageKeyVaultUri', value: vault.properties.vaultUri }
      { name: 'AzureWebJobsSecretStorageKeyVaultClientId', value: identity.properties.clientId }
    ]
  }
}

@description('Address of the API and the page.')
output SCION_API_URL string = 'https://${app.outputs.host}'
