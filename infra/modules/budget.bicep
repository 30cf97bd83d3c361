@description('Most that a month should cost, in the currency the subscription is billed in.')
@minValue(1)
param amount int
@description('Who is told by mail, besides the owners and contributors of the resource group.')
param alertEmail string
@description('First day of the first month, as 2026-11-01.')
param firstDay string

// A budget tells; it stops nothing.
resource budget 'Microsoft.Consumption/budgets@2024-08-01' = {
  name: 'month'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: firstDay }
    notifications: {
      half: notice('Actual', 50, alertEmail)
      nearly: notice('Actual', 80, alertEmail)
      spent: notice('Actual', 100, alertEmail)
      foreseen: notice('Forecasted', 110, alertEmail)
    }
  }
}

func notice(kind string, percent int, email string) object => {
  enabled: true
  operator: 'GreaterThanOrEqualTo'
  threshold: percent
  thresholdType: kind
  contactEmails: empty(email) ? [] : [email]
  contactRoles: ['Owner', 'Contributor']
}
