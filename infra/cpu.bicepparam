using 'cpu.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'scion')
param location = readEnvironmentVariable('AZURE_LOCATION', 'swedencentral')
param image = readEnvironmentVariable('SERVICE_CPU_IMAGE_NAME', '')
param hosting = readEnvironmentVariable('SCION_HOSTING', 'containerapp')
param minReplicas = int(readEnvironmentVariable('SCION_CPU_MIN_REPLICAS', '1'))
param maxReplicas = int(readEnvironmentVariable('SCION_CPU_MAX_REPLICAS', '1'))
param cpu = readEnvironmentVariable('SCION_CPU_CPU', '1.0')
param gpu = readEnvironmentVariable('SCION_GPU', 'Consumption-GPU-NC8as-T4')
param quiet = readEnvironmentVariable('SCION_QUIET', '00:00:30')
param pickup = readEnvironmentVariable('SCION_GPU_PICKUP', '00:10:00')
