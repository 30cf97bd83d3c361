# The app pretrain: word vectors with TorchSharp on CUDA. Context: the root of the repository.
# TorchSharp brings CUDA 12.8 and cuDNN 9 itself; of the platform it needs the driver alone. ONNX Runtime is the one for the CPU: two CUDA
# stacks never share a process. Versions: docs/decisions/2026-11-25-cuda-of-the-images.md.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish src/Functions -c Release -r linux-x64 --self-contained false -p:PublishReadyToRun=true -p:Accelerator=torch-cuda -o /app

FROM mcr.microsoft.com/azure-functions/dotnet-isolated:4-dotnet-isolated10.0
# libtorch 2.10 is linked against the C++ library of GCC 13. With an older one the app would start, and fail at its first step.
RUN grep -q GLIBCXX_3.4.32 /usr/lib/x86_64-linux-gnu/libstdc++.so.6 \
    || (echo "The base image's libstdc++ lacks GLIBCXX_3.4.32, which libtorch 2.10 needs: take one of Ubuntu 24.04 or Debian 13." && exit 1)
ENV AzureWebJobsScriptRoot=/home/site/wwwroot \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=build /app /home/site/wwwroot
EXPOSE 80
