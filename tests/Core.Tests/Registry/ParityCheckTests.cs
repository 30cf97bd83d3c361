using Scion.Registry;

namespace Scion.Tests.Registry;

public sealed class ParityCheckTests
{
    [Theory]
    [InlineData(new[] { 0.25f, -0.25f }, new[] { 0.25f, -0.251f }, 0.001)]
    [InlineData(new[] { -4000f, 1500f }, new[] { -4000f, 1502f }, 0.0005)]         // classes far apart: the last bit of such a float32 is 0.0002
    [InlineData(new[] { 1f, 2f }, new[] { 1f, float.NaN }, double.PositiveInfinity)]
    [InlineData(new[] { float.PositiveInfinity, 2f }, new[] { float.PositiveInfinity, 2f }, double.PositiveInfinity)]
    [InlineData(new[] { float.NaN, 2f }, new[] { 1f, 2f }, double.PositiveInfinity)]
    [InlineData(new[] { 1f, 2f }, new[] { float.NegativeInfinity, 2f }, double.PositiveInfinity)]
    public void Difference_OfARow_IsOverItsSizeOrOne(float[] expected, float[] found, double difference)
    {
        Assert.Equal(difference, ParityCheck.Difference(expected, found), 1e-6);
    }
}
