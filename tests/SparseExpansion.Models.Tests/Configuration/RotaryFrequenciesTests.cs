namespace SparseExpansion.Models.Configuration;

public sealed class RotaryFrequenciesTests
{
    [Fact]
    public void Compute_NoScaling_IsAGeometricSeries()
    {
        double[] frequencies = RotaryFrequencies.Compute(new RotaryOptions { Dimensions = 4, Theta = 100 });
        Assert.Equal([1, 0.1], frequencies, new Tolerance(1e-15));
    }

    [Fact]
    public void Compute_Linear_DividesByTheFactor()
    {
        double[] frequencies = RotaryFrequencies.Compute(
            new RotaryOptions { Dimensions = 4, Theta = 100, Scaling = RotaryScaling.Linear, Factor = 4 });
        Assert.Equal([0.25, 0.025], frequencies, new Tolerance(1e-15));
    }

    [Fact]
    public void Compute_Llama3_KeepsHighAndDividesLowFrequencies()
    {
        var options = new RotaryOptions { Dimensions = 128, Theta = 500000, Scaling = RotaryScaling.Llama3, Factor = 8, OriginalContext = 8192 };
        double[] plain = RotaryFrequencies.Compute(options with { Scaling = RotaryScaling.None });
        double[] scaled = RotaryFrequencies.Compute(options);
        for (int i = 0; i < plain.Length; i++)
        {
            double wavelength = 2 * Math.PI / plain[i];
            if (wavelength < 8192.0 / 4)
            {
                Assert.Equal(plain[i], scaled[i], 1e-15);
            }
            else if (wavelength > 8192.0)
            {
                Assert.Equal(plain[i] / 8, scaled[i], 1e-15);
            }
            else
            {
                Assert.InRange(scaled[i], plain[i] / 8, plain[i]);
            }
        }
    }

    private sealed class Tolerance(double epsilon) : IEqualityComparer<double>
    {
        public bool Equals(double x, double y) => Math.Abs(x - y) <= epsilon;

        public int GetHashCode(double obj) => 0;
    }
}
