# The app extract: features of pictures with ONNX Runtime on CUDA 12, no TorchSharp. Context: the root of the repository.
# Versions: docs/decisions/2026-11-25-cuda-of-the-images.md.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Functions -c Release -r linux-x64 --self-contained false -p:PublishReadyToRun=true -p:Accelerator=onnx-cuda -p:Cuda=12 -o /app

# The libraries that ONNX Runtime's CUDA provider names, and those that cuDNN loads by itself. Links stay links, so nothing is there twice.
FROM nvidia/cuda:12.8.1-cudnn-runtime-ubuntu24.04 AS cuda
RUN mkdir /cuda \
    && for name in cudart cublas cublasLt curand cufft nvrtc nvJitLink; do cp -P /usr/local/cuda/lib64/lib$name.so.* /cuda/; done \
    && cp -P /usr/lib/x86_64-linux-gnu/libcudnn*.so.9* /cuda/

FROM mcr.microsoft.com/azure-functions/dotnet-isolated:4-dotnet-isolated10.0
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=cuda /cuda /opt/cuda
COPY --from=build /app /home/site/wwwroot
# Each library that the provider names is found, but for the driver's own, which the platform brings. Else networks would quietly run on the CPU.
RUN echo /opt/cuda > /etc/ld.so.conf.d/cuda.conf && ldconfig \
    && provider=$(find /home/site/wwwroot -name libonnxruntime_providers_cuda.so) \
    && if [ -z "$provider" ]; then echo "The app holds no CUDA provider." && exit 1; fi \
    && if ldd $provider | grep 'not found' | grep -v -e libcuda.so.1 -e libonnxruntime_providers_shared.so; then exit 1; fi
EXPOSE 80
