// Arrivals, orchestrations and every step that no GPU took.
import { identityName, names, taskHub, taskHubPartitions, token } from 'modules/names.bicep'
import { queueRule } from 'modules/rules.bicep'

@description('Name of the environment, as main.bicep was given it.')
param environmentName string
@description('Region, as main.bicep was given it.')
param location string
@description('Image with its registry and tag.')
param image string
@description('containerapp or functionapp; see docs/deploy.md, Scaling.')
@allowed(['containerapp', 'functionapp'])
param hosting string = 'containerapp'
@description('Fewest replicas. With 0 a replica starts for an upload, a command or a message of the task hub, and every hour for the sweep and the purge.')
@minValue(0)
param minReplicas int = 1
@description('Most replicas. With more than 1, a replica that is taken away ends the steps it runs; they are done again elsewhere.')
@minValue(1)
@maxValue(1000)
param maxReplicas int = 1
@description('Virtual processors of a replica; memory is twice as many GiB.')
@allowed(['1.0', '2.0', '4.0'])
param cpu string = '1.0'
@description('GPU profile that main.bicep was given. With none every step runs here.')
@allowed(['none', 'Consumption-GPU-NC8as-T4', 'Consumption-GPU-NC24-A100'])
param gpu string = 'Consumption-GPU-NC8as-T4'
@description('Time without a change after which loose files are a data set, as 00:00:30.')
param quiet string = '00:00:30'
@description('Time after which a step that no GPU took runs here, as 00:10:00.')
param pickup string = '00:10:00'

var unique = token(subscription().subscriptionId, environmentName, location)

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName('cpu', unique)
}

var hub = names(unique).hubAccount

// Timers do not wake an app that has no replica.
var hourly = {
  name: 'hourly'
  custom: {
    type: 'cron'
    metadata: { timezone: 'Etc/UTC', start: '0 * * * *', end: '5 * * * *', desiredReplicas: '1' }
  }
}

module app 'modules/function-app.bicep' = {
  params: {
    app: 'cpu'
    location: location
    token: unique
    environmentName: environmentName
    image: image
    hosting: hosting
    profile: 'Consumption'
    cpu: cpu
    memory: { '1.0': '2Gi', '2.0': '4Gi', '4.0': '8Gi' }[cpu]
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    rules: concat(
      [
        queueRule('blob-events', names(unique).dataAccount, 50, identity.id)
        queueRule('run-commands', hub, 50, identity.id)
        queueRule('step-results', hub, 50, identity.id)
        queueRule('gpu-pretrain-poison', hub, 50, identity.id)
        queueRule('gpu-extract-poison', hub, 50, identity.id)
        queueRule('${taskHub}-workitems', hub, 8, identity.id)
      ],
      map(
        range(0, taskHubPartitions),
        partition => queueRule('${taskHub}-control-0${partition}', hub, 1000, identity.id)
      ),
      minReplicas == 0 ? [hourly] : []
    )
    cooldown: 300
    grace: 600
    external: false
    settings: [
      { name: 'Scion__Roles', value: 'cpu' }
      { name: 'Scion__Quiet', value: quiet }
      { name: 'Scion__Gpu__Pretrain', value: gpu == 'none' ? 'false' : 'true' }
      { name: 'Scion__Gpu__Extract', value: gpu == 'none' ? 'false' : 'true' }
      { name: 'Scion__Gpu__Pickup', value: pickup }
      // Event Grid tells of uploads here. The triggers that look at containers themselves, and the queue of what they give up, are for a machine without it.
      { name: 'AzureWebJobs.ReviewsDropped.Disabled', value: 'true' }
      { name: 'AzureWebJobs.ImagesDropped.Disabled', value: 'true' }
      { name: 'AzureWebJobs.PredictDropped.Disabled', value: 'true' }
      { name: 'AzureWebJobs.BlobPoison.Disabled', value: 'true' }
      { name: 'AzureWebJobsSecretStorageType', value: 'files' }
      // A step that a GPU would have done may fall back to here, and take long.
      { name: 'AzureFunctionsJobHost__functionTimeout', value: '02:00:00' }
      // More at once would take memory and gain nothing; fewer would let two long steps keep every short one waiting.
      {
        name: 'AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions'
        value: { '1.0': '4', '2.0': '6', '4.0': '8' }[cpu]
      }
      // Each look at an empty queue is billed. A queue with messages is looked at again at once.
      { name: 'AzureFunctionsJobHost__extensions__queues__maxPollingInterval', value: '00:00:10' }
      {
        name: 'AzureFunctionsJobHost__extensions__durableTask__storageProvider__maxQueuePollingInterval'
        value: '00:00:10'
      }
    ]
  }
}
