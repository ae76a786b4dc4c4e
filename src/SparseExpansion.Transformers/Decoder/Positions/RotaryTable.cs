using SparseExpansion.Models;
using SparseExpansion.Models.Configuration;
using SparseExpansion.Tensors;
using static TorchSharp.torch;

namespace SparseExpansion.Transformers.Decoder.Positions;

/// <summary>
/// Cosines and sines of the rotary angles, shared by the blocks of a model and grown when longer sequences come. Tables
/// that were outgrown live as long as the model, because another thread may still read them; doubling keeps them below
/// the size of the newest.
/// </summary>
/// <param name="options">Base, number of features and scaling.</param>
internal sealed class RotaryTable(RotaryOptions options) : IDisposable
{
    private const long FirstLength = 256;

    private readonly Lock _growing = new();
    private readonly List<(Device Device, long Regime, long Length, RotaryAngles Angles)> _tables = [];

    /// <summary>Angles of some tokens; the caller disposes them.</summary>
    /// <param name="device">Their device.</param>
    /// <param name="start">Place of the first token in the sequence.</param>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="positions">Positions [batch, tokens] where they are not start, start + 1, …; else null.</param>
    /// <param name="lengths">With positions: the length of each sequence, which scalings look at.</param>
    public RotaryAngles Angles(
        Device device, long start, long tokens, Tensor? positions = null, IReadOnlyList<long>? lengths = null)
    {
        using var scope = NewDisposeScope();
        RotaryAngles angles = positions is null
            ? Take(device, start + tokens, table => table.narrow(0, start, tokens).alias())
            : OfRows(device, positions, lengths!);
        return new RotaryAngles(angles.Cosines.DetachFromDisposeScope(), angles.Sines.DetachFromDisposeScope());
    }

    public void Dispose()
    {
        lock (_growing)
        {
            _tables.ForEach(table => table.Angles.Dispose());
            _tables.Clear();
        }
    }

    /// <summary>Every sequence gets the angles that it gets alone, also where others of the batch are longer.</summary>
    private RotaryAngles OfRows(Device device, Tensor positions, IReadOnlyList<long> lengths)
    {
        if (lengths.Select(length => RotaryFrequencies.Regime(options, length)).Distinct().Count() == 1)
        {
            return Take(device, lengths.Max(), table => Rows(table, positions));
        }

        RotaryAngles[] rows = [.. lengths.Select(
            (length, row) => Take(device, length, table => Rows(table, positions.narrow(0, row, 1))))];
        return new RotaryAngles(cat([.. rows.Select(row => row.Cosines)], 0), cat([.. rows.Select(row => row.Sines)], 0));
    }

    private static Tensor Rows(Tensor table, Tensor positions) =>
        table.index_select(0, positions.flatten()).view(positions.size(0), 1, positions.size(1), -1);

    /// <summary>Takes rows of the table for sequences of a length.</summary>
    private RotaryAngles Take(Device device, long length, Func<Tensor, Tensor> select)
    {
        length = Math.Max(1, length); // Padding has position 0, also in front of nothing.
        bool changesAlways = options.Scaling == RotaryScaling.Dynamic && length > options.OriginalContext;
        using RotaryAngles? passing = changesAlways ? Compute(device, length, length) : null;
        RotaryAngles all = passing ?? Get(device, RotaryFrequencies.Regime(options, length), length);
        return new RotaryAngles(select(all.Cosines), select(all.Sines));
    }

    private RotaryAngles Get(Device device, long regime, long length)
    {
        lock (_growing)
        {
            long known = 0;
            foreach (var table in _tables.Where(table => table.Regime == regime && table.Device.type == device.type && table.Device.index == device.index))
            {
                if (table.Length >= length)
                {
                    return table.Angles;
                }

                known = Math.Max(known, table.Length);
            }

            long rows = Math.Max(FirstLength, Math.Max(length, 2 * known));
            RotaryAngles angles = Compute(device, length, rows);
            _tables.Add((device, regime, rows, angles));
            return angles;
        }
    }

    /// <summary>The first rows of the table for sequences of a length.</summary>
    private RotaryAngles Compute(Device device, long length, long rows)
    {
        // A table made under inference mode could not take part in training later.
        using var recordable = inference_mode(false);
        using var scope = NewDisposeScope();
        double[] frequencies = RotaryFrequencies.Compute(options, length);
        Tensor angles = outer(TensorArithmetic.Range(rows, float64), tensor(frequencies, dtype: float64));
        return new RotaryAngles(Finish(angles.cos()), Finish(angles.sin()));

        Tensor Finish(Tensor table) => (options.AttentionFactor == 1 ? table : table * Scalars.Of(options.AttentionFactor))
            .to(float32).to(device).DetachFromDisposeScope();
    }
}
