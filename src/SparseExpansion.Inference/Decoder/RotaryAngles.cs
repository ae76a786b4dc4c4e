using SparseExpansion.Execution.Memory;
using SparseExpansion.Inference.Vectors;
using SparseExpansion.Models;
using SparseExpansion.Models.Configuration;

namespace SparseExpansion.Inference.Decoder;

/// <summary>Cosines and sines of the angles of a pass's tokens, for layers with the same rotary options.</summary>
/// <param name="options">Base, number of features and scaling.</param>
internal sealed unsafe class RotaryAngles(RotaryOptions options) : IDisposable
{
    private readonly NativeBuffer _cosines = new();
    private readonly NativeBuffer _sines = new();
    private double[] _frequencies = [];
    private long _regime;

    private int Pairs => options.Dimensions / 2;

    /// <summary>Computes the angles of the tokens of a pass.</summary>
    public void Prepare(ReadOnlySpan<PassSegment> segments, int tokens)
    {
        nuint bytes = (nuint)tokens * (nuint)Pairs * sizeof(float);
        var cosines = (float*)_cosines.Reserve(bytes);
        var sines = (float*)_sines.Reserve(bytes);
        foreach (ref readonly PassSegment segment in segments)
        {
            ReadOnlySpan<double> frequencies = FrequenciesOf(segment.Length);
            for (int token = 0; token < segment.Count; token++)
            {
                nint row = (nint)(segment.First + token) * Pairs;
                Compute(segment.Cache.Length + token, frequencies, cosines + row, sines + row);
            }
        }
    }

    /// <summary>Rotates the heads of a token.</summary>
    /// <param name="token">Its number in the pass.</param>
    /// <param name="heads">[heads · features].</param>
    /// <param name="features">Features of a head.</param>
    public void Rotate(int token, Span<float> heads, int features)
    {
        nint row = (nint)token * Pairs;
        Rotation.Halves(
            heads, features, new ReadOnlySpan<float>((float*)_cosines.Pointer + row, Pairs),
            new ReadOnlySpan<float>((float*)_sines.Pointer + row, Pairs));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cosines.Dispose();
        _sines.Dispose();
    }

    private void Compute(int position, ReadOnlySpan<double> frequencies, float* cosines, float* sines)
    {
        for (int pair = 0; pair < frequencies.Length; pair++)
        {
            (double sine, double cosine) = Math.SinCos(position * frequencies[pair]);
            cosines[pair] = (float)(cosine * options.AttentionFactor);
            sines[pair] = (float)(sine * options.AttentionFactor);
        }
    }

    /// <summary>Computed anew only where the length changes them.</summary>
    private ReadOnlySpan<double> FrequenciesOf(int length)
    {
        long regime = RotaryFrequencies.Regime(options, length);
        if (_frequencies.Length == 0 || regime != _regime)
        {
            (_frequencies, _regime) = (RotaryFrequencies.Compute(options, length), regime);
        }

        return _frequencies;
    }
}
