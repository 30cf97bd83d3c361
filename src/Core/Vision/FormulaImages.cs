using Scion.Text;

namespace Scion.Vision;

/// <summary>What a formula image shows.</summary>
/// <param name="Shape">Class of its form, in [0, <see cref="FormulaImages.Shapes"/>): the parameters of its formula.</param>
/// <param name="Palette">Class of its colours, in [0, <see cref="FormulaImages.Palettes"/>).</param>
public readonly record struct FormulaLabel(int Shape, int Palette);

/// <summary>Pictures drawn from formulas, each with the class of its form and of its colours: a network that tells them apart has learned edges,
/// contours, textures and colours without one photo.</summary>
/// <remarks>Formula-driven supervised learning (Kataoka et al. 2020, "Pre-training without Natural Images", arXiv:2101.08515): a class is a set of
/// parameters, an instance varies them a little. Families, by class modulo <see cref="FormulaField.Families"/>: iterated function systems
/// (FractalDB, there §3), radial contours (RCDB: Kataoka et al. 2022, arXiv:2206.09132), outlined bodies with a texture inside, sums of waves (Takashima et al. 2023, arXiv:2303.01112),
/// cells (Worley 1996), gradient noise (Perlin 1985) and strokes. Differs from them in colour: each picture has one of
/// <see cref="Palettes"/> palettes, drawn apart from the form, which is a second thing to tell. The same seed, label and random stream give the same bytes
/// on one kind of processor; sines may differ in the last bit between kinds.</remarks>
public sealed class FormulaImages
{
    readonly FormulaField[] fields;
    readonly float[][] palettes;

    /// <param name="seed">Of the parameters of all classes.</param>
    /// <param name="shapes">Classes of form, at least 2.</param>
    /// <param name="palettes">Classes of colour, at least 2.</param>
    /// <param name="side">Pixels of a picture's side, in [16, 512].</param>
    public FormulaImages(long seed, int shapes, int palettes, int side)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(shapes, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(palettes, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(side, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(side, 512);
        Side = side;
        fields = new FormulaField[shapes];
        for (int k = 0; k < shapes; k++)
        {
            Xoshiro random = new(seed, k);
            fields[k] = FormulaField.Of(k % FormulaField.Families, ref random);
        }
        this.palettes = new float[palettes][];
        for (int p = 0; p < palettes; p++)
        {
            Xoshiro random = new(seed, -1 - p);
            this.palettes[p] = Palette(ref random);
        }
    }

    /// <summary>Pixels of a picture's side.</summary>
    public int Side { get; }

    /// <summary>Classes of form.</summary>
    public int Shapes => fields.Length;

    /// <summary>Classes of colour.</summary>
    public int Palettes => palettes.Length;

    /// <summary>Draws one picture of any class.</summary>
    /// <param name="random">Chooses the class and all that varies in it.</param>
    /// <param name="pixels">[side, side, 3], RGB, written whole.</param>
    public FormulaLabel Draw(ref Xoshiro random, Span<byte> pixels)
    {
        FormulaLabel label = new(random.Below(Shapes), random.Below(Palettes));
        Draw(label, ref random, pixels);
        return label;
    }

    /// <summary>Draws one picture of a class.</summary>
    /// <param name="label">The class.</param>
    /// <param name="random">Chooses what varies in it: place, size, turn, the parameters a little, light.</param>
    /// <param name="pixels">[side, side, 3], RGB, written whole.</param>
    public void Draw(FormulaLabel label, ref Xoshiro random, Span<byte> pixels)
    {
        if (pixels.Length != Side * Side * 3) throw new ArgumentException($"{pixels.Length} bytes are not a picture of {Side} × {Side}.", nameof(pixels));
        float[] values = new float[Side * Side];
        float[] mask = new float[Side * Side];
        fields[label.Shape].Draw(ref random, Side, values, mask);
        float[] ground = Ground(ref random);
        Paint(palettes[label.Palette], ground, values, mask, ref random, pixels);
    }

    /// <summary>What is behind the form: a slope of light with, half the time, soft waves. [side · side], about 0 to 1.</summary>
    float[] Ground(ref Xoshiro random)
    {
        float[] ground = new float[Side * Side];
        float angle = (float)(random.Unit() * Math.Tau), slope = (float)random.Unit() * 0.8f, wave = random.Below(2) == 0 ? 0 : (float)random.Unit() * 0.25f;
        float frequency = 4 + (20 * (float)random.Unit()), phase = (float)(random.Unit() * Math.Tau);
        (float sin, float cos) = MathF.SinCos(angle);
        for (int y = 0; y < Side; y++)
            for (int x = 0; x < Side; x++)
            {
                float u = ((x + 0.5f) / Side) - 0.5f, v = ((y + 0.5f) / Side) - 0.5f;
                float along = (u * cos) + (v * sin);
                ground[(y * Side) + x] = 0.5f + (slope * along) + (wave == 0 ? 0 : wave * MathF.Sin((frequency * along) + phase));
            }
        return ground;
    }

    /// <summary>Colours the form over its ground under a light that falls from one side, with a little noise of the sensor.</summary>
    void Paint(float[] palette, float[] ground, float[] values, float[] mask, ref Xoshiro random, Span<byte> pixels)
    {
        Span<float> colours = stackalloc float[15];
        for (int i = 0; i < 15; i++) colours[i] = Math.Clamp(palette[i] + (0.06f * (float)random.TruncatedNormal()), 0, 1);
        float exposure = 0.75f + (0.4f * (float)random.Unit()), angle = (float)(random.Unit() * Math.Tau), fall = 0.35f * (float)random.Unit();
        (float sin, float cos) = MathF.SinCos(angle);
        float noise = random.Below(2) == 0 ? 0 : 0.05f * (float)random.Unit();
        for (int y = 0; y < Side; y++)
            for (int x = 0; x < Side; x++)
            {
                int at = (y * Side) + x;
                float value = Math.Clamp(values[at], 0, 1) * 2, back = Math.Clamp(ground[at], 0, 1), m = mask[at];
                int low = value >= 1 ? 1 : 0;
                float part = value - low;
                float light = exposure * (1 + (fall * 2 * ((((x + 0.5f) / Side) - 0.5f) * cos + (((y + 0.5f) / Side) - 0.5f) * sin)));
                float grain = noise == 0 ? 0 : noise * (float)((random.Next() >> 40) * (2.0 / (1 << 24)) - 1);
                for (int c = 0; c < 3; c++)
                {
                    float fore = colours[(low * 3) + c] + (part * (colours[((low + 1) * 3) + c] - colours[(low * 3) + c]));
                    float behind = colours[9 + c] + (back * (colours[12 + c] - colours[9 + c]));
                    pixels[(at * 3) + c] = (byte)((Math.Clamp((light * (behind + (m * (fore - behind)))) + grain, 0, 1) * 255) + 0.5f);
                }
            }
    }

    /// <summary>Five colours: three of the form from low to high values, two of the ground, [5, 3] in 0 to 1.</summary>
    static float[] Palette(ref Xoshiro random)
    {
        float[] palette = new float[15];
        double hue = random.Unit(), spread = random.Below(3) switch { 0 => 0.08, 1 => 0.3, _ => 1 };
        double vividness = random.Unit();
        for (int i = 0; i < 5; i++)
        {
            double h = i < 3 ? hue + (spread * (random.Unit() - 0.5)) : random.Unit();
            double s = i < 3 ? vividness * (0.4 + (0.6 * random.Unit())) : random.Unit() * random.Unit();
            double v = i switch { 0 => 0.1 + (0.4 * random.Unit()), 1 => 0.3 + (0.6 * random.Unit()), 2 => 0.6 + (0.4 * random.Unit()), _ => random.Unit() };
            for (int c = 0; c < 3; c++)
            {
                double k = (5 - (2 * c) + (h * 6)) % 6;        // HSV by Alvy Ray Smith's hexcone
                if (k < 0) k += 6;
                palette[(i * 3) + c] = (float)(v - (v * s * Math.Clamp(Math.Min(k, 4 - k), 0, 1)));
            }
        }
        if (random.Below(2) == 0)
            for (int c = 0; c < 3; c++) (palette[c], palette[6 + c]) = (palette[6 + c], palette[c]);
        return palette;
    }
}
