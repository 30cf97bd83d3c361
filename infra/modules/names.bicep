// Names that more than one template needs: of resources, containers, queues and roles. A name is written here and nowhere else.

@export()
@description('Letters and digits that make names of this environment unique in Azure.')
func token(subscriptionId string, environmentName string, location string) string =>
  toLower(uniqueString(subscriptionId, environmentName, location))

@export()
@description('Names of the resources of one environment. Limits: accounts 3 to 24 letters and digits, the registry 5 to 50, the vault 3 to 24, container apps 2 to 32.')
func names(token string) object => {
  dataAccount: 'stdata${token}'
  hubAccount: 'sthub${token}'
  registry: 'acr${token}'
  vault: 'kv-${token}'
  logs: 'log-${token}'
  insights: 'appi-${token}'
  actions: 'ag-${token}'
  environment: 'cae-${token}'
  topic: 'evgt-${token}'
}

@export()
@description('Name of the container app of one of the four apps.')
func appName(app string, token string) string => 'ca-${app}-${token}'

@export()
@description('Name of the identity of one of the four apps.')
func identityName(app string, token string) string => 'id-${app}-${token}'

@export()
@description('Apps, by the name of their azd service.')
var apps = ['api', 'cpu', 'pretrain', 'extract']

@export()
@description('Containers of the data account: the storage contract of docs/design.md, and events that could not be delivered.')
var dataContainers = [
  'reviews'
  'images'
  'predict'
  'predictions'
  'models'
  'encoders'
  'runs'
  'work'
  'undelivered-events'
]

@export()
@description('Containers that users drop files into, and that are watched.')
var watchedContainers = ['reviews', 'images', 'predict']

@export()
@description('Queues of the data account. Event Grid writes the first; the host puts what failed five times into the second.')
var dataQueues = ['blob-events', 'blob-events-poison']

@export()
@description('Queues of the hub account that only Scion writes, each with the queue of what failed five times.')
var hubQueues = [
  'run-commands'
  'run-commands-poison'
  'gpu-pretrain'
  'gpu-pretrain-poison'
  'gpu-extract'
  'gpu-extract-poison'
  'step-results'
  'step-results-poison'
]

@export()
@description('Container of the hub account in which the Functions host keeps its locks. The task hub makes its own containers, queues and tables.')
var hostContainer = 'azure-webjobs-hosts'

@export()
@description('Lower-case name of the task hub: host.json, extensions.durableTask.hubName.')
var taskHub = 'scionhub'

@export()
@description('Partitions of the task hub: host.json, extensions.durableTask.storageProvider.partitionCount, or 4.')
var taskHubPartitions = 4

@export()
@description('Built-in roles by the name this project gives them. The identifiers are the same in every tenant.')
var roles = {
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d' // AcrPull
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' // Storage Blob Data Contributor
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1' // Storage Blob Data Reader
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  queueSender: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a' // Storage Queue Data Message Sender
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
  metricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb' // Monitoring Metrics Publisher
  secretsUser: '4633458b-17de-408a-b874-0445c86b69e6' // Key Vault Secrets User
  secretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7' // Key Vault Secrets Officer
}
