using 'api.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'scion')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param image = readEnvironmentVariable('SERVICE_API_IMAGE_NAME', '')
param hosting = readEnvironmentVariable('SCION_HOSTING', 'containerapp')
param minReplicas = int(readEnvironmentVariable('SCION_API_MIN_REPLICAS', '0'))
param maxReplicas = int(readEnvironmentVariable('SCION_API_MAX_REPLICAS', '5'))
param concurrentRequests = int(readEnvironmentVariable('SCION_API_CONCURRENT_REQUESTS', '20'))
param origins = readEnvironmentVariable('SCION_ORIGINS', '')
param cpu = readEnvironmentVariable('SCION_API_CPU', '1.0')
param gpu = readEnvironmentVariable('SCION_GPU', 'Consumption-GPU-NC8as-T4')
