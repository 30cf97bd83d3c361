namespace Scion.Evaluation;

/// <summary>Quantiles of Student's t.</summary>
public static class StudentT
{
    /// <summary>97.5 % point: Cornish and Fisher's expansion to the third term, within 0.03 from 3 degrees of freedom.</summary>
    public static double Point975(double degrees)
    {
        const double z = 1.959964;
        double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
        return z + ((z3 + z) / (4 * degrees)) + (((5 * z5) + (16 * z3) + (3 * z)) / (96 * degrees * degrees))
            + (((3 * z7) + (19 * z5) + (17 * z3) - (15 * z)) / (384 * degrees * degrees * degrees));
    }
}
