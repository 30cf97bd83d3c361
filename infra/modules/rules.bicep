@export()
@description('A replica for each so many messages of a queue, counting those that are being worked: a replica at work is not idle.')
func queueRule(queue string, account string, messages int, identity string) object => {
  name: queue
  custom: {
    type: 'azure-queue'
    metadata: {
      accountName: account
      queueName: queue
      queueLength: string(messages)
      queueLengthStrategy: 'all'
    }
    identity: identity
  }
}
