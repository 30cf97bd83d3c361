using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'scion')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param principalId = readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
param principalType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')
param gpu = readEnvironmentVariable('SCION_GPU', 'Consumption-GPU-NC8as-T4')
param storageSku = readEnvironmentVariable('SCION_STORAGE_SKU', 'Standard_LRS')
param registrySku = readEnvironmentVariable('SCION_REGISTRY_SKU', 'Basic')
param keepDays = int(readEnvironmentVariable('SCION_KEEP_DAYS', '30'))
param logDays = int(readEnvironmentVariable('SCION_LOG_DAYS', '30'))
param logGigabytesPerDay = int(readEnvironmentVariable('SCION_LOG_GIGABYTES_PER_DAY', '1'))
param alertEmail = readEnvironmentVariable('SCION_ALERT_EMAIL', '')
param monthlyBudget = int(readEnvironmentVariable('SCION_MONTHLY_BUDGET', '150'))
