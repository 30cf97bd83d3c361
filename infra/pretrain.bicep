// Word vectors on a GPU: TorchSharp with CUDA.
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

module app 'modules/gpu-app.bicep' = {
  params: {
    app: 'pretrain'
    environmentName: environmentName
    location: location
    image: image
    hosting: hosting
    maxReplicas: maxReplicas
    gpu: gpu
  }
}
