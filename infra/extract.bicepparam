using 'gpu.bicep'

param app = 'extract'
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'scion')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param image = readEnvironmentVariable('SERVICE_EXTRACT_IMAGE_NAME', '')
param hosting = readEnvironmentVariable('SCION_HOSTING', 'containerapp')
param maxReplicas = int(readEnvironmentVariable('SCION_EXTRACT_MAX_REPLICAS', '1'))
param gpu = readEnvironmentVariable('SCION_GPU', 'Consumption-GPU-NC8as-T4')
