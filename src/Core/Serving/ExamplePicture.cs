using System.Globalization;
using Scion.Registry;

namespace Scion.Serving;

/// <summary>The small picture of an example that a version of images stores.</summary>
public static class ExamplePicture
{
    /// <param name="registry">Where the versions are.</param>
    /// <param name="model">Model name.</param>
    /// <param name="version">Version name.</param>
    /// <param name="number">As <see cref="Neighbour.Example"/>, in digits.</param>
    /// <param name="cancellation">Stops the reads.</param>
    /// <returns>A JPEG.</returns>
    /// <exception cref="Faults.InputRejectedException">There is no such picture (R019), or the version cannot be read (R003 to R010).</exception>
    public static async Task<byte[]> ReadAsync(ModelRegistry registry, string model, string version, string number, CancellationToken cancellation)
    {
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int example)
            || (await registry.ReadManifestAsync(model, version, cancellation)).Kind != ModelManifest.Images)
            throw RegistryFaults.NoExample(model, version, number);
        ModelPackage package = await registry.ReadAsync(model, version, digest: null, [ModelPackage.ExamplePicturesName], cancellation);
        return PictureArchive.Find(ModelPackage.ExamplePicturesName, package[ModelPackage.ExamplePicturesName], example, "jpg")
            ?? throw RegistryFaults.NoExample(model, version, number);
    }
}
