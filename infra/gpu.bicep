// An app that works one GPU queue: replicas on the GPU profile while messages wait or are worked, none otherwise.
import { appName, identityName, names, token } from 'modules/names.bicep'
import { queueRule } from 'modules/rules.bicep'

@description('Name of the azd service, which is also the role: pretrain (word vectors, TorchSharp) or extract (features of pictures, ONNX Runtime).')
@allowed(['pretrain', 'extract'])
param app string
@description('Name of the environment, as main.bicep was given it.')
param environmentName string
@description('Region, as main.bicep was given it.')
param location string
@description('Image with its registry and tag.')
param image string
@description('containerapp or functionapp; see docs/deploy.md, Scaling.')
@allowed(['containerapp', 'functionapp'])
param hosting string = 'containerapp'
@description('Most replicas: GPUs used at once. The quota of the subscription must allow them.')
@minValue(1)
@maxValue(100)
param maxReplicas int = 1
@description('GPU profile that main.bicep was given.')
@allowed(['none', 'Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100'])
param gpu string = 'Consumption-GPU-NC8as-T4'

var unique = token(subscription().subscriptionId, environmentName, location)
var queue = 'gpu-${app}'

// A replica has the whole profile: GPUs are not shared. Without a profile nothing is sent here, and a replica is an ordinary one.
var size = {
  none: { profile: 'Consumption', cpu: '4.0', memory: '8Gi' }
  'Consumption-GPU-NC8as-T4': { profile: 'gpu', cpu: '8.0', memory: '56Gi' }
  'Consumption-GPU-NC24-A100': { profile: 'gpu', cpu: '24.0', memory: '220Gi' }
}[gpu]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName(app, unique)
}

resource actions 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: names(unique).actions
}

module function 'modules/function-app.bicep' = {
  params: {
    app: app
    location: location
    token: unique
    environmentName: environmentName
    image: image
    hosting: hosting
    profile: size.profile
    cpu: size.cpu
    memory: size.memory
    minReplicas: 0
    maxReplicas: maxReplicas
    rules: [queueRule(queue, names(unique).hubAccount, 1, identity.id)]
    cooldown: 300
    grace: 600
    external: false
    settings: [
      { name: 'Scion__Roles', value: app }
      { name: 'AzureWebJobsSecretStorageType', value: 'files' }
      { name: 'AzureFunctionsJobHost__functionTimeout', value: '02:00:00' }
      // One step at a time: a GPU's memory is not shared, and a message that waits is free for another replica.
      { name: 'AzureFunctionsJobHost__extensions__queues__batchSize', value: '1' }
      { name: 'AzureFunctionsJobHost__extensions__queues__newBatchThreshold', value: '0' }
      { name: 'AzureFunctionsJobHost__extensions__queues__visibilityTimeout', value: '00:00:30' }
    ]
  }
}

resource running 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${app}-runs-for-hours'
  location: 'global'
  tags: { 'azd-env-name': environmentName }
  properties: {
    description: 'The app has had a GPU for six hours without a pause, and GPUs are billed by the second. A large job, or a replica that does not go.'
    severity: 2
    enabled: true
    scopes: [resourceId('Microsoft.App/containerApps', appName(app, unique))]
    evaluationFrequency: 'PT1H'
    windowSize: 'PT6H'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'replicas'
          metricName: 'Replicas'
          timeAggregation: 'Minimum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [{ actionGroupId: actions.id }]
  }
  dependsOn: [function]
}
