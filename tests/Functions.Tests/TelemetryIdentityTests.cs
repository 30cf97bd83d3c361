using Azure.Identity;
using Scion.Functions;

namespace Scion.Tests;

/// <summary>Who sends telemetry to Application Insights.</summary>
public sealed class TelemetryIdentityTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void TelemetryIdentity_WithoutTheSetting_IsNobody(string? authentication) => Assert.Null(FunctionsServices.TelemetryIdentity(authentication));

    [Theory]
    [InlineData("Authorization=AAD")]
    [InlineData("authorization=aad;clientid=00000000-0000-0000-0000-000000000001;")]
    public void TelemetryIdentity_AskedForByTheSetting_IsAnIdentityOfTheApp(string authentication) =>
        Assert.IsType<ManagedIdentityCredential>(FunctionsServices.TelemetryIdentity(authentication));

    [Theory]
    [InlineData("ClientId=00000000-0000-0000-0000-000000000001")]
    [InlineData("Authorization=Key")]
    public void TelemetryIdentity_OfAnotherKind_IsRefused(string authentication)
    {
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => FunctionsServices.TelemetryIdentity(authentication));

        Assert.Equal("The setting APPLICATIONINSIGHTS_AUTHENTICATION_STRING is not Authorization=AAD or Authorization=AAD;ClientId=….", error.Message);
    }
}
