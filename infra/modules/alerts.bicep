@description('Region.')
param location string
@description('Tags of every resource.')
param tags object
@description('The workspace of logs.')
param workspaceId string
@description('The Event Grid topic of the data account.')
param topicId string
@description('The action group that is told.')
param actionsId string

var queries = [
  {
    name: 'poison-messages'
    title: 'Scion: a message failed five times'
    text: 'A message was put into a poison queue: a step, an answer, a command or an event could not be worked. Nothing is lost; docs/deploy.md, Looking after it, says what becomes of each.'
    query: 'StorageQueueLogs | where OperationName == "PutMessage" and StatusText == "Success" and Uri contains "-poison/messages"'
  }
  {
    name: 'failed-runs'
    title: 'Scion: a training run failed'
    text: 'The message of the log names the run, its code and what to do about it; GET /api/runs/{run} says the same.'
    query: 'AppTraces | where Message matches regex @"^Run \\S+ failed: "'
  }
  {
    name: 'durable-poison'
    title: 'Scion: the task hub cannot read a message'
    // The text of DurableTask.AzureStorage's event PoisonMessageDetected; the event's name is not in it.
    text: 'Durable Functions set a message aside and will try it again and again: an instance may stand still.'
    query: 'AppTraces | where Message contains "is now considered poison"'
  }
]

resource logAlert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in queries: {
    name: alert.name
    location: location
    tags: tags
    properties: {
      displayName: alert.title
      description: alert.text
      severity: 2
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT15M'
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: false
      skipQueryValidation: true
      actions: { actionGroups: [actionsId] }
    }
  }
]

resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'undelivered-events'
  location: 'global'
  tags: tags
  properties: {
    description: 'Events of uploads were given up. The sweep finds the files within five minutes all the same; the events lie in the container undelivered-events.'
    severity: 3
    enabled: true
    scopes: [topicId]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'given-up'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [{ actionGroupId: actionsId }]
  }
}
